"""Device registers mapped into this program: by UIO where a device covers them, else by /dev/mem."""

from __future__ import annotations

import errno
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..boards import BoardSpec
from ..errors import AccessDeniedError, AddressError, BusAccessError, GaplessError, UnsupportedError
from ..units import format_address
from .uio import Uio, UioDevice, Window, uio_devices

#: Bytes of the registers of one device.
WINDOW_BYTES = 0x1000
_ENTRY = re.compile(r" *([0-9a-f]+)-([0-9a-f]+) : (.*)")


class Needed(NamedTuple):
    """Registers that a part of a board has: ``name`` is that of the part."""

    name: str
    base: int


def needed_windows(spec: BoardSpec) -> list[Needed]:
    """The registers of the design in the PL: engines, and the stream monitors of converters and pairs."""
    return [Needed(part.name, part.base) for parts in (spec.dmas, spec.converters, spec.pairs) for part in parts]


class Registers:
    """Maps registers, and keeps the UIO devices that it found open.

    Args:
        root: where /dev, /proc and /sys are.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._devices = uio_devices(root)
        self._opened: dict[str, Uio] = {}

    def map(self, needed: Needed) -> Window:
        """The window of a device.

        Raises AddressError where Linux has its memory, AccessDeniedError without the rights, UnsupportedError
        where the kernel gives no way, BusAccessError for what else goes wrong.
        """
        device = self.covering(needed.base)
        if device is None:
            return Window(needed.base, _map_devmem(self._root, needed))
        try:
            return self._map_uio(device, needed.base)
        except AccessDeniedError as denied:
            try:  # this user may have /dev/mem although not the device
                return Window(needed.base, _map_devmem(self._root, needed))
            except GaplessError:
                raise denied from None

    def covering(self, base: int) -> UioDevice | None:
        """The UIO device whose maps have the registers at ``base``, if there is one."""
        return next((device for device in self._devices if device.covering(base, WINDOW_BYTES)), None)

    def named(self, name: str) -> UioDevice | None:
        """The UIO device called ``name``, if there is one."""
        return next((device for device in self._devices if device.name == name), None)

    def open(self, device: UioDevice) -> Uio:
        """The device, opened once."""
        if device.node not in self._opened:
            self._opened[device.node] = Uio(device, self._root)
        return self._opened[device.node]

    def close(self) -> None:
        """Close the devices; what was mapped stays, and so do the interrupt lines of a bus."""
        for uio in self._opened.values():
            uio.close()
        self._opened.clear()

    def _map_uio(self, device: UioDevice, base: int) -> Window:
        part = device.covering(base, WINDOW_BYTES)
        assert part is not None
        window = self.open(device).map(part.index)
        start = base - window.base
        return Window(base, window.registers[start : start + WINDOW_BYTES])


def _map_devmem(root: Path, needed: Needed) -> NDArray[np.uint8]:
    first, last = needed.base, needed.base + WINDOW_BYTES - 1
    what = f"the registers of {needed.name} at {format_address(first)}"
    owners = list(_iomem(root, first, last))
    for start, end, owner in owners:
        if owner.startswith("System RAM"):
            raise AddressError(
                f"{what} are memory that Linux manages ({format_address(start)} to {format_address(end)} : {owner} in "
                "/proc/iomem): this is not the design that is loaded"
            )
    path = root / "dev/mem"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    except PermissionError:
        raise AccessDeniedError(
            f"{what}: no UIO device covers them, and /dev/mem needs root (CAP_SYS_RAWIO); be root, or give the device "
            'to UIO in the device tree (compatible = "generic-uio") and a group to it by a udev rule'
        ) from None
    except OSError as error:
        raise UnsupportedError(
            f"{what}: no UIO device covers them, and {path} cannot be opened ({error.strerror}); the kernel needs "
            "CONFIG_DEVMEM, or the device a UIO driver"
        ) from None
    try:
        mapped = mmap.mmap(descriptor, WINDOW_BYTES, mmap.MAP_SHARED, offset=first)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise UnsupportedError(f"{what}: {_strict(owners)}") from None
        raise BusAccessError(f"{what} cannot be mapped: {error.strerror}") from None
    finally:
        os.close(descriptor)
    return np.frombuffer(mapped, np.uint8)


def _strict(owners: list[tuple[int, int, str]]) -> str:
    drivers = ", ".join(f"{format_address(start)} to {format_address(end)} : {owner}" for start, end, owner in owners)
    return (
        "the kernel refuses to map them (STRICT_DEVMEM): a driver has them"
        + (f" ({drivers} in /proc/iomem)" if drivers else "")
        + "; unbind it (echo DEVICE > /sys/bus/platform/drivers/DRIVER/unbind), or boot with iomem=relaxed"
    )


def _iomem(root: Path, first: int, last: int) -> Iterator[tuple[int, int, str]]:
    """What /proc/iomem has in a range; addresses read 0 without root, and then nothing is found."""
    try:
        lines = (root / "proc/iomem").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            continue
        start, end = int(entry[1], 16), int(entry[2], 16)
        if start <= last and first <= end and end:
            yield start, end, entry[3]
