"""One allocation, or the loan of a part of it, and how long that lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BlockError, BufferFreedError, BufferInFlightError, BufferUseError, NotContiguousError
from ..units import format_address, format_size

if TYPE_CHECKING:
    from .._native import Extent
    from .pool import Pool
    from .region import Region

#: (physical address, nbytes) of each contiguous stretch, in order.
Runs = tuple[tuple[int, int], ...]


class Lease:
    """Where a buffer is, whether it was freed and who uses it; known to every array on the allocation.

    ``nbytes`` is as asked, before rounding; ``pointer`` is where the first byte is mapped; ``at`` is where it lies
    in ``region``: a physical address, but where ``runs`` are given, since those are the physical addresses then. The
    memory itself is kept by its Extent, so that a freed buffer can still say what it was.
    """

    __slots__ = ("at", "freed", "holders", "nbytes", "pointer", "pool", "region", "runs")

    def __init__(
        self, pool: Pool, region: Region, at: int, nbytes: int, pointer: int, runs: Runs | None = None
    ) -> None:
        self.pool, self.region, self.at, self.nbytes, self.pointer = pool, region, at, nbytes, pointer
        self.runs = runs
        self.freed = False
        self.holders: tuple[str, ...] = ()

    def __str__(self) -> str:
        first = self.at if self.runs is None else self.runs[0][0]
        parts = "" if self.runs is None or len(self.runs) == 1 else f" in {len(self.runs)} runs, the first"
        return f"{format_size(self.nbytes)}{parts} at {format_address(first)} in {self.pool.name}"

    def physical_address(self, offset: int, nbytes: int) -> int:
        """Of ``nbytes`` bytes from ``offset`` on; NotContiguousError where they are in several runs."""
        if self.runs is None:
            return self.at + offset
        found = self.physical_runs(offset, nbytes)
        if len(found) != 1:
            raise NotContiguousError(
                f"{format_size(nbytes)} of {self} are in {len(found)} runs of physical addresses: take them from "
                "buffer.runs, one after the other; DMA engines of gapless do that by themselves"
            )
        return found[0][0]

    def physical_runs(self, offset: int, nbytes: int) -> Runs:
        """The runs that ``nbytes`` bytes (0: one) from ``offset`` on are in."""
        if self.runs is None:
            return ((self.at + offset, nbytes),)
        found = []
        for address, length in self.runs:
            if offset < length:
                found.append((address + offset, min(length - offset, nbytes)))
                nbytes -= length - offset
                if nbytes <= 0:
                    break
            offset = max(0, offset - length)
        return tuple(found)

    @property
    def state(self) -> str:
        """What a buffer that cannot be used any more says of itself."""
        return f"freed, was {self}"

    def refusal(self) -> BufferUseError:
        """What any use raises once it is ``freed``."""
        return BufferFreedError(f"the buffer ({self}) was freed: its memory may belong to somebody else by now")

    def not_yours(self) -> BufferUseError:
        """What ``free()`` of a view raises."""
        return BufferUseError(f"this is a view of {self}: free the buffer it was made from")

    def end(self) -> None:
        """Mark it freed; BufferInFlightError while a channel holds it."""
        with self.pool._hold_lock:
            if self.holders:
                raise BufferInFlightError(
                    f"free() of {self} while {', '.join(self.holders)} uses it: "
                    "wait for the transfer or stop the channel first"
                )
            self.freed = True

    def hold(self, name: str, memory: Extent) -> None:
        """Note that ``name`` uses the memory. Held memory stays reserved even if nobody refers to it."""
        with self.pool._hold_lock:
            if self.freed:
                raise BufferFreedError(f"{name} cannot use {self}: it was freed")
            self.holders += (name,)
            self.pool._held[self] = memory

    def unhold(self, name: str) -> None:
        """Undo one :meth:`hold` of the same name."""
        with self.pool._hold_lock:
            if name not in self.holders:
                raise BufferUseError(f"{name} does not hold {self}")
            at = self.holders.index(name)
            self.holders = self.holders[:at] + self.holders[at + 1 :]
            if not self.holders:
                del self.pool._held[self]


class LoanLease:
    """The lease of a part that is lent, until ``reason`` says why it is no longer; see :class:`Loan`."""

    __slots__ = ("lease", "nbytes", "pointer", "reason", "what")

    def __init__(self, lease: Lease, what: str) -> None:
        self.lease, self.what = lease, what
        self.pointer, self.nbytes = lease.pointer, lease.nbytes
        self.reason: str | None = None

    @property
    def pool(self) -> Pool:
        """The buffer's."""
        return self.lease.pool

    @property
    def region(self) -> Region:
        """The buffer's."""
        return self.lease.region

    @property
    def at(self) -> int:
        """The buffer's."""
        return self.lease.at

    def physical_address(self, offset: int, nbytes: int) -> int:
        """As :meth:`Lease.physical_address`."""
        return self.lease.physical_address(offset, nbytes)

    def physical_runs(self, offset: int, nbytes: int) -> Runs:
        """As :meth:`Lease.physical_runs`."""
        return self.lease.physical_runs(offset, nbytes)

    @property
    def holders(self) -> tuple[str, ...]:
        """The buffer's."""
        return self.lease.holders

    @property
    def freed(self) -> bool:
        """True when the loan has ended, or the buffer was freed."""
        return self.reason is not None or self.lease.freed

    @property
    def state(self) -> str:
        """What an array that cannot be used any more says of itself."""
        return f"{self.what}, given back, was part of {self.lease}" if self.reason is not None else self.lease.state

    def refusal(self) -> BufferUseError:
        """What any use raises once it is ``freed``."""
        return BlockError(self.reason) if self.reason is not None else self.lease.refusal()

    def not_yours(self) -> BufferUseError:
        """What ``free()`` raises."""
        return BufferUseError(f"{self.what} is lent, a part of {self.lease}: who lent it frees that")

    def hold(self, name: str, memory: Extent) -> None:
        """As :meth:`Lease.hold`, on the buffer."""
        if self.reason is not None:
            raise self.refusal()
        self.lease.hold(name, memory)

    def unhold(self, name: str) -> None:
        """As :meth:`Lease.unhold`, on the buffer, also after the end."""
        self.lease.unhold(name)
