"""What a transfer moves: pieces known from the start, or blocks that are handed in while it runs."""

from __future__ import annotations

from typing import Protocol

from .._native import BlockQueue, Plan


class Work(Protocol):
    """Pieces in order. A job counts them from the first that was not done when it began."""

    @property
    def native(self) -> Plan | BlockQueue:
        """What the loop takes."""
        ...

    @property
    def size(self) -> int:
        """Pieces that the present job can have been given."""
        ...

    @property
    def finished(self) -> bool:
        """True when no job has anything to do any more."""
        ...

    def after(self, pieces: int) -> Work:
        """What is left for another job when this one has done so many."""
        ...

    def end(self, pieces: int) -> None:
        """The last job has ended, with so many done."""
        ...


class PlanWork:
    """Pieces known from the start."""

    def __init__(self, plan: Plan) -> None:
        self.native = plan

    @property
    def size(self) -> int:
        """Pieces of the plan."""
        return self.native.size

    @property
    def finished(self) -> bool:
        """True when the plan is empty."""
        return self.native.size == 0

    def after(self, pieces: int) -> PlanWork:
        """The rest of the plan."""
        return PlanWork(self.native.after(pieces))

    def end(self, pieces: int) -> None:
        """Nobody waits for a plan's pieces."""


class QueueWork:
    """Blocks that are handed in."""

    def __init__(self, queue: BlockQueue) -> None:
        self.native = queue
        self._begun = queue.done

    @property
    def size(self) -> int:
        """Blocks given since the present job began."""
        return self.native.given - self._begun

    finished = False  # another block may come

    def after(self, pieces: int) -> QueueWork:
        """The same queue, from the block behind those."""
        self.native.settle(pieces)
        return QueueWork(self.native)

    def end(self, pieces: int) -> None:
        """Whoever waits for a block is told that there will be none."""
        self.native.settle(pieces)
        self.native.end()
