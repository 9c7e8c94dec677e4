"""QEMU's MicroBlaze as a bare processor: no board, one piece of memory that is a file the test maps as well."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import threading
import time
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ..qtest import SharedRam, find_qemu
from . import layout as at
from .encodings import named, word
from .programs import Outcome, Program

NAME = "qemu-system-microblazeel"
#: Where the processor begins: the loader that sets its PC refuses 0.
_ENTRY = at.LOCAL_BYTES
_LINE = re.compile(r"0x[0-9a-f]{16}:  ([^\r\n]*)")


class Qemu:
    """Each run is a process of its own, because QEMU goes on executing code that another process has replaced."""

    def __init__(self, timeout: float = 60.0) -> None:
        self._path = find_qemu(NAME)
        self._timeout = timeout
        self.ram = SharedRam([(0, at.WINDOW + at.WINDOW_BYTES)])
        self._words: NDArray[np.uint32] = self.ram.bytes.view("<u4")
        self._words[_ENTRY // 4] = word(named("brai"), i=0)

    def __enter__(self) -> Qemu:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self.ram.fd)

    def words(self, address: int, count: int) -> NDArray[np.uint32]:
        """Memory, not copied."""
        return self._words[address // 4 :][:count]

    def start(self, *, monitor: bool = False) -> subprocess.Popen[str]:
        """A process that executes from 0, or nothing, but takes commands on its standard input, with ``monitor``."""
        command = [self._path, "-M", "none,memory-backend=ram", "-display", "none", "-serial", "none"]
        exceptions = "ill-opcode-exception=on,unaligned-exceptions=on,div-zero-exception=on,opcode-0x0-illegal=on"
        command += ["-cpu", f"microblaze-cpu,endianness=on,use-mmu=off,use-fpu=0,version=10.0,{exceptions}"]
        command += [
            "-object",
            f"memory-backend-file,id=ram,size={self.ram.size},share=on,mem-path=/dev/fd/{self.ram.fd}",
        ]
        command += ["-device", f"loader,addr={_ENTRY:#x},cpu-num=0", "-monitor", "stdio" if monitor else "none"]
        command += ["-S"] if monitor else []
        return subprocess.Popen(
            command,
            pass_fds=[self.ram.fd],
            stdin=subprocess.PIPE if monitor else subprocess.DEVNULL,
            stdout=subprocess.PIPE if monitor else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def begin(self, program: Program) -> subprocess.Popen[str]:
        """Put the program into memory and start."""
        for address, words in ((0, program.local), (at.WINDOW_DATA, program.data)):
            self.words(address, words.size)[:] = words
        self.words(at.INPUTS, program.inputs.size)[:] = program.inputs.ravel()
        self.words(at.RESULTS, program.inputs.size)[:] = 0
        return self.start()

    def finish(self, process: subprocess.Popen[str], program: Program) -> Outcome:
        """Wait for the program's end."""
        deadline = time.monotonic() + self._timeout
        finished = self.words(at.FINISHED, 1)
        try:
            while not finished[0]:
                if process.poll() is not None:
                    raise RuntimeError(
                        f"QEMU ended in program {program.seed} ({process.returncode}): {process.stderr.read().strip()}"
                    )
                if time.monotonic() > deadline:
                    raise TimeoutError(f"QEMU did not end program {program.seed} in {self._timeout:g} s")
                time.sleep(1e-3)
        finally:
            process.terminate()
            process.communicate()
        results = self.words(at.RESULTS, program.inputs.size).reshape(-1, 32)
        return Outcome(self.words(0, program.local.size).copy(), self.words(at.WINDOW_DATA, program.data.size).copy(),
                       results.copy())  # fmt: skip

    def disassemble(self, words: NDArray[np.uint32]) -> list[str]:
        """What QEMU's monitor prints for words at WINDOW, a line each."""
        self.words(at.WINDOW, words.size)[:] = words
        process = self.start(monitor=True)
        assert process.stdin is not None
        assert process.stdout is not None
        # It drops what it has not written yet when it is told to quit: read all, and then end it.
        timer = threading.Timer(self._timeout, process.kill)
        timer.start()
        try:
            process.stdin.write(f"xp/{words.size}i {at.WINDOW:#x}\n")
            process.stdin.flush()
            lines = (match[1] for match in map(_LINE.match, process.stdout) if match)
            return list(itertools.islice(lines, words.size))
        finally:
            timer.cancel()
            process.terminate()
            process.communicate()

    def run(self, program: Program) -> Outcome:
        """All of it."""
        return self.finish(self.begin(program), program)
