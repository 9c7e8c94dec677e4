"""QEMU's MicroBlaze with memory and nothing else: an IOP whose registers are words that a test may look at.

The program runs, in real time. Memory is a file without a name that both sides map, and reaches from local memory
over the window to DDR to the last peripheral.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .qtest import SharedRam, find_qemu

LOCAL, MAILBOX, WINDOW, END = 0x1_0000, 0xF000, 0x2000_0000, 0x4200_0000
COMMAND = 0x3FF  # the mailbox's word
TIMEOUT = 10.0
#: None of the optional units: a program that needs one gives wrong results here.
_OPTIONS = "use-barrel=off,use-div=off,use-hw-mul=0,use-pcmp-instr=off,use-msr-instr=off,use-fpu=0"
_PROCESSOR = "/machine/unattached/device[0]"


class MicroBlaze:
    """``program``: a .bin file. Write what it shall find, then use as a context manager: inside it runs."""

    def __init__(self, program: Path) -> None:
        self._qemu = find_qemu("qemu-system-microblazeel")
        self.ram = SharedRam([(0, END)])
        image = np.fromfile(program, dtype=np.uint8)
        self.ram.at(0, image.size)[:] = image
        # QEMU does not start a processor at 0 unless a loader sets its PC, which must be another: brai 0 is there.
        self.words(LOCAL, 1)[0] = 0xB808_0000
        self.mailbox = self.words(MAILBOX, 1024)

    def words(self, address: int, count: int) -> NDArray[np.uint32]:
        """Memory as the processor addresses it, shape (count,), not copied."""
        return self.ram.at(address, 4 * count).view("<u4")

    def ddr(self, physical: int, nbytes: int, dtype: str = "<u4") -> NDArray[np.generic]:
        """Bytes that the host has at ``physical``, as an array of ``dtype``, not copied."""
        return self.ram.at(WINDOW + physical, nbytes).view(dtype)

    def __enter__(self) -> MicroBlaze:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(TIMEOUT)
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(self._qemu, "-accel", "tcg", "-M", "none,memory-backend=m"),
                    *("-cpu", f"microblaze-cpu,endianness=on,{_OPTIONS}"),
                    *("-object", f"memory-backend-file,id=m,size={END},share=on,mem-path=/proc/self/fd/{self.ram.fd}"),
                    *("-device", f"loader,addr={LOCAL:#x},cpu-num=0"),
                    *("-chardev", f"socket,id=test,fd={theirs.fileno()}"),
                    *("-object", "qtest,id=qtest,chardev=test,log=/dev/null"),
                    *("-display", "none", "-serial", "none", "-monitor", "none"),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[self.ram.fd, theirs.fileno()],
            )
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(TIMEOUT)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Until ``condition`` holds."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert self._process.poll() is None, "QEMU ended"
            assert time.monotonic() < deadline, f"waited {TIMEOUT:g} s for {what}"
            time.sleep(1e-4)

    def command(self, word: int) -> None:
        """The mailbox's command protocol."""
        self.mailbox[COMMAND] = word
        self.wait(lambda: self.mailbox[COMMAND] == 0, f"command {word:#x}")

    def interrupt(self, level: bool) -> None:
        """The processor's interrupt input."""
        self._socket.sendall(f"set_irq_in {_PROCESSOR} unnamed-gpio-in 0 {level:d}\n".encode())
        assert self._socket.recv(64) == b"OK\n"
