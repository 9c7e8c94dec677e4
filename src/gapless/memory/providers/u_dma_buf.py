"""Mode 1 by u-dma-buf: one contiguous buffer that this kernel module holds (github.com/ikwzm/udmabuf, Readme.md).

It is opened without O_SYNC, so the CPU has it cached, and kept in step by the module's sync files. The other way,
O_SYNC with sync_mode 2, needs no syncing, but numpy would read write-combining memory, a word at a time.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..._native import PinnedPages
from ..pool import Pool
from ..range_pool import RangePool
from ..region import MappedRegion
from .availability import Unavailable
from .hugepages import COHERENT

if TYPE_CHECKING:
    from ..claims import Claims

_LINE = 64
# Offset (bits 63..32), size (31..4), direction (3..2) and the order itself (0) in one word, so that programs that
# share the buffer do not use each other's (Readme.md, "sync_for_cpu"; as long as the class is named u-dma-buf).
_LONGEST = 0xFFFF_FFC0


def u_dma_buf(*, root: Path, claims: Claims | None) -> Pool | Unavailable:
    """The pool ``ps-cma`` on the largest u-dma-buf, or why there is none."""
    found = sorted((int((path / "size").read_text()), path) for path in (root / "sys/class/u-dma-buf").glob("*"))
    if not found:
        return Unavailable("the kernel module u-dma-buf is not there", "insmod u-dma-buf.ko udmabuf0=268435456")
    size, directory = found[-1]
    device = root / "dev" / directory.name
    size = min(size - size % _LINE, _LONGEST)
    base = int((directory / "phys_addr").read_text(), 0)
    coherent = _flag(directory / "dma_coherent")
    try:
        mapper = SyncedByFiles(device, directory, size)
    except PermissionError:
        return Unavailable(
            f"{device} or its sync files are not this user's to open",
            'run as root, or have udev give a group the right: KERNEL=="udmabuf[0-9]*", GROUP="GROUP", MODE="0660", '
            'RUN+="/bin/chgrp GROUP /sys%p/sync_for_cpu /sys%p/sync_for_device"',
        )
    except OSError as error:
        return Unavailable(f"{device}: {error.strerror}", "load the module u-dma-buf again")
    region = MappedRegion(
        directory.name,
        base,
        size,
        mapper,
        coherent=coherent,
        sync_method=COHERENT if coherent else "sync_for_cpu, sync_for_device",
    )
    return RangePool(region, base, size, name="ps-cma", about=f"u-dma-buf {directory.name}", claims=claims)


class SyncedByFiles:
    """The bytes of a u-dma-buf device, which its sync files keep in step.

    Args:
        device: it is mapped cached.
        directory: of sysfs.
        size: bytes, a multiple of a cache line.
    """

    def __init__(self, device: Path, directory: Path, size: int) -> None:
        # One mapping of all of it: a slice synced line by line is the module's business.
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            page = os.sysconf("SC_PAGE_SIZE")
            self._pages = PinnedPages(descriptor, -(-size // page) * page, [0])
        finally:
            os.close(descriptor)
        self._size = size
        self._for_cpu = self._opened(directory / "sync_for_cpu")
        self._for_device = self._opened(directory / "sync_for_device")

    def _opened(self, path: Path) -> int:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes at ``offset``; see :class:`Mapper`."""
        return self._pages.view(offset, nbytes, owner)

    def sync_to_device(self, offset: int, nbytes: int) -> None:
        """Write back whole lines."""
        self._order(self._for_device, offset, nbytes)

    def sync_from_device(self, offset: int, nbytes: int) -> None:
        """Drop whole lines."""
        self._order(self._for_cpu, offset, nbytes)

    def _order(self, file: int, offset: int, nbytes: int) -> None:
        if nbytes:
            first = offset - offset % _LINE
            last = min(-(-(offset + nbytes) // _LINE) * _LINE, self._size)
            os.pwrite(file, f"0x{first:08X}{last - first | 1:08X}".encode(), 0)


def _flag(path: Path) -> bool:
    return path.exists() and path.read_text().strip() == "1"
