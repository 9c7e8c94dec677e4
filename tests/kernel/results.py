"""What a guest reported, and whether it shows anything: silence, gaps and unexpected skips are failures."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Lines of the kernel's that no test may cause, whatever pytest says.
_KERNEL_FAULT = re.compile(r"^\[ *\d+\.\d+\].*(Oops|BUG:|Kernel panic|Internal error|Unable to handle kernel).*$", re.M)


@dataclass(frozen=True)
class TestResult:
    """One test of one guest: the modes it stands for, what else it needs; why it failed or was skipped."""

    __test__ = False  # pytest takes every Test* it sees for a test

    name: str
    outcome: str
    modes: tuple[int, ...]
    needs: tuple[str, ...]
    claims: tuple[str, ...]
    seconds: float
    reason: str


@dataclass
class Report:
    """All that came back from one guest; `problems` is empty exactly when the run shows what it should."""

    kernel: str
    package: str
    release: str = ""
    seconds: float = 0.0
    tests: list[TestResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    #: All the machine printed.
    console: str = ""


def read(report: Report, text: str, files: Collection[str] = ()) -> None:
    """Read a guest's lines into `report`.

    Args:
        report: gets tests and problems.
        text: what came over the serial port, one JSON object a line.
        files: names of test files each of which must have reported a test; none when only some were asked for.
    """
    announced: list[str] | None = None
    ended = False
    for line in text.splitlines():
        try:
            event: dict[str, Any] = json.loads(line)
            kind = event.pop("event")
            if kind == "collected":
                announced, report.release = event["tests"], event["release"]
            elif kind == "test":
                report.tests.append(_test(**event))
            elif kind == "not collected":
                report.problems.append(f"{event['name']} was not collected: {event['reason']}")
            elif kind == "end":
                ended = True
                if event["status"] != 0:
                    report.problems.append(f"pytest ended with status {event['status']}")
            else:
                report.problems.append(f"an event of no known kind: {line[:200]!r}")
        except (ValueError, KeyError, TypeError, AttributeError):
            report.problems.append(f"a line that is no result: {line[:200]!r}")
    if announced is None:
        report.problems.append("the guest reported no tests at all")
    elif not announced:
        report.problems.append("no test was selected")
    elif not ended:
        report.problems.append("the guest stopped in the middle of its tests")
    names = [test.name for test in report.tests]
    report.problems += [f"no result of {name}" for name in sorted(set(announced or ()) - set(names))]
    report.problems += [f"{name} reported more than once" for name in sorted({n for n in names if names.count(n) > 1})]
    reporting = {name.partition("::")[0] for name in names}
    report.problems += [f"{name} reported no test" for name in sorted(set(files) - reporting)]


def judge(report: Report, offered: Mapping[str, Collection[int | str]], tested: Collection[int] = ()) -> None:
    """Add to the problems what the single results mean for this kernel.

    Args:
        report: a report that was read.
        offered: for each kernel its modes, and what else tests may need: a test that was skipped must stand for, or
            need, something this kernel has not, and nothing may be needed that no kernel has.
        tested: modes that must have been shown by at least one test that passed, if the kernel offers them.
    """
    here = set(offered[report.kernel])
    known = set().union(*offered.values())
    for test in report.tests:
        needed = {*test.modes, *test.needs}
        report.problems += [f"{test.name} needs {need!r}: no kernel offers that" for need in needed - known]
        if test.outcome == "skipped" and needed <= here:
            report.problems.append(f"{test.name} was skipped, and this kernel offers what it needs: {test.reason}")
        elif test.outcome not in ("passed", "skipped"):
            report.problems.append(f"{test.name} failed")
    shown = {mode for test in report.tests if test.outcome == "passed" for mode in test.modes}
    report.problems += [f"no test of mode {mode} passed" for mode in sorted(set(tested) & here - shown)]
    report.problems += [f"the kernel said: {match.group()}" for match in _KERNEL_FAULT.finditer(report.console)]


def _test(**fields: Any) -> TestResult:
    return TestResult(
        name=str(fields["name"]),
        outcome=str(fields["outcome"]),
        modes=tuple(fields["modes"]),
        needs=tuple(fields["needs"]),
        claims=tuple(fields["claims"]),
        seconds=float(fields["seconds"]),
        reason=str(fields["reason"]).strip(),
    )
