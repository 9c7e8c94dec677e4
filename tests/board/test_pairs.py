"""Two converters in step: one stream, one DMA, and the same sample index on both."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from driver_designs import KIB, fill, in_step, samples, used
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.dma import DescriptorRing, split
from gapless.errors import (
    BadArgumentError,
    DmaStateError,
    OutOfStepError,
    RateError,
    SignalError,
    WaitTimeoutError,
)
from gapless.samples import CounterSource

ENGINES = ["sg", "direct"]
RATE, IDENT = 0x08, 0x60


@pytest.fixture(scope="module")
def board():
    with gapless.open("virtual:zcu111") as opened:
        for number in range(2):
            opened.probe.connect(number, f"dac{number}")
        yield opened


@pytest.fixture(autouse=True)
def _leaves_all_as_it_was(request):
    board = request.getfixturevalue("board") if "board" in request.fixturenames else None
    before = used(board) if board else None
    yield
    if board:
        assert used(board) == before
        assert board.findings == ()


def frames(count, seed=0):
    return samples(2 * count, seed).reshape(count, 2)


class Taps:
    """What each DAC converted, seen one by one."""

    def __init__(self, board):
        self.board, self.seen = board, [bytearray(), bytearray()]
        for number, seen in enumerate(self.seen):
            board.probe.tap(number, seen.extend)

    def take(self):
        for number in range(2):
            self.board.probe.flush(number)
        taken = [np.frombuffer(bytes(seen), "<i2") for seen in self.seen]
        for seen in self.seen:
            seen.clear()
        return taken

    def end(self):
        for number in range(2):
            self.board.probe.tap(number, None)


@pytest.fixture
def taps(board):
    watching = Taps(board)
    yield watching
    watching.end()


# ---- out


@pytest.mark.parametrize("engine", ["sg", "direct", "cyclic"])
@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 33, 1000, 1023, 1025, 100_001, 3_000_003])
def test_each_dac_converts_its_channel(board, taps, engine, count):
    signal = frames(count, count)
    report = board.dac(0).play(signal, rate=2.048e9, engine=engine, channels=2)
    assert report.complete
    assert report.samples_requested == count
    assert report.samples_played == count or engine == "cyclic"
    assert report.fifo_depth_bytes == 2 << 20
    for k, seen in enumerate(taps.take()):
        assert np.array_equal(seen, np.resize(signal[:, k], report.samples_played))
    assert board.dac(0).monitor.ledger() == board.dac(1).monitor.ledger() == report.ledger


@pytest.mark.parametrize(
    ("repeat", "samples", "count"), [(7, None, 999), (1000, None, 1), (9, 550, 64), (3, 3000, 1001)]
)
def test_repeats_and_what_a_report_shows(board, taps, repeat, samples, count):
    signal = frames(count, 5)
    total = samples or count * repeat
    report = board.dac(0).play(signal, rate=1e9, channels=2, repeat=repeat, samples=samples, head=70, memory="ps-cma")
    assert report.samples_played == report.samples_requested == total
    assert np.array_equal(report.head, np.resize(signal, (min(70, total), 2)))
    assert report.signal_seconds == pytest.approx(total / 1e9)


def test_the_hash_is_of_the_frames(board):
    signal = frames(1_500_001)
    stereo = board.dac(0).play(signal, rate=2e9, channels=2, sha256=True)
    mono = board.dac(0).play(signal.reshape(-1), rate=2e9, sha256=True)
    assert stereo.played_sha256 == mono.played_sha256


def test_floats_and_other_layouts_of_the_same_frames(board, taps):
    signal = np.linspace(-1, 1, 200).reshape(100, 2)
    wanted = np.rint(signal * 32767).astype(np.int16)
    for given_ in (signal, signal.tolist(), wanted, wanted.astype(">i2"), np.asfortranarray(wanted)):
        assert board.dac(0).play(given_, rate=1e9, channels=2).complete
        assert np.array_equal(np.stack(taps.take(), axis=1), wanted)


def test_a_buffer_is_played_from_where_it_lies(board, taps):
    signal = frames(3200)
    for shape in ((-1, 2), (-1,)):
        with fill(board.memory["ps-cma"], signal.reshape(shape)) as buffer:
            report = board.dac(0).play(buffer, rate=1e9, channels=2, repeat=3)
            assert (report.memory, report.samples_played) == ("ps-cma", 9600)
            assert np.array_equal(np.stack(taps.take(), axis=1), np.tile(signal, (3, 1)))
            with pytest.raises(SignalError, match="32-sample words"):
                board.dac(0).play(buffer[:200].reshape(-1)[:120], rate=1e9, channels=2, repeat=2)
    with board.memory["pl-ddr"].allocate((10, 3), np.int16) as buffer, pytest.raises(SignalError, match=r"\(n, 2\)"):
        board.dac(0).play(buffer, rate=1e9, channels=2)
    with board.memory["pl-ddr"].allocate(11, np.int16) as buffer, pytest.raises(SignalError, match=r"\(2n,\)"):
        board.dac(0).play(buffer, rate=1e9, channels=2)


# ---- there and back


@pytest.mark.parametrize("out", ["sg", "direct", "cyclic"])
@pytest.mark.parametrize("back", ENGINES)
@pytest.mark.parametrize("count", [1, 2, 7, 8, 33, 100_001, 17_000_003])
def test_frames_come_back_as_they_were_sent(board, out, back, count):
    signal = frames(count, count)
    for _ in range(2):
        with board.adc(0).start(count, rate=2.048e9, engine=back, channels=2) as recording:
            report = board.dac(0).play(signal, rate=2.048e9, engine=out, channels=2)
            capture = recording.wait()
        assert report.complete
        assert capture.complete
        assert capture.samples.shape == (count, 2)
        assert np.array_equal(capture.samples, signal)
        capture.samples.free()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 30_000),
    st.sampled_from([(16, 8), (8, 16), (4, 4), (1, 2)]),
    st.sampled_from([64, 1 * KIB, 16 * KIB]),
    st.sampled_from([4, 32, 64]),
    st.sampled_from([11, 14, 26]),
    st.booleans(),
    st.floats(1e6, 3e9),
)
def test_any_design_gives_the_frames_back(count, beats, fifo, width, length, sg, rate):
    signal = frames(count, count)
    board = in_step(
        fifo=fifo, dac_beat=beats[0], adc_beat=beats[1], data_width=width, length_width=length, sg=sg, clock=1e9
    )
    taps = Taps(board)
    with board.adc(0).start(count, rate=rate, memory="low", channels=2, force=True) as recording:
        report = board.dac(0).play(signal, rate=rate, memory="high", channels=2, force=True)
        capture = recording.wait()
    for k, seen in enumerate(taps.take()):
        assert np.array_equal(seen, signal[:, k])
    assert report.samples_played == count
    assert board.dac(0).monitor.ledger() == board.dac(1).monitor.ledger()
    assert board.adc(0).monitor.ledger() == board.adc(1).monitor.ledger()
    assert board.findings == ()
    if report.complete and capture.complete:
        assert np.array_equal(capture.samples, signal)


def test_adcs_started_late_begin_with_one_frame(board):
    signal = frames(32 * 1000, 9)
    path, engine = board.dac(0).path(2), board.dma("dma_dac01")
    with fill(board.memory["pl-ddr"], signal) as block, DescriptorRing(board.memory["ps-cma"], engine.spec, 1) as ring:
        ring.link(split(engine.spec, block.physical_address, block.nbytes))
        path.monitor.start(1e9)
        with engine.mm2s.start_cyclic(ring, [block]):
            for pause in (1e-6, 33.3e-6, 1e-3):
                board.bus.sleep(pause)
                capture = board.adc(0).record(20_000, rate=1e9, channels=2)
                got = np.asarray(capture.samples)
                at = np.flatnonzero((signal == got[0]).all(1) & (np.roll(signal, -1, 0) == got[1]).all(1))
                assert len(at) == 1
                assert np.array_equal(got, np.resize(np.roll(signal, -int(at[0]), 0), got.shape))
                del got, capture
        path.monitor.stop()


# ---- gaps are at the same index


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([4 * KIB, 64 * KIB]), st.floats(1e-6, 300e-6), st.floats(50e6, 2e9), st.integers(2, 5))
def test_late_software_makes_the_same_gaps_on_both(fifo, delay, rate, pieces):
    board = in_step(fifo=fifo, sg=False, length_width=18)
    taps = Taps(board)
    count = 262080 // 4 * pieces - 101
    signal = frames(count)
    report = board.dac(0).play(signal, rate=rate, memory="low", software_delay=delay, channels=2)
    first, second = (board.dac(number).monitor.ledger() for number in range(2))
    assert first == second == report.ledger
    assert report.samples_played == count
    for k, seen in enumerate(taps.take()):
        assert np.array_equal(seen, signal[:, k])
    expected = delay * rate - fifo / 2  # decision 6; a piece fills the FIFO
    if expected > 16:
        assert len(report.ledger.gaps) == pieces - 1
        assert all(abs(gap.length - expected) <= 17 for gap in report.ledger.gaps[:1])
    elif expected < -16:
        assert report.complete


def test_a_gap_comes_back_at_one_index_on_both_channels():
    board = in_step(fifo=16 * KIB, sg=False, length_width=16)
    count = 50_000
    signal = frames(count)
    recording = board.adc(0).start(count + 50_000, rate=1e9, memory="low", channels=2)
    report = board.dac(0).play(signal, rate=1e9, memory="low", software_delay=20e-6, channels=2)
    got = np.asarray(recording.wait().samples)
    at = 0
    wanted = []
    for index, length in report.ledger.blocks:
        wanted.append((index, signal[at : at + length]))
        at += length
    assert at == count
    assert len(wanted) > 2
    for index, block in wanted:
        assert np.array_equal(got[index : index + len(block)], block)


@pytest.mark.parametrize("engine", ENGINES)
def test_counters_show_one_sample_index_in_every_frame(board, engine):
    try:
        for number in range(2):
            board.probe.connect(number, "counter")
        capture = board.adc(0).record(20_000_001, rate=2.048e9, engine=engine, channels=2)
        got = np.asarray(capture.samples)
        assert capture.complete
        assert np.array_equal(got[:, 0], np.arange(len(got)).astype(np.uint16).view(np.int16))
        assert np.array_equal(got[:, 0], got[:, 1])
        del got, capture
    finally:
        for number in range(2):
            board.probe.connect(number, f"dac{number}")


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([4 * KIB, 64 * KIB]), st.floats(5e-6, 200e-6), st.floats(50e6, 1.5e9), st.integers(2, 5))
def test_overruns_take_the_same_samples_of_both(fifo, delay, rate, pieces):
    board = in_step(fifo=fifo, sg=False, length_width=16)
    for number in range(2):
        board.probe.connect(number, "counter")
    count = 65472 // 4 * pieces - 101
    capture = board.adc(0).record(count, rate=rate, memory="low", software_delay=delay, channels=2)
    got, ledger = np.asarray(capture.samples), capture.ledger
    assert got.shape == (count, 2)
    assert np.array_equal(got[:, 0], got[:, 1])
    assert board.adc(0).monitor.ledger() == board.adc(1).monitor.ledger() == ledger
    kept = np.concatenate([np.arange(index, index + length) for index, length in ledger.blocks])[:count]
    assert np.array_equal(got[:, 0], kept.astype(np.uint16).view(np.int16))
    if pieces >= 4 and delay * rate - fifo / 2 > 64:  # what is left of fewer fits in the FIFO
        assert ledger.gap_count >= 1


def test_the_same_run_gives_the_same_reports():
    def run():
        board = in_step(fifo=16 * KIB, sg=False, length_width=16)
        recording = board.adc(0).start(90_000, rate=1e9, memory="low", channels=2)
        report = board.dac(0).play(frames(80_000), rate=1e9, memory="low", software_delay=30e-6, channels=2)
        capture = recording.wait()
        return replace(report, wall_seconds=0), capture.ledger, bytes(np.asarray(capture.samples)), board.bus.time()

    assert run() == run()


# ---- words, frames and bursts that do not end together


@pytest.mark.parametrize("offset", [2, 4, 30, 32, 34, 62])
def test_words_are_whole_wherever_memory_bursts_end(offset):
    board = in_step(data_width=4, dre=True, sg=False)
    taps = Taps(board)
    signal = frames(10_001)
    path, engine = board.dac(0).path(2), board.dma("dma")
    buffer = board.memory["low"].allocate(40_000, np.int16)
    for _ in range(2):
        part = buffer[offset // 2 : offset // 2 + signal.size]
        part[:] = signal.reshape(-1)
        path.monitor.start(1e8)
        engine.mm2s.transfer(part)
        board.bus.sleep(1e-3)
        path.monitor.stop()
        assert path.monitor.ledger() == board.dac(1).monitor.ledger()
        assert path.monitor.ledger().samples == len(signal)
        assert path.monitor.ledger().complete
        for k, seen in enumerate(taps.take()):
            assert np.array_equal(seen, signal[:, k])
    assert board.findings == ()


@pytest.mark.parametrize("nbytes", [1, 2, 3, 4, 5, 34, 62, 63, 64, 65, 127, 4001])
def test_a_packet_that_ends_inside_a_frame_leaves_none_ahead(nbytes):
    board = in_step(data_width=4, dre=True)
    taps = Taps(board)
    path, engine = board.dac(0).path(2), board.dma("dma")
    buffer = fill(board.memory["low"], samples(8 * KIB), align=4096)
    path.monitor.start(1e8)
    wanted = []
    for before in (0, 2, 61, 62, 63):  # bytes in front of a 4 KiB boundary, where a memory burst ends
        start = 4096 - before
        engine.mm2s.transfer(buffer.view(np.uint8)[start : start + nbytes])
        wanted.append(np.asarray(buffer).view(np.uint8)[start : start + nbytes // 4 * 4].copy().view(np.int16))
    board.bus.sleep(1e-3)
    assert board.dac(0).monitor.ledger() == board.dac(1).monitor.ledger()
    assert np.array_equal(np.stack(taps.take(), axis=1).reshape(-1), np.concatenate(wanted))


def test_what_a_cancelled_stream_left_is_forgotten():
    board = in_step(fifo=4 * KIB, data_width=4, dre=True, sg=False)
    taps = Taps(board)
    signal = frames(1000)
    engine = board.dma("dma")
    buffer = fill(board.memory["low"], samples(20_001))
    with pytest.raises(WaitTimeoutError):
        engine.mm2s.transfer(buffer[1:], timeout=1e-3)  # both FIFOs are full in the middle of a word
    taps.take()
    assert board.dac(0).play(signal, rate=1e8, memory="low", channels=2).complete
    for k, seen in enumerate(taps.take()):
        assert np.array_equal(seen, signal[:, k])


def test_a_frame_may_lie_in_two_buffers():
    board = in_step(data_width=4, dre=True)
    for number in range(2):
        board.probe.connect(number, "counter")
    buffer = board.memory["low"].allocate(10_000, np.int16)
    base, count = buffer.physical_address, 2501
    pieces = np.array([(base, 2 * 1001), (base + 2 * 1001, 2 * 999), (base + 4000, 4 * count - 4000)], np.uint64)
    path = board.adc(0).path(2)
    path.monitor.start(1e8, capture=count)
    moved = board.dma("dma").s2mm.begin(pieces, [buffer], one_packet=True).wait()
    path.monitor.stop()
    assert moved.nbytes == 4 * count
    assert np.array_equal(buffer[: 2 * count], np.repeat(np.arange(count), 2))


def test_half_a_frame_left_by_a_short_buffer_is_forgotten():
    board = in_step(data_width=4, dre=True)
    for number in range(2):
        board.probe.connect(number, "counter")
    path = board.adc(0).path(2)
    path.monitor.start(1e8, capture=100)
    with board.memory["low"].allocate(1, np.int16) as buffer:
        pieces = np.array([(buffer.physical_address, 2)], np.uint64)
        assert board.dma("dma").s2mm.begin(pieces, [buffer], one_packet=True).wait().nbytes == 2
    path.monitor.stop()
    capture = board.adc(0).record(1000, rate=1e8, memory="low", channels=2)
    assert np.array_equal(capture.samples, np.repeat(np.arange(1000), 2).reshape(-1, 2))


def test_none_runs_ahead_of_one_that_stands_still():
    board = in_step(fifo=4 * KIB)
    path = board.dac(0).path(2)
    first, second = board.dac(0).monitor, board.dac(1).monitor
    buffer = fill(board.memory["low"], frames(50_000))
    second.start(1e9)
    second.stop()
    first.start(1e9)  # by itself: what a pair's registers are there to avoid
    with pytest.raises(WaitTimeoutError):
        board.dma("dma").mm2s.transfer(buffer, timeout=1e-3)
    entered = [monitor.samples + monitor.fifo_level // 2 for monitor in (first, second)]
    assert entered[0] == entered[1] == 4 * KIB // 2
    with pytest.raises(OutOfStepError, match=r"dac01: .* not in step: dac0 2048 samples .* and dac1 0 samples"):
        path.monitor.ledger()


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_is_taken_of_one_that_runs_by_itself(number):
    board = in_step()
    for adc in range(2):
        board.probe.connect(adc, "counter")
    board.adc(number).monitor.start(1e9, capture=1000)
    with board.memory["low"].allocate((1000, 2), np.int16) as buffer:
        with pytest.raises(WaitTimeoutError):
            board.dma("dma").s2mm.transfer(buffer, timeout=1e-3)
        assert not buffer.any()
    assert board.adc(number).monitor.fifo_level == 2000


def test_one_that_is_fed_by_itself_is_told(board):
    path = board.dac(0).path(2)
    with fill(board.memory["pl-ddr"], samples(1000)) as buffer:
        path.monitor.start(1e9)
        board.dma("dma_dac0").mm2s.transfer(buffer)
        board.bus.sleep(1e-3)
        path.monitor.stop()
    with pytest.raises(OutOfStepError, match="dac0 1000 samples and 0 missing in 0 gaps and dac1 0 samples"):
        path.monitor.ledger()
    assert board.dac(0).play(frames(100), rate=1e9, channels=2).complete


# ---- registers


def test_a_write_reaches_both_and_a_read_is_the_firsts(board):
    pair = board.spec.pairs[0]
    bases = [board.spec.converter(name).base for name in pair.converters]
    board.bus.write32(pair.base + RATE, 12345)
    assert [board.bus.read32(base + RATE) for base in (*bases, pair.base)] == [12345] * 3
    board.bus.write32(bases[0] + RATE, 1)
    board.bus.write32(bases[1] + RATE, 2)
    assert board.bus.read32(pair.base + RATE) == 1
    assert [board.bus.read32(base + IDENT) for base in (*bases, pair.base)] == [0x47504C31, 0x47504C31, 0x47504C32]


# ---- who has what


def test_a_pair_takes_both_converters(board):
    with board.adc(0).start(1000, rate=1e9, channels=2):
        for adc in (0, 1):
            with pytest.raises(DmaStateError, match=f"adc{adc} is recording"):
                board.adc(adc).record(10, rate=1e9)
    with board.adc(1).start(1000, rate=1e9):
        with pytest.raises(DmaStateError, match="adc1 is recording"):
            board.adc(0).record(10, rate=1e9, channels=2)
        with board.adc(0).start(10, rate=1e9):  # and has not been left taken
            pass
    with board.dac(1).taken(), pytest.raises(DmaStateError, match="dac1 is playing"):
        board.dac(0).play(frames(10), rate=1e9, channels=2)
    assert board.dac(0).play(frames(10), rate=1e9, channels=2).complete


@pytest.mark.parametrize(
    ("converter", "channels", "words"),
    [
        ("dac0", 4, r"dac0: 4 channels asked; this design plays 1 \(dac0\) or 2 \(dac0 and dac1 in step\)"),
        ("adc1", 3, r"adc1: 3 channels asked; this design records 1 \(adc1\) or 2 \(adc0 and adc1 in step\)"),
        ("dac1", 2, "dac1: 2 channels asked; it plays the second channel of dac0 and dac1 in step: ask dac0"),
        ("adc1", 2, "adc1: 2 channels asked; it records the second channel of adc0 and adc1 in step: ask adc0"),
        ("dac0", 0, "channels=0: it is a whole number, at least 1"),
        ("dac0", 1.5, "channels=1.5"),
        ("dac0", "2", "channels='2'"),
    ],
)
def test_channels_that_are_not_there(board, converter, channels, words):
    part = getattr(board, converter[:3])(int(converter[3:]))
    run = partial(part.play, frames(10)) if converter.startswith("dac") else partial(part.record, 10)
    with pytest.raises(BadArgumentError, match=words):
        part.path(channels)
    with pytest.raises(BadArgumentError, match=words):
        run(rate=1e9, channels=channels)


def test_a_design_without_pairs_says_so():
    board = in_step()
    alone = gapless.virtual.build_board(replace(board.spec, pairs=()))
    with pytest.raises(BadArgumentError, match=r"2 channels asked; this design plays 1 \(dac0\)$"):
        alone.dac(0).path(2)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (CounterSource(), "counter.* has one channel: 2 channels are played from an array of shape"),
        (np.zeros(10, np.int16), r"shape is \(10,\); 2 channels"),
        (np.zeros((2, 10), np.int16), r"shape is \(2, 10\)"),
        (np.zeros((10, 3), np.int16), r"shape is \(10, 3\)"),
        (np.zeros((0, 2), np.int16), "no samples"),
        (np.zeros((10, 2), np.int32), "dtype is int32"),
        (np.full((10, 2), np.nan), "frame by frame: sample 0 is nan"),
        ([[1.0], [1.0, 2.0]], "not an array of numbers"),
        (None, "shape is"),
    ],
)
def test_signals_that_are_not_two_channels(board, signal, words):
    with pytest.raises(SignalError, match=words):
        board.dac(0).play(signal, rate=1e9, channels=2)


def test_two_channels_need_twice_the_bandwidth(board):
    with pytest.raises(RateError, match=r"1\.5 GSa/s on 2 channels needs 6\.00 GB/s, the PS port \(HP0\) gives 4\.80"):
        board.dac(0).play(frames(100), rate=1.5e9, channels=2, memory="ps-cma")
    with pytest.raises(SignalError, match="asked 101 samples of signal, frame by frame, which has 100: use repeat=2"):
        board.dac(0).play(frames(100), rate=1e9, channels=2, samples=101)
