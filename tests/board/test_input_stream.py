"""Endless input: every block is where the counter says, and nothing that was received is ever overwritten."""

from __future__ import annotations

import math
import signal
import threading

import numpy as np
import pytest
from driver_designs import KIB, MIB, both_ways, counter, in_step, leaving_nothing, samples, used
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.errors import (
    BadArgumentError,
    BlockError,
    BoardClosedError,
    BufferUseError,
    DmaSlaveError,
    DmaStateError,
    GaplessError,
    JobCancelledError,
    WaitTimeoutError,
)

ENGINES = [True, False]


def stream(board, **options):
    return board.adc(0).stream(
        **{"rate": 1e9, "memory": "low", "block_samples": 1600, "blocks": 4, "force": True, **options}
    )


def seen(block):
    """Index and gaps of a block, as the counter itself tells them: its low 16 bits, so all but whole turns of it."""
    values = np.asarray(block.samples).astype(np.int64) % 65536
    steps = np.diff(values) % 65536
    gaps, lost = [], 0
    for at in np.flatnonzero(steps != 1):
        gaps.append(((int(values[0]) + int(at) + 1 + lost) % 65536, int(steps[at]) - 1))
        lost += int(steps[at]) - 1
    return int(values[0]), gaps


def check(block, expected_samples=None):
    """The block says of itself what its samples say."""
    first, gaps = seen(block)
    assert block.index % 65536 == first
    assert [(gap.index % 65536, gap.length % 65536) for gap in block.gaps] == gaps
    if expected_samples is not None:
        assert len(block.samples) == expected_samples


def follow(blocks):
    """The gaps of a whole capture from its blocks: (index, length, samples) of each, which may not overlap."""
    end, gaps = 0, []
    for index, length, inside in blocks:
        if index > end:
            gaps.append((end, index - end))
        assert index >= end
        gaps += [(gap.index, gap.length) for gap in inside]
        end = index + length + sum(gap.length for gap in inside)
    return gaps, end


@pytest.mark.parametrize("engine", ["sg", "direct"])
@pytest.mark.parametrize("count", [1, 8, 4096, 4097, 40_960, 2_000_000, 2_000_003])
def test_every_sample_up_to_an_end(engine, count):
    with gapless.open("virtual:zcu111") as board, leaving_nothing(board):
        got, kept = 0, []
        with board.adc(0).stream(rate=1e9, samples=count, block_samples=4096, blocks=5, engine=engine) as incoming:
            for block in incoming:
                assert block.index == got
                assert block.gaps == ()
                assert block.samples.dtype == np.int16
                assert len(block.samples) == min(4096, count - got)
                assert np.array_equal(block.samples, counter(len(block.samples), got))
                kept.append(block)
                got += len(block.samples)
        assert got == count
        for block in kept:
            with pytest.raises(BlockError):
                block.samples[0]
        report = incoming.report
        assert report.complete
        assert report.samples_requested == report.samples_recorded == count
        assert report.transfers == math.ceil(count / 4096)
        assert report.descriptors == (report.transfers if engine == "sg" else 0)
        assert (report.engine, report.ledger.ended, report.ledger.direction) == (engine, "complete", "adc")
        assert report.ledger.rate == 1e9
        assert incoming.stop() is report


