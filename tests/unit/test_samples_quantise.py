"""Floats into int16: rounding, saturation, dither."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gapless import _native
from gapless.errors import BadArgumentError, SignalError
from gapless.samples import quantise, to_int16, variants

every_variant = pytest.mark.parametrize("variant", variants.NAMES)
INDEX = st.integers(0, 2**64 - 1)


def use(variant: str) -> Any:
    return mock.patch.object(variants, "BEST", _native.Kernels(variant))


def mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def reference(values: np.ndarray, dither: int | None, start: int) -> np.ndarray:
    with np.errstate(over="ignore"):
        steps = values.astype(np.float64) * 32767
    if dither is not None:
        golden = 0x9E3779B97F4A7C15
        key = mix(np.array([(dither + golden) % 2**64], dtype=np.uint64))
        index = np.arange(len(values), dtype=np.uint64) + np.array([start], dtype=np.uint64)
        steps += mix(key + index * np.uint64(golden)).view(np.int32).reshape(-1, 2).sum(axis=1, dtype=np.int64) / 2**32
    return np.clip(np.rint(steps), -32768, 32767).astype(np.int16)


@every_variant
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float64]), slack=st.integers(0, 9))
def test_quantise(variant: str, data: st.DataObject, dtype: Any, slack: int) -> None:
    width = np.dtype(dtype).itemsize * 8
    elements = st.one_of(st.floats(-1.125, 1.125, width=width), st.floats(allow_nan=False, width=width))
    values = data.draw(hnp.arrays(dtype, st.integers(0, 200), elements=elements))[slack:]
    dither, start = data.draw(st.none() | INDEX), data.draw(INDEX)
    with use(variant):
        assert np.array_equal(quantise(values, dither=dither, start=start), reference(values, dither, start))


@every_variant
@given(values=hnp.arrays(np.float64, st.integers(1, 100), elements=st.floats(-1, 1)))
def test_quantise_is_to_int16_where_that_takes_the_values(variant: str, values: np.ndarray) -> None:
    with use(variant):
        assert np.array_equal(quantise(values), to_int16(values))


def test_ties_go_to_even_and_the_rest_saturates() -> None:
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 32767.4, 32768, -32768, -32769, np.inf, -np.inf]) / 32767
    assert quantise(values).tolist() == [0, 2, 2, 0, -2, 32767, 32767, -32768, -32768, 32767, -32768]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dither", [None, 1])
@every_variant
def test_nan_is_refused_with_its_index(variant: str, dither: int | None, dtype: Any) -> None:
    for at in (0, 17, 99):
        values = np.full(100, 0.25, dtype=dtype)
        values[at] = np.nan
        out = np.empty(100, dtype=np.int16)
        with use(variant), pytest.raises(SignalError, match=f"sample {1000 + at} is nan"):
            quantise(values, out, dither, start=1000)


@given(cuts=st.lists(st.integers(0, 5000), max_size=6), seed=INDEX)
def test_dither_does_not_depend_on_the_blocks(cuts: list[int], seed: int) -> None:
    values = np.sin(np.arange(5000, dtype=np.float32))
    whole = quantise(values, dither=seed, start=123)
    edges = [0, *sorted(cuts), 5000]
    parts = [quantise(values[a:b], dither=seed, start=123 + a) for a, b in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_dither_makes_the_error_independent_of_the_signal() -> None:
    count = 1 << 20
    for fraction in (0.0, 0.3, 0.5, 0.9):
        out = quantise(np.full(count, (100 + fraction) / 32767), dither=7).astype(np.float64)
        # with TPDF dither of two steps the mean is the signal, and the variance is 1/4 step whatever the signal
        assert abs(out.mean() - 100 - fraction) < 0.003
        assert abs(out.var() - 0.25) < 0.003
    noise = quantise(np.zeros(count), dither=7).astype(np.float64)
    other = quantise(np.zeros(count), dither=8).astype(np.float64)
    for series in (noise[1:], noise[2:], noise[1024:], other):
        assert abs((noise[: len(series)] * series).mean()) < 0.002


def test_seeds_and_starts_that_cannot_be() -> None:
    values = np.zeros(4)
    for wrong in ({"dither": -1}, {"dither": 2**64}, {"start": -1}, {"start": 2**64}):
        with pytest.raises(BadArgumentError, match=r"0 \.\. 2\*\*64 - 1 can be"):
            quantise(values, **wrong)
