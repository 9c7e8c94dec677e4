"""An interrupt line of a QEMU machine that runs, through its qtest socket (QEMU, docs/devel/testing/qtest.rst)."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType

_TIMEOUT = 20.0


class InterruptInput:
    """Input ``line`` of the machine's GIC, an SPI; QEMU connects to the socket at ``path`` when it starts."""

    def __init__(self, path: Path, line: int) -> None:
        self._line, self._level = line, False
        self._connection: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)

    def connect(self) -> None:
        """Wait for QEMU."""
        self._listener.settimeout(_TIMEOUT)
        self._connection = self._listener.accept()[0]
        self._connection.settimeout(_TIMEOUT)

    def set(self, level: bool) -> None:
        """Set the level of the line. ConnectionError when QEMU has gone."""
        if level == self._level:
            return
        assert self._connection is not None
        words = f"set_irq_in /machine/soc/gic unnamed-gpio-in {self._line} {level:d}\n"
        self._connection.sendall(words.encode())
        reply = self._connection.recv(256)
        if not reply:
            raise ConnectionResetError("QEMU has closed its qtest socket")
        if not reply.startswith(b"OK"):
            raise RuntimeError(f"qtest {words.strip()!r}: {reply.decode(errors='replace').strip()}")
        self._level = level

    def __enter__(self) -> InterruptInput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        if self._connection is not None:
            self._connection.close()
