"""What becomes int16, what is refused, and that nothing is copied or scaled behind one's back."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gapless.errors import BadArgumentError, SignalError
from gapless.samples import ArraySource, to_int16


def test_int16_is_not_copied() -> None:
    signal = np.arange(10, dtype=np.int16)
    assert to_int16(signal) is signal


@pytest.mark.parametrize(
    "signal",
    [np.arange(20, dtype=np.int16)[::2], np.arange(20, dtype=np.int16)[::-1], np.arange(-5, 5).astype(">i2")],
)
def test_int16_laid_out_otherwise_is_copied_with_its_values(signal: np.ndarray) -> None:
    out = to_int16(signal)
    assert out.dtype == np.int16
    assert out.dtype.isnative
    assert out.flags.c_contiguous
    assert out.tolist() == signal.tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, ">f4"])
def test_floats_are_scaled_and_rounded(dtype: str) -> None:
    out = to_int16(np.array([1.0, -1.0, 0.0, 0.5, -0.25, 2.0**-14], dtype=dtype))
    assert out.dtype == np.int16
    assert out.tolist() == [32767, -32767, 0, 16384, -8192, 2]  # ties to even: 16383.5, -8191.75, 1.99994


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1, 1)))
def test_no_scaled_sample_is_further_off_than_half_a_step(values: np.ndarray) -> None:
    assert np.all(np.abs(to_int16(values) - values * 32767) <= 0.5)


def test_blocks_join_without_a_seam() -> None:
    values = np.sin(np.arange(700_001) * 0.01)
    assert np.array_equal(to_int16(values), np.rint(values * 32767).astype(np.int16))


def test_a_large_float_signal_needs_little_besides_its_result() -> None:
    values = np.zeros(8_000_000, dtype=np.float32)
    tracemalloc.start()
    try:
        out = to_int16(values)
        assert tracemalloc.get_traced_memory()[1] < out.nbytes + (8 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.uint16, np.int8, np.int32, np.int64, np.uint64, bool, object, "U3", "M8[s]"])
def test_other_dtypes_are_refused_by_name(dtype: str) -> None:
    signal = np.zeros(3, dtype=dtype)
    with pytest.raises(SignalError, match="accepted are int16") as error:
        to_int16(signal, name="sweep")
    assert str(error.value).startswith(f"sweep: dtype is {signal.dtype}")


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_is_refused(dtype: str) -> None:
    with pytest.raises(SignalError, match="signal: complex where real samples are needed: "):
        to_int16(np.zeros(3, dtype=dtype))


@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (2, 2), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SignalError, match="one-dimensional") as error:
        to_int16(np.zeros(shape, dtype=np.int16))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("signal", [np.empty(0, np.int16), np.empty(0), []])
def test_an_empty_signal_is_refused(signal: np.ndarray) -> None:
    with pytest.raises(SignalError, match="no samples"):
        to_int16(signal)


def test_a_ragged_list_is_refused() -> None:
    with pytest.raises(SignalError):
        to_int16([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", [0, 7, 300_000])
def test_the_first_value_that_is_not_finite_is_named(bad: float, index: int) -> None:
    values = np.zeros(400_000)
    values[index] = bad
    values[350_000] = np.nan
    values[399_999] = 5.0
    with pytest.raises(SignalError, match=f"sample {index} is {bad}"):
        to_int16(values)


@pytest.mark.parametrize("value", [1.5, -1.5])
def test_floats_beyond_full_scale_are_refused_with_the_largest(value: float) -> None:
    with pytest.raises(SignalError, match=r"largest magnitude is 1\.5.*divide"):
        to_int16([0.2, value, 1.1, -1.2])


def test_the_next_float_above_one_is_refused() -> None:
    with pytest.raises(SignalError):
        to_int16([np.nextafter(1.0, 2.0)])


def test_an_array_source_gives_its_samples_from_anywhere() -> None:
    source = ArraySource(np.arange(100, dtype=np.int16), name="ramp", rate=1e6)
    out = np.empty(10, dtype=np.int16)
    source.fill(out, 90)
    assert out.tolist() == list(range(90, 100))
    assert (source.name, source.length, source.period, source.rate) == ("ramp", 100, None, 1e6)


@pytest.mark.parametrize("start", [-1, 91, 100])
def test_an_array_source_has_no_samples_outside_it(start: int) -> None:
    source = ArraySource(np.arange(100, dtype=np.int16), name="ramp")
    with pytest.raises(BadArgumentError, match=r"ramp: samples .* asked: there are 0 \.\. 100"):
        source.fill(np.empty(10, dtype=np.int16), start)
