"""The native core. See native/ for the sources."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

class HostMemory:
    """A sparse, zeroed range of ``size`` bytes of host memory; a page costs nothing until it is written.

    Offsets and sizes are in bytes; a range that leaves the memory raises IndexError. RuntimeError when
    the host refuses the size.
    """

    def __init__(self, size: int) -> None: ...
    @property
    def size(self) -> int:
        """Bytes."""
    @property
    def resident(self) -> int:
        """Bytes that the host has really given."""
    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes, shape (nbytes,), not copied; they keep this memory and ``owner`` alive."""
    def discard(self, offset: int, nbytes: int) -> None:
        """Give the whole pages inside the range back to the host; they read zero afterwards."""
    def advise_huge(self, offset: int, nbytes: int) -> None:
        """Let the host use huge pages inside the range: for large buffers that are filled at once."""

class FreeList:
    """Which parts of [base, base + size) are free: first fit, in order of address. Not thread safe.

    ``granularity`` (a power of two) divides ``base`` and ``size``; sizes are rounded up to it. Arguments
    that cannot be raise ValueError.
    """

    def __init__(self, base: int, size: int, granularity: int) -> None: ...
    def allocate(self, size: int, align: int, limit_end: int = ...) -> int | None:
        """The lowest multiple of ``align`` with ``size`` bytes free that end at or below ``limit_end``."""
    def allocate_at(self, address: int, size: int) -> bool:
        """Take exactly this range; False when any of it is taken or outside."""
    def release(self, address: int, size: int) -> None:
        """Give an allocated range back; ValueError when any of it is free already or outside."""
    def largest_free(self, limit_end: int = ...) -> int:
        """Bytes of the largest free stretch that ends at or below ``limit_end``."""
    def blocks(self) -> list[tuple[int, int]]:
        """The free blocks as (address, size), in order of address."""
    @property
    def total(self) -> int:
        """Bytes."""
    @property
    def free(self) -> int:
        """Bytes."""
    @property
    def block_count(self) -> int:
        """Free blocks; 1 when nothing is allocated."""

def install_buffer_method(cls: type[Any]) -> None:
    """Make the buffer protocol of ``cls`` call its ``__buffer__``, as Python 3.12 does by itself."""
