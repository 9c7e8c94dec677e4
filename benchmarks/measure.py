"""Timing two sides in turn, so that a machine that changes speed changes it for both."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Comparison:
    """Seconds of both sides, run in turn; their medians are compared.

    ``limit`` is what ours may be in terms of theirs at most, ``at_least`` how many times faster than theirs
    it has to be. With neither the row is there for context, and always holds.
    """

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    theirs_name: str
    limit: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def speed_up(self) -> float:
        return 1 / self.ratio

    @property
    def holds(self) -> bool:
        if self.at_least is not None and self.speed_up < self.at_least:
            return False
        return self.limit is None or self.ratio <= self.limit

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
            "speed_up": self.speed_up,
            "at_least": self.at_least,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class NotRun:
    """A comparison that could not be made, and why. It does not hold."""

    name: str
    reason: str

    @property
    def holds(self) -> bool:
        return False

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "not_run": self.reason, "holds": False}


class UnavailableError(Exception):
    """What a benchmark compares with cannot be had here; the message is for the reader of the table."""


def compare(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    theirs_name: str,
    limit: float | None = None,
    at_least: float | None = None,
    runs: int = 7,
) -> Comparison:
    """Run both ``runs`` times in turn, after one run of each that is not counted. Each returns its own seconds."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Comparison(name, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), theirs_name, limit, at_least)


def timed(call: Callable[[], object]) -> float:
    """Seconds that ``call`` takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def format_seconds(seconds: float) -> str:
    """Three digits and the unit that suits them: ``1.23 us``."""
    scale, unit = next(
        ((scale, unit) for scale, unit in ((1e-9, "ns"), (1e-6, "us"), (1e-3, "ms")) if seconds < 999.5 * scale),
        (1.0, "s"),
    )
    return f"{seconds / scale:.3g} {unit}"


def format_row(comparison: Comparison) -> Sequence[str]:
    """Name, ours, theirs, ratio, limit. The ratio is ours in terms of theirs; 1/6 where being faster is what counts."""
    faster = comparison.at_least is not None or (comparison.limit is None and comparison.ratio < 0.1)
    ratio = f"1/{comparison.speed_up:.3g}" if faster else f"{comparison.ratio:.3g}"
    limit = "-" if comparison.limit is None else f"{comparison.limit:.3g}"
    if comparison.at_least is not None:
        limit = f"1/{comparison.at_least:.3g}"
    ours, theirs = statistics.median(comparison.ours), statistics.median(comparison.theirs)
    return comparison.name, format_seconds(ours), format_seconds(theirs), ratio, limit


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
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
