"""Endless output: what leaves the DAC is what was submitted, and what came late is a gap where arithmetic says."""

from __future__ import annotations

import math
import signal
import threading
from contextlib import suppress

import numpy as np
import pytest
from driver_designs import KIB, MIB, both_ways, in_step, leaving_nothing, samples, sha, used
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.errors import (
    AllocationError,
    BadArgumentError,
    BlockError,
    BoardClosedError,
    BufferUseError,
    DmaSlaveError,
    DmaStateError,
    GaplessError,
    JobCancelledError,
    RateError,
    SignalError,
    UnknownNameError,
    WaitTimeoutError,
)
from gapless.samples import ArraySource, CounterSource
from gapless.stream.feeding import feed_source

BEAT = 16
ENGINES = [True, False]  # scatter-gather or direct


def stream(board, **options):
    return board.dac(0).stream(
        **{"rate": 1e9, "memory": "low", "block_samples": 1600, "blocks": 4, "force": True, **options}
    )


def submit(output, data):
    block = output.acquire()
    block[: len(data)] = data
    output.submit(block, len(data))


def submit_all(output, parts):
    with output:
        for part in parts:
            submit(output, part)


def works(board, **options):
    """A whole small stream, to see that everything is as new."""
    data = samples(30_000, 77)
    output = stream(board, sha256=True, **options)
    submit_all(output, np.split(data, range(1600, len(data), 1600)))
    assert output.report.complete
    assert output.report.played_sha256 == sha(data)


# ---- what is played


@settings(max_examples=60)
@given(
    sg=st.booleans(),
    beats=st.integers(1, 200),
    blocks=st.integers(2, 9),
    lengths=st.lists(st.floats(0, 1), max_size=40),
    last=st.integers(1, 15),
    held=st.data(),
    early=st.integers(0, 50),
)
def test_what_leaves_the_dac_is_what_was_submitted(sg, beats, blocks, lengths, last, held, early):
    """Blocks whole and in part, two at a time and handed in the other way round, more than the ring holds."""
    board = both_ways(sg=sg)
    size = beats * BEAT
    counts = [max(1, round(part * beats)) * BEAT for part in lengths] + [size - last]
    expected = []
    with leaving_nothing(board):
        with stream(board, rate=20e6, block_samples=size, blocks=blocks, sha256=True, force=True) as output:
            number = 0
            while number < len(counts):
                if number == early:
                    output.start()
                together = min(held.draw(st.integers(1, 2)), len(counts) - number)
                taken = [output.acquire() for _ in range(together)]
                order = list(range(together))
                # The last one is of a partial word: nothing may follow it.
                if number + together < len(counts) and held.draw(st.booleans()):
                    order.reverse()
                for at in order:
                    data = samples(counts[number], number)
                    np.asarray(taken[at])[: len(data)] = data
                    np.asarray(taken[at])[len(data) :] = 0x5555
                    output.submit(taken[at], len(data) if len(data) < size else None)
                    expected.append(data)
                    number += 1
        report = output.report
    data = np.concatenate(expected)
    assert report.samples_requested == report.samples_played == report.ledger.samples == len(data)
    assert report.played_sha256 == sha(data)
    assert report.transfers == len(counts)
    assert report.descriptors == (len(counts) if sg else 0)
    assert (report.queue.block_samples, report.queue.blocks) == (size, blocks)


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_hundreds_of_rings_full_without_a_gap_at_2_gsa(engine):
    """The same blocks go round and round; each time what was written into them last is played."""
    with gapless.open("virtual:zcu111") as board, leaving_nothing(board):
        noise = samples(1 << 16, 3)
        with board.dac(0).stream(
            rate=2e9, block_samples=1 << 16, blocks=3, engine=engine, sha256=True, head=20
        ) as output:
            for number in range(400):
                block = output.acquire()
                np.add(noise, np.int16(number), out=np.asarray(block))
                output.submit(block)
        expected = (noise[None, :] + np.arange(400, dtype=np.int16)[:, None]).reshape(-1)
        report = output.report
        assert report.complete
        assert report.played_sha256 == sha(expected)
        assert np.array_equal(report.head, noise[:20])
        assert report.samples_played == 400 << 16
        assert report.engine == engine
        assert report.queue.refused == ""
        counters = report.ledger.counters
        # A user that takes no time gives each block back before the next is done.
        assert (counters.queue_low_water, counters.queue_high_water, counters.late_events) == (2, 3, 0)


