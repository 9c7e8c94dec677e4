"""Playing: what leaves the DAC is what was meant, and the report says so."""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time

import numpy as np
import pytest
from driver_designs import GIB, KIB, MIB, both_ways, fill, samples, used
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.errors import (
    AddressError,
    AllocationError,
    BadArgumentError,
    BufferFreedError,
    BufferInFlightError,
    DmaSlaveError,
    DmaStateError,
    GaplessError,
    NotContiguousError,
    RateError,
    SignalError,
    UnknownNameError,
    WaitTimeoutError,
)
from gapless.samples import ArraySource, CounterSource, NoiseSource, ToneSource

ENGINES = ["sg", "direct", "cyclic"]


@pytest.fixture(scope="module")
def board():
    with gapless.open("virtual:zcu111?ps=32GiB") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _leaves_all_as_it_was(request):
    board = request.getfixturevalue("board") if "board" in request.fixturenames else None
    before = used(board) if board else None
    yield
    if board:
        assert used(board) == before
        assert board.findings == ()


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array, "<i2")).hexdigest()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 32, 33, 1000, 524_287, 2_000_001])
def test_any_length_is_played_exactly(board, engine, count):
    signal = samples(count, count)
    report = board.dac(0).play(signal, rate=2.048e9, engine=engine, sha256=True, head=40)
    assert report.complete
    assert report.engine == engine
    assert report.samples_requested == count
    if engine == "cyclic":
        assert report.samples_played >= count
        assert report.samples_played % count == 0  # whole periods
    else:
        assert report.samples_played == count
    assert report.played_sha256 == sha(np.resize(signal, report.samples_played))
    assert report.head.dtype == np.int16
    assert np.array_equal(report.head, np.resize(signal, min(40, report.samples_played)))
    assert report.descriptors == (0 if engine == "direct" else report.transfers)
    assert report.transfers >= 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("count", "repeat", "total"), [(1, 1000, None), (7, 333, 2000), (999, 1001, None), (64, 9, 550), (32, 40_000, None)]
)
def test_repeats_are_unrolled_to_whole_words(board, engine, count, repeat, total):
    signal = samples(count, 5)
    report = board.dac(0).play(signal, rate=1e9, engine=engine, repeat=repeat, samples=total, sha256=True)
    asked = total or count * repeat
    assert report.complete
    assert report.samples_requested == asked
    assert report.samples_played == asked or engine == "cyclic"
    assert report.played_sha256 == sha(np.resize(signal, report.samples_played))


def counter(n):
    return np.arange(n).astype(np.uint16).view(np.int16)


def tone(n):
    return np.rint(0.9 * 32767 * np.sin(2 * np.pi * ((np.arange(n) * 10) % 2048) / 2048)).astype(np.int16)


def noise_samples(n):
    return np.resize(np.random.PCG64(3).random_raw(1 << 22).astype("<u8").view("<i2"), n)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("source", "reference"),
    [(CounterSource(), counter), (ToneSource(10e6, 2.048e9), tone), (NoiseSource(3), noise_samples)],
)
@pytest.mark.parametrize("count", [100, 5_000_001])
def test_generators_against_numpy(board, engine, source, reference, count):
    report = board.dac(0).play(source, samples=count, rate=2.048e9, engine=engine, sha256=True)
    assert report.complete
    assert report.samples_played == count or engine == "cyclic"
    assert report.played_sha256 == sha(reference(report.samples_played))


