"""What a guest says, or fails to say, becomes the right verdict: above all, silence is a failure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

# The runner is a program beside the tests, not part of the installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kernel.results import Report, judge, read
from kernel.table import write_json


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"event": kind, **fields}) + "\n"


OFFERED: dict[str, set[int | str]] = {"6.1": {3, 4, 5}, "6.12": {3, 4, 5, "udmabuf"}, "built": {1, 2, 3, 4, 5, "uio"}}


def outcome(
    name: str, outcome: str = "passed", modes: tuple[int, ...] = (), needs: tuple[str, ...] = (), reason: str = ""
) -> str:
    fields = {"modes": modes, "needs": needs, "claims": ["c"], "seconds": 0.5, "reason": reason}
    return event("test", name=name, outcome=outcome, **fields)


def run(*tests: str, names: tuple[str, ...] = ("test_a.py::x",), end: str | None = None) -> str:
    ending = event("end", status=0) if end is None else end
    return event("collected", release="6.1", tests=list(names)) + "".join(tests) + ending


def problems(text: str, *, kernel: str = "6.1", tested: tuple[int, ...] = (), console: str = "") -> str:
    report = Report(kernel, "package", console=console)
    read(report, text, ["test_a.py"])
    judge(report, OFFERED, tested)
    return "\n".join(report.problems)


def test_a_run_in_order_has_no_problem() -> None:
    assert problems(run(outcome("test_a.py::x", modes=(4,))), tested=(4,)) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no tests at all"),
        (event("end", status=0), "no tests at all"),
        (run(names=()), "no test was selected"),
        (run(), "no result of test_a.py::x"),
        (run(outcome("test_a.py::x"), end=""), "stopped in the middle"),
        (run(outcome("test_a.py::x"), end=event("end", status=1)), "status 1"),
        (run(outcome("test_a.py::x"), outcome("test_a.py::x")), "more than once"),
        (run(outcome("test_a.py::x"), "[  1.5] a line of the kernel\n"), "no result: '[  1.5]"),
        (run(outcome("test_a.py::x"), '{"event": "tes'), "no result"),
        (run(outcome("test_a.py::x"), '{"event": "test", "name": "y"}\n'), "no result"),
        (run(outcome("test_a.py::x"), "5\n"), "no result"),
        (run(outcome("test_b.py::x"), names=("test_b.py::x",)), "test_a.py reported no test"),
        (run(outcome("test_a.py::x"), event("not collected", name="test_b.py", reason="ImportError")), "ImportError"),
        (run(outcome("test_a.py::x", "failed")), "test_a.py::x failed"),
        (run(outcome("test_a.py::x", "xpassed")), "test_a.py::x failed"),
        (run(outcome("test_a.py::x", "skipped", reason="no reason")), "skipped"),
        (run(outcome("test_a.py::x", "skipped", modes=(4,))), "skipped"),
        (run(outcome("test_a.py::x", "skipped", modes=(3, 4))), "skipped"),
        (run(outcome("test_a.py::x", "skipped", needs=("uoi",))), "no kernel offers that"),
        (run(outcome("test_a.py::x", modes=(6,))), "no kernel offers that"),
    ],
)
def test_what_shows_nothing_is_a_failure(text: str, words: str) -> None:
    assert words in problems(text)


@pytest.mark.parametrize(("modes", "needs"), [((1,), ()), ((1, 4), ()), ((), ("uio",)), ((4,), ("uio",))])
def test_only_what_the_kernel_does_not_offer_may_be_skipped(modes: tuple[int, ...], needs: tuple[str, ...]) -> None:
    text = run(outcome("test_a.py::x", "skipped", modes, needs, reason="not here"))
    assert problems(text) == ""
    assert "skipped" in problems(text, kernel="built")


def test_a_mode_that_must_be_tested_needs_a_test_that_passed() -> None:
    text = run(outcome("test_a.py::x", "skipped", modes=(1,)))
    assert problems(text, tested=(1, 3)) == "no test of mode 3 passed"
    assert "no test of mode 1 passed\nno test of mode 3 passed" in problems(text, tested=(1, 3), kernel="built")


def test_a_fault_of_the_kernel_is_a_failure_even_when_all_tests_passed() -> None:
    text = run(outcome("test_a.py::x"))
    assert problems(text, console="job ended with 0\n[   19.7] reboot: Power down\n") == ""
    assert "Oops" in problems(text, console="[   12.345678] Internal error: Oops: 96000004 [#1] SMP\n")


def test_json_has_each_mode_of_each_kernel(tmp_path: Path) -> None:
    good, bad = Report("6.1", "a"), Report("6.12", "b")
    names = ("test_a.py::x", "test_a.py::y")
    skipped = outcome("test_a.py::y", "skipped", modes=(1,), reason="no dma-heap")
    read(good, run(outcome("test_a.py::x", modes=(4,)), skipped, names=names))
    read(bad, run(outcome("test_a.py::x", "failed", modes=(4,)), outcome("test_a.py::y", modes=(4,)), names=names))
    for report in (good, bad):
        judge(report, OFFERED)
    write_json([good, bad], tmp_path / "results.json")
    written = json.loads((tmp_path / "results.json").read_text())
    assert not written["passed"]
    assert written["kernels"]["6.1"]["passed"]
    assert not written["kernels"]["6.12"]["passed"]
    modes = {
        kernel: {n: m["outcome"] for n, m in found["modes"].items()} for kernel, found in written["kernels"].items()
    }
    assert modes["6.1"] == {"1": "not offered", "2": "no test", "3": "no test", "4": "passed", "5": "no test"}
    assert modes["6.12"]["4"] == "failed"
    assert written["kernels"]["6.1"]["modes"]["1"]["reasons"] == ["no dma-heap"]
