"""Loan: a part of a buffer that nothing can use any more once the loan has ended."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless._native import HostMemory
from gapless.errors import BlockError, BufferFreedError, BufferInFlightError, BufferUseError
from gapless.memory import DmaBuffer, Loan, MappedRegion, RangePool, span

MIB = 1 << 20
BASE = 0x4000_0000
WHAT = "block 7 of dac0's stream"
REASON = "block 7 of dac0's stream was submitted: it belongs to the DMA engine now; acquire() gives the next"


@pytest.fixture
def pool():
    return RangePool(MappedRegion("ps-low", BASE, MIB, HostMemory(MIB)), BASE, MIB, name="ps-cma")


@pytest.fixture
def ring(pool):
    buffer = pool.allocate(64, np.int32, address=BASE + 256)
    buffer[:] = np.arange(64)
    return buffer


def test_what_is_lent_is_a_buffer_like_any_other(ring):
    array = Loan(ring[16:32], WHAT).array
    assert isinstance(array, DmaBuffer)
    assert span(array) == (BASE + 256 + 64, 64)
    assert span(array.reshape(4, 4)[1:]) == (BASE + 256 + 80, 48)
    assert array.pool is ring.pool
    array[3:5] = -1
    assert ring[18:22].tolist() == [18, -1, -1, 21]
    assert array.sum() == sum(range(16, 32)) - 19 - 20 - 2
    assert not array.freed
    array.sync_to_device()
    array.sync_from_device()


@given(first=st.integers(0, 63), columns=st.integers(0, 64), rows=st.sampled_from([1, 2, 4]))
def test_any_part_is_where_it_is(first, columns, rows):
    pool = RangePool(MappedRegion("r", BASE, MIB, HostMemory(MIB)), BASE, MIB, name="p")
    ring = pool.allocate(64, np.int16)
    columns = min(columns, (64 - first) // rows)
    part = ring[first : first + rows * columns].reshape(rows, columns)
    loan = Loan(part, WHAT)
    assert loan.array.shape == part.shape
    if part.size:
        assert span(loan.array) == span(part)
    loan.end(REASON)
    with pytest.raises(BlockError):
        span(loan.array)
    assert span(part) is not None


USES = [
    lambda a: a[0],
    lambda a: a[:],
    lambda a: a.__setitem__(0, 1),
    lambda a: a + 1,
    lambda a: a.__iadd__(1),
    lambda a: np.add(np.zeros(1), 1, out=a),
    lambda a: np.concatenate([np.zeros(2), a]),
    lambda a: np.sum(a),
    lambda a: np.copyto(a, 1),
    lambda a: np.copyto(np.zeros(16), a),
    lambda a: a.tolist(),
    lambda a: a.copy(),
    lambda a: a.fill(0),
    lambda a: a.reshape(-1),
    lambda a: a.T[0],
    lambda a: a.view(np.uint8),
    lambda a: a.view(np.ndarray),
    lambda a: list(a),
    lambda a: bool(a),
    lambda a: memoryview(a),
    lambda a: bytes(a),
    lambda a: pickle.dumps(a),
    lambda a: copy.copy(a),
    lambda a: a.flat,
    lambda a: a.physical_address,
    lambda a: span(a),
    lambda a: a.sync_to_device(),
    lambda a: a.sync_from_device(),
    lambda a: a.hold("dma"),
    lambda a: a.in_use_by("dma").__enter__(),
    lambda a: Loan(a, "again"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("make", [lambda a: a, lambda a: a[2:], lambda a: a.reshape(4, 4)[1:].ravel(), lambda a: a.T])
def test_use_after_the_end_raises_the_reason(ring, use, make):
    loan = Loan(ring[16:32], WHAT)
    used = make(loan.array)
    loan.end(REASON)
    assert used.freed
    with pytest.raises(BlockError, match=re.escape(REASON)):
        use(used)
    assert ring.tolist() == list(range(64))


def test_an_end_is_final_and_the_first_reason_stays(ring):
    loan = Loan(ring[:8], WHAT)
    assert not loan.ended
    loan.end("first")
    loan.end("second")
    assert loan.ended
    with pytest.raises(BlockError, match="first"):
        loan.array[0]


def test_the_buffer_and_other_loans_go_on(ring):
    first, second = Loan(ring[:8], "one"), Loan(ring[:8], "two")
    first.end(REASON)
    assert second.array.tolist() == ring[:8].tolist() == list(range(8))
    assert not ring.freed
    ring.free()
    assert first.array.freed


def test_what_is_over_can_still_be_described(ring):
    loan = Loan(ring[16:32], WHAT)
    array, part = loan.array, loan.array[2:]
    assert repr(array) == repr(ring[16:32])
    loan.end(REASON)
    for over in (array, part):
        for text in (repr(over), str(over), f"{over}"):
            assert text == f"DmaBuffer({WHAT}, given back, was part of 256 B at 0x4000_0100 in ps-cma)"
        assert over.pool is ring.pool
        assert not over.in_flight
    assert np.asarray(array).size == 0  # not even C code finds a pointer in it


def test_it_is_not_the_borrowers_to_free_or_to_lend(ring):
    loan = Loan(ring[:], WHAT)
    for array in (loan.array, loan.array[2:]):
        with pytest.raises(BufferUseError, match="block 7 of dac0's stream is lent"):
            array.free()
        with pytest.raises(BufferUseError, match="not on a view"), array:
            pass
        with pytest.raises(BufferUseError, match="on loan already, as block 7 of dac0's stream"):
            Loan(array, "again")
    loan.end(REASON)
    for use in (loan.array.free, loan.array.__enter__):
        with pytest.raises(BufferUseError):
            use()
    assert not ring.freed


def test_freeing_the_buffer_ends_its_loans(ring):
    loan = Loan(ring[:8], WHAT)
    ring.free()
    for use in (lambda: loan.array[0], lambda: loan.array.physical_address, lambda: loan.array.hold("dma")):
        with pytest.raises(BufferFreedError, match="256 B at 0x4000_0100"):
            use()
    assert repr(loan.array).startswith("DmaBuffer(freed")
    with pytest.raises(BufferFreedError):
        Loan(ring, "again")
    loan.end(REASON)
    with pytest.raises(BlockError):
        loan.array[0]


KEEPING = [
    lambda a: a[2:],
    lambda a: np.asarray(a),
    lambda a: np.asarray(a[2:])[1:],
    lambda a: memoryview(a),
    lambda a: a.view(np.recarray),
    lambda a: np.from_dlpack(a),
    lambda a: iter(np.asarray(a)),
]


@pytest.mark.parametrize("make", KEEPING)
@pytest.mark.parametrize("ended_first", [True, False])
def test_what_can_read_the_memory_keeps_it(pool, make, ended_first):
    ring = pool.allocate(64, np.int32)
    loan = Loan(ring[16:32], WHAT)
    kept = make(loan.array)
    if ended_first:
        loan.end(REASON)
    ring.free()
    loan.end(REASON)
    del ring, loan
    assert pool.stats().used == 256
    del kept
    assert pool.stats().used == 0


def test_a_loan_that_is_over_keeps_nothing(pool):
    ring = pool.allocate(64)
    loan = Loan(ring[16:32], WHAT)
    array = loan.array
    loan.end(REASON)
    del loan
    ring.free()
    assert pool.stats().used == 0
    with pytest.raises(BlockError):
        array[0]


def test_a_loan_alone_keeps_the_buffer(pool):
    array = Loan(pool.allocate(64)[16:], WHAT).array
    array[:] = 5
    assert pool.allocate(64).physical_address == BASE + 256
    assert array.tolist() == [5] * 48


def test_holds_reach_the_buffer(ring):
    loan = Loan(ring[:8], WHAT)
    loan.array[2:].hold("dma0.mm2s")
    assert ring.in_flight
    assert loan.array.in_flight
    with pytest.raises(BufferInFlightError, match=r"while dma0\.mm2s uses it"):
        ring.free()
    loan.end(REASON)  # as a stream does when the engine has it
    loan.array.unhold("dma0.mm2s")
    assert not ring.in_flight
    ring.free()


def test_a_loan_may_end_while_it_is_in_use(ring):
    loan = Loan(ring[:8], WHAT)
    with loan.array.in_use_by("dma0.mm2s"):
        loan.end(REASON)
        assert ring.in_flight
    assert not ring.in_flight
