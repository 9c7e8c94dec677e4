"""Playing and recording at once over a wire: what comes back is what was sent."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import MIB, samples, used

import gapless
from gapless.dma import DescriptorRing, split
from gapless.errors import BadArgumentError, DmaSlaveError, SignalError, UnknownNameError, WaitTimeoutError


@pytest.fixture(scope="module")
def board():
    with gapless.open("virtual:zcu111") as opened:
        opened.probe.connect(0, "dac0")
        yield opened


def round_trip(board, signal, out, back, rate=2.048e9, **options):
    with board.adc(0).start(len(signal), rate=rate, engine=back) as recording:
        report = board.dac(0).play(signal, rate=rate, engine=out, sha256=True, **options)
        return report, recording.wait()


@pytest.mark.parametrize("out", ["sg", "direct", "cyclic"])
@pytest.mark.parametrize("back", ["sg", "direct"])
@pytest.mark.parametrize("count", [1, 33, 100_000, 3_000_017])
def test_the_capture_is_the_source(board, out, back, count):
    signal = samples(count, count)
    for _ in range(3):
        report, capture = round_trip(board, signal, out, back)
        assert report.complete
        assert capture.complete
        assert np.array_equal(capture.samples, signal)
    assert board.findings == ()


def test_after_errors_time_outs_and_gaps_it_is_as_good_as_new(board):
    before = used(board)
    signal = samples(300_000)
    pool = board.memory["pl-ddr"]
    for out in ("sg", "direct"):
        name = "dma_dac0" if out == "sg" else "dma_dac0_direct"
        board.probe.faults.slave_error(pool.base + 200_000, 64)
        recording = board.adc(0).start(300_000, rate=2e9, memory="ps-cma")
        with pytest.raises(DmaSlaveError):
            board.dac(0).play(signal, rate=2e9, engine=out, address=pool.base)
        board.probe.faults.clear_slave_errors()
        board.dma(name).recover(board.dma(name).mm2s)
        recording.cancel()
        board.probe.faults.stall(name, "mm2s")
        with pytest.raises(WaitTimeoutError):
            board.dac(0).play(signal, rate=2e9, engine=out)
        board.probe.faults.stall(name, "mm2s", False)
        _, capture = round_trip(board, signal, out, "sg", rate=2e9)
        assert capture.complete
        assert np.array_equal(capture.samples, signal)
        del capture
    del recording
    assert used(board) == before


def test_a_play_with_gaps_comes_back_with_the_gaps_in_it():
    with gapless.open("virtual:zcu111?fifo=65536") as board:
        board.probe.connect(0, "dac0")
        count = 35_000_000
        signal = samples(count)
        recording = board.adc(0).start(count + 3_000_000, rate=2e9)
        report = board.dac(0).play(signal, rate=2e9, engine="direct", software_delay=1e-3)
        gap = report.ledger.gaps[0]
        got = np.asarray(recording.wait().samples)
        assert np.array_equal(got[: gap.index], signal[: gap.index])
        word = signal[gap.index - 16 : gap.index]  # the DAC repeats what lies on its bus
        assert np.array_equal(got[gap.index : gap.index + gap.length], np.resize(word, gap.length))
        rest = count - gap.index
        after = got[gap.index + gap.length :]
        assert np.array_equal(after[:rest], signal[gap.index :])
        # and without the delay nothing of it is left
        _, capture = round_trip(board, signal[:1_000_000], "direct", "direct", rate=2e9)
        assert np.array_equal(capture.samples, signal[:1_000_000])


def test_an_adc_started_late_sees_what_the_dac_converts_then(board):
    signal = samples(64 * 1000)
    block = board.memory["pl-ddr"].allocate(len(signal), np.int16)
    block[:] = signal
    dac, engine = board.dac(0), board.dma("dma_dac0")
    with DescriptorRing(board.memory["ps-cma"], engine.spec, 1) as ring:
        ring.link(split(engine.spec, block.physical_address, block.nbytes))
        dac.monitor.start(1e9)
        with engine.mm2s.start_cyclic(ring, [block]):
            for pause in (1e-6, 33.3e-6, 1e-3):
                board.bus.sleep(pause)
                got = np.asarray(board.adc(0).record(20_000, rate=1e9).samples)
                at = np.flatnonzero(
                    (signal == got[0]) & (np.roll(signal, -1) == got[1]) & (np.roll(signal, -2) == got[2])
                )
                assert len(at) == 1
                assert np.array_equal(got, np.resize(np.roll(signal, -int(at[0])), 20_000))
    dac.monitor.stop()
    block.free()


def test_what_can_be_connected(board):
    with pytest.raises(UnknownNameError, match="no source for an ADC 'dac7': there is counter, dac0, dac1"):
        board.probe.connect(0, "dac7")
    with pytest.raises(UnknownNameError, match="no ADC 5"):
        board.probe.connect(5, "counter")
    for array in (np.zeros(3), np.zeros((2, 2), np.int16), np.zeros(0, np.int16)):
        with pytest.raises(SignalError, match="an ADC's input is int16"):
            board.probe.connect(1, array)
    with pytest.raises(BadArgumentError, match="dac0 is wired to ADC 0"):
        board.probe.connect(1, "dac0")
    board.probe.connect(0, "dac0")
    board.probe.connect(0, "counter")
    board.probe.connect(1, "dac0")
    board.probe.connect(1, "counter")
    board.probe.connect(0, "dac0")


def test_both_pairs_at_once():
    with gapless.open("virtual:zcu111") as board:
        signals = [samples(500_000, 1), samples(700_000, 2)]
        recordings = []
        for number in range(2):
            board.probe.connect(number, f"dac{number}")
            recordings.append(board.adc(number).start(len(signals[number]), rate=1e9))
        reports = [board.dac(number).play(signals[number], rate=1e9) for number in range(2)]
        for report, recording, signal in zip(reports, recordings, signals, strict=True):
            assert report.complete
            capture = recording.wait()
            assert capture.complete
            assert np.array_equal(capture.samples, signal)
        assert board.memory["pl-ddr"].stats().buffers.bytes < 4 * MIB
