"""A UIO device with an interrupt, as drivers/uio/uio_pdrv_genirq.c makes one, on a pair of sockets."""

import socket
import struct
import threading


class FakeUio:
    """One end of a pair of sockets behaves like /dev/uioN; the interrupt is one of level.

    The handler counts an interrupt and masks it; writing 1 unmasks it, and it comes again if the line is still up.
    ``written`` are the words that were written to it; ``dropped`` makes it lose the unmasking, as a wrong
    program would by not writing it.
    """

    def __init__(self) -> None:
        self._device, self._user = socket.socketpair()
        self.level = self.masked = False
        self.count = 0
        self.written: list[int] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._user.fileno()

    def set(self, level: bool) -> None:
        with self._lock:
            self.level = level
            self._fire()

    def _fire(self) -> None:
        if self.level and not self.masked:
            self.masked = True
            self.count += 1
            self._device.sendall(struct.pack("=i", self.count))

    def _serve(self) -> None:
        while word := self._device.recv(4):
            with self._lock:
                self.written.append(struct.unpack("=i", word)[0])
                self.masked = not self.written[-1]
                self._fire()

    def close(self) -> None:
        self._user.close()

    def break_off(self) -> None:
        """The device is gone."""
        self._device.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "FakeUio":
        return self

    def __exit__(self, *exc: object) -> None:
        self._device.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._user.close()
        self._device.close()
