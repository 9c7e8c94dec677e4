"""``python -m benchmarks.table``: the results of the last run as a table in Markdown, for docs/benchmarks.md."""

from __future__ import annotations

import json
from pathlib import Path

from .measure import Comparison, format_row

_RESULTS = Path(__file__).parent / "results"


def main() -> None:
    print("| what | ours | theirs | | ratio | limit |\n|---|---|---|---|---|---|")
    for file in sorted(_RESULTS.glob("*.json")):
        for row in json.loads(file.read_text(encoding="utf-8"))["comparisons"]:
            if "not_run" in row:
                print(f"| {row['name']} | not run | | {row['not_run']} | | |")
                continue
            comparison = Comparison(
                row["name"],
                tuple(row["ours_seconds"]),
                tuple(row["theirs_seconds"]),
                row["theirs"],
                row["limit"],
                row["at_least"],
            )
            name, ours, theirs, ratio, limit = format_row(comparison)
            verdict = "" if comparison.holds else ", does not hold"
            print(f"| {name} | {ours} | {theirs} | {comparison.theirs_name} | {ratio} | {limit}{verdict} |")


if __name__ == "__main__":
    main()
