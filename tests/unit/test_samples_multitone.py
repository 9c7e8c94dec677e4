"""Tones: their phase after any number of samples, their purity, and that blocks join."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless import _native
from gapless.errors import BadArgumentError
from gapless.samples import MultiToneSource, Tone, ToneSource, variants

RATE = 4.9152e9
GIGA = 1_000_000_000

every_variant = pytest.mark.parametrize("variant", variants.NAMES)
frequencies = st.fractions(Fraction(1, 1000), Fraction(24_575, 10) * 10**6, max_denominator=10**6)
starts = st.one_of(st.integers(0, 5000), st.integers(0, 2**40), st.just(GIGA), st.integers(0, 2**62))


def use(variant: str) -> Any:
    return mock.patch.object(variants, "BEST", _native.Kernels(variant))


def filled(source: MultiToneSource, start: int, count: int, dtype: Any = np.int16) -> np.ndarray:
    out = np.full(count, 77, dtype=dtype)
    source.fill(out, start)
    return out


def exact(tones: list[Tone], start: int, count: int) -> np.ndarray:
    """The sines of the exact phases, in long doubles, in units of a step."""
    total = np.zeros(count, dtype=np.longdouble)
    two_pi = 2 * np.longdouble("3.14159265358979323846264338327950288")
    for tone in tones:
        turns = [
            (Fraction(tone.frequency) * (start + i) / Fraction(repr(RATE)) + Fraction(tone.phase)) % 1
            for i in range(count)
        ]
        phase = np.array([np.longdouble(int(t * 2**64)) for t in turns]) / np.longdouble(2) ** 64
        total += np.sin(two_pi * phase) * np.longdouble(tone.amplitude * 32767)
    return total


@every_variant
@given(f=frequencies, start=starts, phase=st.fractions(-2, 2), amplitude=st.floats(0.01, 1))
def test_one_tone(variant: str, f: Fraction, start: int, phase: Fraction, amplitude: float) -> None:
    tone = Tone(f, amplitude, phase)
    source, want = MultiToneSource([tone], RATE), exact([tone], start, 40)
    with use(variant):
        assert np.abs(filled(source, start, 40, np.float64) - want).max() < 1e-10
        assert np.abs(filled(source, start, 40, np.float32) - want).max() < 0.002  # half a unit in the last place
        assert np.abs(filled(source, start, 40) - want).max() <= 0.5 + 1e-10


@every_variant
@given(f=st.lists(frequencies, min_size=2, max_size=5), start=starts, count=st.integers(0, 60))
def test_several_tones(variant: str, f: list[Fraction], start: int, count: int) -> None:
    tones = [Tone(value, 1 / len(f) - 1e-9, Fraction(i, 7)) for i, value in enumerate(f)]
    source, want = MultiToneSource(tones, RATE), exact(tones, start, count)
    with use(variant):
        assert np.all(np.abs(filled(source, start, count, np.float64) - want) < 1e-10)
        assert np.all(np.abs(filled(source, start, count) - want) <= 0.5 + 1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("f", [Fraction(1_234_567_891, 7), Fraction(2_400_000_001, 3)])
def test_spurs_after_a_thousand_million_samples(f: Fraction, dtype: Any) -> None:
    """Below -100 dBc, before quantisation: what is left over when the exact tone is taken away."""
    tone, count = Tone(f, 0.9, 0), 1 << 14
    error = filled(MultiToneSource([tone], RATE), GIGA, count, dtype) - exact([tone], GIGA, count)
    spectrum = np.abs(np.fft.rfft(error.astype(np.float64))) / (count / 2) / (0.9 * 32767)
    assert 20 * np.log10(spectrum.max()) < (-300 if dtype == np.float64 else -160)


@every_variant
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("tones", [[Tone(1e6)], [Tone(1e6, 0.3), Tone(1.7e9, 0.6, 0.1)]])
@given(start=st.integers(0, 2**40), cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_blocks_join_to_the_bit(variant: str, dtype: Any, tones: list[Tone], start: int, cuts: list[int]) -> None:
    source = MultiToneSource(tones, RATE)
    whole = filled(source, start, 4000, dtype)
    edges = [0, *sorted(cuts), 4000]
    with use(variant):  # and variants agree to the bit
        parts = [filled(source, start + a, b - a, dtype) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_source_of_full_scale_reaches_it_and_not_more() -> None:
    assert filled(MultiToneSource([Tone(RATE / 4, 1.0)], RATE), 0, 4).tolist() == [0, 32767, 0, -32767]
    assert filled(MultiToneSource([Tone(RATE / 4, 0.5, 0.25)] * 2, RATE), 0, 4).tolist() == [32767, 0, -32767, 0]


def test_the_same_tone_as_the_generator() -> None:
    a, b = np.empty(50_000, np.int16), np.empty(50_000, np.int16)
    MultiToneSource([Tone(Fraction(12_345_678_901, 1000), 0.8)], RATE).fill(a, GIGA)
    ToneSource(Fraction(12_345_678_901, 1000), RATE, 0.8).fill(b, GIGA)
    assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("tones", "message"),
    [
        ([Tone(0)], "above 0 Hz"),
        ([Tone(RATE / 2)], "below half the rate"),
        ([Tone(float("nan"))], "above 0 Hz"),
        ([Tone(1e6, 0.0)], "the amplitude must be above 0"),
        ([Tone(1e6, float("nan"))], "the amplitude must be above 0"),
        ([Tone(1e6, 0.5, float("inf"))], "the phase finite"),
        ([Tone(1e6, 0.6), Tone(2e6, 0.6)], "the amplitudes add up to 1.2"),
        ([], "none given"),
    ],
)
def test_tones_that_cannot_be(tones: list[Tone], message: str) -> None:
    with pytest.raises(BadArgumentError, match=message):
        MultiToneSource(tones, RATE)


def test_stretches_and_rates_that_cannot_be() -> None:
    source = MultiToneSource([Tone(1e6)], RATE)
    for start in (-1, 2**63):
        with pytest.raises(BadArgumentError, match="asked: there are 0"):
            source.fill(np.empty(4, np.int16), start)
    for out in (np.empty(4, np.int32), np.empty(8, np.int16)[::2], np.empty((2, 2), np.int16)):
        with pytest.raises(BadArgumentError, match="out: "):
            source.fill(out, 0)  # type: ignore[arg-type]
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(BadArgumentError, match="rate"):
            MultiToneSource([Tone(1e6)], rate)
