"""Run the benchmarks, print the table, write benchmarks/results/*.json.

``python -m benchmarks [NAME...]`` runs those named, else all. Exit status 1 when a ratio does not hold or a
comparison could not be made, 2 for a name that is not there.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from .measure import Comparison, NotRun, UnavailableError, format_row, machine

_RESULTS = Path(__file__).parent / "results"
#: By the name of their module, which has ``run() -> Iterator[Comparison | NotRun]``. Loaded when it is their turn.
_BENCHMARKS = ("registers", "throughput", "kernels", "pool", "files", "play", "soft_processor", "startup")
_ROW = "{:44} {:>8} {:>8} {:>7} {:>6}"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in _BENCHMARKS]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there is {', '.join(_BENCHMARKS)}", file=sys.stderr)
        return 2
    about = machine()
    print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}; medians, ours against theirs, in turn\n")
    print(_ROW.format("benchmark", "ours", "theirs", "ratio", "limit"))
    failed = []
    for name in names or _BENCHMARKS:
        rows = []
        for row in _run(name):
            rows.append(row)
            _print(row)
            if not row.holds:
                failed.append(row.name)
        _RESULTS.mkdir(exist_ok=True)
        document = {"machine": about, "comparisons": [row.as_dict() for row in rows]}
        (_RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if failed:
        print(f"\n{len(failed)} of the comparisons do not hold or were not run", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str) -> Iterator[Comparison | NotRun]:
    try:
        yield from importlib.import_module(f".{name}", __package__).run()
    except UnavailableError as error:
        yield NotRun(name, str(error))


def _print(row: Comparison | NotRun) -> None:
    if isinstance(row, NotRun):
        print(f"{row.name:44} NOT RUN: {row.reason}", flush=True)
        return
    verdict = "" if row.holds else "  DOES NOT HOLD"
    print(f"{_ROW.format(*format_row(row))}  (theirs: {row.theirs_name}){verdict}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
