"""The ledger: samples, gaps, and the blocks between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.errors import BadArgumentError
from gapless.stream import Gap, Ledger
from gapless.stream.monitor import rate_register


def test_nothing_missing_is_one_block():
    ledger = Ledger(100)
    assert ledger.complete
    assert ledger.blocks == ((0, 100),)
    assert Ledger(0).blocks == ()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=8), st.integers(0, 50))
def test_blocks_and_gaps_tile_the_time_line(runs, last):
    gaps, at = [], 0
    for run, length in runs:
        gaps.append(Gap(at + run, length, "x"))
        at += run + length
    samples = sum(run for run, _ in runs) + last
    ledger = Ledger(samples, tuple(gaps), len(gaps), sum(gap.length for gap in gaps))
    assert ledger.complete == (not gaps)
    covered = set()
    for index, length in (*ledger.blocks, *((gap.index, gap.length) for gap in gaps)):
        assert length > 0
        stretch = set(range(index, index + length))
        assert not covered & stretch
        covered |= stretch
    assert covered == set(range(samples + ledger.missing_samples))
    assert sum(length for _, length in ledger.blocks) == samples


def test_a_ledger_with_more_gaps_than_its_log_is_not_complete():
    assert not Ledger(10, (), 3, 7).complete


@pytest.mark.parametrize(
    ("rate", "value"), [(2.048e9, 2_048_000_000_000), (0.001, 1), (1, 1000), (1e9 / 3, 333333333333)]
)
def test_the_rate_register_holds_thousandths(rate, value):
    assert rate_register(rate) == value


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e17, "fast", None, 1e-9])
def test_a_rate_that_cannot_be_is_refused(rate):
    with pytest.raises(BadArgumentError, match="must be a number of samples per second above 0"):
        rate_register(rate)
