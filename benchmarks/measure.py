"""Timing two sides in turn, so that a machine that changes speed changes it for both."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Comparison:
    """Seconds of both sides, run in turn; ``limit`` is what the ratio of the medians may be."""

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    theirs_name: str
    limit: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def holds(self) -> bool:
        return self.ratio <= self.limit

    def as_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ours_seconds": self.ours,
            "theirs_seconds": self.theirs,
            "theirs": self.theirs_name,
            "ours_median_seconds": statistics.median(self.ours),
            "theirs_median_seconds": statistics.median(self.theirs),
            "ratio": self.ratio,
            "limit": self.limit,
            "holds": self.holds,
        }


def compare(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    theirs_name: str,
    limit: float,
    runs: int = 7,
) -> Comparison:
    """Run both ``runs`` times in turn, after one run of each that is not counted. Each returns its own seconds."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Comparison(name, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), theirs_name, limit)


def timed(call: Callable[[], object]) -> float:
    """Seconds that ``call`` takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def machine() -> dict[str, object]:
    """What a figure was measured on."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    import os

    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
