"""A QEMU machine with no guest in it, driven through the qtest protocol (QEMU's docs/devel/testing/qtest.rst).

The processor is off: no instruction is executed. Registers go through the socket. Memory does not where QEMU lets
the machine's RAM be a file: then both processes map a memfd, so that pools, descriptors and buffers are the ones a
board has.
"""

from __future__ import annotations

import base64
import mmap
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

START_TIMEOUT = 20.0
REPLY_TIMEOUT = 5.0
#: Seconds that a wait for an interrupt keeps the socket from other threads.
_LISTEN = 2e-3


def find_qemu(name: str) -> str:
    """The emulator's path; skips the test where there is none, fails it with GAPLESS_REQUIRE_QEMU=1."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is not installed (Debian: qemu-system-arm, qemu-system-misc)"
        if os.environ.get("GAPLESS_REQUIRE_QEMU") == "1":
            pytest.fail(f"GAPLESS_REQUIRE_QEMU=1: {reason}")
        pytest.skip(reason)
    return found


class SharedRam:
    """The machine's RAM: a file without a name. ``ranges``: (physical address, nbytes) in the order of the file."""

    def __init__(self, ranges: Sequence[tuple[int, int]]) -> None:
        self.ranges = tuple(ranges)
        self.size = sum(nbytes for _, nbytes in ranges)
        self.fd = os.memfd_create("qtest-ram")
        os.truncate(self.fd, self.size)
        self._map = mmap.mmap(self.fd, self.size, mmap.MAP_SHARED | getattr(mmap, "MAP_NORESERVE", 0x4000))
        self.bytes: NDArray[np.uint8] = np.frombuffer(self._map, dtype=np.uint8)

    def offset(self, address: int) -> int:
        """Where in the file the byte at physical ``address`` is."""
        start = 0
        for base, nbytes in self.ranges:
            if base <= address < base + nbytes:
                return start + address - base
            start += nbytes
        raise ValueError(f"no memory at {address:#x}")

    def at(self, address: int, nbytes: int) -> NDArray[np.uint8]:
        """The bytes, shape (nbytes,), not copied."""
        first = self.offset(address)
        assert self.offset(address + nbytes - 1) == first + nbytes - 1
        return self.bytes[first : first + nbytes]

    # As a MappedRegion's mapper.
    def view(self, offset: int, nbytes: int, _owner: object) -> NDArray[np.uint8]:
        return self.bytes[offset : offset + nbytes]

    def discard(self, offset: int, nbytes: int) -> None:
        """Nothing: what the engine wrote into a buffer that is gone may be looked at."""


class Qtest:
    """A machine: ``arguments`` are QEMU's, ``{ram}`` in them becomes the path of the RAM. Use as a context manager.

    It is a :class:`gapless.bus.RegisterBus` in real time; interrupt lines are the inputs of ``controller``.
    """

    def __init__(
        self, arguments: Sequence[str], controller: str, *, ram: SharedRam | None = None, pass_fd: int | None = None
    ) -> None:
        #: How often each interrupt line went up.
        self.raised: dict[int, int] = {}
        self._levels: dict[int, bool] = {}
        self._lock = threading.Lock()
        self._pending = b""
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  until close()
        with tempfile.TemporaryDirectory(prefix="qtest-") as folder:
            path = str(Path(folder, "socket"))
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen(1)
                listener.settimeout(START_TIMEOUT)
                place = "" if ram is None else f"/proc/self/fd/{ram.fd}"
                self._process = subprocess.Popen(
                    [argument.replace("{ram}", place) for argument in arguments]
                    + ["-qtest", f"unix:{path}", "-display", "none", "-serial", "none", "-monitor", "none"]
                    + ["-qtest-log", "/dev/null"],
                    env={**os.environ, "QEMU_AUDIO_DRV": "none"},  # the zcu102's display port wants sound
                    stdin=subprocess.DEVNULL,
                    stderr=self._messages,  # a file: a pipe that nobody reads would stop QEMU
                    pass_fds=[fd for fd in (ram and ram.fd, pass_fd) if fd is not None],
                )
                try:
                    self._socket = self._accept(listener)
                except BaseException:
                    self._end()
                    raise
        self._socket.settimeout(REPLY_TIMEOUT)
        try:
            self.command("irq_intercept_in", controller)
        except BaseException:
            self.close()
            raise

    def _accept(self, listener: socket.socket) -> socket.socket:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if select.select([listener], [], [], 0.05)[0]:
                return listener.accept()[0]
            if self._process.poll() is not None:
                raise RuntimeError(f"QEMU ended at once: {self._errors()}")
        raise RuntimeError(f"QEMU did not open its socket within {START_TIMEOUT:g} s")

    def _errors(self) -> str:
        self._messages.seek(0)
        return self._messages.read().decode(errors="replace").strip()

    def __enter__(self) -> Qtest:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End QEMU."""
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._messages.close()

    # ---- the protocol

    def command(self, *words: str | int) -> str:
        """Send one command and return what its reply has after OK."""
        line = " ".join(hex(word) if isinstance(word, int) else word for word in words)
        with self._lock:
            self._socket.sendall(line.encode() + b"\n")
            while True:
                reply = self._line()
                if not self._is_interrupt(reply):
                    break
        verdict, _, rest = reply.partition(" ")
        if verdict != "OK":
            raise RuntimeError(f"qtest {line[:100]!r}: {reply}")
        return rest

    def _line(self) -> str:
        while b"\n" not in self._pending:
            try:
                received = self._socket.recv(1 << 16)
            except ConnectionResetError:
                received = b""
            except TimeoutError:
                self._process.kill()  # replies would no longer belong to their commands
                raise
            if not received:
                raise EOFError(f"QEMU is gone: {self._errors()}")
            self._pending += received
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()

    def _is_interrupt(self, line: str) -> bool:
        word, *rest = line.split()
        if word != "IRQ":
            return False
        line_number, up = int(rest[1]), rest[0] == "raise"
        self._levels[line_number] = up
        self.raised[line_number] = self.raised.get(line_number, 0) + up
        return True

    def read_bytes(self, address: int, nbytes: int) -> bytes:
        """Memory as the machine sees it."""
        return base64.b64decode(self.command("b64read", address, nbytes))

    def write_bytes(self, address: int, data: bytes) -> None:
        """Memory as the machine sees it."""
        self.command("b64write", address, len(data), base64.b64encode(data).decode())

    # ---- RegisterBus

    def read32(self, address: int) -> int:
        return int(self.command("readl", address), 16)

    def write32(self, address: int, value: int) -> None:
        self.command("writel", address, value & 0xFFFF_FFFF)

    def wait_interrupt(self, line: int, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while True:
            with self._lock:
                left = deadline - time.monotonic()
                while b"\n" in self._pending or select.select([self._socket], [], [], max(0.0, min(left, _LISTEN)))[0]:
                    assert self._is_interrupt(self._line())
                if self._levels.get(line, False):
                    return True
            if left <= 0:
                return False

    def time(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
