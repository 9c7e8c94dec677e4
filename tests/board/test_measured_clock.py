"""The measured clock: the CPU time of the software counts, and nothing else does."""

from __future__ import annotations

import time

import numpy as np
import pytest

import gapless
from gapless.errors import BadArgumentError, UnknownNameError

MEASURED = "virtual:zcu111?clock=measured&slowdown=15"


def busy(seconds):
    """Use that much CPU time, and say how much it was."""
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass
    return time.thread_time() - began


def passed(board, act):
    before = board.bus.time()
    value = act()
    return board.bus.time() - before, value


@pytest.mark.parametrize("slowdown", [0.5, 15, 200])
def test_cpu_time_passes_so_many_times_over(slowdown):
    with gapless.open(f"virtual:zcu111?clock=measured&slowdown={slowdown}") as board:
        moved, used = passed(board, lambda: busy(0.02))
        assert used * slowdown * 0.9 < moved < (used + 0.02) * slowdown * 1.5
        # also right after a loop was waited for
        with board.memory["pl-ddr"].allocate(64_000, np.int16) as buffer:
            board.dac(0).monitor.start(1e9)
            board.dma("dma_dac0_direct").mm2s.transfer(buffer)
            moved, used = passed(board, lambda: busy(0.02))
            assert used * slowdown * 0.9 < moved < (used + 0.02) * slowdown * 1.5


def test_sleeping_is_no_work():
    with gapless.open(MEASURED) as board:
        moved, _ = passed(board, lambda: time.sleep(0.2))
        assert moved < 0.2


def test_the_default_clock_knows_nothing_of_it():
    for uri in ("virtual:zcu111", "virtual:zcu111?clock=virtual"):
        with gapless.open(uri) as board:
            assert passed(board, lambda: busy(0.02))[0] == 0
            assert passed(board, lambda: time.sleep(0.01))[0] == 0


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ("clock=slow", UnknownNameError, "no clock 'slow': there is virtual, measured, wall"),
        ("slowdown=15", BadArgumentError, "slowdown=15: the virtual clock counts no CPU time"),
        ("clock=virtual&slowdown=15", BadArgumentError, "goes with clock=measured"),
        ("clock=measured&slowdown=0", BadArgumentError, "slowdown=0: CPU time counts from 0.01 to 1000 times"),
        ("clock=measured&slowdown=-1", BadArgumentError, "slowdown=-1"),
        ("clock=measured&slowdown=1001", BadArgumentError, "slowdown=1001"),
        ("clock=measured&slowdown=nan", BadArgumentError, "slowdown=nan"),
        ("clock=measured&slowdown=fast", BadArgumentError, "slowdown=fast"),
        ("clock=measured&clock=measured", BadArgumentError, "clock is given twice"),
    ],
)
def test_what_is_no_clock(options, kind, words):
    with pytest.raises(kind, match=words):
        gapless.open(f"virtual:zcu111?{options}")


def test_a_python_loop_is_late_where_the_native_one_is_not():
    """The FIFO lasts 0.5 ms at 1 GSa/s: fifteen times a Python loop's work is more than that."""
    size, rate = 1 << 15, 1e9
    with gapless.open(MEASURED) as board:
        with board.memory["pl-ddr"].allocate(size * 8, np.int16) as buffer:
            dac, channel = board.dac(0), board.dma("dma_dac0_direct").mm2s
            dac.monitor.start(rate)
            for part in np.split(np.arange(8 * size), 8):
                busy(1e-4)  # 1.5 ms on that processor, at the least
                channel.transfer(buffer[part[0] : part[-1] + 1])
            board.bus.sleep(1e-3)
            ledger = dac.monitor.ledger()
            dac.monitor.stop()
            assert ledger.samples == 8 * size
            assert ledger.gap_count == 7
            assert ledger.missing_samples >= 7 * (1.5e-3 - 2 * size / rate) * rate
        # The native loop needs no interpreter. A shared machine may interrupt it: one run in ten is enough.
        runs = [
            dac.play(np.zeros(1 << 26, np.int16), rate=rate, engine="direct").ledger.missing_samples for _ in range(10)
        ]
        assert min(runs) == 0
