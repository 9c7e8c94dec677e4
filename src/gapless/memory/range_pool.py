"""A pool on one range of physical addresses."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .._native import Extent, FreeList, Mapping
from ..errors import AddressError, AllocationError, BadArgumentError, BufferUseError
from ..units import MIB, format_address, format_size
from .lease import Lease, Runs
from .pool import AllocationGuard, Pool, power_of_two
from .region import Region

if TYPE_CHECKING:
    from .claims import Claims
    from .claims_file import Claim
    from .stats import PoolStats

_LARGE = MIB  # from this size on it pays to tell the host what happens to a buffer's pages
_FAR = 1 << 63
_NAMED = 4  # buffers in a message


class RangePool(Pool):
    """Physically contiguous memory from ``base`` to ``base + size`` of ``region``, handed out first fit.

    Args:
        region: where the memory is mapped.
        base, size: bytes; multiples of ``granularity``, inside the region.
        name, about, hints, guard: see :class:`Pool`.
        granularity: allocation unit in bytes, a power of two (4096 for CMA: pages).
        other_users: (offset, size) in bytes that somebody else holds from the start.
        size_alignment_limit: align each buffer to its size rounded up to a power of two, but to no
            more than this (bytes, 0: off). Linux CMA does so up to CONFIG_CMA_ALIGNMENT, 1 MiB by
            default (kernel/dma/contiguous.c, dma_alloc_from_contiguous).
        claims: where programs that share the memory tell each other what they have; None: nobody else has it.
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
        claims: Claims | None = None,
    ) -> None:
        super().__init__(
            name,
            kind=region.kind,
            memory_type=region.memory_type,
            coherent=region.coherent,
            sync_method=region.sync_method,
            about=about,
            hints=hints,
            guard=guard,
        )
        if size < 0 or base < region.base or base + size > region.base + region.size:
            raise AddressError(
                f"pool {name}: {format_size(size)} at {format_address(base)} is not inside region "
                f"{region.name} ({format_size(region.size)} at {format_address(region.base)})"
            )
        if size_alignment_limit:
            size_alignment_limit = power_of_two(size_alignment_limit, "size_alignment_limit")
        try:
            free = FreeList(base, size, granularity)
        except (ValueError, TypeError) as error:
            raise BadArgumentError(f"pool {name}, granularity {granularity}: {error}") from None
        self.region, self._base, self._size = region, base, size
        self.granularity, self._size_alignment_limit = granularity, size_alignment_limit
        self._end = base + size
        self._free = free
        self._closed: tuple[list[tuple[int, int]], int, str] = [], size, about
        self._mapping: Mapping | None = None  # of the whole pool, once it is wanted
        self._claims = claims
        # What other programs have, as last seen: first byte, last + 1.
        self._foreign: dict[tuple[int, int], Claim] = {}
        self._to_reach = region.windowed and not self._device  # what is no array reaches for itself
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

    @property
    def base(self) -> int:
        """The first physical address."""
        return self._base

    @property
    def size(self) -> int:
        """Bytes in all, used and free."""
        return self._size

    def stats(self) -> PoolStats:
        """What is used and free now, in bytes; what other threads do meanwhile may show in one figure only.

        ``used`` includes what other programs had of it at the last allocation.
        """
        from .stats import BufferCount, PoolStats

        free, largest, count = self._free.free, self._free.largest_free(), len(self._gone)
        used = self.size - free
        others = self._other_users + sum(last - first for first, last in self._foreign)
        return PoolStats(self.size, used, free, largest, BufferCount(used - others, count))

    def close(self) -> None:
        """Give out nothing any more, because the memory is about to go; :meth:`reopen` undoes it.

        BufferUseError when a buffer is still there; the message names them.
        """
        # Exceptions hold frames, and these buffers, in cycles.
        if self._free.free + self._other_users < self._free.total:
            gc.collect()
        taken = [block for block in self._free.blocks() if self._free.allocate_at(*block)]
        if sum(nbytes for _, nbytes in taken) + self._other_users < self._free.total:
            for address, nbytes in taken:
                self._free.release(address, nbytes)
            places = sorted(place for _, place in list(self._gone.values()))
            there = [f"{format_size(nbytes)} at {format_address(address)}" for address, nbytes in places[:_NAMED]]
            more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
            raise BufferUseError(f"{self.name} still has buffers: {', '.join(there)}{more}; free them first")
        self._closed = taken, self._size, self.about
        self._size, self.about = 0, "its memory left with a design"

    def reopen(self) -> None:
        """What was closed gives out buffers again."""
        taken, self._size, self.about = self._closed
        for address, nbytes in taken:
            self._free.release(address, nbytes)

    def _place(
        self, nbytes: int, align: int, address: int | None, below: int | None, contiguous: bool
    ) -> tuple[Lease, Extent]:
        if self._size == 0:
            raise AllocationError(f"asked {format_size(nbytes)} in {self.name}: {self._empty(nbytes, below)}")
        mapping = self._mapping
        if mapping is None:
            mapping = self._map()
        if self._claims is not None:
            address = self._claim(self._claims, nbytes, align, address, below)
        elif address is None:
            address = self._lowest(nbytes, align, below)
        else:
            self._take(address, nbytes, align, below)
        memory = mapping.extent(address - self._base, nbytes)
        gone = weakref.ref(memory, self._let_go)  # as _watch() does: this is the path that has to be short
        self._gone[id(gone)] = gone, (address, nbytes)
        if self.guard is not None:
            self.guard.allocated(address, nbytes)
        if self._to_reach:
            self.region.reach(address, nbytes)
        if nbytes >= _LARGE:
            self.region.prepare(address, nbytes)
        return Lease(self, self.region, address, nbytes, mapping.pointer + address - self._base), memory

    def _map(self) -> Mapping:
        self._mapping = Mapping(self.region.map(self._base, self._size, None))
        return self._mapping

    def _claim(self, claims: Claims, nbytes: int, align: int, address: int | None, below: int | None) -> int:
        found = None
        try:
            with claims.session() as session:
                self._see(session.others)
                found = self._find(nbytes, align, address, below)
                session.add(found, self._rounded(nbytes), self.name)
        except BaseException:
            if found is not None:  # the registry would not have it
                self._free.release(found, nbytes)
            raise
        return found

    def _find(self, nbytes: int, align: int, address: int | None, below: int | None) -> int:
        if address is None:
            return self._lowest(nbytes, align, below)
        self._take(address, nbytes, align, below)
        return address

    def _lowest(self, nbytes: int, align: int, below: int | None) -> int:
        if self._size_alignment_limit:
            align = max(align, min(1 << (nbytes - 1).bit_length(), self._size_alignment_limit))
        limit = self._end if below is None else self._limit(below)
        # An alignment beyond 64 bits only fits address 0, and a pool there is small enough.
        found = self._free.allocate(nbytes, align if align < _FAR else _FAR, limit)
        if found is None:
            # A limit that the whole pool keeps is no news.
            said = f" below {format_address(below)}" if below is not None and below < self._end else ""
            raise AllocationError(self._no_room(nbytes, align, below, self._free.free, said))
        return found

    def _take(self, address: int, nbytes: int, align: int, below: int | None) -> None:
        what = f"{format_size(nbytes)} at {format_address(address)} in {self.name}"
        if address < self._base or address + nbytes > self._end:
            raise AddressError(
                f"{what} is outside the pool ({format_address(self._base)} to {format_address(self._end - 1)})"
            )
        unit = max(align, self.granularity)
        if address % unit:
            raise AddressError(f"{what} is misaligned: the address must be a multiple of {unit}")
        if below is not None and address + nbytes > below:
            raise AddressError(f"{what} does not end at or below {format_address(below)}")
        if not self._free.allocate_at(address, nbytes):
            raise self._taken(what, address, nbytes)

    def _taken(self, what: str, address: int, nbytes: int) -> AddressError:
        for start, size in sorted(place for _, place in list(self._gone.values())):
            if start < address + nbytes and address < start + size:
                return AddressError(f"{what} is taken: a buffer of {format_size(size)} is at {format_address(start)}")
        for (first, last), claim in self._foreign.items():
            if first < address + nbytes and address < last:
                from .claim_session import taken

                return taken(what, claim.owner, claim.since, claim.quarantine)
        return AddressError(f"{what} is taken: another user of this memory holds part of it")

    def _see(self, others: Iterable[Claim]) -> None:
        """Reserve what other programs have now, and no longer what they had."""
        now = {span: claim for claim in others if (span := self._clipped(claim.base, claim.nbytes)) is not None}
        for span in self._foreign.keys() - now.keys():
            self._free.release(span[0], span[1] - span[0])
            del self._foreign[span]
        for span, claim in now.items():
            # What is about to come back from us, and is somebody else's already, is seen the next time.
            if span in self._foreign or self._free.allocate_at(span[0], span[1] - span[0]):
                self._foreign[span] = claim

    def _clipped(self, base: int, nbytes: int) -> tuple[int, int] | None:
        first = max(self._base, base - base % self.granularity)
        last = min(self._end, base + self._rounded(nbytes))
        return (first, last) if first < last else None

    def _rounded(self, nbytes: int) -> int:
        return -(-nbytes // self.granularity) * self.granularity

    def _empty(self, nbytes: int, below: int | None) -> str:
        message = "this pool is empty on this board" + (f" ({self.about})" if self.about else "")
        room = self._elsewhere(nbytes, below)
        return f"{message}; {room}" if room else message

    def _limit(self, below: int | None) -> int:
        return self._end if below is None else min(below, self._end)

    def _largest(self, below: int | None) -> int:
        return self._free.largest_free(self._limit(below))

    def _runs_of(self, place: tuple[int, int]) -> Runs:
        return (place,)

    def _reclaim(self, place: tuple[int, int]) -> None:
        address, nbytes = place
        try:
            if self.guard is not None:
                self.guard.released(address, nbytes)
            if nbytes >= _LARGE:
                self.region.discard(address, nbytes)
        finally:
            # The claim goes first: once the range is free here, another thread may take it and claim it.
            if self._claims is not None:
                self._claims.release(address, self._rounded(nbytes))
            self._free.release(address, nbytes)