@pytest.mark.parametrize("sg", ENGINES)
def test_what_an_adc_at_the_other_end_of_the_wire_sees(sg):
    """Not what the model hands to whoever hashes, but what is converted, gaps and all."""
    board = both_ways(sg=True, fifo=4 * KIB) if sg else both_ways(sg=False, fifo=4 * KIB)
    board.probe.connect(0, "dac0")
    data = samples(16_000, 5)
    with leaving_nothing(board):
        recording = board.adc(0).start(60_000, rate=1e8, memory="low", timeout=2.0)
        with stream(board, rate=1e8) as output:
            for number, part in enumerate(data.reshape(10, 1600)):
                if number == 7:
                    board.bus.sleep(0.3e-3)
                submit(output, part)
        board.bus.sleep(1e-3)
        capture = recording.wait()
        ledger = output.report.ledger
        assert ledger.gap_count == 1
        at, length = ledger.gaps[0].index, ledger.gaps[0].length
        assert at == 7 * 1600
        got = np.asarray(capture.samples)
        assert np.array_equal(got[:at], data[:at])
        # a gap repeats the last word
        assert np.array_equal(got[at : at + length], np.resize(data[at - BEAT : at], length))
        assert np.array_equal(got[at + length :][: 3 * 1600], data[at:])
        del got
        capture.samples.free()


@pytest.mark.parametrize("sg", ENGINES)
def test_two_channels(sg):
    board = in_step(sg=sg)
    low = board.memory["low"]
    data = samples(2 * 40_007, 8).reshape(-1, 2)
    with leaving_nothing(board):
        with board.dac(0).stream(
            rate=1e9, memory=low.name, block_samples=1600, blocks=3, channels=2, sha256=True, head=9
        ) as output:
            assert output.channels == 2
            for first in range(0, len(data), 1600):
                part = data[first : first + 1600]
                block = output.acquire()
                assert block.shape == (1600, 2)
                block[: len(part)] = part
                output.submit(block, len(part))
        report = output.report
        assert report.complete
        assert (report.channels, report.samples_played) == (2, 40_007)
        assert report.played_sha256 == sha(data)
        assert np.array_equal(report.head, data[:9])
        # the same through the ways in which a signal gets into the blocks by itself
        for given in (data, (data[at : at + 777] for at in range(0, len(data), 777))):
            report = board.dac(0).play(given, rate=1e9, memory="low", channels=2, stream=True, sha256=True)
            assert report.complete
            assert report.played_sha256 == sha(data)
        report = board.dac(0).play(
            data, rate=1e9, memory="low", channels=2, stream=True, repeat=7, samples=250_001, sha256=True
        )
        assert report.played_sha256 == sha(np.resize(data, (250_001, 2)))


@pytest.mark.parametrize("sg", ENGINES)
def test_a_stream_that_is_started_before_the_ring_is_full(sg):
    board = both_ways(sg=sg)
    with leaving_nothing(board):
        with stream(board, blocks=8, sha256=True) as output:
            submit(output, np.arange(1600))
            output.start()
            output.start()
            board.bus.sleep(1e-4)
            assert board.dac(0).monitor.samples == 1600
            submit(output, np.arange(1600, 3200))
        assert output.report.played_sha256 == sha(np.arange(3200))
        assert output.report.ledger.gap_count == 1


