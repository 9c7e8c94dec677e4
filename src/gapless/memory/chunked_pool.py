"""A pool on memory that the kernel lends piece by piece."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .._native import Extent, FreeList, Mapping
from ..boards.spec import MemoryKind
from ..errors import AddressError, AllocationError
from ..units import format_address, format_size
from .lease import Lease, Runs
from .pool import Pool
from .source import Chunk, Source

if TYPE_CHECKING:
    from .claims import Claims
    from .stats import PoolStats

_LINE = 64  # two buffers share no cache line, of which one is the CPU's and the other a device's
_FAR = (1 << 64) - 1


class ChunkedPool(Pool):
    """Memory that is taken from the kernel when a buffer is allocated, and given back with the last one in it.

    A buffer smaller than the source's unit goes into a chunk that is there, if one has room. Any other has a
    chunk of its own; of a chunk that is one run, small ones may have the rest. A chunk of several runs has one
    buffer. ``address=`` finds only what is here already: which addresses come next is the kernel's to say.

    Args:
        source: where the memory comes from.
        name, about, hints: see :class:`Pool`.
        claims: where programs tell each other what they have; None: nobody needs to know.
    """

    def __init__(
        self,
        source: Source,
        *,
        name: str,
        about: str = "",
        hints: Callable[[], Iterable[Pool]] = tuple,
        claims: Claims | None = None,
    ) -> None:
        super().__init__(
            name,
            kind=MemoryKind.PS,
            memory_type=source.memory_type,
            coherent=source.coherent,
            sync_method=source.sync_method,
            about=about,
            hints=hints,
        )
        self.source, self._claims = source, claims
        # Without a lock, as all of a pool. A chunk is in here from its first buffer on; it leaves with its last:
        # whoever can take all of its free list, in one call, has it for himself and closes it.
        self._chunks: dict[int, _Shared | _Whole] = {}
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"<pool {self.name}: {format_size(self.size)} in {len(self._chunks)} chunks>"

    @property
    def base(self) -> int:
        """The lowest physical address it has now; 0 when it has none."""
        return min((run[0] for chunk in self._held_chunks() for run in chunk.chunk.runs), default=0)

    @property
    def size(self) -> int:
        """Bytes that it has now, and those that the kernel could still lend."""
        return sum(chunk.total for chunk in self._held_chunks()) + self.source.available()

    def stats(self) -> PoolStats:
        """What is used and free now, in bytes; what other threads do meanwhile may show in one figure only.

        Free is also what the kernel could still lend; whether that is in one run is seen when it is taken.
        """
        from .stats import BufferCount, PoolStats

        lendable = self.source.available()
        free, total = lendable, lendable
        for chunk in self._held_chunks():
            free, total = free + chunk.free, total + chunk.total
        used = total - free
        return PoolStats(total, used, free, self._largest(None, lendable), BufferCount(used, len(self._gone)))

    def _place(
        self, nbytes: int, align: int, address: int | None, below: int | None, contiguous: bool
    ) -> tuple[Lease, Extent]:
        if self._process != os.getpid():  # a fork: what the parent has is the parent's to hand out
            self._process, self._chunks = os.getpid(), {}
        if address is not None:
            return self._at(nbytes, align, address, below)
        small = nbytes < self.source.unit
        if small and (found := self._in_chunks(nbytes, align, below)) is not None:
            return found
        try:
            taken = self.source.take(nbytes, align=align, below=below, contiguous=contiguous)
        except AllocationError as error:
            found = None if small else self._in_chunks(nbytes, align, below)
            if found is not None:
                return found
            room = self._elsewhere(nbytes, below)
            raise AllocationError(f"{error}; {room}" if room else str(error)) from None
        return self._in_new(taken, nbytes, align, below)

    def _in_new(self, taken: Chunk, nbytes: int, align: int, below: int | None) -> tuple[Lease, Extent]:
        try:
            self._refuse_unsuitable(taken, nbytes, align, below)
            self._claim(taken)
            chunk = _Shared(taken) if len(taken.runs) == 1 else _Whole(taken)
            place = chunk.take_first(nbytes)
        except BaseException:
            self._close(taken)
            raise
        self._chunks[id(chunk)] = chunk
        return self._lend(chunk, place, nbytes)

    def _refuse_unsuitable(self, taken: Chunk, nbytes: int, align: int, below: int | None) -> None:
        end = max(base + size for base, size in taken.runs)
        if taken.runs[0][0] % align or (below is not None and end > below):
            wanted = f"at a multiple of {format_size(align)}"
            wanted += f" below {format_address(below)}" if below is not None else ""
            raise AllocationError(
                f"asked {format_size(nbytes)} {wanted} in {self.name}: the kernel, which takes no wishes there, gave "
                f"{format_address(taken.runs[0][0])}; take another pool"
            )

    def _claim(self, taken: Chunk) -> None:
        if self._claims is not None:
            with self._claims.session() as session:
                for base, size in taken.runs:
                    session.add(base, size, self.name, path=taken.path)

    def _close(self, chunk: Chunk) -> None:
        try:
            # The claim goes first: whoever is lent the memory next, claims it.
            if self._claims is not None:
                for base, size in chunk.runs:
                    self._claims.release(base, size)
        finally:
            chunk.close()

    def _in_chunks(self, nbytes: int, align: int, below: int | None) -> tuple[Lease, Extent] | None:
        for chunk in self._held_chunks():
            if (place := chunk.take(nbytes, align, below)) is not None:
                return self._lend(chunk, place, nbytes)
        return None

    def _at(self, nbytes: int, align: int, address: int, below: int | None) -> tuple[Lease, Extent]:
        what = f"{format_size(nbytes)} at {format_address(address)} in {self.name}"
        if address % max(align, _LINE):
            raise AddressError(f"{what} is misaligned: the address must be a multiple of {max(align, _LINE)}")
        if below is not None and address + nbytes > below:
            raise AddressError(f"{what} does not end at or below {format_address(below)}")
        runs = []
        for chunk in self._held_chunks():
            if chunk.take_at(address, nbytes):
                return self._lend(chunk, address, nbytes)
            runs += [f"{format_size(size)} at {format_address(base)}" for base, size in chunk.chunk.runs]
        here = f"it has {', '.join(runs[:4])}{', ...' if len(runs) > 4 else ''} now" if runs else "it has no memory yet"
        raise AddressError(
            f"{what} is not there, or taken: {here}, and which addresses come next is the kernel's to say. "
            "Leave out address=, or take a pool with addresses of its own (a carve-out)"
        )

    def _lend(self, chunk: _Shared | _Whole, place: int, nbytes: int) -> tuple[Lease, Extent]:
        region, mapping = chunk.chunk.region, chunk.mapping
        memory = mapping.extent(place - region.base, nbytes)
        self._watch(memory, (chunk, place, nbytes))
        runs = chunk.chunk.runs if isinstance(chunk, _Whole) else None
        return Lease(self, region, place, nbytes, mapping.pointer + place - region.base, runs), memory

    def _held_chunks(self) -> list[_Shared | _Whole]:
        return list(self._chunks.values())

    def _largest(self, below: int | None, lendable: int | None = None) -> int:
        here = max((chunk.largest(below) for chunk in self._held_chunks()), default=0)
        # Of what is still the kernel's nobody knows where it is.
        if below is not None:
            return here
        return max(here, self.source.available() if lendable is None else lendable)

    def _runs_of(self, place: tuple[_Shared | _Whole, int, int]) -> Runs:
        chunk, address, nbytes = place
        return chunk.chunk.runs if isinstance(chunk, _Whole) else ((address, nbytes),)

    def _reclaim(self, place: tuple[_Shared | _Whole, int, int]) -> None:
        chunk, address, nbytes = place
        if chunk.release(address, nbytes):
            self._chunks.pop(id(chunk), None)
            self._close(chunk.chunk)


class _Shared:
    """A chunk in one run, and which parts of it are free. Places are physical addresses."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.base, self.total = chunk.runs[0]
        self.mapping = Mapping(chunk.region.map(self.base, self.total, None))
        self._list = FreeList(self.base, self.total, _LINE)

    @property
    def free(self) -> int:
        return self._list.free

    def largest(self, below: int | None) -> int:
        return self._list.largest_free(_limit(below))

    def take_first(self, nbytes: int) -> int:
        self._list.allocate_at(self.base, nbytes)
        return self.base

    def take(self, nbytes: int, align: int, below: int | None) -> int | None:
        return self._list.allocate(nbytes, min(align, 1 << 63), _limit(below))

    def take_at(self, address: int, nbytes: int) -> bool:
        return address + nbytes <= _FAR and self._list.allocate_at(address, nbytes)

    def release(self, address: int, nbytes: int) -> bool:
        """True for the one who is to close the chunk: nothing is left in it, and nothing can come any more."""
        self._list.release(address, nbytes)
        return self._list.allocate_at(self.base, self.total)


class _Whole:
    """A chunk in several runs, which belongs to one buffer. The place is 0, its beginning."""

    free = 0

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.total = chunk.region.size
        self.mapping = Mapping(chunk.region.map(0, self.total, None))

    def largest(self, _below: int | None) -> int:
        return 0

    def take_first(self, _nbytes: int) -> int:
        return 0

    def take(self, _nbytes: int, _align: int, _below: int | None) -> int | None:
        return None

    def take_at(self, _address: int, _nbytes: int) -> bool:
        return False

    def release(self, _address: int, _nbytes: int) -> bool:
        return True


def _limit(below: int | None) -> int:
    return _FAR if below is None else min(below, _FAR)
