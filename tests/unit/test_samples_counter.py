"""Damage a capture of the counter in known ways: each must be found where it is, and nothing else."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gapless.errors import SignalError
from gapless.samples import CounterSource, Finding, check_counter
from gapless.samples.counter import _breaks

FIRST_VALUES = st.integers(-32768, 32767) | st.sampled_from([-32768, -1, 0, 32766, 32767])


def counter(first: int, count: int) -> np.ndarray:
    return (np.arange(count) + first).astype(np.uint16).view(np.int16)


@given(FIRST_VALUES, st.integers(1, 300_000))
@example(0, 65536)
@example(0, 65537)
@example(5, 131073)
def test_a_clean_capture_has_no_findings(first: int, count: int) -> None:
    assert check_counter(counter(first, count)) == []


@pytest.mark.parametrize("count", [65536, 131072, 1_000_000])
@pytest.mark.parametrize("index", [17, 5000, 65519, 65520])
def test_deleting_17_samples_gives_one_finding(count: int, index: int) -> None:
    signal = counter(0, count)
    if index + 17 >= count:
        return
    damaged = np.delete(signal, slice(index, index + 17))
    assert check_counter(damaged) == [Finding("missing", index, 17)]


@pytest.mark.parametrize("at", [1, 65535, 65536, 65537, 131071, 131072])
def test_breaks_on_and_beside_the_edges_of_chunks(at: int) -> None:
    signal = counter(0, 200_000)
    assert check_counter(np.delete(signal, at)) == [Finding("missing", at, 1)]
    assert check_counter(np.insert(signal, at, signal[at - 1])) == [Finding("repeated", at, 1)]


@pytest.mark.parametrize("held", [1, 2, 1000, 65535, 65536, 65537, 300_000])
@pytest.mark.parametrize("at", [1, 100, 65536])
def test_a_held_word_is_one_finding(held: int, at: int) -> None:
    signal = counter(9, 70_000)
    damaged = np.concatenate([signal[:at], np.full(held, signal[at - 1]), signal[at:]])
    assert check_counter(damaged) == [Finding("repeated", at, held)]


def test_a_word_held_while_samples_are_lost_is_both() -> None:
    signal = counter(0, 1000)
    signal[400:450] = signal[399]
    assert check_counter(signal) == [Finding("repeated", 400, 50), Finding("missing", 450, 50)]


def test_a_dead_input_is_one_finding() -> None:
    assert check_counter(np.zeros(1_000_000, dtype=np.int16)) == [Finding("repeated", 1, 999_999)]


@pytest.mark.parametrize("first", [100, 30_000, -30_000, -7000])
@pytest.mark.parametrize("length", [1, 2, 64, 1500])
def test_zeros_from_a_converter_that_ran_dry(first: int, length: int) -> None:
    signal = counter(first, 5000)
    at = 500
    inserted = np.insert(signal, at, np.zeros(length, dtype=np.int16))
    assert check_counter(inserted) == [Finding("out-of-order", at, length)]
    overwritten = signal.copy()
    overwritten[at : at + length] = 0
    assert check_counter(overwritten) == [Finding("out-of-order", at, length)]


@given(FIRST_VALUES, st.integers(1, 500), st.integers(0, 15))
def test_a_flipped_bit_is_one_sample_out_of_order(first: int, at: int, bit: int) -> None:
    signal = counter(first, 40_000 if bit == 15 else 1000)
    damaged = signal.copy()
    damaged.view(np.uint16)[at] ^= 1 << bit
    if bit in (0, 15):  # +-1 holds a word beside it, and half a turn has no direction
        assert check_counter(damaged) != []
    else:
        assert check_counter(damaged) == [Finding("out-of-order", at, 1)]


def test_a_run_repeated_many_times_is_one_finding() -> None:
    signal = counter(0, 1000)
    damaged = np.concatenate([signal[:300], np.tile(signal[200:300], 7), signal[300:]])
    assert check_counter(damaged) == [Finding("repeated", 300, 700)]


def test_two_runs_repeated_apart_are_two_findings() -> None:
    signal = counter(0, 1000)
    damaged = np.concatenate([signal[:300], signal[290:500], signal[490:]])
    assert check_counter(damaged) == [Finding("repeated", 300, 10), Finding("repeated", 510, 10)]


def test_a_repeat_of_a_stretch_with_a_hole_in_it() -> None:
    holed = np.delete(counter(0, 1000), slice(250, 260))
    damaged = np.concatenate([holed[:300], holed[200:]])
    assert check_counter(damaged) == [Finding("missing", 250, 10), Finding("repeated", 300, 100)]


def test_a_large_loss_early_is_not_taken_for_a_repeat() -> None:
    signal = np.delete(counter(0, 100_000), slice(1000, 41_000))
    assert check_counter(signal) == [Finding("missing", 1000, 40_000)]


@pytest.mark.parametrize("edge", ["start", "end", "all"])
def test_a_swap_at_an_edge_of_the_capture(edge: str) -> None:
    signal = counter(0, 500)
    b, a = signal[100:250], signal[:100]
    if edge == "start":
        assert check_counter(np.concatenate([b, a, signal[250:]])) == [Finding("out-of-order", 0, 250)]
    elif edge == "all":
        assert check_counter(np.concatenate([b, a])) == [Finding("out-of-order", 0, 250)]
    else:
        damaged = np.concatenate([signal[:300], signal[420:], signal[300:420]])
        assert check_counter(damaged) == [Finding("out-of-order", 300, 200)]


@given(FIRST_VALUES, st.integers(1, 32767), st.integers(1, 400))
def test_any_single_deletion(first: int, length: int, at: int) -> None:
    signal = counter(first, 40_000)
    assert check_counter(np.delete(signal, slice(at, at + length))) == [Finding("missing", at, length)]


@given(FIRST_VALUES, st.integers(1, 32767), st.integers(0, 200))
def test_any_single_repeat(first: int, length: int, extra: int) -> None:
    signal = counter(first, 70_000)
    at = length + extra
    damaged = np.concatenate([signal[:at], signal[at - length :]])
    assert check_counter(damaged) == [Finding("repeated", at, length)]


@given(FIRST_VALUES, st.integers(1, 32767), st.integers(1, 32767), st.integers(1, 9))
@example(0, 32767, 32767, 1)
@example(0, 100_000, 90_000, 1)
def test_any_single_swap(first: int, a: int, b: int, at: int) -> None:
    signal = counter(first, at + a + b + 10)
    damaged = signal.copy()
    damaged[at : at + b] = signal[at + a : at + a + b]
    damaged[at + b : at + a + b] = signal[at : at + a]
    assert check_counter(damaged) == [Finding("out-of-order", at, a + b)]


edits = st.lists(
    st.tuples(
        st.sampled_from(["delete", "duplicate", "swap"]),
        st.integers(1, 2000),
        st.integers(1, 2000),
        st.integers(0, 900),
    ),
    max_size=12,
)


@given(FIRST_VALUES, edits)
def test_random_edits_are_found_exactly(first: int, edits: list[tuple[str, int, int, int]]) -> None:
    """Build the damaged capture from left to right, writing down what each edit must show as."""
    pieces, expected, value, at = [], [], first, 0

    def emit(start: int, count: int) -> None:
        nonlocal at
        pieces.append(counter(start, count))
        at += count

    for kind, p, q, spare in edits:
        clean = 4001 + spare  # further apart than any edit is long
        emit(value, clean)
        value += clean
        if kind == "delete":
            expected.append(Finding("missing", at, p))
            value += p
        elif kind == "duplicate":
            expected.append(Finding("repeated", at, p))
            emit(value - p, p)
        else:
            expected.append(Finding("out-of-order", at, p + q))
            emit(value + p, q)
            emit(value, p)
            value += p + q
    emit(value, 4001)
    assert check_counter(np.concatenate(pieces)) == expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 3000))
def test_a_capture_of_something_else_is_findings_in_order_and_never_an_error(seed: int, count: int) -> None:
    samples = np.random.default_rng(seed).integers(-4, 5, count).astype(np.int16)
    findings = check_counter(samples)
    assert [f.index for f in findings] == sorted(f.index for f in findings)
    assert all(f.length >= 1 and 0 <= f.index < count for f in findings)
    assert bool(findings) == bool(np.any(np.diff(samples) != 1))


def test_the_limit_bounds_the_list() -> None:
    noise = np.random.default_rng(1).integers(-32768, 32768, 200_000).astype(np.int16)
    assert len(check_counter(noise, limit=50)) == 50


def plain_breaks(samples: np.ndarray) -> list[tuple[int, int]]:
    """Position of each break, and how many samples from there on repeat the one before."""
    found, values, at = [], samples.tolist(), 1
    while at < len(values):
        held = 0
        while at + held < len(values) and values[at + held] == values[at - 1]:
            held += 1
        if held or (values[at] - values[at - 1]) % 65536 != 1:
            found.append((at, held))
        at += max(held, 1)
    return found


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 9000),
    st.sampled_from([0.0, 0.001, 0.1, 1.0]),
    st.sampled_from(["as it is", "strided", "misaligned", "read-only"]),
)
def test_the_breaks_are_those_of_a_plain_search(seed: int, count: int, rate: float, layout: str) -> None:
    random = np.random.default_rng(seed)
    steps = np.where(random.random(count) < rate, random.integers(-1, 3, count), 1)
    samples = (np.cumsum(steps) + random.integers(65536)).astype(np.uint16).view(np.int16)
    if layout == "strided":
        samples = np.repeat(samples, 2)[::2]
    elif layout == "misaligned":
        samples = np.frombuffer(b"x" + samples.tobytes(), np.uint8)[1:].view(np.int16)
    elif layout == "read-only":
        samples.flags.writeable = False
    assert list(_breaks(samples)) == plain_breaks(samples)


def test_little_memory_is_used() -> None:
    samples = np.empty(8_000_000, dtype=np.int16)
    CounterSource().fill(samples, 0)
    samples[3_000_000:6_000_000] = samples[3_000_000]
    tracemalloc.start()
    try:
        check_counter(samples)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "samples", [np.empty(0, np.int16), np.zeros(4, np.int32), np.zeros((2, 2), np.int16), np.zeros(4)]
)
def test_what_is_no_capture_of_the_counter_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(SignalError, match="int16, shape"):
        check_counter(samples)


def test_a_finding_reads_well() -> None:
    assert str(Finding("missing", 1000, 17)) == "17 samples missing at index 1000"