@pytest.mark.parametrize("sg", ENGINES)
def test_it_starts_by_itself_when_every_block_was_submitted_and_not_before(sg):
    board = both_ways(sg=sg)
    with stream(board, blocks=3) as output:
        for number in range(3):
            board.bus.sleep(1e-4)
            # Not even the monitor was started, so nothing can be playing.
            assert board.dac(0).monitor.samples == 0, number
            submit(output, np.zeros(1600))
        board.bus.sleep(1e-4)
        assert board.dac(0).monitor.samples == 4800


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize("count", [1, 15, 16, 1600, 1601, 3200])
def test_fewer_samples_than_the_ring_holds(sg, count):
    board = both_ways(sg=sg)
    data = samples(count)
    with leaving_nothing(board):
        with stream(board, blocks=8, sha256=True) as output:
            for first in range(0, count, 1600):
                submit(output, data[first : first + 1600])
            report = output.finish()
            assert output.finish() is report is output.report
            with pytest.raises(BlockError, match="the stream has ended"):
                output.acquire()
        assert output.report is report
        assert report.complete
        assert report.played_sha256 == sha(data)
        assert report.ledger.counters.late_events == 0
        assert report.ledger.counters.queue_high_water == math.ceil(count / 1600)
        works(board)


def test_nothing_submitted_is_nothing_played():
    board = both_ways()
    with leaving_nothing(board):
        with pytest.raises(SignalError, match="nothing was submitted"), stream(board) as output:
            output.acquire()
        with pytest.raises(BlockError, match="has not ended"):
            _ = output.report
        with pytest.raises(SignalError, match="nothing was submitted"):
            board.dac(0).play((array for array in []), rate=1e9, memory="low")
        works(board)


# ---- generators and sources


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_a_generator_of_arrays_of_any_length(engine):
    rng = np.random.default_rng(4)
    data = samples(3_000_000, 4)
    cuts = np.sort(rng.integers(1, len(data), 40))
    with gapless.open("virtual:zcu111") as board, leaving_nothing(board):
        parts = (part for part in np.split(data, cuts) if len(part))
        report = board.dac(0).play(parts, rate=2e9, engine=engine, sha256=True)
        assert report.complete
        assert report.samples_played == len(data)
        assert report.played_sha256 == sha(data)
        report = board.dac(0).play(iter([[0.5, -1.0], (0.25,), np.array([7], np.int16)]), rate=1e9, sha256=True)
        assert report.played_sha256 == sha([16384, -32767, 8192, 7])


def test_what_a_generator_does_wrong_ends_the_play():
    def parts(*bad):
        yield samples(5000)
        yield from bad

    def fails():
        yield samples(5_000_000)
        raise ZeroDivisionError

    board = both_ways()
    with leaving_nothing(board):
        for bad in ([], 5, [2.0], np.zeros((2, 2)), np.zeros(3, np.int32), "noise"):
            with pytest.raises(SignalError):
                board.dac(0).play(parts(bad), rate=1e9, memory="low")
        with pytest.raises(ZeroDivisionError):
            board.dac(0).play(fails(), rate=1e9, memory="low")
        for options in ({"samples": 5}, {"repeat": 2}):
            with pytest.raises(SignalError, match="an iterator is played to its end, once"):
                board.dac(0).play(parts(), rate=1e9, memory="low", **options)
        works(board)


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_a_source_is_streamed_as_it_would_be_played_from_memory(engine):
    """Longer than the pool could hold, and repeated where it is short."""
    with gapless.open("virtual:zcu111") as board, leaving_nothing(board):
        before = board.memory["ps-cma"].stats().used
        peak = []

        def look(done, total):
            peak.append((done, total, board.memory["ps-cma"].stats().used - before))

        count = 40_000_001
        report = board.dac(0).play(
            CounterSource(),
            samples=count,
            rate=2e9,
            memory="ps-cma",
            stream=True,
            engine=engine,
            sha256=True,
            progress=look,
        )
        assert report.complete
        assert report.played_sha256 == sha(np.arange(count).astype(np.uint16).view(np.int16))
        assert [done for done, _, _ in peak] == sorted(done for done, _, _ in peak)
        assert peak[-1][:2] == (2 * count, 2 * count)
        assert max(used for _, _, used in peak) < 40 * MIB < 2 * count
        short = samples(1001)
        report = board.dac(0).play(short, repeat=3000, rate=1e9, stream=True, engine=engine, sha256=True)
        assert report.played_sha256 == sha(np.tile(short, 3000))


