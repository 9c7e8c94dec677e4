"""Where buffers are allocated."""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from .._native import Extent, FreeList, Mapping
from ..errors import AddressError, AllocationError, BadArgumentError
from ..units import MIB, format_address, format_size
from .buffer import DmaBuffer
from .lease import Lease
from .region import Region

if TYPE_CHECKING:
    from .stats import PoolStats

_LARGE = MIB  # from this size on it pays to tell the host what happens to a buffer's pages
_MAX_DIMENSIONS = 32  # numpy 1.x
_MAX_BYTES = (1 << 63) - 1
_FAR = 1 << 63
# The dtypes that most buffers have, so that they need not be looked at each time.
_COMMON: dict[object, np.dtype[Any]] = {kind: np.dtype(kind) for kind in (np.uint8, np.int16, np.uint32, np.int32)}


class AllocationGuard(Protocol):
    """Told of every allocation and release: a virtual board catches DMA to anywhere else.

    ``nbytes`` is as asked, without rounding. ``released`` may be called from any thread.
    """

    def allocated(self, address: int, nbytes: int) -> None:
        """A buffer now lives at this physical address."""
        ...

    def released(self, address: int, nbytes: int) -> None:
        """It is gone."""
        ...


class Pool:
    """Physically contiguous memory from ``base`` to ``base + size`` of ``region``, handed out first fit.

    Args:
        region: where the memory is mapped.
        base, size: bytes; multiples of ``granularity``, inside the region.
        name: what messages call it.
        about: one line on what it is; an empty pool's error says it.
        granularity: allocation unit in bytes, a power of two (4096 for CMA: pages).
        other_users: (offset, size) in bytes that somebody else holds from the start.
        hints: the other pools of the board; an error says which of them has room.
        guard: see :class:`AllocationGuard`.
        size_alignment_limit: align each buffer to its size rounded up to a power of two, but to no
            more than this (bytes, 0: off). Linux CMA does so up to CONFIG_CMA_ALIGNMENT, 1 MiB by
            default (kernel/dma/contiguous.c, dma_alloc_from_contiguous).

    All methods may be called from any thread.
    """

    def __init__(
        self,
        region: Region,
        base: int,
        size: int,
        *,
        name: str,
        granularity: int = 64,
        other_users: Iterable[tuple[int, int]] = (),
        hints: Callable[[], Iterable[Pool]] = tuple,
        guard: AllocationGuard | None = None,
        size_alignment_limit: int = 0,
        about: str = "",
    ) -> None:
        if size < 0 or base < region.base or base + size > region.base + region.size:
            raise AddressError(
                f"pool {name}: {format_size(size)} at {format_address(base)} is not inside region "
                f"{region.name} ({format_size(region.size)} at {format_address(region.base)})"
            )
        if size_alignment_limit:
            size_alignment_limit = _power_of_two(size_alignment_limit, "size_alignment_limit")
        try:
            free = FreeList(base, size, granularity)
        except (ValueError, TypeError) as error:
            raise BadArgumentError(f"pool {name}, granularity {granularity}: {error}") from None
        self.region, self.base, self.size, self.name = region, base, size, name
        self.granularity, self.guard, self.about = granularity, guard, about
        self._end = base + size
        self._hints, self._size_alignment_limit = hints, size_alignment_limit
        self._mapping: Mapping | None = None  # of the whole pool, once it is wanted
        # No lock around these two. A call of the free list keeps the interpreter, so it is whole; a range
        # is one caller's from allocate() to release(); and the collector may call _reclaim() at any
        # place in here, where waiting for a lock would be waiting for oneself.
        self._free = free
        # By the identity of the reference that tells when the memory is let go: that, address, nbytes as asked.
        self._places: dict[int, tuple[weakref.ref[Extent], int, int]] = {}
        self._held, self._hold_lock = dict[Lease, Extent](), Lock()  # see Lease.hold
        for offset, taken in other_users:
            first = offset - offset % granularity
            if not self._free.allocate_at(base + first, offset + taken - first):
                raise BadArgumentError(
                    f"pool {name}: other user at offset {offset}, {format_size(taken)}, "
                    "overlaps another or leaves the pool"
                )
        self._other_users = self._free.total - self._free.free

    def __repr__(self) -> str:
        return f"<pool {self.name}: {format_size(self.size)} at {format_address(self.base)}>"

    def allocate(
        self,
        shape: SupportsIndex | Sequence[SupportsIndex],
        dtype: DTypeLike = np.uint32,
        *,
        align: int = 64,
        address: int | None = None,
        below: int | None = None,
    ) -> DmaBuffer:
        """A buffer of ``shape`` and ``dtype`` at the lowest physical address that fits.

        Its contents are undefined: on a board, whatever was there; on a virtual board, memory that no
        buffer used before reads zero.

        Args:
            shape: one length or a tuple of them; at least one element.
            dtype: anything but object.
            align: the physical address is a multiple of this power of two (bytes).
            address: this physical address and no other.
            below: the whole buffer ends at or below this physical address: ``1 << 32`` for a DMA
                engine with 32-bit addresses.

        Raises:
            BadArgumentError: the arguments cannot be.
            AddressError: ``address`` is outside the pool, misaligned or taken; the message says which.
            AllocationError: no room; the message says what is free, and which pool has more.
        """
        dims, kind = _shape(shape), _dtype(dtype)
        nbytes = math.prod(dims) * kind.itemsize
        if nbytes > _MAX_BYTES:
            raise BadArgumentError(f"shape {dims} of {kind} is {nbytes} bytes: no memory has that many")
        align = _power_of_two(align, "align")
        if address is not None or below is not None:
            address, below = _whole(address, "address"), _whole(below, "below")
        if self.size == 0:
            raise AllocationError(f"asked {format_size(nbytes)} in {self.name}: {self._empty(nbytes, below)}")
        mapping = self._mapping or self._map()
        if address is None:
            address = self._lowest(nbytes, align, below)
        else:
            self._take(address, nbytes, align, below)
        memory = mapping.extent(address - self.base, nbytes)
        gone = weakref.ref(memory, self._reclaim)  # from here on the range comes back by itself
        self._places[id(gone)] = gone, address, nbytes
        if self.guard is not None:
            self.guard.allocated(address, nbytes)
        if nbytes >= _LARGE:
            self.region.prepare(address, nbytes)
        lease = Lease(self, address, nbytes, mapping.pointer + address - self.base)
        buffer = DmaBuffer._over(np.ndarray(dims, kind, memory), lease, memory)  # type: ignore[arg-type]
        buffer._whole = True
        return buffer

    def stats(self) -> PoolStats:
        """What is used and free now, in bytes; what other threads do meanwhile may show in one figure only."""
        from .stats import BufferCount, PoolStats

        free, largest, count = self._free.free, self._free.largest_free(), len(self._places)
        used = self.size - free
        return PoolStats(self.size, used, free, largest, BufferCount(used - self._other_users, count))

    def _map(self) -> Mapping:
        self._mapping = Mapping(self.region.map(self.base, self.size, None))
        return self._mapping

    def _lowest(self, nbytes: int, align: int, below: int | None) -> int:
        if self._size_alignment_limit:
            align = max(align, min(1 << (nbytes - 1).bit_length(), self._size_alignment_limit))
        limit = self._end if below is None else self._limit(below)
        # An alignment beyond 64 bits only fits address 0, and a pool there is small enough.
        found = self._free.allocate(nbytes, align if align < _FAR else _FAR, limit)
        if found is None:
            raise AllocationError(self._no_room(nbytes, align, below))
        return found

    def _take(self, address: int, nbytes: int, align: int, below: int | None) -> None:
        what = f"{format_size(nbytes)} at {format_address(address)} in {self.name}"
        if address < self.base or address + nbytes > self._end:
            raise AddressError(
                f"{what} is outside the pool ({format_address(self.base)} to {format_address(self._end - 1)})"
            )
        unit = max(align, self.granularity)
        if address % unit:
            raise AddressError(f"{what} is misaligned: the address must be a multiple of {unit}")
        if below is not None and address + nbytes > below:
            raise AddressError(f"{what} does not end at or below {format_address(below)}")
        if not self._free.allocate_at(address, nbytes):
            raise AddressError(f"{what} is taken: {self._taken(address, nbytes)}")

    def _taken(self, address: int, nbytes: int) -> str:
        for start, size in sorted(place[1:] for place in list(self._places.values())):
            if start < address + nbytes and address < start + size:
                return f"a buffer of {format_size(size)} is at {format_address(start)}"
        return "another user of this memory holds part of it"

    def _no_room(self, nbytes: int, align: int, below: int | None) -> str:
        free, largest = self._free.free, self._largest(below)
        asked = format_size(nbytes)
        # A limit that the whole pool keeps is no news.
        limit = f" below {format_address(below)}" if below is not None and below < self._end else ""
        message = f"asked {asked}{limit} in {self.name}: largest free block{limit} "
        message += f"{format_size(largest)} of {format_size(free)} free"
        if largest >= nbytes:
            message += f", but none holds it at a multiple of {format_size(align)}"
        if room := self._elsewhere(nbytes, below):
            return f"{message}; {room}"
        return f"{message}; free a buffer" + (
            ", no other pool has room for it" if any(pool is not self for pool in self._hints()) else ""
        )

    def _empty(self, nbytes: int, below: int | None) -> str:
        message = "this pool is empty on this board" + (f" ({self.about})" if self.about else "")
        room = self._elsewhere(nbytes, below)
        return f"{message}; {room}" if room else message

    def _elsewhere(self, nbytes: int, below: int | None) -> str:
        others = [(pool.name, pool._largest(below)) for pool in self._hints() if pool is not self]
        return ", ".join(f"{name} has {format_size(size)}" for name, size in others if size >= nbytes)

    def _limit(self, below: int | None) -> int:
        return self._end if below is None else min(below, self._end)

    def _largest(self, below: int | None) -> int:
        return self._free.largest_free(self._limit(below))

    def _reclaim(self, gone: weakref.ref[Extent]) -> None:
        """The last array on a range is gone. Runs wherever that happened, even inside a call of ours."""
        _, address, nbytes = self._places.pop(id(gone))
        try:
            if self.guard is not None:
                self.guard.released(address, nbytes)
            if nbytes >= _LARGE:
                self.region.discard(address, nbytes)
        finally:
            self._free.release(address, nbytes)


