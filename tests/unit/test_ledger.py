"""The ledger: samples, gaps, and the blocks between."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.errors import BadArgumentError, SignalError
from gapless.stream import Counters, Gap, Ledger
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


# ---- as a document

COUNTS = st.integers(0, 1 << 62)


@st.composite
def ledgers(draw):
    runs = draw(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(1, 1 << 40), st.text(max_size=9)), max_size=8))
    gaps, at = [], 0
    for run, length, cause in runs:
        gaps.append(Gap(at + run, length, cause))
        at += run + length
    unlisted = draw(st.integers(0, 9))
    return Ledger(
        sum(run for run, _, _ in runs) + draw(COUNTS),
        tuple(gaps),
        len(gaps) + unlisted,
        sum(gap.length for gap in gaps) + (unlisted and draw(COUNTS)),
        draw(st.none() | st.builds(Counters, COUNTS, COUNTS, COUNTS)),
        draw(st.none() | st.floats(0, exclude_min=True, allow_infinity=False)),
        draw(st.sampled_from([None, "dac", "adc"])),
        draw(st.sampled_from(["complete", "interrupted", "disk full", "unfinished"])),
    )


@given(ledgers())
def test_a_document_gives_the_ledger_back(ledger):
    text = json.dumps(ledger.document())
    assert Ledger.from_document(json.loads(text)) == ledger
    assert ledger.document()["gaps_listed"] == len(ledger.gaps)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=3), some, max_size=3),
    max_leaves=4,
)


@given(ledgers(), st.sampled_from(list(Ledger(0).document())), JSON)
def test_a_changed_document_is_a_ledger_or_refused(ledger, key, value):
    with contextlib.suppress(SignalError):
        again = Ledger.from_document({**ledger.document(), key: value})
        assert Ledger.from_document(again.document()) == again


GAP = {"index": 10, "length": 5, "cause": "late"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "x"}, "format 'x', version 1: a ledger is 'gapless-ledger', 1"),
        ({"version": 2}, "version 2"),
        ({"gaps": None}, "gaps is NoneType, not a list"),
        ({"gaps": [3]}, "a gap is int, not an object"),
        ({"gaps": [{**GAP, "length": 0}]}, "length is 0: it is a whole number, at least 1"),
        ({"gaps": [{**GAP, "cause": 1}]}, "the cause of a gap is 1"),
        ({"gaps": [GAP, {**GAP, "index": 14}], "gap_count": 2}, "its gap at 14 begins before 15"),
        ({"gaps": [GAP, {**GAP, "index": 20}]}, "2 gaps with 10 samples are listed, of 1 with 5 in all"),
        ({"missing_samples": 6}, "its gaps have 5 samples, missing_samples is 6"),
        ({"samples": 9}, "its last gap ends at 15, after its 9 samples"),
        ({"samples": True}, "samples is True"),
        ({"blocks": []}, "not what lies between its gaps"),
        ({"counters": {}}, "queue_low_water is None"),
        ({"rate_sa_per_s": 10**400}, "it is a number above 0"),
        ({"rate_sa_per_s": "1"}, "it is a number above 0"),
        ({"direction": "up"}, "direction is 'up'"),
        ({"ended": None}, "ended is None"),
    ],
)
def test_nonsense_is_refused_in_words(changes, words):
    good = Ledger(100, (Gap(10, 5, "late"),), 1, 5).document()
    assert Ledger.from_document(good).gap_count == 1
    with pytest.raises(SignalError) as error:
        Ledger.from_document({**good, **changes})
    assert words in str(error.value)


def test_of_what_comes_after_the_last_gap_logged_nothing_is_known():
    assert Ledger(100, (Gap(10, 5, "late"),), 2, 9).blocks == ((0, 10),)
