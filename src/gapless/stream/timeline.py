"""Where received samples lie on the converter's own time line, on which what was lost counts, too."""

from __future__ import annotations

from dataclasses import replace

from .ledger import Gap, Ledger
from .monitor import PairMonitor, StreamMonitor


class Timeline:
    """Follows a capture block by block.

    The stream monitor logs a gap at its place on the time line; what is delivered is what lies between. The last gap
    in the log may still be growing, but not one behind which a sample was delivered.
    """

    def __init__(self, monitor: StreamMonitor | PairMonitor) -> None:
        self._monitor = monitor
        self._gaps: list[Gap] = []
        self._passed = 0  # gaps before the block that comes next
        self._missing = 0  # samples in those
        self._delivered = 0

    def advance(self, samples: int) -> tuple[int, tuple[Gap, ...]]:
        """The next ``samples`` were delivered: the index of the first of them, and the gaps between them."""
        self._read()
        self._pass_until(self._delivered)
        index = self._delivered + self._missing
        first, self._delivered = self._passed, self._delivered + samples
        self._pass_until(self._delivered - 1)
        return index, tuple(self._gaps[first : self._passed])

    @property
    def delivered(self) -> int:
        """Samples so far."""
        return self._delivered

    def ledger(self, *, whole: bool) -> Ledger:
        """The account of what was delivered; ``whole``: of all that the converter gave, to the end of the capture."""
        counted = self._monitor.ledger()
        if whole or counted.gap_count > len(counted.gaps):
            return replace(counted, samples=self._delivered)
        # What was lost behind the last delivered sample is not in this capture.
        position, kept = 0, []
        for gap in counted.gaps:
            if gap.index - position >= self._delivered:
                break
            position += gap.length
            kept.append(gap)
        return replace(
            counted, samples=self._delivered, gaps=tuple(kept), gap_count=len(kept), missing_samples=position
        )

    def _pass_until(self, delivered: int) -> None:
        """Gaps up to the place where so many samples are delivered."""
        while self._passed < len(self._gaps):
            gap = self._gaps[self._passed]
            if gap.index - self._missing > delivered:
                return
            self._passed += 1
            self._missing += gap.length

    def _read(self) -> None:
        # What was not passed may have grown since.
        del self._gaps[self._passed :]
        self._gaps += self._monitor.gaps_from(len(self._gaps))
