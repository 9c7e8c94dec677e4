"""The faults that can be injected, and that each is what it is called."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import MIB, samples

import gapless
from gapless.dma import split
from gapless.errors import BadArgumentError, DmaSlaveError, UnknownNameError


@pytest.fixture
def board():
    with gapless.open("virtual:zcu111") as opened:
        yield opened


def test_a_slave_error_is_where_it_was_put_and_can_be_cleared(board):
    pool = board.memory["pl-ddr"]
    board.probe.faults.slave_error(pool.base + MIB, 1)
    play = board.dac(0).play
    assert play(samples(MIB // 2), rate=1e9, address=pool.base).complete  # ends right before it
    assert play(samples(1000), rate=1e9, address=pool.base + MIB + 4096).complete
    with pytest.raises(DmaSlaveError):
        play(samples(MIB // 2 + 1), rate=1e9, address=pool.base)
    board.probe.faults.clear_slave_errors()
    board.dma("dma_dac0").recover(board.dma("dma_dac0").mm2s)
    assert play(samples(MIB), rate=1e9, address=pool.base).complete


def test_slow_memory_underruns_and_the_ledger_knows_why(board):
    signal = samples(4_000_000)
    board.probe.faults.slow_memory("HP0", 0.5)
    report = board.dac(0).play(signal, rate=2e9, memory="ps-cma", sha256=True)
    assert not report.complete
    assert {gap.cause for gap in report.ledger.gaps} == {"underrun: the memory port is slower than the converter"}
    # 2.4 GB/s of the 4 GB/s: two fifths are missing
    played = report.samples_played
    assert report.ledger.missing_samples / (played + report.ledger.missing_samples) == pytest.approx(0.4, abs=0.1)
    board.probe.faults.slow_memory("HP0", 1)
    assert board.dac(0).play(signal, rate=2e9, memory="ps-cma", sha256=True).played_sha256 == report.played_sha256
    assert board.dac(0).play(signal, rate=2e9, memory="ps-cma").complete


def test_a_lost_interrupt_costs_time_but_no_sample(board):
    signal = samples(40_000_000)
    for engine, name in (("sg", "dma_dac0"), ("direct", "dma_dac0_direct")):
        board.probe.faults.lose_interrupt(name, "mm2s")
        report = board.dac(0).play(signal, rate=2e9, engine=engine)
        assert report.samples_played == len(signal)
        assert report.complete == (engine == "sg")  # direct mode re-arms when the wait is over
        board.probe.faults.lose_interrupt(name, "mm2s", False)
        assert board.dac(0).play(signal, rate=2e9, engine=engine).complete
    for engine, name in (("sg", "dma_adc0"), ("direct", "dma_adc0_direct")):
        board.probe.faults.lose_interrupt(name, "s2mm")
        assert board.adc(0).record(100_000, rate=1e9, engine=engine).complete


def test_a_stall_that_ends_in_time_is_a_gap_with_its_cause():
    with gapless.open("virtual:zcu111?fifo=65536") as board:
        with board.memory["pl-ddr"].allocate(1_000_000, np.int16) as buffer:
            engine = board.dma("dma_dac0")
            board.dac(0).monitor.start(1e9)
            sending = engine.mm2s.begin(split(engine.spec, buffer.physical_address, buffer.nbytes), [buffer])
            board.bus.sleep(100e-6)
            board.probe.faults.stall("dma_dac0", "mm2s")
            board.bus.sleep(200e-6)
            board.probe.faults.stall("dma_dac0", "mm2s", False)
            sending.wait()
            board.bus.sleep(1e-3)
            ledger = board.dac(0).monitor.ledger()
        assert ledger.samples == 1_000_000
        assert [gap.cause for gap in ledger.gaps] == ["underrun: the stream was stalled"]
        # 200 us, less what the FIFO held and what the engine had read ahead, four bursts
        assert ledger.gaps[0].length == pytest.approx(200_000 - 32_768 - 8192, abs=2048)


def test_what_is_no_fault_is_refused(board):
    faults = board.probe.faults
    with pytest.raises(UnknownNameError, match="no DMA 'dma7'"):
        faults.stall("dma7", "mm2s")
    with pytest.raises(UnknownNameError, match="no channel 'tx': there is mm2s, s2mm"):
        faults.stall("dma_dac0", "tx")
    with pytest.raises(UnknownNameError, match="no channel"):
        faults.lose_interrupt("dma_dac0", "")
    with pytest.raises(UnknownNameError, match="no memory port 'HP9': there is HP0"):
        faults.slow_memory("HP9", 0.5)
    for fraction in (0, -1, 1.5, float("nan")):
        with pytest.raises(BadArgumentError, match="fraction="):
            faults.slow_memory("HP0", fraction)
