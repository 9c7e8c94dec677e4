"""One allocation, or the loan of a part of it, and how long that lasts."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import BlockError, BufferFreedError, BufferInFlightError, BufferUseError
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

    def refusal(self) -> BufferUseError:
        """What any use raises once it is ``freed``."""
        return freed_error(self.place)

    def not_yours(self) -> BufferUseError:
        """What ``free()`` of a view raises."""
        return BufferUseError(f"this is a view of {self.place}: free the buffer it was made from")

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


def freed_error(place: Place) -> BufferFreedError:
    """For whoever uses a buffer after ``free()``."""
    return BufferFreedError(f"the buffer ({place}) was freed: its memory may belong to somebody else by now")


class LoanLease:
    """What the arrays of a loan hold in place of the buffer's lease, which it keeps; see :class:`Loan`."""

    __slots__ = ("lease", "place", "pointer", "reason", "what")

    def __init__(self, lease: Lease | None, place: Place, pointer: int, what: str, reason: str | None = None) -> None:
        self.lease, self.place, self.pointer = lease, place, pointer
        self.what, self.reason = what, reason  # no reason: it has not ended

    @property
    def freed(self) -> bool:
        """True when the loan has ended, or the buffer was freed."""
        return self.reason is not None or self.lease is None or self.lease.freed

    @property
    def holders(self) -> list[str]:
        """Who uses the buffer."""
        return self.lease.holders if self.lease is not None else []

    def refusal(self) -> BufferUseError:
        """What any use raises once it is ``freed``."""
        if self.reason is not None or self.lease is None:
            return BlockError(self.reason)
        return self.lease.refusal()

    def not_yours(self) -> BufferUseError:
        """What ``free()`` raises."""
        return BufferUseError(f"{self.what} is lent, a part of {self.place}: who lent it frees that")

    def ended(self) -> LoanLease:
        """The same without the buffer's lease, for an array that no longer shows the memory."""
        return LoanLease(None, self.place, self.pointer, self.what, self.reason)

    def hold(self, name: str) -> None:
        """As :meth:`Lease.hold`, on the buffer."""
        if self.reason is not None or self.lease is None:
            raise self.refusal()
        self.lease.hold(name)

    def unhold(self, name: str) -> None:
        """As :meth:`Lease.unhold`, on the buffer."""
        if self.lease is None:
            raise self.refusal()
        self.lease.unhold(name)
