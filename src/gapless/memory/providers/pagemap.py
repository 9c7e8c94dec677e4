"""Where the kernel has a program's pages: /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst)."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np

from ..._native import data_pointer
from ...errors import AccessDeniedError, UnsupportedError

_ENTRY = 8  # bytes, one for each page of the virtual address space
_PRESENT = 1 << 63
_FRAME = (1 << 55) - 1


def physical_pages(root: Path, pointer: int, step: int, count: int) -> list[int]:
    """The physical addresses of ``count`` pages of ``step`` bytes that are mapped one after the other at ``pointer``.

    Raises:
        AccessDeniedError: this user is not told (it takes CAP_SYS_ADMIN).
        UnsupportedError: a page is not there, or it is none that pagemap tells of (a driver's, mapped by number).
    """
    found = []
    descriptor = os.open(root / "proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    try:
        for index in range(count):
            at = (pointer + index * step) // mmap.PAGESIZE * _ENTRY
            entry = int.from_bytes(os.pread(descriptor, _ENTRY, at), "little")
            if not entry & _PRESENT:
                raise UnsupportedError("pagemap does not tell of these pages: they are a driver's, or not there")
            found.append((entry & _FRAME) * mmap.PAGESIZE)
    finally:
        os.close(descriptor)
    if not all(found):
        raise AccessDeniedError(
            "physical addresses are read from /proc/self/pagemap, which says 0 without CAP_SYS_ADMIN: run as root "
            "(sudo), or give the interpreter the capability (setcap cap_sys_admin,cap_ipc_lock+ep). No udev rule or "
            "group opens it"
        )
    return found


def tells_addresses(root: Path) -> bool:
    """Whether this user is told physical addresses."""
    try:
        physical_pages(root, data_pointer(np.ones(1, np.uint8)), mmap.PAGESIZE, 1)
    except (AccessDeniedError, UnsupportedError, OSError):
        return False
    return True