def test_what_arrays_are_taken(board):
    dac = board.dac(0)
    expected = np.array([0, 16384, -32767, 32767], np.int16)
    for signal in ([0.0, 0.50001, -1, 1.0], np.array([0, 0.50001, -1, 1], np.float32), (0.0, 0.50001, -1.0, 1.0)):
        assert dac.play(signal, rate=1e9, sha256=True).played_sha256 == sha(expected)
    assert dac.play(expected.astype(">i2"), rate=1e9, sha256=True).played_sha256 == sha(expected)
    strided = samples(1000)[::3]
    assert dac.play(strided, rate=1e9, sha256=True).played_sha256 == sha(strided)
    assert dac.play(ArraySource(expected), rate=1e9, sha256=True).played_sha256 == sha(expected)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        ([0.0, float("nan")], "sample 1 is nan"),
        ([2.0], "largest magnitude is 2"),
        ([1j], "complex where real"),
        ([], "no samples"),
        (np.zeros((3, 2)), "shape is"),
        (np.zeros(3, np.int32), "dtype is int32"),
        ([[1.0], [1.0, 2.0]], "not an array of numbers"),
        (5, "shape is|dtype"),
        ("noise:", "dtype"),
        (None, "dtype"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_starts(board, signal, words):
    with pytest.raises(SignalError, match=words):
        board.dac(0).play(signal, rate=1e9)
    assert board.dac(0).play(samples(100), rate=1e9).complete


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"engine": "warp"}, UnknownNameError, "no engine 'warp': there is auto, sg, direct, cyclic"),
        ({"memory": "dram"}, UnknownNameError, "no memory 'dram': there is ps-cma, ps-carveout, pl-ddr"),
        ({"repeat": 0}, SignalError, "repeat=0"),
        ({"samples": 0}, SignalError, "samples=0"),
        ({"samples": 101}, SignalError, r"asked 101 samples of .*, which has 100: use repeat=2"),
        ({"software_delay": -1}, BadArgumentError, "software delay"),
        ({"software_delay": math.nan}, BadArgumentError, "software delay"),
        ({"rate": 0}, BadArgumentError, "above 0"),
        ({"rate": math.nan}, BadArgumentError, "above 0"),
        ({"rate": 7e9}, RateError, r"dac0 converts at most 6.554 GSa/s; asked 7 GSa/s"),
        ({"rate": 1e-2, "repeat": 1000}, RateError, r"100000 samples at 0.01 Sa/s last 1e\+07 s"),
        (
            {"rate": 4.096e9, "memory": "ps-carveout"},
            RateError,
            r"4.096 GSa/s needs 8.19 GB/s, the PS port \(HP0\) gives 4.80 GB/s; pl-ddr can",
        ),
        ({"address": 0x1234_0000}, AddressError, "outside the pool"),
    ],
)
def test_wrong_arguments_are_refused_with_what_there_is(board, options, kind, words):
    with pytest.raises(kind, match=words):
        board.dac(0).play(samples(100), **{"rate": 1e9, **options})


def test_converters_that_are_not_there(board):
    with pytest.raises(UnknownNameError, match="no DAC 2: there is 0, 1"):
        board.dac(2)
    with pytest.raises(UnknownNameError, match="no ADC -1: there is 0, 1"):
        board.adc(-1)
    with pytest.raises(UnknownNameError, match="no DMA 'dma9'"):
        board.dma("dma9")


def test_a_signal_larger_than_the_pool_says_what_there_is(board):
    with pytest.raises(
        AllocationError, match=r"asked 190.73 MiB in ps-cma: largest free block 96 MiB of .*pl-ddr has 4 GiB"
    ):
        board.dac(0).play(np.zeros(100_000_000, np.int16), rate=1e9, memory="ps-cma")
    with pytest.raises(
        AllocationError,
        match=r"asked 9.31 GiB in pl-ddr: .* 4 GiB of 4 GiB free; ps-carveout has 28 GiB",
    ):
        board.dac(0).play(ToneSource(1.234567e6, 1.0000000007e9), samples=5e9, rate=1e9)
    assert board.dac(0).play(samples(10), rate=1e9).complete


def test_a_rate_at_the_port_and_above(board):
    assert board.dac(0).play(samples(3_000_000), rate=2.3e9, memory="ps-cma").complete
    with pytest.raises(RateError, match=r"gives 4.80 GB/s"):
        board.dac(0).play(samples(100), rate=2.400001e9, memory="ps-cma")
    assert board.dac(0).play(samples(3_000_000), rate=6.554e9, memory="pl-ddr").complete


