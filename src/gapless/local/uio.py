"""UIO devices: registers and an interrupt of one device, given to user space by the kernel.

Sources: Linux, Documentation/driver-api/uio-howto.rst, drivers/uio/uio.c and uio_pdrv_genirq.c.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import AccessDeniedError, BadArgumentError, BusAccessError, UnknownNameError
from ..units import format_address

_UNMASK = (1).to_bytes(4, "little")
_COUNT_BYTES = 4
#: What a board's administrator may add, so that no root is needed.
UDEV_RULE = 'KERNEL=="uio*", GROUP="gapless", MODE="0660"'


class Window(NamedTuple):
    """Registers: ``base`` is physical; ``registers``, shape (n,), dtype uint8, are for a bus (``add_window(*window)``).

    On a board they are Device memory: touch them with aligned 32-bit accesses only, which the bus does.
    """

    base: int
    registers: NDArray[np.uint8]


@dataclass(frozen=True)
class UioMap:
    """A range of registers of a UIO device: ``base`` is physical, ``size`` in bytes; ``offset`` is within its page."""

    index: int
    name: str
    base: int
    size: int
    offset: int


@dataclass(frozen=True)
class UioDevice:
    """/dev/uioN as sysfs describes it: ``node`` is ``uioN``, ``name`` what its driver or device tree calls it."""

    node: str
    name: str
    maps: tuple[UioMap, ...]

    def __str__(self) -> str:
        return f"{self.node} ({self.name})"

    def covering(self, base: int, size: int) -> UioMap | None:
        """The map that has all of the range, if one has."""
        for part in self.maps:
            if part.base <= base and base + size <= part.base + part.size:
                return part
        return None


def uio_devices(root: Path = Path("/")) -> tuple[UioDevice, ...]:
    """The UIO devices of this machine, in order of their number."""
    found = (root / "sys/class/uio").glob("uio[0-9]*")
    return tuple(_described(path) for path in sorted(found, key=lambda path: int(path.name[3:])))


def find_uio(name: str, root: Path = Path("/")) -> UioDevice:
    """The device called ``name``, or the one at node ``name`` (``uio2``).

    UnknownNameError lists those there are; BadArgumentError when several have the name.
    """
    devices = uio_devices(root)
    found = [device for device in devices if name in (device.node, device.name)]
    if not found:
        raise UnknownNameError("UIO device", name, devices)
    if len(found) > 1:
        raise BadArgumentError(
            f"UIO device {name!r}: {', '.join(device.node for device in found)} are called so; name the node"
        )
    return found[0]


class Uio:
    """An open UIO device; a context manager.

    Args:
        device: which one, by name, node or description.
        root: where /dev and /sys are.

    Raises AccessDeniedError when the device is not this user's to open, UnknownNameError when there is none.
    """

    def __init__(self, device: str | UioDevice, root: Path = Path("/")) -> None:
        self.device = find_uio(device, root) if isinstance(device, str) else device
        path = root / "dev" / self.device.node
        try:
            # Non-blocking, so that a count can be thrown away without waiting for one.
            self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            raise AccessDeniedError(
                f"{self.device}: this user may not open {path}; be root, or let a group have it by a udev rule: "
                f"{UDEV_RULE}"
            ) from None
        except FileNotFoundError:
            raise UnknownNameError("device file", str(path), ()) from None
        except OSError as error:
            raise BusAccessError(f"{self.device}: {path} cannot be opened: {error.strerror}") from None
        self._waiting: set[asyncio.Future[None]] = set()

    def fileno(self) -> int:
        """The descriptor, as :meth:`MmioBus.add_uio_line` takes it."""
        return self._descriptor

    @property
    def has_interrupt(self) -> bool:
        """Whether the device has an interrupt: a read says EIO where it has none."""
        try:
            os.read(self._descriptor, _COUNT_BYTES)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno == errno.EIO:
                return False
            raise self._failed("read", error) from None
        return True

    def map(self, index: int = 0) -> Window:
        """The registers of map ``index``."""
        part = next((part for part in self.device.maps if part.index == index), None)
        if part is None:
            raise UnknownNameError(f"map of {self.device}", index, (known.index for known in self.device.maps))
        page = mmap.PAGESIZE
        length = -(-(part.offset + part.size) // page) * page
        try:
            # The offset says which map is meant, in pages; it is no place in memory.
            mapped = mmap.mmap(self._descriptor, length, mmap.MAP_SHARED, offset=part.index * page)
        except OSError as error:
            raise self._failed(f"mapping {format_address(part.base)}", error) from None
        return Window(part.base, np.frombuffer(mapped, np.uint8)[part.offset : part.offset + part.size])

    def wait(self, timeout: float) -> bool:
        """Wait until the interrupt line is up; False when ``timeout`` (seconds) passed first.

        An interrupt that was dealt with before the call does not count; a line that is still up does.
        """
        self._arm()
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            events = poller.poll(max(0.0, min(left, 1e6)) * 1000)
            if events:
                return self._is_up(events[0][1])
            if left <= 0:
                return False

    async def wait_async(self, timeout: float) -> bool:
        """:meth:`wait` in an asyncio program; several tasks may wait at once."""
        self._arm()
        loop = asyncio.get_running_loop()
        fired: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.add_reader(self._descriptor, self._fire, loop)
        self._waiting.add(fired)
        try:
            await asyncio.wait_for(fired, timeout)
        except asyncio.TimeoutError:
            return False
        finally:
            self._waiting.discard(fired)
            if not self._waiting:
                loop.remove_reader(self._descriptor)
        return True

    def close(self) -> None:
        """Close it; what was mapped stays. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Uio:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        # The count stays: only _arm() reads it, which unmasks after that.
        loop.remove_reader(self._descriptor)
        for fired in self._waiting:
            if not fired.done():
                fired.set_result(None)
        self._waiting.clear()

    def _arm(self) -> None:
        """Throw a stale count away, then unmask: a line that is up fires again, as it is one of level."""
        try:
            while True:
                if not os.read(self._descriptor, _COUNT_BYTES):
                    raise BusAccessError(f"{self.device}: the device is gone")
        except BlockingIOError:
            pass
        except OSError as error:
            raise self._failed("read", error) from None
        try:
            os.write(self._descriptor, _UNMASK)
        except OSError as error:
            raise self._failed("unmasking the interrupt", error) from None

    def _is_up(self, events: int) -> bool:
        if not events & select.POLLIN:
            raise BusAccessError(f"{self.device}: poll() reports an error: the device has no interrupt, or is gone")
        return True

    def _failed(self, what: str, error: OSError) -> BusAccessError:
        return BusAccessError(f"{self.device}: {what}: {error.strerror}")


def _described(path: Path) -> UioDevice:
    maps = sorted((path / "maps").glob("map[0-9]*"), key=lambda part: int(part.name[3:]))
    return UioDevice(path.name, _text(path / "name"), tuple(map(_map, maps)))


def _map(path: Path) -> UioMap:
    address, size, offset = (_number(path / what) for what in ("addr", "size", "offset"))
    # Old kernels give the address itself; later ones that of its page, and a size in whole pages.
    base = address - address % mmap.PAGESIZE + offset
    if address != base:
        size -= offset
    return UioMap(int(path.name[3:]), _text(path / "name"), base, size, offset)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # old kernels have no names of maps
        return ""


def _number(path: Path) -> int:
    return int(_text(path) or "0", 0)