def _power_of_two(value: int, what: str) -> int:
    if type(value) is int and value > 0 and not value & (value - 1):  # what it nearly always is
        return value
    number = _whole(value, what)
    if not number or number & (number - 1):
        raise BadArgumentError(f"{what}={value!r}: it must be a power of two")
    return number


def _whole(value: int | None, what: str) -> int | None:
    try:
        number = None if value is None else operator.index(value)  # numpy's integers would overflow
    except TypeError:
        number = -1
    if number is not None and number < 0:
        raise BadArgumentError(f"{what}={value!r}: it must be a whole number of bytes, not negative")
    return number


def _shape(shape: SupportsIndex | Sequence[SupportsIndex]) -> tuple[int, ...]:
    if type(shape) is int and shape > 0:  # what it nearly always is
        return (shape,)
    try:
        dims = tuple(map(operator.index, shape)) if isinstance(shape, Iterable) else (operator.index(shape),)
    except TypeError:
        raise BadArgumentError(f"shape {shape!r}: it must be a length or a tuple of lengths") from None
    if any(length <= 0 for length in dims):
        raise BadArgumentError(f"shape {dims}: every length must be at least 1")
    if len(dims) > _MAX_DIMENSIONS:
        raise BadArgumentError(f"{len(dims)} dimensions: numpy arrays have at most {_MAX_DIMENSIONS}")
    return dims


def _dtype(dtype: DTypeLike) -> np.dtype[Any]:
    if isinstance(dtype, type) and (common := _COMMON.get(dtype)) is not None:
        return common
    try:
        kind = np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise BadArgumentError(f"dtype {dtype!r} is not understood: {error}") from None
    if kind.hasobject or kind.itemsize == 0 or kind.subdtype is not None:
        raise BadArgumentError(f"dtype {kind} cannot be in DMA memory: it needs a fixed size and no objects")
    return kind