# ---- in place


@pytest.mark.parametrize("engine", ENGINES)
def test_a_buffer_is_played_from_where_it_lies(board, engine):
    pool = board.memory["ps-carveout"]
    signal = samples(100_000)
    with fill(pool, signal) as buffer:
        before = pool.stats()
        seen = []
        report = board.dac(0).play(
            buffer, rate=1e9, engine=engine, sha256=True, progress=lambda *_: seen.append(pool.stats())
        )
        assert all(stats == before for stats in seen)
        assert seen
        assert report.memory == "ps-carveout"
        assert report.played_sha256 == sha(np.resize(signal, report.samples_played))
        part = buffer[320:64_000]
        report = board.dac(0).play(part, rate=1e9, engine=engine, sha256=True, repeat=3)
        assert report.samples_played >= 3 * 63_680
        assert report.played_sha256 == sha(np.resize(signal[320:64_000], report.samples_played))
        assert not buffer.in_flight


def test_a_buffer_that_cannot_be_played_in_place_is_refused_by_name(board):
    pool = board.memory["pl-ddr"]
    play = board.dac(0).play
    with pool.allocate(1000, np.int16) as buffer:
        with pytest.raises(NotContiguousError, match="strides"):
            play(buffer[::2], rate=1e9)
        with pytest.raises(AddressError, match="not aligned to the engine's 64-byte words"):
            play(buffer[1:], rate=1e9)
        with pytest.raises(SignalError, match=r"play np.asarray"):
            play(buffer, rate=1e9, repeat=2)
        with pytest.raises(SignalError, match="uint16"):
            play(buffer.view(np.uint16), rate=1e9)
        with pytest.raises(SignalError, match=r"shape \(10, 100\)"):
            play(buffer.reshape(10, 100), rate=1e9)
        with pytest.raises(SignalError):
            play(buffer[:0], rate=1e9)
        with pytest.raises(BadArgumentError, match="lies in pl-ddr; asked to play it from ps-cma"):
            play(buffer, rate=1e9, memory="ps-cma")
        with pytest.raises(BadArgumentError, match="lies at 0x10_0000_0000; asked to play it from 0x0"):
            play(buffer, rate=1e9, address=0)
        assert play(buffer + np.int16(1), rate=1e9).complete  # a copy outside the pools
    with pytest.raises(BufferFreedError):
        play(buffer, rate=1e9)


@pytest.mark.parametrize("engine", ["direct", "sg"])
@pytest.mark.parametrize("offset", [64, 4096, 100_032, 2 * MIB])
def test_a_signal_that_crosses_4_gib(board, engine, offset):
    signal = samples(1_500_000)
    address = 0x9_0000_0000 - offset
    report = board.dac(0).play(signal, rate=2e9, memory="ps-carveout", address=address, engine=engine, sha256=True)
    assert report.complete
    assert report.played_sha256 == sha(signal)


