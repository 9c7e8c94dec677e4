"""What was sent or received, gap by gap."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Gap:
    """Missing samples.

    ``index`` is the converter's own sample count where the gap starts: 0 is the first sample it
    converted, and the samples of earlier gaps are counted too, so that ``index / rate`` is a time.
    ``length`` is in samples.
    """

    index: int
    length: int
    cause: str


@dataclass(frozen=True)
class Ledger:
    """Account of one play or capture: ``samples`` passed, and the ``gaps`` between them.

    ``gap_count`` and ``missing_samples`` are exact even where the converter's gap log was too short
    to hold every gap; then ``len(gaps) < gap_count``.
    """

    samples: int
    gaps: tuple[Gap, ...] = ()
    gap_count: int = 0
    missing_samples: int = 0

    @property
    def complete(self) -> bool:
        """True when nothing is missing."""
        return self.gap_count == 0

    def as_dict(self) -> dict[str, Any]:
        """The part of a report's JSON that says what is missing."""
        return {
            "gap_count": self.gap_count,
            "missing_samples": self.missing_samples,
            "gaps": [asdict(gap) for gap in self.gaps],
        }

    @property
    def blocks(self) -> tuple[tuple[int, int], ...]:
        """Contiguous blocks between the logged gaps as (index, length), in the gaps' own count."""
        blocks, start = [], 0
        for gap in self.gaps:
            if gap.index > start:
                blocks.append((start, gap.index - start))
            start = gap.index + gap.length
        end = self.samples + self.missing_samples
        if end > start:
            blocks.append((start, end - start))
        return tuple(blocks)