@settings(max_examples=40)
@given(
    sg=st.booleans(),
    fifo=st.sampled_from([4 * KIB, 64 * KIB]),
    beats=st.integers(8, 400),
    blocks=st.integers(2, 5),
    rate=st.sampled_from([10e6, 100e6, 1e9]),
    sleeps=st.lists(st.one_of(st.just(0.0), st.floats(0, 30)), min_size=1, max_size=12),
    limited=st.booleans(),
)
def test_index_and_gaps_agree_with_the_samples(sg, fifo, beats, blocks, rate, sleeps, limited):
    """A consumer that sleeps for so many blocks' durations now and then."""
    board = both_ways(sg=sg, fifo=fifo)
    size = beats * 8
    count = len(sleeps) * size - 3 if limited else None
    found = []
    with leaving_nothing(board):
        with stream(board, rate=rate, block_samples=size, blocks=blocks, samples=count, force=True) as incoming:
            for number, sleep in enumerate(sleeps):
                block = incoming.acquire()
                check(block, size - 3 if limited and number + 1 == len(sleeps) else size)
                before = block.copy()
                board.bus.sleep(sleep * size / rate)
                assert np.array_equal(before, block.samples)  # nothing was written over it meanwhile
                found.append((block.index, len(block.samples), block.gaps))
                incoming.release(block)
            if limited:
                assert incoming.acquire() is None
                assert incoming.acquire() is None
        ledger = incoming.report.ledger
        gaps, end = follow(found)
        assert [(gap.index, gap.length) for gap in ledger.gaps] == gaps
        assert ledger.samples == sum(length for _, length, _ in found)
        assert ledger.missing_samples == end - ledger.samples
        assert incoming.report.complete == (not gaps)
        assert all("overrun" in gap.cause for gap in ledger.gaps)


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize(("fifo", "blocks", "rate"), [(4 * KIB, 2, 1e8), (64 * KIB, 4, 1e9), (64 * KIB, 3, 2e8)])
def test_a_slow_consumer_loses_what_arithmetic_says_and_carries_on(sg, fifo, blocks, rate):
    board = both_ways(sg=sg, fifo=fifo)
    size, slept = 16_000, 1e-3
    with leaving_nothing(board), stream(board, rate=rate, block_samples=size, blocks=blocks) as incoming:
        got = []
        for number in range(3 * blocks):
            block = incoming.acquire()
            if number == 2:
                began = board.bus.time()
                board.bus.sleep(slept)
            check(block, size)
            got.append((block.index, size, block.gaps))
            incoming.release(block)
        gaps, _ = follow(got)
        # Since the capture began: all the blocks but the one that was held, and the FIFO behind them, are full.
        held = (2 + blocks) * size + fifo // 2
        assert began * rate < held
        ((index, length),) = gaps
        # Beside one burst, which the engine may have on its way.
        assert index == pytest.approx(held, abs=2048 + 64)
        # Time begins when the first sample does, but for the register accesses before.
        assert index + length == pytest.approx((began + slept) * rate, abs=5e-6 * rate + 2048 + 64)
        assert incoming.stop().ledger.counters.late_events == 1
        assert incoming.report.ledger.counters.queue_low_water == 0
        assert incoming.report.ledger.counters.queue_high_water == blocks


def test_a_fast_consumer_is_never_late():
    board = both_ways()
    with leaving_nothing(board), stream(board, block_samples=32_000, blocks=3) as incoming:
        for number, block in enumerate(incoming):
            assert np.array_equal(block.samples, counter(32_000, 32_000 * number))
            if number == 300:
                break
        counters = incoming.stop().ledger.counters
        assert (counters.queue_low_water, counters.queue_high_water, counters.late_events) == (2, 3, 0)
        record = incoming.report.as_dict()
        assert record["queue"]["late_events"] == 0
        assert record["samples_recorded"] == 301 * 32_000
        assert record["samples_requested"] is None


@pytest.mark.parametrize("sg", ENGINES)
def test_two_channels(sg):
    board = in_step(sg=sg, fifo=4 * KIB)
    board.probe.connect(0, "counter")
    wave = samples(997)
    board.probe.connect(1, wave)
    with leaving_nothing(board):
        with stream(board, rate=1e8, channels=2, samples=20_005) as incoming:
            got = [block.copy() for block in incoming]
        assert [part.shape for part in got] == [(1600, 2)] * 12 + [(805, 2)]
        both = np.concatenate(got)
        assert np.array_equal(both[:, 0], counter(20_005))
        assert np.array_equal(both[:, 1], np.resize(wave, 20_005))
        assert incoming.report.complete
        assert incoming.report.channels == 2
        # and late
        with stream(board, rate=1e8, channels=2) as incoming:
            for number in range(12):
                block = incoming.acquire()
                index = block.index
                assert np.asarray(block.samples)[0, 0] == counter(1, index)[0]
                assert np.asarray(block.samples)[0, 1] == wave[index % 997]
                last = index + 1599 + sum(gap.length for gap in block.gaps)
                assert np.asarray(block.samples)[-1, 0] == counter(1, last)[0]
                assert np.asarray(block.samples)[-1, 1] == wave[last % 997]
                if number == 3:
                    board.bus.sleep(1e-3)
                incoming.release(block)
        assert incoming.report.ledger.gap_count == 1