# ---- too slow


def lateness(submitted, started, size, rate):
    """Gap before each block, in samples: the DAC is free when it has converted what came before."""
    gaps, free = [], started
    for time in submitted:
        late = max(0.0, time - free)
        gaps.append(late * rate)
        free = max(free, time) + size / rate
    return gaps


@settings(max_examples=30)
@given(
    sg=st.booleans(),
    blocks=st.integers(2, 5),
    beats=st.integers(40, 400),
    rate=st.sampled_from([20e6, 100e6, 333.3e6]),
    pauses=st.lists(st.floats(0, 3), min_size=6, max_size=20),
)
def test_late_blocks_are_gaps_where_arithmetic_says(sg, blocks, beats, rate, pauses):
    board = both_ways(sg=sg, fifo=64 * KIB)
    size = beats * BEAT
    data = samples(size * len(pauses), 2)
    submitted, started = [], 0.0
    with leaving_nothing(board):
        with stream(board, block_samples=size, blocks=blocks, rate=rate, sha256=True) as output:
            for number, (pause, part) in enumerate(zip(pauses, data.reshape(-1, size), strict=True)):
                block = output.acquire()
                block[:] = part
                board.bus.sleep(pause * size / rate)
                if number == blocks - 1:
                    started = board.bus.time()
                submitted.append(board.bus.time())
                output.submit(block)
        report = output.report
    if len(pauses) < blocks:
        started = submitted[-1]
    slack = 3e-6 * rate + BEAT  # what register accesses and the engine's start take
    expected = lateness([max(time, started) for time in submitted], started, size, rate)
    ledger = report.ledger
    assert report.played_sha256 == sha(data)
    assert report.samples_played == len(data)
    assert ledger.missing_samples == sum(gap.length for gap in ledger.gaps)
    assert ledger.missing_samples == pytest.approx(sum(expected), abs=slack * len(pauses))
    found, missing = {}, 0
    for gap in ledger.gaps:
        number, rest = divmod(gap.index - missing, size)
        assert rest == 0  # between two blocks, to the sample
        assert "underrun: the next transfer was started too late" in gap.cause
        found[number] = gap.length
        missing += gap.length
    for number, length in enumerate(expected):
        # An early gap moves all that follow: what is near a border may be on either side of it.
        assert found.get(number, 0) == pytest.approx(length, abs=slack * (number + 1)), number


@pytest.mark.parametrize("sg", ENGINES)
def test_a_producer_just_fast_enough_has_no_gap_and_one_too_slow_has_them(sg):
    board = both_ways(sg=sg, fifo=64 * KIB)
    size, blocks, rate, count = 16_000, 4, 1e8, 40
    for producer, complete in ((1.02e8, True), (0.45e8, False)):
        output = stream(board, block_samples=size, blocks=blocks, rate=rate, sha256=True)
        with output:
            feed_source(output, ArraySource(samples(1000)), size * count, producer_rate=producer)
        report = output.report
        assert report.complete == complete
        assert report.played_sha256 == sha(np.resize(samples(1000), size * count))
        if not complete:
            # It starts when the ring is full, and ends one block after the last was made.
            seconds = (count - blocks) * size / producer + size / rate
            assert report.ledger.missing_samples == pytest.approx(seconds * rate - count * size, rel=0.01)
            # Block 4 + m is made at (m + 1) / 0.45 of a block's duration, the one before it ends at 4 + m; and
            # the first of them is begun when the engine has read block 0.
            read = 2 * size / 4.8e9 * rate
            first, *others = report.ledger.gaps
            assert first.index == 6 * size
            assert first.length == pytest.approx((3 / 0.45 - 6) * size + read, abs=200)
            assert [gap.length for gap in others] == pytest.approx([(1 / 0.45 - 1) * size] * (count - 7), abs=100)
            assert report.ledger.counters.late_events >= report.ledger.gap_count


