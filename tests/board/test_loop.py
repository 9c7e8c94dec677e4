"""A waveform that is played round and round: whole periods only, in the order asked, none twice by mistake."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import KIB, MIB, both_ways, leaving_nothing, samples, sha, used
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gapless
from gapless.errors import (
    BadArgumentError,
    BlockError,
    DmaSlaveError,
    DmaStateError,
    SignalError,
    WaitTimeoutError,
)


def loop(board, waveform, **options):
    return board.dac(0).loop(waveform, **{"rate": 1e9, "memory": "low", **options})


def periods(played, waveforms):
    """How often each waveform was played, one after the other; fails where it is not in whole periods."""
    at, counts = 0, []
    for number, wave in enumerate(waveforms):
        left = played[at:]
        differs = np.flatnonzero(left != np.resize(wave, len(left)))
        count = (int(differs[0]) if len(differs) else len(left)) // len(wave)
        if number + 1 < len(waveforms):
            # The next one may begin as this one does.
            after = waveforms[number + 1]
            while count and not np.array_equal(left[count * len(wave) :][: len(after)], after):
                count -= 1
        at += count * len(wave)
        counts.append(count)
    assert at == len(played)
    return counts


class Tap:
    """All that the DAC converted."""

    def __init__(self, board):
        self._board, self._bytes = board, bytearray()
        board.probe.tap(0, self._bytes.extend)

    @property
    def played(self):
        self._board.probe.flush(0)
        return np.frombuffer(bytes(self._bytes), "<i2")


@example(length_width=26, lengths=[156609], pauses=[0.0] * 4, rate=50e6, fifo=4 * KIB)  # 0.1 s until it has ended
@settings(max_examples=40)
@given(
    length_width=st.sampled_from([14, 16, 26]),
    lengths=st.lists(st.one_of(st.integers(1, 100), st.integers(101, 200_000)), min_size=1, max_size=4),
    pauses=st.lists(st.floats(0, 2e-4), min_size=4, max_size=4),
    rate=st.sampled_from([50e6, 1e9, 2e9]),
    fifo=st.sampled_from([4 * KIB, 64 * KIB]),
)
def test_whole_periods_in_order(length_width, lengths, pauses, rate, fifo):
    """Rings of one descriptor and of many, which pass faster than software looks."""
    board = both_ways(length_width=length_width, fifo=fifo)
    tap = Tap(board)
    waves = [samples(length, number) for number, length in enumerate(lengths)]
    with leaving_nothing(board):
        with loop(board, waves[0], rate=rate, force=True) as running:
            for wave, pause in zip(waves[1:], pauses, strict=False):
                board.bus.sleep(pause)
                running.switch(wave)
            board.bus.sleep(pauses[-1])
        report = running.report
        assert all(count >= 1 for count in periods(tap.played, waves))
        assert report.samples_played == report.samples_requested == len(tap.played)
        assert report.transfers == len(waves)
        assert running.stop() is report
        running.cancel()


def test_what_is_seen_over_the_wire_has_no_gap():
    board = both_ways(fifo=64 * KIB)
    board.probe.connect(0, "dac0")
    first, second, third = samples(1001, 1), samples(7777, 2), samples(3, 3)
    with leaving_nothing(board):
        recording = board.adc(0).start(3_000_000, rate=1e9, memory="low")
        with loop(board, first, sha256=True, head=12) as running:
            board.bus.sleep(50e-6)
            running.switch(second)
            running.switch(third)  # right after
            board.bus.sleep(4e-3)
        capture = recording.wait()
        report = running.report
        assert report.ledger.complete
        assert capture.complete
        got = np.asarray(capture.samples)[: min(3_000_000, report.samples_played)]
        head = got[: len(got) // 3 * 3]
        at = int(np.flatnonzero((head[:-2] == second[0]) & (head[1:-1] == second[1]) & (head[2:] == second[2]))[0])
        assert at % 1001 == 0
        assert np.array_equal(got[:at], np.resize(first, at))
        end = at
        while np.array_equal(got[end : end + 7777], second):
            end += 7777
        assert end > at
        assert np.array_equal(got[end:], np.resize(third, len(got) - end))
        assert np.array_equal(report.head, first[:12])
        whole = np.concatenate([got[:end], np.resize(third, report.samples_played - end)])
        assert report.played_sha256 == sha(whole)
        assert (report.samples_played - end) % 3 == 0
        del got, head
        capture.samples.free()


def test_it_plays_for_as_long_as_it_is_left_to():
    board = both_ways()
    with leaving_nothing(board), loop(board, samples(4000), rate=1e8) as running:
        board.bus.sleep(0.5)
        assert board.dac(0).monitor.samples == pytest.approx(5e7, rel=1e-3)
        running.check()
        with pytest.raises(BlockError, match="has not ended"):
            _ = running.report


def test_the_memory_of_the_earlier_waveform_is_given_back_by_a_switch():
    board = both_ways()
    low = board.memory["low"]
    with leaving_nothing(board):
        with loop(board, samples(MIB)) as running:
            one = used(board)["low"]
            for number in range(20):
                running.switch(samples(MIB, number))
                assert used(board)["low"] == one
            # as much as there is room for twice, but not three times
            with low.allocate(low.stats().largest_free - 3 * MIB, np.uint8):
                for number in range(3):
                    running.switch(samples(MIB, number))
                    assert board.findings == ()
        assert running.report.ledger.complete


def test_floats_and_what_is_no_waveform():
    board = both_ways()
    with leaving_nothing(board):
        for wrong, words in (
            ([], "no samples"),
            ([2.0], "largest magnitude"),
            (np.zeros((2, 2)), "shape"),
            (np.zeros(3, np.int32), "int32"),
            ("noise", "dtype"),
        ):
            with pytest.raises(SignalError, match=words):
                loop(board, wrong)
        with loop(board, [0.5, -1.0], sha256=True) as running:
            for wrong in ([], [2.0], np.zeros(3, np.int32)):
                with pytest.raises(SignalError):
                    running.switch(wrong)
            with pytest.raises(gapless.errors.AllocationError):
                running.switch(np.zeros(400 * MIB, np.int16))
        assert running.report.ledger.complete
        assert running.report.played_sha256 == sha(np.resize([16384, -32767], running.report.samples_played))
        for options, kind in (
            ({"rate": 0}, BadArgumentError),
            ({"memory": "dram"}, BadArgumentError),
            ({"rate": 3e9}, gapless.errors.RateError),
        ):
            with pytest.raises(kind):
                loop(board, samples(10), **options)
        with pytest.raises(BadArgumentError, match="this design has direct"):
            loop(both_ways(sg=False), samples(10))


def test_after_its_end_nothing_can_be_switched():
    board = both_ways()
    with leaving_nothing(board):
        with loop(board, samples(100)) as running:
            with pytest.raises(DmaStateError, match="dac0 is playing"):
                loop(board, samples(100))
            assert running.stop().ledger.complete
        for use in (lambda: running.switch(samples(10)),):
            with pytest.raises(BlockError, match="dac0's loop has ended"):
                use()
        with pytest.raises(ZeroDivisionError), loop(board, samples(100)) as running:
            raise ZeroDivisionError
        with pytest.raises(BlockError):
            running.stop()
        with pytest.raises(BlockError):
            _ = running.report


def test_an_engine_that_fails():
    board = both_ways()
    engine = board.dma("dma")

    def run(fault):
        with loop(board, samples(100_000)) as running:
            board.bus.sleep(1e-4)
            fault()
            board.bus.sleep(1e-3)
            with pytest.raises(DmaSlaveError):
                running.check()
            running.switch(samples(5000))

    with leaving_nothing(board):
        low = board.memory["low"]
        with pytest.raises(DmaSlaveError):
            run(lambda: board.probe.faults.slave_error(low.base, 64 * MIB))
        engine.recover(engine.mm2s)
        board.probe.faults.clear_slave_errors()

        def stall():
            with loop(board, samples(100_000)) as running:
                board.probe.faults.stall("dma", "mm2s")
                running.switch(samples(5000))

        with pytest.raises(WaitTimeoutError):
            stall()
        board.probe.faults.stall("dma", "mm2s", False)
        with loop(board, samples(100_000)) as running:
            pass
        assert running.report.ledger.complete


def test_closing_the_board_meanwhile():
    board = both_ways()
    before = used(board)
    running = loop(board, samples(1000))
    board.close()
    with pytest.raises(gapless.errors.GaplessError):
        running.stop()
    assert used(board) == before
