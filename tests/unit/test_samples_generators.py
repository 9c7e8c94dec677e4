"""Generators: exact samples at any index, in pieces of any size."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.errors import BadArgumentError, SignalError
from gapless.samples import GENERATORS, ToneSource, is_generator, parse_generator

RATE = 4.9152e9
TEXTS = ["counter:", "counter:-5", "tone:10e6", "tone:1234567.891", "tone:0.001,0.3", "noise:", "noise:7"]
NOISE_0 = [-32161, -9790, -5169, -23793]
NOISE_7 = [-8296, 17937, 19083, -3611]


def samples(text: str, start: int, count: int, rate: float = RATE) -> np.ndarray:
    out = np.empty(count, dtype=np.int16)
    parse_generator(text, rate).fill(out, start)
    return out


@settings(max_examples=60)
@given(
    st.sampled_from(TEXTS),
    st.integers(0, 10**12) | st.integers((1 << 24) - 9000, 1 << 24),
    st.lists(st.integers(1, 9000), min_size=1, max_size=5),
)
def test_any_chunking_gives_the_same_samples(text: str, start: int, pieces: list[int]) -> None:
    whole = samples(text, start, sum(pieces))
    source, parts = parse_generator(text, RATE), []
    for count in pieces:
        out = np.empty(count, dtype=np.int16)
        source.fill(out, start + sum(map(len, parts)))
        parts.append(out)
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("text", [text for text in TEXTS if parse_generator(text, RATE).period])
def test_a_generator_repeats_after_its_period_and_not_sooner(text: str) -> None:
    period = parse_generator(text, RATE).period
    assert period is not None
    assert parse_generator(text, RATE).length is None
    assert np.array_equal(samples(text, 0, 70_000), samples(text, 3 * period, 70_000))
    for divisor in (2, 3, 5, 7):
        if period % divisor == 0:
            assert not np.array_equal(samples(text, 0, 70_000), samples(text, period // divisor, 70_000))


def test_the_counter_counts_and_wraps() -> None:
    assert samples("counter:", 32766, 4).tolist() == [32766, 32767, -32768, -32767]
    assert samples("counter:100", 0, 3).tolist() == [100, 101, 102]
    assert samples("counter:-1", 65536 * 10**7, 3).tolist() == [-1, 0, 1]
    assert samples("counter:", 10**12, 1)[0] == np.uint16(10**12 % 65536).view(np.int16)


def exact_tone(f: Fraction, rate: Fraction, amplitude: float, n: int) -> float:
    turn = f / rate * n % 1
    return amplitude * 32767 * math.sin(2 * math.pi * float(turn - (turn > Fraction(1, 2))))


@settings(max_examples=200)
@given(
    st.decimals("0.001", "2.4e9", places=3),
    st.integers(0, 10**12),
    st.floats(0.001, 1),
)
def test_a_tone_is_the_sine_of_its_exact_phase(frequency: object, n: int, amplitude: float) -> None:
    out = samples(f"tone:{frequency},{amplitude:.6f}", n, 3)
    for i in range(3):
        want = exact_tone(Fraction(str(frequency)), Fraction(RATE), float(f"{amplitude:.6f}"), n + i)
        assert abs(out[i] - want) <= 0.5 + 1e-6  # rounded, but a tie may go either way


@pytest.mark.parametrize("n", [0, 1, 10**9 + 7, 10**12])
def test_a_tone_with_a_prime_denominator_keeps_its_phase(n: int) -> None:
    source = ToneSource(Fraction(1), 999_999_937.0, 1.0)  # a prime rate: period None, phase n / rate turns
    assert source.period is None
    out = np.empty(20_000, dtype=np.int16)
    source.fill(out, n)
    want = [exact_tone(Fraction(1), Fraction(999_999_937), 1.0, n + i) for i in range(0, 20_000, 997)]
    assert np.all(np.abs(out[::997] - np.array(want)) <= 0.5 + 1e-6)


@pytest.mark.parametrize("n", [2**63 - 5000, 2**63 - 1, 2**64, 10**40])
def test_a_tone_has_no_last_sample(n: int) -> None:
    source = ToneSource(Fraction(1, 10**9), 999_999_937.0, 1.0)
    out = np.empty(10_000, dtype=np.int16)
    source.fill(out, n)
    want = [exact_tone(Fraction(1, 10**9), Fraction(999_999_937), 1.0, n + i) for i in range(0, 10_000, 997)]
    assert np.all(np.abs(out[::997] - np.array(want)) <= 0.5 + 1e-6)


def test_the_period_of_a_tone_is_the_denominator() -> None:
    assert parse_generator("tone:10e6", 4.9152e9).period == 12288
    assert parse_generator("tone:0.1", 1.0).period == 10  # the decimal 0.1, not the binary number beside it
    assert parse_generator("tone:0.1", 0.3).period == 3
    assert parse_generator("tone:1", float(1 << 24)).period == 1 << 24
    assert parse_generator("tone:1", float((1 << 24) + 1)).period is None


def test_the_amplitude_of_a_tone() -> None:
    assert samples("tone:1", 0, 4, 4.0).tolist() == [0, 29490, 0, -29490]
    assert samples("tone:1, 1", 0, 4, 4.0).tolist() == [0, 32767, 0, -32767]
    assert samples("tone:1,0.5", 0, 4, 4.0).tolist() == [0, 16384, 0, -16384]


def test_noise_is_what_it_was_in_the_first_release() -> None:
    # recordings of it must stay comparable across versions of gapless and numpy
    assert samples("noise:", 0, 4).tolist() == NOISE_0
    assert samples("noise:7", (1 << 24) - 2, 4).tolist() == NOISE_7


def test_noise_is_uniform_and_white() -> None:
    noise = samples("noise:3", 0, 1 << 20).astype(float)
    assert noise.min() < -32700 < 32700 < noise.max()
    assert abs(noise.mean()) < 100
    assert noise.std() == pytest.approx(65536 / math.sqrt(12), rel=0.01)
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.01
    assert not np.array_equal(samples("noise:3", 0, 100), samples("noise:4", 0, 100))


@pytest.mark.parametrize("text", ["tone:2.4576e9", "tone:3e9", "tone:0", "tone:-5e6", "tone:1e6,0", "tone:1e6,1.01"])
def test_a_tone_that_cannot_be(text: str) -> None:
    with pytest.raises(SignalError, match="asked"):
        parse_generator(text, RATE)


@pytest.mark.parametrize(
    "text",
    [
        "sine:1e6",
        "tone:",
        "tone:abc",
        "tone:1e6,0.5,3",
        "tone:1e999999999",
        "tone:1/3",
        "tone:nan",
        "tone:inf",
        "counter:x",
        "counter:1.5",
        "counter:1,2",
        "noise:z",
        "counter",
        "",
        "tone:1e6,",
        "tone:1_0",
        "tone:0x10",
    ],
)
def test_what_is_not_understood_lists_the_generators(text: str) -> None:
    with pytest.raises(BadArgumentError) as error:
        parse_generator(text, RATE)
    assert all(form in str(error.value) for form in GENERATORS.values())


@pytest.mark.parametrize("text", ["counter:40000", "noise:-1"])
def test_numbers_out_of_range(text: str) -> None:
    with pytest.raises(BadArgumentError, match="asked"):
        parse_generator(text, RATE)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none(rate: float) -> None:
    with pytest.raises(BadArgumentError, match="rate"):
        parse_generator("tone:1", rate)


@pytest.mark.parametrize("text", [*TEXTS, "sine:1.5e6", "tone:abc", "square:"])
def test_written_like_a_generator(text: str) -> None:
    assert is_generator(text)


@pytest.mark.parametrize("text", ["tone.wav", "a/b:c.raw", "C:/x/y.raw", "run:3.raw", "noise", "./tone:1", "run 3:x"])
def test_written_like_a_file(text: str) -> None:
    assert not is_generator(text)


def test_no_generator_has_samples_before_the_first() -> None:
    for text in TEXTS:
        with pytest.raises(BadArgumentError):
            samples(text, -1, 4)