@pytest.mark.parametrize("sg", ENGINES)
def test_the_queues_counters(sg):
    board = both_ways(sg=sg, fifo=4 * KIB)
    with stream(board, blocks=5) as output:
        for _ in range(5):
            submit(output, samples(1600))
        for _ in range(3):
            board.bus.sleep(1e-3)  # all are played: the ring is empty
            submit(output, samples(1600))
            submit(output, samples(1600))
        board.bus.sleep(1e-3)
    counters = output.report.ledger.counters
    assert (counters.queue_low_water, counters.queue_high_water) == (0, 5)
    assert counters.late_events == 4
    assert output.report.ledger.gap_count == 3  # nothing is late any more when the end comes
    record = output.report.as_dict()
    assert record["queue"] == {
        "block_samples": 1600,
        "blocks": 5,
        "queue_low_water": 0,
        "queue_high_water": 5,
        "late_events": 4,
    }


def test_software_delay_in_direct_mode_is_a_gap_of_known_length_at_each_block():
    board = both_ways(sg=False, fifo=4 * KIB)
    with stream(board, block_samples=32_000, software_delay=1e-4, rate=1e9) as output:
        for _ in range(6):
            submit(output, samples(32_000))
    gaps = output.report.ledger.gaps
    assert [gap.index - sum(before.length for before in gaps[:n]) for n, gap in enumerate(gaps)] == [
        32_000 * n for n in range(1, 6)
    ]
    for gap in gaps:
        assert abs(gap.length - (1e-4 - 2048 / 1e9) * 1e9) <= BEAT


