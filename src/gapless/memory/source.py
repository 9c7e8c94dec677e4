"""Where memory comes from that the kernel lends piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .lease import Runs
from .region import MappedRegion, Mapper, MemoryType


@dataclass(frozen=True)
class Chunk:
    """Memory that a :class:`Source` took from the kernel.

    Attributes:
        region: where it is mapped, all of it; its base is the physical address where it is one run, else 0.
        runs: the physical addresses, in the order in which they are mapped.
        close: gives it back. The garbage collector may call it anywhere.
        path: a file that keeps it when we die, and that the registry may remove once our engines have stopped.
    """

    region: MappedRegion
    runs: Runs
    close: Callable[[], None]
    path: Path | None = None


class Source(Protocol):
    """Where a :class:`~gapless.memory.ChunkedPool` takes memory from, and what it is like.

    Attributes:
        unit: the smallest chunk in bytes.
    """

    unit: int
    memory_type: MemoryType
    coherent: bool
    sync_method: str

    def take(self, nbytes: int, *, align: int, below: int | None, contiguous: bool) -> Chunk:
        """At least ``nbytes``, with the first byte at a multiple of ``align`` and the last below ``below``.

        A source that has no say in it takes what comes, and the pool refuses it. AllocationError says what was
        asked, what there is, and what to do.
        """
        ...

    def available(self) -> int:
        """Bytes that the kernel could lend now."""
        ...


def region_of(source: Source, name: str, base: int, size: int, mapper: Mapper) -> MappedRegion:
    """A region of the kind of memory that ``source`` has."""
    return MappedRegion(
        name,
        base,
        size,
        mapper,
        memory_type=source.memory_type,
        coherent=source.coherent,
        sync_method=source.sync_method,
    )