@pytest.mark.parametrize("sg", ENGINES)
def test_several_blocks_at_a_time_given_back_in_any_order(sg):
    board = both_ways(sg=sg, fifo=64 * KIB)
    with leaving_nothing(board), stream(board, blocks=6) as incoming:
        at = 0
        for order in ([3, 1, 0, 2], [0, 1, 2, 3], [2, 3, 1, 0], [3, 2, 1, 0]):
            taken = [incoming.acquire() for _ in range(4)]
            assert [block.index for block in taken] == [at + 1600 * n for n in range(4)]
            for n in order:
                assert np.array_equal(taken[n].samples, counter(1600, at + 1600 * n))
                incoming.release(taken[n])
            at += 4 * 1600
        taken = [incoming.acquire() for _ in range(6)]
        with pytest.raises(BlockError, match="all 6 blocks are yours: release one first"):
            incoming.acquire()
        for block in taken:
            check(block, 1600)


def test_what_is_no_block_of_the_stream_is_refused():
    board = both_ways()
    with leaving_nothing(board):
        with stream(board) as incoming, stream(both_ways()) as other:
            block = incoming.acquire()
            with pytest.raises(BlockError, match="is not a block as adc0's stream handed it out; acquire"):
                incoming.release(other.acquire())
            with pytest.raises(BufferUseError, match="is lent"):
                block.samples.free()
            kept = block.copy()
            incoming.release(block)
            assert np.array_equal(kept, counter(1600))
            with pytest.raises(BlockError, match=r"block 0 of adc0's stream was released: .*acquire\(\) gives"):
                incoming.release(block)
            for use in (block.copy, lambda: block.samples[3], lambda: np.sum(block.samples)):
                with pytest.raises(BlockError, match="was released"):
                    use()
            with pytest.raises(BlockError, match="has not ended"):
                _ = incoming.report
            last = incoming.acquire()
        for use in (incoming.acquire, lambda: incoming.release(last), last.copy):
            with pytest.raises(BlockError):
                use()
        assert incoming.report.samples_recorded == 3200


@pytest.mark.parametrize("sg", ENGINES)
def test_leaving_the_loop_early(sg):
    board = both_ways(sg=sg)
    with leaving_nothing(board):
        for samples_asked in (None, 160_000):
            with stream(board, samples=samples_asked) as incoming:
                for block in incoming:
                    if block.index == 3200:
                        break
            report = incoming.report
            assert report.samples_recorded == 4800
            assert report.ledger.complete
            assert report.complete == (samples_asked is None)
            assert report.ledger.ended == ("complete" if samples_asked is None else "interrupted")
        with pytest.raises(ZeroDivisionError), stream(board) as incoming:
            raise ZeroDivisionError
        assert incoming.report.samples_recorded == 0


@pytest.mark.parametrize("sg", ENGINES)
def test_what_was_received_and_not_handed_out_is_not_in_the_ledger(sg):
    """The engine has come to the end of the capture, with losses, when the user leaves."""
    board = both_ways(sg=sg, fifo=4 * KIB)
    with leaving_nothing(board):
        with stream(board, samples=1600 * 7, rate=1e8) as incoming:
            for number in range(5):
                block = incoming.acquire()
                if number == 3:
                    board.bus.sleep(1e-3)
                    lost = True
                incoming.release(block)
            board.bus.sleep(1e-3)
        ledger = incoming.report.ledger
        assert lost
        assert (ledger.samples, ledger.gap_count, ledger.ended) == (8000, 0, "interrupted")
        assert not incoming.report.complete