# ---- failures


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize("bad", [0, 1, 3])
@pytest.mark.parametrize("asked", ["acquire", "finish"])
def test_a_dma_error_is_raised_and_everything_given_back(sg, bad, asked):
    board = both_ways(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    address = low.base + MIB
    board.probe.faults.slave_error(address + bad * 3200, 64)
    with leaving_nothing(board):
        output = stream(board, address=address)
        with pytest.raises(DmaSlaveError) as info:
            submit_all(output, [np.full(1600, number) for number in range(4 if asked == "finish" else 100)])
        assert info.value.address == address + bad * 3200
        with pytest.raises(BlockError, match=r"the stream has (failed|ended)"):
            output.acquire()
        output.cancel()
        with pytest.raises(DmaStateError, match="recover"), stream(board) as output:
            output.start()
        engine.recover(engine.mm2s)
        board.probe.faults.clear_slave_errors()
        works(board, address=address)


@pytest.mark.parametrize("sg", ENGINES)
def test_a_stalled_stream_times_out(sg):
    board = both_ways(sg=sg)
    with leaving_nothing(board):
        board.probe.faults.stall("dma", "mm2s")
        began = board.bus.time()
        with pytest.raises(WaitTimeoutError, match="stood still"):
            submit_all(stream(board), [samples(1600)] * 100)
        assert 0.05 < board.bus.time() - began < 1
        board.probe.faults.stall("dma", "mm2s", False)
        works(board)


@pytest.mark.parametrize("sg", ENGINES)
def test_acquire_waits_as_long_as_it_was_asked_to(sg):
    board = both_ways(sg=sg, fifo=4 * KIB)
    data = samples(16_000 * 6)
    parts = list(data.reshape(-1, 16_000))
    with leaving_nothing(board):
        with stream(board, rate=1e6, block_samples=16_000, blocks=2, sha256=True) as output:
            for part in parts[:3]:  # one is done at once but for what the FIFO has no room for
                submit(output, part)
            began = board.bus.time()
            with pytest.raises(WaitTimeoutError, match="the engine had all blocks for 1 ms; none"):
                output.acquire(timeout=1e-3)
            assert board.bus.time() - began == pytest.approx(1e-3, rel=0.01)
            with pytest.raises(WaitTimeoutError):
                output.acquire(timeout=0)
            assert board.bus.time() - began == pytest.approx(1e-3, rel=0.01)
            for part in parts[3:]:
                block = output.acquire(timeout=17e-3)
                block[:] = part
                output.submit(block)
            assert board.bus.time() - began == pytest.approx(3 * 16e-3, rel=0.1)
            for wrong in (-1, math.nan, "1", None, True):
                with pytest.raises(BadArgumentError, match="timeout="):
                    output.acquire(timeout=wrong)
        assert output.report.played_sha256 == sha(data)
        assert output.report.complete


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize("when", ["before", "started", "waiting"])
def test_an_exception_inside_stops_at_once(sg, when):
    board = both_ways(sg=sg, fifo=4 * KIB)
    with leaving_nothing(board):
        began = board.bus.time()
        output = stream(board, rate=1e6, block_samples=16_000)
        block = output.acquire()
        output.submit(block)
        held = output.acquire()
        if when == "started":
            output.start()
        if when == "waiting":
            submit(output, samples(16_000))
            submit(output, samples(16_000))
            submit(output, samples(16_000))
        with pytest.raises(ZeroDivisionError), output:
            raise ZeroDivisionError
        # at once: at the end of the block under way at the latest
        assert board.bus.time() - began < 0.05
        for array in (block, held):
            with pytest.raises(BlockError):
                array[0] = 1
        with pytest.raises(BlockError):
            output.submit(held)
        with pytest.raises(BlockError):
            output.finish()
        with pytest.raises(BlockError, match="has not ended"):
            _ = output.report
        output.cancel()
        works(board)


@pytest.mark.parametrize("sg", ENGINES)
def test_closing_the_board_meanwhile(sg):
    for how in ("acquire", "submit", "finish", "cancel", "leave"):
        board = both_ways(sg=sg)
        before = used(board)
        output = stream(board, rate=1e6)
        for _ in range(3):
            submit(output, samples(1600))
        block = output.acquire()
        output.start()
        board.close()
        use = {
            "submit": lambda output=output, block=block: output.submit(block),
            "acquire": output.acquire,
            "finish": output.finish,
            "leave": lambda output=output: output.__exit__(None),
            "cancel": output.cancel,
        }[how]
        with pytest.raises((BoardClosedError, JobCancelledError)):
            use()
        with pytest.raises(GaplessError):
            output.acquire()
        if how in ("acquire", "submit"):  # outside a with block
            with suppress(BoardClosedError):
                output.cancel()
        with pytest.raises(BlockError):
            block[0] = 1
        assert used(board) == before, how


def test_closing_the_board_from_another_thread():
    board = both_ways()
    before = used(board)
    begun = threading.Event()

    def close():
        begun.wait()
        board.close()

    closer = threading.Thread(target=close)
    closer.start()

    def parts():
        for number in range(1_000_000_000):
            yield samples(1600)
            if number == 10:
                begun.set()

    with pytest.raises((BoardClosedError, JobCancelledError)):
        submit_all(stream(board), parts())
    closer.join()
    assert used(board) == before


@pytest.mark.parametrize("sg", ENGINES)
def test_ctrl_c_leaves_everything_usable(sg):
    def ctrl_c(*_):
        signal.raise_signal(signal.SIGINT)

    def parts():
        yield from [samples(1600)] * 20
        ctrl_c()
        yield samples(1600)

    board = both_ways(sg=sg)
    with leaving_nothing(board):
        with pytest.raises(KeyboardInterrupt):
            board.dac(0).play(CounterSource(), samples=9e14, rate=1e9, memory="low", stream=True, progress=ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            submit_all(stream(board), parts())
        works(board)


# ---- wrong use


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"block_samples": 0}, BadArgumentError, "block_samples=0: it is a whole number, at least 1"),
        ({"block_samples": -16}, BadArgumentError, "block_samples=-16"),
        ({"block_samples": 1.5}, BadArgumentError, "block_samples=1.5"),
        ({"block_samples": "16"}, BadArgumentError, "block_samples='16'"),
        ({"block_samples": math.nan}, BadArgumentError, "block_samples=nan"),
        ({"block_samples": 1601}, BadArgumentError, "block_samples=1601: .* a multiple of 16 samples, at most 4064"),
        ({"block_samples": 4080}, BadArgumentError, "block_samples=4080: .* at most 4064"),
        ({"blocks": 1}, BadArgumentError, r"blocks=1: a stream has 2 .* to 512"),
        ({"blocks": 0}, BadArgumentError, "blocks=0: it is a whole number, at least 1"),
        ({"blocks": 1000}, BadArgumentError, "blocks=1000: .* to 512"),
        ({"channels": 3}, BadArgumentError, r"dac0: 3 channels asked; this design plays 1 \(dac0\)"),
        ({"channels": 0}, BadArgumentError, "channels=0"),
        ({"engine": "cyclic"}, BadArgumentError, r"engine cyclic repeats .* use loop\(\)"),
        ({"engine": "direct"}, BadArgumentError, "this design has sg, cyclic"),
        ({"engine": "warp"}, UnknownNameError, "no engine 'warp'"),
        ({"memory": "dram"}, UnknownNameError, "no memory 'dram'"),
        ({"rate": 0}, BadArgumentError, "above 0"),
        ({"rate": 3e9, "force": False}, RateError, r"HP0.* gives 4.80 GB/s"),
        # between blocks the engine takes its time, also where no end is known
        ({"rate": 2.3e9, "block_samples": 16, "force": False}, RateError, "blocks"),
        ({"rate": 9e9, "force": True}, RateError, "dac0 converts at most 8 GSa/s"),
        ({"software_delay": -1}, BadArgumentError, "software delay"),
        ({"software_delay": math.nan}, BadArgumentError, "software delay"),
        ({"realtime": -1}, BadArgumentError, "realtime=-1: a SCHED_FIFO priority is 1 to 99"),
        ({"realtime": 100}, BadArgumentError, "realtime=100"),
        ({"realtime": 1.5}, BadArgumentError, "realtime=1.5"),
        ({"realtime": "high"}, BadArgumentError, "realtime='high'"),
        ({"cpu": -1}, BadArgumentError, "cpu=-1: it is the number of a CPU"),
        ({"cpu": 1 << 20}, BadArgumentError, "cpu=1048576"),
        ({"cpu": 0.0}, BadArgumentError, "cpu=0.0"),
        ({"memory": "low", "address": 0}, GaplessError, "outside the pool"),
    ],
)
def test_wrong_arguments_are_one_clear_error_each(options, kind, words):
    board = both_ways(length_width=13)
    with leaving_nothing(board):
        with pytest.raises(kind, match=words):
            stream(board, **options)
        works(board)


