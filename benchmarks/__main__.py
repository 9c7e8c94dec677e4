"""Run the benchmarks, print the table, write benchmarks/results/*.json. Exit status 1 when a ratio does not hold."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from . import kernels, play
from .measure import machine

_RESULTS = Path(__file__).parent / "results"
_BENCHMARKS = {"kernels": kernels.run, "play": play.run}


def main() -> int:
    about = machine()
    print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}; medians, ours against theirs, in turn\n")
    print(f"{'benchmark':42} {'ours':>9} {'theirs':>9} {'ratio':>7} {'limit':>6}")
    holds = True
    for name, run in _BENCHMARKS.items():
        comparisons = []
        for comparison in run():
            comparisons.append(comparison)
            holds &= comparison.holds
            ours, theirs = statistics.median(comparison.ours), statistics.median(comparison.theirs)
            print(
                f"{comparison.name:42} {ours * 1e3:6.3g} ms {theirs * 1e3:6.3g} ms {comparison.ratio:7.3f} "
                f"{comparison.limit:6.3f}{'' if comparison.holds else '  does not hold'}  (theirs: "
                f"{comparison.theirs_name})",
                flush=True,
            )
        _RESULTS.mkdir(exist_ok=True)
        document = {"machine": about, "comparisons": [comparison.as_dict() for comparison in comparisons]}
        (_RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