@pytest.mark.parametrize("sg", ENGINES)
def test_a_dma_error_is_raised_after_what_was_received_before(sg):
    board = both_ways(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    address = low.base + MIB
    board.probe.faults.slave_error(address + 2 * 3200, 64)
    with leaving_nothing(board):
        got = []
        with pytest.raises(DmaSlaveError) as info, stream(board, address=address) as incoming:
            got.extend(block.index for block in incoming)
        assert got == [0, 1600]
        assert info.value.address == address + 2 * 3200
        with pytest.raises(BlockError, match="has ended"):
            incoming.acquire()
        with pytest.raises(DmaStateError, match="recover"):
            stream(board)
        engine.recover(engine.s2mm)
        board.probe.faults.clear_slave_errors()
        with stream(board, address=address, samples=8000) as incoming:
            assert [block.index for block in incoming] == list(range(0, 8000, 1600))


@pytest.mark.parametrize("sg", ENGINES)
def test_waiting_for_a_block(sg):
    board = both_ways(sg=sg)
    with leaving_nothing(board), stream(board, rate=1e6, block_samples=16_000, blocks=2) as incoming:
        began = board.bus.time()
        with pytest.raises(WaitTimeoutError, match="no block was filled within 1 ms"):
            incoming.acquire(timeout=1e-3)
        assert board.bus.time() - began == pytest.approx(1e-3, rel=0.01)
        with pytest.raises(WaitTimeoutError):
            incoming.acquire(timeout=0)
        assert board.bus.time() - began == pytest.approx(1e-3, rel=0.01)
        block = incoming.acquire(timeout=16e-3)
        assert np.array_equal(block.samples, counter(16_000))
        assert board.bus.time() - began == pytest.approx(16e-3, rel=0.01)
        for wrong in (-1, math.nan, "1", None):
            with pytest.raises(BadArgumentError, match="timeout="):
                incoming.acquire(timeout=wrong)


@pytest.mark.parametrize("sg", ENGINES)
def test_no_data_times_out(sg):
    board = both_ways(sg=sg)
    board.probe.connect(0, "dac0")  # which never starts
    with leaving_nothing(board):
        with (
            pytest.raises(WaitTimeoutError, match="the stream has stood still"),
            stream(board, timeout=0.2) as incoming,
        ):
            incoming.acquire()
        board.probe.connect(0, "counter")
        with stream(board, samples=100) as incoming:
            assert len(incoming.acquire().samples) == 100


@pytest.mark.parametrize("sg", ENGINES)
def test_an_echo(sg):
    """What comes in goes out, and back in over the wire: each block is the one of some rounds before."""
    board = both_ways(sg=sg, fifo=64 * KIB)
    board.probe.connect(0, "dac0")
    size, first = 1600, samples(1600 * 3, 6)
    with leaving_nothing(board):
        received = []
        with (
            stream(board, rate=1e8, blocks=4) as incoming,
            board.dac(0).stream(rate=1e8, memory="low", block_samples=size, blocks=3, sha256=True) as output,
        ):
            sent = []
            for part in first.reshape(3, size):
                block = output.acquire()
                block[:] = part
                output.submit(block)
                sent.append(part)
            for _ in range(40):
                came = incoming.acquire()
                assert came.index == len(received) * size
                received.append(came.copy())
                block = output.acquire()
                np.add(came.samples, 1, out=np.asarray(block))
                sent.append(np.array(block))
                output.submit(block)
                incoming.release(came)
        assert output.report.complete
        assert incoming.report.complete
        # Sample n of the DAC is sample n of the ADC.
        for round_, block in enumerate(received):
            expected = first.reshape(3, size)[round_ % 3] + np.int16(round_ // 3)
            assert np.array_equal(block, expected), round_


def test_wrong_arguments_are_one_clear_error_each():
    board = both_ways(length_width=13)
    with leaving_nothing(board):
        for options, words in (
            ({"block_samples": 0}, "block_samples=0"),
            ({"block_samples": 1601}, "block_samples=1601: .* a multiple of 8 samples, at most 4064"),
            ({"block_samples": 8192}, "block_samples=8192"),
            ({"blocks": 1}, "blocks=1"),
            ({"blocks": 513}, "blocks=513"),
            ({"channels": 2}, "channels asked"),
            ({"engine": "cyclic"}, "records for ever"),
            ({"samples": 0}, "samples=0"),
            ({"samples": 1.5}, "samples=1.5"),
            ({"rate": 0}, "above 0"),
            ({"software_delay": -1}, "software delay"),
            ({"timeout": math.nan}, "timeout="),
            ({"timeout": math.inf}, "timeout="),
            ({"realtime": 1.5}, "realtime=1.5"),
            ({"cpu": True}, "cpu=True"),
            # between blocks the engine takes its time, also where no end is known
            ({"rate": 1e9, "block_samples": 16, "force": False}, "in blocks of 32 B"),
        ):
            with pytest.raises(BadArgumentError, match=words):
                stream(board, **options)
        with stream(board) as incoming:
            with pytest.raises(DmaStateError, match="adc0 is recording"):
                stream(board)
            assert incoming.acquire().index == 0


@pytest.mark.parametrize("sg", ENGINES)
def test_closing_the_board_meanwhile(sg):
    for how in ("acquire", "stop", "leave"):
        board = both_ways(sg=sg)
        before = used(board)
        incoming = stream(board)
        block = incoming.acquire()
        board.close()
        use = {"acquire": incoming.acquire, "stop": incoming.stop, "leave": lambda i=incoming: i.__exit__(None)}[how]
        with pytest.raises((BoardClosedError, JobCancelledError)):
            use()
        with pytest.raises(GaplessError):
            incoming.stop()
        with pytest.raises(BlockError):
            block.copy()
        assert used(board) == before, how


def test_closing_the_board_from_another_thread():
    board = both_ways()
    before = used(board)
    begun = threading.Event()
    closer = threading.Thread(target=lambda: begun.wait() and board.close())
    closer.start()

    def consume():
        with stream(board) as incoming:
            for block in incoming:
                if block.index > 100_000:
                    begun.set()

    with pytest.raises((BoardClosedError, JobCancelledError)):
        consume()
    closer.join()
    assert used(board) == before


def test_ctrl_c_leaves_everything_usable():
    board = both_ways()

    def consume():
        with stream(board) as incoming:
            for block in incoming:
                check(block)
                if block.index > 30_000:
                    signal.raise_signal(signal.SIGINT)

    with leaving_nothing(board):
        with pytest.raises(KeyboardInterrupt):
            consume()
        with stream(board, samples=5000) as incoming:
            assert sum(len(block.samples) for block in incoming) == 5000


@pytest.mark.parametrize("sg", ENGINES)
def test_leaving_early_still_tells_what_the_engine_stopped_with(sg):
    board = both_ways(sg=sg)
    address, engine = board.memory["low"].base + MIB, board.adc(0).choose_engine("auto")[1]
    board.probe.faults.slave_error(address + 2 * 3200, 64)  # in the third block of the ring

    def look_and_leave(by=None):
        with stream(board, address=address) as incoming:
            streams.append(incoming)
            incoming.release(incoming.acquire())
            board.bus.sleep(1e-3)  # long after the engine has come to the third
            if by is not None:
                raise by

    streams = []
    with leaving_nothing(board):
        with pytest.raises(DmaSlaveError):
            look_and_leave()
        assert streams[0].report.ledger.ended.startswith("failed: ")
        engine.recover(engine.s2mm)
        with pytest.raises(KeyError):  # what went wrong first is what is told
            look_and_leave(KeyError())
        engine.recover(engine.s2mm)