def test_no_room_for_the_blocks():
    board = both_ways()
    with board.memory["low"].allocate(510 * MIB, np.uint8), leaving_nothing(board):
        with pytest.raises(AllocationError, match=r"asked 3\.91 MiB in low: largest free block"):
            stream(board, block_samples=16_000, blocks=128)
        works(board)


def test_what_is_no_block_of_the_stream_is_refused():
    board = both_ways()
    data = samples(1600 * 3)
    with leaving_nothing(board):
        other = stream(both_ways())
        foreign = board.memory["low"].allocate(1600, np.int16)
        with stream(board, sha256=True) as output:
            first, second = output.acquire(), output.acquire()
            first[:], second[:] = data[:1600], data[1600:3200]
            for wrong in (foreign, first[:800], first[:], first.reshape(40, 40), other.acquire()):
                with pytest.raises(BlockError, match="is not a block as dac0's stream handed it out; acquire"):
                    output.submit(wrong)
            for wrong in (np.asarray(first), np.zeros(1600, np.int16), None, 5):
                with pytest.raises(BlockError, match="is not a block"):
                    output.submit(wrong)
            for count, words in ((0, "at least 1"), (-1, "at least 1"), (1601, "has 1600"), (1.5, "whole number")):
                with pytest.raises(BadArgumentError, match=words):
                    output.submit(first, count)
            for wrong in ("3", True, math.nan):
                with pytest.raises(BadArgumentError, match="samples="):
                    output.submit(first, wrong)
            with pytest.raises(BufferUseError, match="is lent"):
                first.free()
            output.submit(first, 1600.0)
            for again in (first, second):  # what was submitted is no block any more
                if again is second:
                    output.submit(second)
                with pytest.raises(BlockError, match=r"block \d of dac0's stream was submitted.*acquire\(\) gives"):
                    output.submit(again)
            submit(output, data[3200:])
        assert output.report.played_sha256 == sha(data)
        foreign.free()
        other.cancel()


