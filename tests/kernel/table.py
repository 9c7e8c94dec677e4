"""The results as people and programs read them: a table of modes and claims by kernel, and results.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .results import Report, TestResult

MODES = {
    1: "PS memory, PYNQ style",
    2: "PL memory, same allocator",
    3: "PL memory, mapped",
    4: "PS memory, huge pages",
    5: "PS carve-out",
}
#: Lines of a console that are shown when something went wrong; the whole is in build/kernel-test.
_CONSOLE_TAIL = 60


def print_table(reports: Sequence[Report]) -> None:
    """Print a row for each mode and each claim, and below it what failed."""
    console = Console(highlight=False, width=None if Console().is_terminal else 140)
    table = Table("what", *(f"{report.kernel}\n{report.release}" for report in reports))
    for mode, words in MODES.items():
        table.add_row(f"mode {mode}: {words}", *(_cell(_of_mode(report, mode), why=True) for report in reports))
    table.add_section()
    for claim in _claims(reports):
        table.add_row(claim, *(_cell(_of_claim(report, claim)) for report in reports))
    table.add_section()
    table.add_row("all tests", *(_cell(report.tests) for report in reports))
    table.add_row("whole boot", *(f"{report.seconds:.1f} s" for report in reports))
    console.print(table)
    for report in reports:
        for test in report.tests:
            if test.outcome == "failed":
                console.print(f"\n{report.kernel}: {test.name}\n{test.reason}", markup=False)
        if report.problems:
            end = "\n".join(report.console.splitlines()[-_CONSOLE_TAIL:])
            console.print(f"\n{report.kernel}: the end of the console:\n{end}", markup=False)
            for problem in report.problems:
                console.print(f"{report.kernel}: {problem}", style="red", markup=False)


def write_json(reports: Sequence[Report], path: Path) -> None:
    """Write all of it: what docs/kernel-test.md describes."""
    kernels = {}
    for report in reports:
        kernels[report.kernel] = {
            "package": report.package,
            "release": report.release,
            "seconds": round(report.seconds, 1),
            "passed": not report.problems,
            "problems": report.problems,
            "modes": {str(mode): _summary(_of_mode(report, mode)) for mode in MODES},
            "claims": {claim: _summary(_of_claim(report, claim)) for claim in _claims([report])},
            "tests": [asdict(test) for test in report.tests],
        }
    result = {"passed": not any(report.problems for report in reports), "modes": MODES, "kernels": kernels}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def _claims(reports: Sequence[Report]) -> list[str]:
    return list(dict.fromkeys(claim for report in reports for test in report.tests for claim in test.claims))


def _of_mode(report: Report, mode: int) -> list[TestResult]:
    return [test for test in report.tests if mode in test.modes]


def _of_claim(report: Report, claim: str) -> list[TestResult]:
    return [test for test in report.tests if claim in test.claims]


def _summary(tests: Sequence[TestResult]) -> dict[str, object]:
    """Counts, and the outcome in one word: failed, passed, not offered (all skipped) or no test."""
    count = {outcome: sum(test.outcome == outcome for test in tests) for outcome in ("passed", "failed", "skipped")}
    failed = count["failed"] or sum(count.values()) != len(tests)
    outcome = "failed" if failed else "passed" if count["passed"] else "not offered" if tests else "no test"
    reasons = list(dict.fromkeys(test.reason for test in tests if test.outcome == "skipped"))
    return {"outcome": outcome, **count, "seconds": round(sum(test.seconds for test in tests), 2), "reasons": reasons}


def _cell(tests: Sequence[TestResult], *, why: bool = False) -> str:
    summary = _summary(tests)
    missing = why and summary["outcome"] == "not offered"
    reasons = "".join(f"\n{reason}" for reason in summary["reasons"]) if missing else ""  # type: ignore[attr-defined]
    match summary["outcome"]:
        case "no test":
            return "-"
        case "failed":
            return f"[red]FAILED: {summary['failed']} of {len(tests)}[/red]"
        case "not offered":
            return f"not offered{reasons}"
    return f"[green]{summary['passed']} passed[/green], {summary['seconds']} s"
