"""Registers that are ordinary memory (tests/kernel/fabric): nothing that a guest writes is lost or done twice."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from gapless.dma.registers import Control, Offset, Status
from gapless.stream.ledger import Gap, Ledger
from kernel.fabric import run
from kernel.fabric.cells import Cells
from kernel.fabric.guest.design import signal
from kernel.fabric.model import Played
from kernel.fabric.registers import DmaPage, MonitorPage
from kernel.results import Report

IOC, WORDS = int(Status.IOC), 1024
RUN = int(Control.RUN | Control.IOC_ENABLE)


class Engine:
    """A channel that remembers what was written; ``raise_interrupt`` sets its IOC."""

    def __init__(self):
        self.registers = {Offset.DMASR: int(Status.SG_INCLUDED)}
        self.writes = []

    def read32(self, offset):
        return self.registers.get(offset, 0)

    def write32(self, offset, value):
        self.writes.append((offset, value))
        if offset == Offset.DMASR:
            self.registers[offset] &= ~value
        else:
            self.registers[offset] = value

    def raise_interrupt(self):
        self.registers[Offset.DMASR] |= IOC


@pytest.fixture
def words():
    return np.zeros(WORDS, np.uint32)


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def page(engine, words):
    page = DmaPage(engine, 0, words)
    page.answer()
    return page


def look(page):
    page.take()
    return page.answer()


def test_what_the_guest_wrote_is_found_once(words):
    cells = Cells(words, 16)
    words[1:3] = 5, 7
    assert cells.written() == {4: 5, 8: 7}
    assert cells.written() == {}


def test_an_answer_is_no_write_of_the_guest(words):
    cells = Cells(words, 16)
    assert cells.answer(8, 3)
    assert words[2] == 3
    assert cells.written() == {}


def test_an_answer_does_not_overwrite_what_the_guest_has_just_written(words):
    cells = Cells(words, 16)
    words[2] = 9
    assert not cells.answer(8, 3)
    assert cells.written() == {8: 9}


@given(st.lists(st.tuples(st.sampled_from("wal"), st.integers(0, 3), st.integers(0, 5)), max_size=40))
def test_every_change_that_the_guest_makes_is_seen(steps):
    """Whatever order a guest's writes, answers and looks come in: the last value written since a look is found."""
    words = np.zeros(WORDS, np.uint32)
    cells = Cells(words, 16)
    pending = {}
    for what, index, value in steps:
        if what == "w":
            if value != words[index] or 4 * index in pending:
                pending[4 * index] = value
            words[index] = value
        elif what == "a":
            answered = cells.answer(4 * index, value)
            assert answered or 4 * index in pending
            if answered:  # what the guest wrote meanwhile was what the host knew already
                pending.pop(4 * index, None)
        else:
            found = cells.written()
            assert found.items() <= pending.items()
            # Back to what it was before the host looked: there is nothing to see.
            assert all(words[offset // 4] == pending[offset] for offset in pending)
            pending = {}


def test_a_channel_is_started_in_the_order_of_the_hardware(page, engine, words):
    words[Offset.TAILDESC // 4] = 0x8000_0040
    words[Offset.TAILDESC // 4 + 1] = 0xF
    words[Offset.DMACR // 4] = RUN
    words[Offset.CURDESC // 4] = 0x8000_0000
    words[Offset.CURDESC // 4 + 1] = 0xF
    look(page)
    assert [offset for offset, _ in engine.writes] == [0x0C, 0x08, 0x00, 0x14, 0x10]


def test_the_same_tail_again_is_seen(page, engine, words):
    for _ in range(2):
        words[Offset.TAILDESC // 4] = 0x1040
        look(page)
        look(page)
    assert engine.writes == [(Offset.TAILDESC, 0x1040)] * 2


def test_an_interrupt_stays_until_it_is_acknowledged(page, engine, words):
    engine.registers[Offset.DMACR] = RUN
    engine.raise_interrupt()
    assert look(page)
    assert look(page)
    assert words[Offset.DMASR // 4] & IOC
    words[Offset.DMASR // 4] = 0x7000
    assert not look(page)
    assert words[Offset.DMASR // 4] == Status.SG_INCLUDED


def test_an_acknowledgement_is_of_what_was_shown(page, engine, words):
    """A descriptor completes between the guest's look at memory, which it had before, and the host's at the page."""
    engine.registers[Offset.DMACR] = RUN
    engine.raise_interrupt()
    look(page)
    words[Offset.DMASR // 4] = 0x7000
    engine.raise_interrupt()  # not shown yet
    assert look(page)
    assert words[Offset.DMASR // 4] & IOC


def test_an_acknowledgement_that_comes_while_the_page_is_answered(page, engine, words):
    engine.registers[Offset.DMACR] = RUN
    engine.raise_interrupt()
    look(page)
    page.take()
    engine.raise_interrupt()
    words[Offset.DMASR // 4] = 0x7000  # of the first
    assert page.answer()
    look(page)
    assert words[Offset.DMASR // 4] & IOC


def test_without_its_enable_bit_an_interrupt_raises_no_line(page, engine, words):
    engine.raise_interrupt()
    assert not look(page)
    assert words[Offset.DMASR // 4] & IOC


def test_a_reset_forgets_interrupts_and_is_done_when_the_engine_says_so(page, engine, words):
    engine.registers[Offset.DMACR] = RUN
    engine.raise_interrupt()
    look(page)
    words[Offset.DMACR // 4] = Control.RESET
    assert not look(page)
    engine.registers[Offset.DMACR] = 0x10002
    look(page)
    assert words[Offset.DMACR // 4] == 0x10002


def test_a_register_of_direct_mode_is_refused(page, words):
    words[Offset.LENGTH // 4] = 64
    with pytest.raises(RuntimeError, match="scatter-gather"):
        page.take()


def test_control_of_the_monitor_takes_effect_last(engine, words):
    ended = []
    page = MonitorPage(engine, 0, words, lambda: ended.append(list(engine.writes)))
    words[0x00], words[0x08 // 4], words[0x0C // 4] = 3, 1000, 1
    page.take()
    assert [offset for offset, _ in engine.writes][-1] == 0
    assert len(ended) == 1
    assert len(ended[0]) == 2


SAMPLES = 64
TOLD = {
    "samples": SAMPLES,
    "gap_count": 0,
    "missing": 0,
    "gaps": [],
    "memory": "ps-carveout",
    "transfers": 2,
    "interrupts": 3,
    "seconds": 1.0,
}
LATE = {"gap_count": 2, "missing": 16, "gaps": [[8, 8, "late"], [40, 8, "late"]]}
NO_GAP = Ledger(SAMPLES)
TWO_GAPS = Ledger(SAMPLES, (Gap(8, 8, "late"), Gap(40, 8, "late")), 2, 16)
HASH = sha256(signal(0, 0, SAMPLES).tobytes()).hexdigest()


def verdict(monkeypatch, name, told, ledger, sha256=HASH, uio=True):
    monkeypatch.setattr(run, "PLAYS", {name: (5, SAMPLES, "words")})
    report = Report("6.12", "package")
    run.judge(report, {name: told}, [Played(ledger, 2 * SAMPLES, sha256)], uio=uio)
    (test,) = report.tests
    assert test.outcome == ("failed" if test.reason else "passed")
    return test.outcome


def test_host_and_guest_agree(monkeypatch):
    assert verdict(monkeypatch, "carve-out", TOLD, NO_GAP) == "passed"
    assert verdict(monkeypatch, "late", TOLD | LATE, TWO_GAPS) == "passed"
    assert verdict(monkeypatch, "carve-out", TOLD | {"interrupts": 0}, NO_GAP, uio=False) == "passed"


@pytest.mark.parametrize(
    ("name", "told", "ledger", "sha256"),
    [
        ("carve-out", TOLD, NO_GAP, "0"),  # other samples
        ("carve-out", TOLD | LATE, TWO_GAPS, HASH),  # gaps, on both sides
        ("carve-out", TOLD, TWO_GAPS, HASH),  # gaps of which the guest knows nothing
        ("late", TOLD, NO_GAP, HASH),  # the control has no gap
        ("late", TOLD | LATE | {"gaps": [[8, 8, "late"], [48, 8, "late"]]}, TWO_GAPS, HASH),
        ("late", TOLD | LATE | {"missing": 17}, TWO_GAPS, HASH),
        ("carve-out", TOLD | {"samples": 60}, Ledger(60), HASH),
        ("carve-out", TOLD | {"memory": "pl-ddr"}, NO_GAP, HASH),
        ("carve-out", TOLD | {"transfers": 1}, NO_GAP, HASH),
        ("carve-out", TOLD | {"interrupts": 0}, NO_GAP, HASH),  # by a time-out, then
        ("huge pages", TOLD | {"runs": 2}, NO_GAP, HASH),
    ],
)
def test_what_they_do_not_agree_on_is_a_failure(monkeypatch, name, told, ledger, sha256):
    assert verdict(monkeypatch, name, told, ledger, sha256) == "failed"


def test_what_was_not_reported_or_not_played_is_a_failure(monkeypatch):
    monkeypatch.setattr(run, "PLAYS", {"late": (5, SAMPLES, "words")})
    report = Report("6.12", "package")
    run.judge(report, {}, [Played(TWO_GAPS, 2 * SAMPLES, HASH)], uio=True)
    run.judge(report, {"late": TOLD | LATE}, [], uio=True)
    assert [test.outcome for test in report.tests] == ["failed", "failed"]
    assert not report.problems
    run.judge(report, {"late": TOLD | LATE}, [Played(TWO_GAPS, 2 * SAMPLES, HASH)] * 2, uio=True)
    assert report.tests[-1].outcome == "passed"
    assert report.problems == ["the model of the PL played 2 times; 1 were asked"]