def test_a_submitted_block_is_of_no_use_whatever_is_tried():
    board = both_ways()
    with leaving_nothing(board), stream(board, sha256=True) as output:
        block = output.acquire()
        block[:] = 7
        view = block[100:200]
        output.submit(block)
        for array in (block, view):
            for use in (
                lambda array: array[0],
                lambda array: array.__setitem__(0, 1),
                lambda array: array[1:3] + 1,
                lambda array: np.sum(array),
                lambda array: np.add(array, 1, out=array),
                lambda array: np.copyto(array, 1),
                lambda array: array.fill(0),
                lambda array: np.multiply(array, 2),
                lambda array: array.physical_address,
                lambda array: memoryview(array),
                lambda array: list(array),
                lambda array: array.copy(),
            ):
                with pytest.raises(BlockError, match="was submitted: it belongs to the DMA engine now"):
                    use(array)
        output.finish()
        assert output.report.played_sha256 == sha(np.full(1600, 7))
        del array, view  # any view keeps the memory


def test_all_blocks_acquired_and_one_more():
    board = both_ways()
    with leaving_nothing(board), stream(board, blocks=3, sha256=True) as output:
        blocks = [output.acquire() for _ in range(3)]
        assert len({block.physical_address for block in blocks}) == 3
        with pytest.raises(BlockError, match="all 3 blocks are yours: submit one first"):
            output.acquire()
        for number in (2, 0, 1):
            blocks[number][:] = number
            output.submit(blocks[number])
        output.finish()
        assert output.report.played_sha256 == sha(np.repeat([2, 0, 1], 1600))


def test_nothing_follows_the_end():
    board = both_ways()
    with leaving_nothing(board):
        with stream(board, sha256=True) as output:
            held = output.acquire()
            submit(output, np.arange(1599))
            for use in (lambda: output.submit(held), output.acquire):
                with pytest.raises(BlockError, match="of 1599 samples, ends inside a 16-sample word: it is the last"):
                    use()
        assert output.report.complete
        assert output.report.played_sha256 == sha(np.arange(1599))
        for use in (lambda: output.submit(held), output.acquire):
            with pytest.raises(BlockError):
                use()
        assert output.finish() is output.report
        output.cancel()
        with output:
            pass


def test_a_dac_that_streams_is_taken():
    board = both_ways()
    with leaving_nothing(board), stream(board) as output:
        for begin in (
            lambda: stream(board),
            lambda: board.dac(0).play(samples(100), rate=1e9, memory="low"),
            lambda: board.dac(0).loop(samples(100), rate=1e9, memory="low"),
        ):
            with pytest.raises(DmaStateError, match="dac0 is playing"):
                begin()
        submit(output, samples(1600))
        output.finish()
        works(board)


def test_what_the_system_refuses_of_the_scheduling_is_reported():
    board = both_ways()
    with leaving_nothing(board):
        with stream(board, cpu=1023) as output:  # few machines have that one
            submit(output, samples(1600))
        assert output.report.queue.refused.startswith("CPU 1023: ")
        assert output.report.as_dict()["queue"]["scheduling_refused"] == output.report.queue.refused
        assert output.report.complete


def test_closed_streams_that_are_still_referred_to_take_nothing():
    board = both_ways()
    with leaving_nothing(board):
        kept = []
        for number in range(70):
            with stream(board) as output:
                submit(output, samples(1600))
                kept.append(output)
            with board.adc(0).stream(rate=1e8, memory="low", block_samples=1600, blocks=2) as incoming:
                kept.append(incoming)
                assert incoming.acquire().index == 0, number