def test_1_gib_across_4_gib_plays_right_in_both_modes(board):
    # The sanitizers get a smaller one that crosses in the same place.
    size, address = (GIB, 0x8_E000_0000) if not os.environ.get("GAPLESS_SANITIZED") else (64 * MIB, 0x8_FE00_0000)
    pool = board.memory["ps-carveout"]
    with pool.allocate(size // 2, np.int16, address=address) as buffer:
        plain = np.asarray(buffer)
        block = samples(1 << 22, 9)
        digest = hashlib.sha256()
        for number in range(size // 2 >> 22):
            part = plain[number << 22 : number + 1 << 22]
            np.add(block, np.int16(number), out=part)
        digest.update(plain)
        for engine in ("direct", "sg"):
            report = board.dac(0).play(buffer, rate=2.048e9, engine=engine, sha256=True)
            assert report.complete
            assert report.samples_played == size // 2
            assert report.played_sha256 == digest.hexdigest()


# ---- free running


def test_28_gb_of_a_generator_are_played_from_one_block(board):
    pool = board.memory["ps-carveout"]
    peak, resident = [], _resident()
    report = board.dac(0).play(
        CounterSource(),
        samples=14e9,
        rate=2.048e9,
        memory="ps-carveout",
        progress=lambda *_: peak.append((pool.stats().used, _resident())),
    )
    assert report.complete
    assert report.samples_played == 14_000_000_000
    assert max(used for used, _ in peak) <= 64 * MIB
    assert max(size for _, size in peak) - resident < 200 * MIB


def _resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- gaps


def gap_length(delay, fifo, rate):
    return (delay - fifo / (2 * rate)) * rate


def test_a_late_software_makes_one_gap_at_each_rearm():
    board = gapless.open("virtual:zcu111?fifo=65536")
    signal = samples(40_000_000)
    options = {"rate": 2.048e9, "memory": "pl-ddr", "software_delay": 1e-3, "sha256": True}
    report = board.dac(0).play(signal, engine="direct", **options)
    ledger = report.ledger
    assert report.transfers == 2
    assert ledger.gap_count == len(ledger.gaps) == 1
    assert ledger.missing_samples == sum(gap.length for gap in ledger.gaps)
    assert abs(ledger.gaps[0].length - gap_length(1e-3, 65536, 2.048e9)) <= 16
    assert ledger.gaps[0].index == (1 << 25) - 32
    assert "started too late" in ledger.gaps[0].cause
    assert not report.complete
    assert report.samples_played == len(signal)
    assert report.played_sha256 == sha(signal)
    report = board.dac(0).play(signal, engine="sg", **options)
    assert report.complete


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([4 * KIB, 16 * KIB, 64 * KIB]),
    st.floats(10e-6, 5e-3),
    st.floats(50e6, 1.2e9),
    st.integers(2, 6),
)
def test_gaps_are_what_arithmetic_says(fifo, delay, rate, pieces):
    """The FIFO is full at the end of each piece, for the memory is twice as fast as the DAC."""
    board = both_ways(sg=False, length_width=18, fifo=fifo)
    step = ((1 << 18) - 64) // 2
    signal = samples(step * pieces - 8, 1)
    report = board.dac(0).play(signal, rate=rate, memory="low", engine="direct", software_delay=delay, sha256=True)
    ledger = report.ledger
    expected = gap_length(delay, fifo, rate)
    if expected <= -16:
        assert ledger.complete
    elif expected >= 16:
        assert ledger.gap_count == pieces - 1
        at = 0
        for number, gap in enumerate(ledger.gaps, 1):
            assert abs(gap.length - expected) <= 16
            assert gap.index == number * step + at
            at += gap.length
        assert ledger.missing_samples == at
    assert report.samples_played == len(signal)
    assert report.played_sha256 == sha(signal)


# ---- failures, and more than one at a time


def test_after_a_failure_the_dac_and_the_memory_are_as_before(board):
    pool = board.memory["pl-ddr"]
    address = pool.base
    board.probe.faults.slave_error(address + 100_000, 64)
    for engine, name in (("sg", "dma_dac0"), ("direct", "dma_dac0_direct"), ("cyclic", "dma_dac0")):
        with pytest.raises(DmaSlaveError) as info:
            board.dac(0).play(samples(200_000), rate=1e9, engine=engine, address=address)
        assert info.value.address == address
        with pytest.raises(DmaStateError, match="recover"):
            board.dac(0).play(samples(200), rate=1e9, engine=engine, memory="ps-cma")
        board.dma(name).recover(board.dma(name).mm2s)
        signal = samples(3000)
        report = board.dac(0).play(signal, rate=1e9, engine=engine, memory="ps-cma", sha256=True)
        assert report.complete
        assert report.played_sha256 == sha(np.resize(signal, report.samples_played))
    board.probe.faults.clear_slave_errors()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stalled_dac_times_out_in_little_real_time(board, engine):
    board.probe.faults.stall("dma_dac0_direct" if engine == "direct" else "dma_dac0", "mm2s")
    began = time.perf_counter()
    with pytest.raises(WaitTimeoutError, match="stood still"):
        board.dac(0).play(samples(5_000_000), rate=1e9, engine=engine)
    assert time.perf_counter() - began < 5
    board.probe.faults.stall("dma_dac0_direct" if engine == "direct" else "dma_dac0", "mm2s", False)
    signal = samples(100_000, 2)
    assert board.dac(0).play(signal, rate=1e9, engine=engine, sha256=True).played_sha256 == sha(signal)


def test_a_raising_progress_ends_the_play_and_nothing_else(board):
    def stop(*_):
        raise ZeroDivisionError

    for engine in ENGINES:
        with pytest.raises(ZeroDivisionError):
            board.dac(0).play(CounterSource(), samples=1e9, rate=1e9, engine=engine, progress=stop)
        assert board.dac(0).play(samples(100), rate=1e9, engine=engine).complete


def test_a_buffer_that_is_played_cannot_be_freed(board):
    with board.memory["pl-ddr"].allocate(32 * MIB, np.int16) as buffer:
        refused = []

        def free(done, total):
            if done == total:
                return
            with pytest.raises(BufferInFlightError, match="while dma_dac0 MM2S uses it"):
                buffer.free()
            refused.append(True)

        board.dac(0).play(buffer, rate=1e9, repeat=400, progress=free)
        assert refused
        assert not buffer.in_flight


def test_two_threads_on_one_dac_are_one_play_and_one_clean_error(board):
    signal = samples(40_000_000)
    reports, refused = [], []

    def play():
        try:
            reports.append(board.dac(0).play(signal, rate=2e9, sha256=True, repeat=4))
        except GaplessError as error:
            refused.append(error)

    threads = [threading.Thread(target=play) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in refused] == [DmaStateError]
    assert "dac0 is playing" in str(refused[0])
    assert reports[0].complete
    digest = hashlib.sha256()
    for _ in range(4):
        digest.update(signal)
    assert reports[0].played_sha256 == digest.hexdigest()


def test_two_dacs_in_two_threads_are_two_whole_plays(board):
    signals = [samples(20_000_000, 1), samples(20_000_000, 2)]
    reports = [None, None]

    def play(number):
        reports[number] = board.dac(number).play(signals[number], rate=1e9, sha256=True)

    threads = [threading.Thread(target=play, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for report, signal in zip(reports, signals, strict=True):
        assert report.complete
        assert report.played_sha256 == sha(signal)


def test_cyclic_with_a_period_of_several_descriptors_ends_at_a_period():
    board = both_ways(length_width=20)
    signal = samples((5 * ((1 << 20) - 64) + 64) // 2)  # the last descriptor must not be one word
    for periods in (1, 3):
        report = board.dac(0).play(signal, rate=1e9, memory="low", engine="cyclic", repeat=periods, sha256=True)
        assert report.samples_played == periods * len(signal)
        assert report.transfers == periods * 6
        assert report.complete
        assert report.played_sha256 == sha(np.tile(signal, periods))


def test_a_design_with_one_kind_of_engine_says_what_it_has():
    board = both_ways(sg=False)
    for engine in ("sg", "cyclic"):
        with pytest.raises(BadArgumentError, match="this design has direct"):
            board.dac(0).play(samples(10), rate=1e9, engine=engine)
    assert board.dac(0).play(samples(10), rate=1e9, memory="low").engine == "direct"
    board = both_ways(sg=True, address_width=32)
    with pytest.raises(AllocationError, match=r"below 0x1_0000_0000 in high.*low has 512 MiB"):
        board.dac(0).play(samples(10), rate=1e9, memory="high")


def test_wider_engines_get_what_they_need_aligned():
    board = both_ways(data_width=128)
    low = board.memory["low"]
    with low.allocate(16, np.uint8):  # the next place is 64 bytes on
        assert board.dac(0).play(samples(1001), rate=1e9, memory="low", repeat=5).complete
        assert board.adc(0).record(1001, rate=1e9, memory="low").complete
    assert board.findings == ()
