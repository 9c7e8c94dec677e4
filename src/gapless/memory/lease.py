"""One allocation, and how long it lasts."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import BufferFreedError, BufferInFlightError, BufferUseError
from ..units import format_address, format_size

if TYPE_CHECKING:
    from .pool import Pool


@dataclass(frozen=True)
class Place:
    """Where a buffer is or was: known even after it was freed. ``nbytes`` as asked, before rounding."""

    pool: Pool
    address: int
    nbytes: int

    def __str__(self) -> str:
        return f"{format_size(self.nbytes)} at {format_address(self.address)} in {self.pool.name}"


@dataclass(eq=False)
class Lease:
    """Held by every array on an allocation; when the last one lets go, the range is free again.

    That covers plain ndarrays too: they hold it through their chain of bases. So nothing that can
    still be read or written is ever handed to somebody else. ``pointer`` is where the first byte is
    mapped.
    """

    place: Place
    pointer: int = 0
    freed: bool = False
    holders: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        place = self.place
        finalizer = weakref.finalize(self, place.pool._reclaim, place.address, place.nbytes)
        finalizer.atexit = False  # the memory goes with the process, and other exit handlers may read it

    def end(self) -> None:
        """Mark it freed; BufferInFlightError while a channel holds it."""
        with self._lock:
            if self.holders:
                raise BufferInFlightError(
                    f"free() of {self.place} while {', '.join(self.holders)} uses it: "
                    "wait for the transfer or stop the channel first"
                )
            self.freed = True

    def hold(self, name: str) -> None:
        """Note that ``name`` uses the memory. Held memory stays reserved even if nobody refers to it."""
        with self._lock:
            if self.freed:
                raise BufferFreedError(f"{name} cannot use {self.place}: it was freed")
            self.holders.append(name)
            self.place.pool._held[id(self)] = self

    def unhold(self, name: str) -> None:
        """Undo one :meth:`hold` of the same name."""
        with self._lock:
            if name not in self.holders:
                raise BufferUseError(f"{name} does not hold {self.place}")
            self.holders.remove(name)
            if not self.holders:
                del self.place.pool._held[id(self)]
