"""Runs of memory, cut into pieces, and their descriptors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.dma.zdma_errors import error_for_events
from gapless.dma.zdma_lists import cut, linked_list, overlap, runs_of, total
from gapless.dma.zdma_registers import ERRORS, EVERY_EVENT, MAX_LENGTH, Event
from gapless.errors import BadArgumentError, DmaSlaveError, DmaStateError, SgSlaveError
from gapless.memory import Buffer

RUNS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), min_size=1, max_size=8)


def places(runs):
    return [address + n for address, nbytes in runs for n in range(nbytes)]


@given(RUNS, st.integers(1, 20))
def test_pieces_are_the_same_bytes_in_the_same_order(runs, piece):
    pieces = cut(runs, piece)
    assert places(pieces) == places(runs)
    assert all(0 < nbytes <= piece for _, nbytes in pieces)
    assert total(pieces) == total(runs)


def test_neighbours_become_one_piece_and_large_ones_stay_within_30_bits():
    assert cut([(0, 64), (64, 64), (256, 64)]) == ((0, 128), (256, 64))
    pieces = cut([(0, 28 << 30)])
    assert len(pieces) == 56
    assert max(nbytes for _, nbytes in pieces) <= MAX_LENGTH
    assert all(address % 4096 == 0 for address, _ in pieces)


def apart(runs):
    """The same runs, none over another of them."""
    seen, kept = set(), []
    for run in runs:
        if seen.isdisjoint(places([run])):
            seen.update(places([run]))
            kept.append(run)
    return kept


@given(RUNS.map(apart), RUNS.map(apart))
def test_overlap_is_a_byte_in_both(one, other):
    common = set(places(one)) & set(places(other))
    found = overlap(one, other)
    assert (found is None) == (not common)
    assert found is None or found in common


@given(RUNS, st.integers(0, 1 << 20))
def test_a_list_leads_from_one_to_the_next_and_stops(runs, slot):
    at = 0xF_F000_0000 + 32 * slot
    table = linked_list(runs, at)
    assert table.dtype.itemsize == 32
    assert list(zip(table["address"].tolist(), table["size"].tolist(), strict=True)) == runs
    assert table["next"].tolist() == [at + 32 * n for n in range(1, len(runs))] + [0]
    assert (table["control"] >> 3).tolist() == [0] * (len(runs) - 1) + [2]  # UG1087: CMD, 2 is stop
    assert set((table["control"] >> 1 & 1).tolist()) == {1}  # every one linked
    words = np.ascontiguousarray(table).view("<u4")
    assert words[:2].tolist() == [runs[0][0] & 0xFFFF_FFFF, runs[0][0] >> 32]


def test_what_lies_beyond_49_bits_is_refused():
    class Far(Buffer):
        runs = ((1 << 49, 1),)

    class Last(Buffer):
        runs = (((1 << 49) - 1, 1),)

    with pytest.raises(BadArgumentError, match="beyond the 49 address bits"):
        runs_of(Far())
    assert runs_of(Last()) == Last.runs


@pytest.mark.parametrize(
    ("event", "kind", "address"),
    [
        (Event.READ_ERROR, DmaSlaveError, 1),
        (Event.WRITE_ERROR, DmaSlaveError, 2),
        (Event.SRC_DESCRIPTOR_ERROR, SgSlaveError, 1),
        (Event.DST_DESCRIPTOR_ERROR, SgSlaveError, 2),
        (Event.INVALID_ACCESS, DmaStateError, 2),
    ],
)
def test_each_error_bit_is_an_exception_of_its_own(event, kind, address):
    error = error_for_events("gdma0", event | Event.DONE, 1, 2)
    assert type(error) is kind
    assert (error.address, error.status) == (address, event | Event.DONE)


def test_what_is_no_error_is_none():
    assert error_for_events("gdma0", EVERY_EVENT & ~ERRORS, 1, 2) is None
