"""Registers that are ordinary memory (tests/kernel/fabric): nothing that a guest writes is lost or done twice."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from gapless.dma.registers import Control, Offset, Status
from kernel.fabric.cells import Cells
from kernel.fabric.registers import DmaPage, MonitorPage

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
