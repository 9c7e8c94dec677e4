"""What is printed, and where."""

import io
import sys
import time
from collections.abc import Callable

import pytest

from gapless.cli import output
from gapless.cli import progress as progress_module
from gapless.cli.progress import ProgressBar
from gapless.stream import Gap, Ledger

Capture = pytest.CaptureFixture[str]


def test_the_first_ten_gaps_are_listed_and_the_rest_counted(capsys: Capture) -> None:
    gaps = tuple(Gap(1000 * n, 10, "underrun: late [really]") for n in range(1, 13))
    output.print_ledger(Ledger(100_000, gaps, 1500, 15_000), "fine")
    lines = capsys.readouterr().out.splitlines()
    assert sum("underrun: late [really]" in line for line in lines) == 10
    assert "... and 1,490 more" in lines
    assert lines[-1] == "1,500 gaps, 15,000 samples missing"


def test_one_gap_is_not_gaps(capsys: Capture) -> None:
    output.print_ledger(Ledger(10, (Gap(5, 1, "x"),), 1, 1), "fine")
    assert capsys.readouterr().out.splitlines()[-1] == "1 gap, 1 sample missing"


def test_no_gap_is_said_in_the_words_given(capsys: Capture) -> None:
    output.print_ledger(Ledger(10), "no gap: every sample was converted on time")
    assert capsys.readouterr().out == "no gap: every sample was converted on time\n"


def test_a_table_in_a_pipe_is_never_folded(capsys: Capture) -> None:
    output.print_table(("a", "b"), [("x" * 150, "y" * 150)])
    assert len(capsys.readouterr().out.splitlines()) == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Called by the test itself: between set-up and test pytest puts its own stderr back."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_bar_appears_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with ProgressBar("playing", wanted=True) as bar:
        bar(1 << 30, 4 << 30)
        wait_for(lambda: "1.0/4.0 GiB" in terminal.getvalue())
        bar.say("saving")
        wait_for(lambda: "saving" in terminal.getvalue())


def test_no_bar_for_what_is_over_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    with ProgressBar("playing", wanted=True) as bar:
        bar(1, 2)
    assert terminal.getvalue() == ""


def test_no_bar_with_json(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with ProgressBar("playing", wanted=False) as bar:
        bar(1, 2)
        time.sleep(0.05)
    assert terminal.getvalue() == ""


def test_no_bar_in_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    with ProgressBar("playing", wanted=True) as bar:
        bar(1, 2)
        time.sleep(0.05)
    assert capsys.readouterr().err == ""
