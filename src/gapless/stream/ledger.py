"""What was sent or received, gap by gap."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import SignalError

FORMAT, VERSION = "gapless-ledger", 1
_DIRECTIONS = ("dac", "adc")


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
class Counters:
    """How near a ring of blocks came to its ends.

    ``queue_low_water`` and ``queue_high_water`` are the fewest and the most blocks it held;
    ``late_events`` counts how often software came after the ring had run empty (output) or full (input),
    whether or not samples were lost by it. How many were, is the ledger's ``missing_samples``.
    """

    queue_low_water: int
    queue_high_water: int
    late_events: int


@dataclass(frozen=True)
class Ledger:
    """Account of one play or capture: ``samples`` passed, and the ``gaps`` between them.

    ``gap_count`` and ``missing_samples`` are exact even where the converter's gap log was too short
    to hold every gap; then ``len(gaps) < gap_count``.

    ``direction`` is ``dac`` or ``adc`` and ``rate`` in Sa/s, None where they are not known; ``counters`` is
    None where there was no ring; ``ended`` says how it came to its end: ``complete``, ``interrupted``,
    ``disk full`` or what else it was.
    """

    samples: int
    gaps: tuple[Gap, ...] = ()
    gap_count: int = 0
    missing_samples: int = 0
    counters: Counters | None = None
    rate: float | None = None
    direction: str | None = None
    ended: str = "complete"

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
        """Contiguous blocks between the logged gaps as (index, length), in the gaps' own count.

        Where not all gaps were logged nothing is known of what comes after the last that was.
        """
        blocks, start = [], 0
        for gap in self.gaps:
            if gap.index > start:
                blocks.append((start, gap.index - start))
            start = gap.index + gap.length
        end = self.samples + self.missing_samples
        if end > start and len(self.gaps) == self.gap_count:
            blocks.append((start, end - start))
        return tuple(blocks)

    def document(self) -> dict[str, Any]:
        """All of it, as JSON keeps it in a file (docs/ledger.md)."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "direction": self.direction,
            "rate_sa_per_s": self.rate,
            "ended": self.ended,
            "samples": self.samples,
            "gap_count": self.gap_count,
            "gaps_listed": len(self.gaps),
            "missing_samples": self.missing_samples,
            "counters": None if self.counters is None else asdict(self.counters),
            "gaps": [asdict(gap) for gap in self.gaps],
            "blocks": [{"index": index, "length": length} for index, length in self.blocks],
        }

    @classmethod
    def from_document(cls, document: object, gaps: list[object] | None = None) -> Ledger:
        """The ledger that :meth:`document` gave; SignalError for what is none, or contradicts itself.

        ``gaps``: where they are kept elsewhere, and the document has neither gaps nor blocks.
        """
        record = _object(document, "the document")
        if gaps is not None:
            record = {**record, "gaps": gaps}
        if record.get("format") != FORMAT or record.get("version") != VERSION:
            raise SignalError(
                f"format {record.get('format')!r}, version {record.get('version')!r}: a ledger is {FORMAT!r}, {VERSION}"
            )
        logged = tuple(_gap(gap) for gap in _list(record.get("gaps"), "gaps"))
        rate, direction, ended = record.get("rate_sa_per_s"), record.get("direction"), record.get("ended")
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, (int, float)) or not _above_0(rate)):
            raise SignalError(f"rate_sa_per_s is {rate!r}: it is a number above 0, or null")
        if direction is not None and direction not in _DIRECTIONS:
            raise SignalError(f"direction is {direction!r}: it is dac, adc or null")
        if not isinstance(ended, str):
            raise SignalError(f"ended is {ended!r}: it says how the play or capture ended")
        ledger = cls(
            _count(record, "samples"),
            logged,
            _count(record, "gap_count"),
            _count(record, "missing_samples"),
            _counters(record.get("counters")),
            None if rate is None else float(rate),
            direction,
            ended,
        )
        ledger._check()
        if gaps is None:
            blocks = [_object(block, "a block") for block in _list(record.get("blocks"), "blocks")]
            if [(block.get("index"), block.get("length")) for block in blocks] != list(ledger.blocks):
                raise SignalError("its blocks are not what lies between its gaps")
        return ledger

    def _check(self) -> None:
        listed, end = 0, 0
        for gap in self.gaps:
            if gap.index < end:
                raise SignalError(f"its gap at {gap.index} begins before {end}, where the one before it ends")
            listed, end = listed + gap.length, gap.index + gap.length
        all_listed = len(self.gaps) == self.gap_count
        if len(self.gaps) > self.gap_count or listed > self.missing_samples:
            raise SignalError(
                f"{len(self.gaps)} gaps with {listed} samples are listed, of {self.gap_count} with "
                f"{self.missing_samples} in all"
            )
        if all_listed and listed != self.missing_samples:
            raise SignalError(f"its gaps have {listed} samples, missing_samples is {self.missing_samples}")
        if end > self.samples + self.missing_samples:
            raise SignalError(f"its last gap ends at {end}, after its {self.samples} samples and what is missing")


def _gap(value: object) -> Gap:
    record = _object(value, "a gap")
    if not isinstance(record.get("cause"), str):
        raise SignalError(f"the cause of a gap is {record.get('cause')!r}: it is a text")
    return Gap(_count(record, "index"), _count(record, "length", 1), record["cause"])


def _counters(value: object) -> Counters | None:
    if value is None:
        return None
    record = _object(value, "counters")
    return Counters(*(_count(record, key) for key in ("queue_low_water", "queue_high_water", "late_events")))


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SignalError(f"{what} is {type(value).__name__}, not an object")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise SignalError(f"{what} is {type(value).__name__}, not a list")
    return value


def _count(record: dict[str, Any], key: str, least: int = 0) -> int:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SignalError(f"{key} is {value!r}: it is a whole number, at least {least}")
    return value


def _above_0(value: float) -> bool:
    try:
        return 0 < float(value) < math.inf
    except OverflowError:  # an integer of hundreds of digits
        return False
