"""Device registers mapped into this program: by UIO where a device covers them, else by /dev/mem."""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..boards import BoardSpec, MemoryKind
from ..errors import AccessDeniedError, AddressError, BusAccessError, GaplessError, UnsupportedError
from ..memory.providers.availability import Denied, Unavailable
from ..memory.providers.iomem import Entry, Iomem
from ..memory.providers.physical_region import open_dev_mem
from ..units import format_address
from .uio import Uio, UioDevice, Window, uio_devices

#: Bytes of the registers of one device.
WINDOW_BYTES = 0x1000
#: No device has as much BRAM and UltraRAM; what is larger is DDR, and no registers.
MOST_BRAM_BYTES = 128 << 20


class Needed(NamedTuple):
    """Registers, or memory, that a part of a board has: ``name`` is that of the part, ``size`` in bytes."""

    name: str
    base: int
    size: int = WINDOW_BYTES


def needed_windows(spec: BoardSpec) -> list[Needed]:
    """The registers of the design in the PL: engines, and the stream monitors of converters and pairs."""
    return [Needed(part.name, part.base) for parts in (spec.dmas, spec.converters, spec.pairs) for part in parts]


def optional_windows(spec: BoardSpec) -> list[Needed]:
    """The registers that only who uses them misses: peripherals, IP that gapless has no driver of, and BRAM."""
    parts = [Needed(part.name, part.base) for part in spec.peripherals if part is not spec.ps_gpio]
    parts += (Needed(ip.name, ip.base, ip.size) for ip in spec.ips if ip.size)
    small = (part for part in spec.memories if part.kind is MemoryKind.PL and part.size <= MOST_BRAM_BYTES)
    return parts + [Needed(part.name, part.base, part.size) for part in small]


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
        device = self.covering(needed.base, needed.size)
        if device is None:
            return Window(needed.base, _map_devmem(self._root, needed))
        try:
            return self._map_uio(device, needed)
        except AccessDeniedError as denied:
            try:  # this user may have /dev/mem although not the device
                return Window(needed.base, _map_devmem(self._root, needed))
            except GaplessError:
                raise denied from None

    def covering(self, base: int, size: int = WINDOW_BYTES) -> UioDevice | None:
        """The UIO device one of whose maps has all of the registers at ``base``, if there is one."""
        return next((device for device in self._devices if device.covering(base, size)), None)

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

    def _map_uio(self, device: UioDevice, needed: Needed) -> Window:
        part = device.covering(needed.base, needed.size)
        assert part is not None
        window = self.open(device).map(part.index)
        start = needed.base - window.base
        return Window(needed.base, window.registers[start : start + needed.size])


def _map_devmem(root: Path, needed: Needed) -> NDArray[np.uint8]:
    what = f"the registers of {needed.name} at {format_address(needed.base)}"
    iomem = Iomem.read(root)
    owners = [entry for entry in iomem.entries if iomem.readable and entry.overlaps(needed.base, needed.size)]
    for entry in owners:
        if entry.name.startswith("System RAM"):
            raise AddressError(
                f"{what} are memory that Linux manages ({_said(entry)} in /proc/iomem): this is not the design that "
                "is loaded"
            )
    descriptor = open_dev_mem(root)
    if isinstance(descriptor, Unavailable):
        kind = AccessDeniedError if isinstance(descriptor, Denied) else UnsupportedError
        raise kind(
            f"{what}: no UIO device covers them, and {descriptor}; or give the device to UIO in the device tree "
            '(compatible = "generic-uio") and a group to it by a udev rule'
        )
    try:
        mapped = mmap.mmap(descriptor, needed.size, mmap.MAP_SHARED, offset=needed.base)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise UnsupportedError(f"{what}: {_strict(owners)}") from None
        raise BusAccessError(f"{what} cannot be mapped: {error.strerror}") from None
    finally:
        os.close(descriptor)
    return np.frombuffer(mapped, np.uint8)


def _strict(owners: list[Entry]) -> str:
    drivers = ", ".join(map(_said, owners))
    return (
        "the kernel refuses to map them (STRICT_DEVMEM): a driver has them"
        + (f" ({drivers} in /proc/iomem)" if drivers else "")
        + "; unbind it (echo DEVICE > /sys/bus/platform/drivers/DRIVER/unbind), or boot with iomem=relaxed"
    )


def _said(entry: Entry) -> str:
    return f"{format_address(entry.base)} to {format_address(entry.end - 1)} : {entry.name}"
