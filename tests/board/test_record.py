"""Recording: every sample, or a ledger that says which are not there."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from driver_designs import KIB, MIB, both_ways, samples, used
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.errors import (
    AllocationError,
    BadArgumentError,
    BufferInFlightError,
    DmaSlaveError,
    DmaStateError,
    JobCancelledError,
    RateError,
    SignalError,
    UnknownNameError,
    WaitTimeoutError,
)
from gapless.samples import check_counter

ENGINES = ["sg", "direct"]


@pytest.fixture(scope="module")
def board():
    with gapless.open("virtual:zcu111") as opened:
        yield opened


def counter(count, first=0):
    return np.arange(first, first + count).astype(np.uint16).view(np.int16)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 32, 33, 100_001, 33_554_400, 33_554_401])
def test_any_length_is_recorded_exactly(board, engine, count):
    before = used(board)
    capture = board.adc(0).record(count, rate=2.048e9, engine=engine)
    assert capture.complete
    assert capture.samples.dtype == np.int16
    assert np.array_equal(capture.samples, counter(count))
    assert capture.ledger.samples == count
    assert capture.transfers == math.ceil(2 * count / ((1 << 26) - 64))
    assert capture.descriptors == (capture.transfers if engine == "sg" else 0)
    assert capture.engine == engine
    capture.samples.free()
    assert used(board) == before
    assert board.findings == ()


def test_a_slow_capture_of_many_pieces_takes_its_time(board):
    """3 descriptors of 0.34 s each, one interrupt at the end."""
    for engine in ENGINES:
        began = board.bus.time()
        capture = board.adc(0).record(100_000_000, rate=1e8, engine=engine)
        assert capture.complete
        assert board.bus.time() - began == pytest.approx(1.0, rel=1e-3)
        assert check_counter(np.asarray(capture.samples)) == []


def test_more_descriptors_than_the_ring_holds():
    board = both_ways(length_width=10, fifo=64 * KIB)
    count = 400_000  # 833 descriptors, and TLAST only at the end
    capture = board.adc(0).record(count, rate=5e8, memory="low")
    assert capture.transfers == math.ceil(2 * count / 960) > 512
    assert capture.complete
    assert np.array_equal(capture.samples, counter(count))


def test_waveforms_repeat_and_positions_are_taken(board):
    wave = samples(1001)
    board.probe.connect(1, wave)
    capture = board.adc(1).record(5000, rate=1e9, memory="ps-cma", address=0x7C00_0000)
    assert np.array_equal(capture.samples, np.resize(wave, 5000))
    assert capture.samples.physical_address == 0x7C00_0000
    assert capture.memory == "ps-cma"


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"samples": 0}, SignalError, "samples=0"),
        ({"samples": 1.5}, SignalError, "samples=1.5"),
        ({"samples": True}, SignalError, "samples=True"),
        ({"samples": math.nan}, SignalError, "samples=nan"),
        ({"samples": math.inf}, SignalError, "samples=inf"),
        ({"engine": "cyclic"}, BadArgumentError, "records for ever"),
        ({"engine": "warp"}, UnknownNameError, "no engine 'warp'"),
        ({"memory": "dram"}, UnknownNameError, "no memory 'dram'"),
        ({"rate": 0}, BadArgumentError, "above 0"),
        ({"rate": 5e9}, RateError, "adc0 converts at most 4.096 GSa/s"),
        ({"rate": 4e9, "memory": "ps-cma"}, RateError, r"PS port \(HP3\) gives 4.80 GB/s; pl-ddr can"),
        ({"software_delay": -1}, BadArgumentError, "software delay"),
        ({"samples": 1e10}, AllocationError, "asked 18.63 GiB in pl-ddr: largest free block"),
        ({"memory": "ps-carveout"}, AllocationError, "ps-carveout: this pool is empty on this board.*ps=32GiB"),
    ],
)
def test_wrong_arguments_leave_nothing_behind(board, options, kind, words):
    before = used(board)
    with pytest.raises(kind, match=words):
        board.adc(0).record(**{"samples": 1000, "rate": 1e9, **options})
    assert used(board) == before
    assert board.adc(0).record(1e3, rate=1e9).complete


def test_a_recording_under_way_holds_its_memory_and_its_adc(board):
    before = used(board)
    recording = board.adc(0).start(1000, rate=1e9)
    with pytest.raises(DmaStateError, match="adc0 is recording"):
        board.adc(0).record(10, rate=1e9)
    with pytest.raises(BufferInFlightError, match="dma_adc0 S2MM"):
        recording._buffer.free()
    capture = recording.wait()
    assert recording.wait() is capture
    recording.cancel()  # too late, and harmless
    assert np.array_equal(capture.samples, counter(1000))
    capture.samples.free()
    assert used(board) == before


def test_cancel_and_the_with_block_give_everything_back(board):
    before = used(board)
    for engine in ENGINES:
        recording = board.adc(0).start(10_000_000, rate=1e9, engine=engine)
        recording.cancel()
        recording.cancel()
        with pytest.raises(JobCancelledError):
            recording.wait()
        with board.adc(0).start(10_000_000, rate=1e9, engine=engine):
            pass
        with board.adc(0).start(1000, rate=1e9, engine=engine) as recording:
            capture = recording.wait()
        assert capture.complete
        capture.samples.free()
    assert used(board) == before
    assert board.findings == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_no_data_times_out_and_leaves_all_as_it_was(board, engine):
    before = used(board)
    board.probe.connect(1, "dac1")  # which never starts
    began, clock = time.perf_counter(), board.bus.time()
    with pytest.raises(WaitTimeoutError, match=r"S2MM: no completion within .* the stream has stood still"):
        board.adc(1).record(1000, rate=1e9, engine=engine, timeout=0.5)
    assert time.perf_counter() - began < 5
    assert 0.5 <= board.bus.time() - clock < 1.5
    assert used(board) == before
    board.probe.connect(1, "counter")
    assert board.adc(1).record(1000, rate=1e9, engine=engine).complete


def test_an_error_leaves_all_as_it_was():
    board = both_ways()
    low = board.memory["low"]
    bad = low.base + 16 * MIB
    board.probe.faults.slave_error(bad, MIB)
    before = used(board)
    for _ in range(2):
        with pytest.raises(DmaSlaveError):
            board.adc(0).record(1000, rate=1e9, memory="low", address=bad)
        assert used(board) == before
        board.dma("dma").recover(board.dma("dma").s2mm)
    board.probe.faults.clear_slave_errors()
    assert board.adc(0).record(1000, rate=1e9, memory="low", address=bad).complete


# ---- overruns


def holes(captured):
    """(index on the ADC's time line, length) of each jump of the counter."""
    steps = np.diff(captured.astype(np.int64)) % 65536
    found, lost = [], 0
    for at in np.flatnonzero(steps != 1):
        length = int(steps[at]) - 1
        found.append((int(at) + 1 + lost, length))
        lost += length
    return found


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([4 * KIB, 64 * KIB]),
    st.floats(5e-6, 200e-6),
    st.floats(50e6, 1.5e9),
    st.integers(2, 5),
)
def test_the_ledger_of_overruns_is_the_holes_in_the_counter(fifo, delay, rate, pieces):
    board = both_ways(sg=False, length_width=16, fifo=fifo)
    count = 65472 // 2 * pieces - 100
    capture = board.adc(0).record(count, rate=rate, memory="low", engine="direct", software_delay=delay)
    gaps = [(gap.index, gap.length) for gap in capture.ledger.gaps]
    lengths = [length for _, length in gaps]
    assert len(capture.samples) == count
    assert capture.ledger.gap_count == len(gaps)
    assert capture.ledger.missing_samples == sum(lengths)
    assert capture.complete == (not gaps)
    if all(length < 65535 for length in lengths):  # the counter cannot tell more
        # A gap before the first, or behind the last sample of the memory is in the ledger only.
        end = count + sum(lengths)
        assert holes(np.asarray(capture.samples)) == [(i, n) for i, n in gaps if i > 0 and i + n < end]
    expected = delay * rate - fifo / 2
    if expected > 64:
        assert len(gaps) >= pieces - 2
    elif expected < -fifo / 2:
        assert not gaps


def test_check_counter_finds_what_the_ledger_says():
    board = both_ways(sg=False, length_width=16, fifo=64 * KIB)
    capture = board.adc(0).record(150_000, rate=1e9, memory="low", engine="direct", software_delay=45e-6)
    gaps = capture.ledger.gaps
    assert gaps
    assert all("started too late" in gap.cause for gap in gaps)
    found = check_counter(np.asarray(capture.samples))
    assert [(finding.kind, finding.length) for finding in found] == [("missing", gap.length) for gap in gaps]
    lost = 0
    for finding, gap in zip(found, gaps, strict=True):
        assert finding.index + lost == gap.index
        lost += gap.length


def test_progress_goes_up_to_all(board):
    seen = []
    board.adc(0).record(10_000_000, rate=1e9, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (20_000_000, 20_000_000)
