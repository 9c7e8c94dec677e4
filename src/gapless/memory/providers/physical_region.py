"""Regions of physical memory that /dev/mem maps, and what it says when it does not.

Source: Linux, drivers/char/mem.c and arch/arm64/mm/mmu.c (phys_mem_access_prot): on arm64, memory that Linux does not
manage is Device memory, however /dev/mem was opened. O_SYNC makes what it does know write-combining: uncached, too.
"""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..._native import WindowedMemory
from ...boards.spec import MemoryKind
from ...errors import AccessDeniedError, AddressError, AllocationError, GaplessError
from ...units import format_address, format_size
from ..region import MappedRegion, MemoryType
from .availability import Denied, Unavailable
from .iomem import ROOT_FIX


class PhysicalMemory:
    """``size`` bytes of physical memory from ``base`` on (whole pages), mapped in windows: a Mapper.

    ``descriptor`` is of /dev/mem; it is duplicated. Errors are those of :func:`refusal`.
    """

    def __init__(self, descriptor: int, base: int, size: int) -> None:
        self._base = base
        try:
            self._memory = WindowedMemory(descriptor, base, size)
        except OSError as error:
            raise refusal(error, base, size) from None

    @property
    def mapped(self) -> int:
        """Bytes that are mapped now."""
        return self._memory.mapped

    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes at ``offset``: to be reached before they are touched."""
        return self._memory.view(offset, nbytes, owner)

    def reach(self, offset: int, nbytes: int) -> None:
        """Map the windows that the range is in."""
        try:
            self._memory.reach(offset, nbytes)
        except OSError as error:
            raise refusal(error, self._base + offset, nbytes) from None

    def discard(self, offset: int, nbytes: int) -> None:
        """Unmap the windows that lie wholly inside the range: memory for page tables, not the memory itself."""
        self._memory.discard(offset, nbytes)


def open_dev_mem(root: Path) -> int | Unavailable:
    """A descriptor of /dev/mem, which the caller closes, or why there is none."""
    try:
        return os.open(root / "dev/mem", os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    except FileNotFoundError:
        return Unavailable("there is no /dev/mem", "a kernel with CONFIG_DEVMEM=y; in a container, --device /dev/mem")
    except PermissionError as error:
        if error.errno == errno.EPERM and os.geteuid() == 0:
            return Denied(
                "root may not open /dev/mem: CAP_SYS_RAWIO is missing, or the kernel is locked down",
                "give the container CAP_SYS_RAWIO, or boot with lockdown=none",
            )
        return Denied("/dev/mem is root's", ROOT_FIX)
    except OSError as error:
        return Unavailable(f"/dev/mem cannot be opened: {error.strerror}", "")


def physical_region(name: str, base: int, size: int, kind: MemoryKind, descriptor: int) -> MappedRegion:
    """A region on /dev/mem, whole pages. It was tried: one page could be mapped; nothing was accessed.

    AccessDeniedError, AddressError or AllocationError as :func:`refusal` has them.
    """
    try:
        WindowedMemory(descriptor, base, mmap.PAGESIZE, mmap.PAGESIZE).reach(0, mmap.PAGESIZE)
    except OSError as error:
        raise refusal(error, base, size) from None
    return MappedRegion(
        name,
        base,
        size,
        PhysicalMemory(descriptor, base, size),
        kind=kind,
        memory_type=MemoryType.DEVICE,
        coherent=True,
        sync_method="nothing to do: uncached mapping",
    )


def refusal(error: OSError, base: int, nbytes: int) -> GaplessError:
    """What the kernel's answer to a mapping of ``nbytes`` at physical address ``base`` means."""
    what = (
        f"/dev/mem: {format_size(nbytes)} at {format_address(base)} cannot be mapped ({os.strerror(error.errno or 0)})"
    )
    if error.errno in (errno.EPERM, errno.EACCES):
        return AccessDeniedError(
            f"{what}: Linux manages memory there (CONFIG_STRICT_DEVMEM), or a driver has it (CONFIG_IO_STRICT_DEVMEM). "
            "Reserve memory with no-map in the device tree; unbind the driver or boot with iomem=relaxed"
        )
    if error.errno in (errno.ENOMEM, errno.EAGAIN):
        return AllocationError(
            f"{what}: this process has no room for it. See ulimit -v, /proc/sys/vm/max_map_count and free memory, "
            "of which page tables take 2 MiB a GiB"
        )
    return AddressError(f"{what}: the addresses of this CPU, or of this device, do not go so far")


def not_a_zynqmp(compatible: tuple[str, ...]) -> Unavailable | None:
    """Why a board's address map cannot be used on this machine; None on a Zynq UltraScale+."""
    if any(name.startswith("xlnx,zynqmp") for name in compatible):
        return None
    names = ", ".join(compatible) or "there is no device tree"
    return Unavailable(f"this is no Zynq UltraScale+ ({names})", "run it on the board")


def raised(missing: Unavailable, what: str) -> AccessDeniedError:
    """The same as an error."""
    return AccessDeniedError(f"{what}: {missing}")
