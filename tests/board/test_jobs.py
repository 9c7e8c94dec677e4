"""The native loops: more pieces than descriptors, plans that are cut, progress."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from driver_designs import both_ways, looped, samples, two_dmas
from hypothesis import given
from hypothesis import strategies as st

from gapless._native import Plan
from gapless.dma import split
from gapless.dma.channel import RING_DESCRIPTORS


def rows(count):
    return np.array([[64 * n, 64] for n in range(count)], dtype=np.uint64).reshape(-1, 2)


@given(st.integers(0, 5), st.integers(0, 7), st.integers(0, 4), st.lists(st.integers(0, 9), max_size=4))
def test_what_is_left_of_a_plan(length, repeat, rest, steps):
    plan = Plan(rows(length), repeat, rows(rest), False)
    left = length * repeat + rest
    assert plan.size == left
    for step in steps:
        plan = plan.after(step)
        left = max(0, left - step)
        assert plan.size == left


def test_a_piece_of_no_length_is_refused():
    with pytest.raises(ValueError, match="a piece is 1 to"):
        Plan(np.array([[0, 0]], np.uint64), 1, rows(0), False)


@pytest.mark.parametrize("sg", [True, False])
def test_thousands_of_small_pieces_through_a_small_ring_are_all_there(sg):
    board = both_ways(sg=sg, length_width=10)
    low, engine = board.memory["low"], board.dma("dma")
    data = samples(30_000)
    with low.allocate(len(data), np.int16) as buffer:
        buffer[:] = data
        digest, total = hashlib.sha256(), 0
        board.probe.tap(0, digest.update)
        board.dac(0).monitor.start(50e6)
        pieces = split(engine.spec, buffer.physical_address, buffer.nbytes)
        repeat = 200 if sg else 20
        count = len(pieces) * repeat + 3
        assert count > 2 * RING_DESCRIPTORS or not sg
        sending = engine.mm2s.begin(pieces, [buffer], repeat=repeat, rest=pieces[:3])
        seen = []
        moved = sending.wait(seen.append)
        total = 2 * len(data) * repeat + int(pieces[:3, 1].sum())
        assert (moved.pieces, moved.nbytes) == (count, total)
        assert seen == sorted(seen)
        assert seen[-1] == total
        board.bus.sleep(1.0)
        board.probe.flush(0)
    expected = hashlib.sha256(data.tobytes() * repeat + data.tobytes()[: int(pieces[:3, 1].sum())])
    assert digest.hexdigest() == expected.hexdigest()
    assert board.dac(0).monitor.ledger().complete or not sg
    assert board.findings == ()


def test_a_late_software_still_extends_the_ring_without_a_hole():
    """The tail is written long after the engine has come to it and gone idle."""
    board = looped(length_width=8)
    low, engine = board.memory["low"], board.dma("dma")
    size = 192 * 3000
    with low.allocate(size, np.uint8) as source, low.allocate(size, np.uint8) as sink:
        source[:] = np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8)
        receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, size), [sink])
        sending = engine.mm2s.begin(
            split(engine.spec, source.physical_address, size), [source], software_delay=1e-3, timeout=1.0
        )
        assert sending.wait().pieces == receiving.wait().pieces == 3000
        assert np.array_equal(source, sink)
        assert board.bus.time() > 5e-3
    assert board.findings == ()


def test_suspending_at_any_time_neither_loses_nor_repeats_a_piece():
    for sg in (True, False):
        board = both_ways(sg=sg, length_width=12)
        low, engine = board.memory["low"], board.dma("dma")
        data = samples(100_000)
        kept = bytearray()
        board.probe.tap(0, kept.extend)
        board.dac(0).monitor.start(1e9)
        with low.allocate(len(data), np.int16) as buffer:
            buffer[:] = data
            sending = engine.mm2s.begin(split(engine.spec, buffer.physical_address, buffer.nbytes), [buffer])
            for pause in (0, 1e-7, 3.3e-7, 1e-6, 2.7e-6, 1e-5, 1.1e-5):
                board.bus.sleep(pause)
                with sending.suspended():
                    engine._soft_reset(0.01)
            assert sending.wait().nbytes == 2 * len(data)
        board.bus.sleep(1e-3)
        board.probe.flush(0)
        assert bytes(kept) == data.tobytes()


def test_two_dmas_through_a_fifo_with_other_words_and_lengths():
    board = two_dmas(
        depth=4096,
        source={"length_width": 9, "data_width": 16},
        sink={"length_width": 13, "data_width": 64, "sg": True},
    )
    low, a, b = board.memory["low"], board.dma("a"), board.dma("b")
    size = 123_457
    with low.allocate(size, np.uint8) as source, low.allocate(size, np.uint8) as sink:
        source[:] = np.random.default_rng(2).integers(0, 256, size, dtype=np.uint8)
        receiving = b.s2mm.begin(split(b.spec, sink.physical_address, size), [sink])
        assert a.mm2s.transfer(source).nbytes == size
        assert receiving.wait().nbytes == size
        assert np.array_equal(source, sink)
