"""Whether a capture and the ledger saved with it tell the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..samples import Finding
from ..stream.ledger import Ledger

_WRAP = 1 << 16  # a counter of 16 bits shows a loss modulo this


def check_length(ledger: Ledger, samples: int) -> list[str]:
    """A sentence if the ledger counted another number than the ``samples`` of the file."""
    if samples == ledger.samples:
        return []
    more = "more" if samples > ledger.samples else "fewer"
    return [f"the file has {samples:,} samples, {abs(samples - ledger.samples):,} {more} than its ledger counted"]


def check_gaps(ledger: Ledger, samples: NDArray[np.int16], findings: Sequence[Finding]) -> list[str]:
    """A sentence for each loss that only one of the two shows, of a capture of the counter.

    Args:
        ledger: its gaps.
        samples: the capture, int16, shape (n,).
        findings: what :func:`~gapless.samples.check_counter` found in it.

    At each gap the counter goes on ahead by its length modulo 65536. What lies before the first sample or
    after the last is not seen; nor is what comes after the last gap listed, where the list was cut.
    """
    gaps = _in_the_file(ledger)
    told = []
    for at, length in gaps.items():
        if not 0 < at < len(samples):
            continue
        lost = (int(samples[at]) - int(samples[at - 1]) - 1) % _WRAP
        if lost != length % _WRAP:
            told.append(
                f"its ledger has a gap of {length:,} before sample {at:,}, the counter goes on there "
                + ("without one" if lost == 0 else f"{lost:,} ahead")
                + ("" if length < _WRAP else f" (of 65536 it shows {length % _WRAP:,})")
            )
    end = max(gaps, default=-1) if len(ledger.gaps) < ledger.gap_count else len(samples)
    told += [
        f"the counter has a gap of {found.length:,} before sample {found.index:,}, its ledger has none there"
        for found in findings
        if found.kind == "missing" and found.index not in gaps and found.index <= end
    ]
    return told


def _in_the_file(ledger: Ledger) -> dict[int, int]:
    """Samples missing before a sample of the file; gaps with none between are one."""
    gaps: dict[int, int] = {}
    missing = 0
    for gap in ledger.gaps:
        at = gap.index - missing
        gaps[at] = gaps.get(at, 0) + gap.length
        missing += gap.length
    return gaps
