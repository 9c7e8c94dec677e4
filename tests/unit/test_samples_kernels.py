"""The sample kernels, in every variant this machine can run, against plain numpy."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless import _native, samples
from gapless.errors import BadArgumentError, SignalError
from gapless.samples import variants

LENGTHS = st.one_of(st.integers(0, 70), st.integers(0, 3000))
SLACK = st.integers(0, 40)  # where in its memory an array begins: any alignment of its dtype
SEED = st.integers(0, 2**32 - 1)

every_variant = pytest.mark.parametrize("variant", variants.NAMES)


def use(variant: str) -> Any:
    return mock.patch.object(variants, "BEST", _native.Kernels(variant))


class Memory:
    """An array that begins ``slack`` elements into its memory, between guards that must not change."""

    def __init__(self, length: int, dtype: Any, slack: int) -> None:
        self._all = np.full(length + slack + 50, 77, dtype=dtype)
        self.array = self._all[slack : slack + length]
        self._guards = (self._all[:slack], self._all[slack + length :])

    def check(self) -> None:
        assert all((guard == 77).all() for guard in self._guards)


def random_int16(length: int, slack: int, seed: int, low: int = -(1 << 15), high: int = 1 << 15) -> np.ndarray:
    values = Memory(length, np.int16, slack).array
    values[:] = np.random.default_rng(seed).integers(low, high, length)
    return values


def test_the_variants_of_this_machine() -> None:
    assert variants.NAMES[0] == "baseline"
    assert set(variants.NAMES) <= {"baseline", "v3", "v4"}
    assert variants.BEST.name == variants.NAMES[-1]
    if platform.machine() != "x86_64":
        assert variants.NAMES == ("baseline",)
    with pytest.raises(ValueError, match="no such kernels"):
        _native.Kernels("v9")


# ---------------------------------------------------------------- interleaving


@every_variant
@pytest.mark.parametrize("count", [2, 4, 8])
@given(frames=LENGTHS, slack=SLACK, seed=SEED)
def test_interleave(variant: str, count: int, frames: int, slack: int, seed: int) -> None:
    channels = [random_int16(frames, slack + i, seed + i) for i in range(count)]
    out = Memory(frames * count, np.int16, slack)
    with use(variant):
        assert samples.interleave(channels, out.array) is out.array
    out.check()
    assert np.array_equal(out.array, np.stack(channels, axis=1).reshape(-1))


@every_variant
@pytest.mark.parametrize("count", [2, 4, 8])
@given(frames=LENGTHS, slack=SLACK, seed=SEED)
def test_deinterleave(variant: str, count: int, frames: int, slack: int, seed: int) -> None:
    stream = random_int16(frames * count, slack, seed)
    out = [Memory(frames, np.int16, slack + i) for i in range(count)]
    rows = [memory.array for memory in out]
    with use(variant):
        assert samples.deinterleave(stream, count, rows) is rows
    for i, memory in enumerate(out):
        memory.check()
        assert np.array_equal(memory.array, stream[i::count])


def test_channels_of_one_array() -> None:
    channels = np.arange(24, dtype=np.int16).reshape(4, 6)
    stream = samples.interleave(channels)
    assert stream.tolist() == channels.T.reshape(-1).tolist()
    assert np.array_equal(samples.deinterleave(stream, 4), channels)
    wide = np.zeros((4, 10), dtype=np.int16)
    samples.deinterleave(stream, 4, wide[:, 2:8])  # rows need not touch
    assert np.array_equal(wide[:, 2:8], channels)
    assert not wide[:, :2].any()
    assert not wide[:, 8:].any()


def test_strided_inputs_are_taken() -> None:
    pairs = np.arange(20, dtype=np.int16).reshape(10, 2)
    assert samples.interleave([pairs[:, 0], pairs[:, 1]]).tolist() == list(range(20))


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ([np.zeros(3, np.int16)] * 3, "3 channels given: 2, 4 or 8"),
        ([], "0 channels given"),
        ([np.zeros(3, np.int16), np.zeros(4, np.int16)], "channels are 3, 4 samples long"),
        ([np.zeros(3, np.int16), np.zeros(3, np.uint16)], "channel 1: got dtype uint16"),
        ([np.zeros(3, np.int16), np.zeros(3, ">i2")], "channel 1: got dtype >i2"),
        ([np.zeros((3, 1), np.int16)] * 2, r"channel 0: got dtype int16, shape \(3, 1\)"),
    ],
)
def test_channels_that_cannot_be_interleaved(channels: list[np.ndarray], message: str) -> None:
    with pytest.raises(SignalError, match=message):
        samples.interleave(channels)


def test_streams_that_cannot_be_taken_apart() -> None:
    stream = np.zeros(8, dtype=np.int16)
    with pytest.raises(BadArgumentError, match="3 channels asked"):
        samples.deinterleave(stream, 3)
    with pytest.raises(SignalError, match="7 samples are 3 frames of 2 channels and 1 samples more"):
        samples.deinterleave(stream[:7], 2)
    with pytest.raises(BadArgumentError, match="4 channels given for 2"):
        samples.deinterleave(stream, 2, np.zeros((4, 4), dtype=np.int16))
    with pytest.raises(BadArgumentError, match="overlaps"):
        samples.deinterleave(stream, 2, stream.reshape(2, 4))
    row = np.zeros(4, dtype=np.int16)
    with pytest.raises(BadArgumentError, match="overlaps"):
        samples.deinterleave(stream, 2, [row, row])


# ---------------------------------------------------------------- packing


def pack12_reference(values: np.ndarray) -> np.ndarray:
    out = []
    for group in (values.view(np.uint16) >> 4).reshape(-1, 4).tolist():
        number = sum(value << (12 * i) for i, value in enumerate(group))
        out += [number & 0xFFFF, number >> 16 & 0xFFFF, number >> 32]
    return np.array(out, dtype=np.uint16)


@every_variant
@given(quarter=LENGTHS, slack=SLACK, seed=SEED)
def test_pack12_and_unpack12(variant: str, quarter: int, slack: int, seed: int) -> None:
    values = random_int16(4 * quarter, slack, seed)
    words, back = Memory(3 * quarter, np.uint16, slack + 1), Memory(4 * quarter, np.int16, slack + 3)
    with use(variant):
        assert samples.pack12(values, words.array) is words.array
        assert samples.unpack12(words.array, back.array) is back.array
    words.check()
    back.check()
    assert np.array_equal(words.array, pack12_reference(values))
    assert np.array_equal(back.array, values & ~0xF)


def test_the_layout_of_12_bit_samples() -> None:
    values = (np.array([0x123, 0x456, 0x789, 0xABC], dtype=np.uint16) << 4).view(np.int16)
    assert [hex(word) for word in samples.pack12(values)] == ["0x6123", "0x8945", "0xabc7"]
    assert np.array_equal(samples.unpack12(samples.pack12(values)), values)


@every_variant
@given(length=LENGTHS, slack=SLACK, seed=SEED)
def test_align14_and_back(variant: str, length: int, slack: int, seed: int) -> None:
    values = random_int16(length, slack, seed, -9000, 9000)
    top, back = Memory(length, np.int16, slack + 1), Memory(length, np.int16, slack)
    with use(variant):
        samples.align14(values, top.array)
        samples.unalign14(top.array, back.array)
    top.check()
    back.check()
    held = np.clip(values, -8192, 8191)
    assert np.array_equal(top.array, held * 4)
    assert np.array_equal(back.array, held)


def test_align14_saturates_at_the_ends_of_int16() -> None:
    assert samples.align14(np.array([-32768, 32767, 8192, -8193], np.int16)).tolist() == [-32768, 32764, 32764, -32768]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_lengths_that_cannot_be_packed(length: int) -> None:
    with pytest.raises(SignalError, match="multiple of 4"):
        samples.pack12(np.zeros(length, dtype=np.int16))
    with pytest.raises(SignalError, match="multiple of 3"):
        samples.unpack12(np.zeros(3 * length + 1, dtype=np.uint16))


# ---------------------------------------------------------------- the counter


@every_variant
@given(length=LENGTHS, slack=SLACK, first=st.integers(-32768, 32767), start=st.integers(0, 10**12))
def test_counter(variant: str, length: int, slack: int, first: int, start: int) -> None:
    out = Memory(length, np.int16, slack)
    with use(variant):
        samples.CounterSource(first).fill(out.array, start)
    out.check()
    assert np.array_equal(out.array, (np.arange(length) + (first + start) % 65536).astype(np.uint16).view(np.int16))


@every_variant
@given(
    length=st.integers(1, 5000),
    slack=SLACK,
    step=st.sampled_from([0, 1, -1, 32767, -32768]),
    breaks=st.lists(st.tuples(st.integers(0, 4999), st.integers(-32768, 32767)), max_size=4),
    start=st.integers(0, 4999),
)
def test_step_break(
    variant: str, length: int, slack: int, step: int, breaks: list[tuple[int, int]], start: int
) -> None:
    memory, start = Memory(length, np.int16, slack), start % length
    memory.array[:] = (np.arange(length) * step).astype(np.int16)
    for at, value in breaks:
        memory.array[at % length] = value
    steps = memory.array[1:] - memory.array[:-1]  # wraps
    expected = [at + 1 for at in np.flatnonzero(steps != step).tolist() if at >= start]
    assert _native.Kernels(variant).step_break(memory.array, start, step) == (expected or [length])[0]
    memory.check()


@every_variant
def test_a_break_at_every_place_of_a_block(variant: str) -> None:
    kernels = _native.Kernels(variant)
    values = np.arange(2100, dtype=np.int16)
    for at in range(1, 2100):
        values[at:] += 1
        assert kernels.step_break(values, 0, 1) == at
        values[at:] -= 1


def test_a_counter_into_memory_that_is_not_contiguous_is_refused() -> None:
    with pytest.raises(TypeError):
        variants.BEST.counter(np.zeros(8, np.int16)[::2], 0)


# ---------------------------------------------------------------- what every kernel refuses

ONE_TO_ONE: list[tuple[Callable[..., np.ndarray], Any]] = [
    (samples.align14, np.int16),
    (samples.unalign14, np.int16),
    (samples.quantise, np.float32),
    (samples.quantise, np.float64),
]


@pytest.mark.parametrize(("kernel", "dtype"), ONE_TO_ONE)
def test_outputs_that_cannot_be_written(kernel: Callable[..., np.ndarray], dtype: Any) -> None:
    values = np.zeros(8, dtype=dtype)
    frozen = np.zeros(8, dtype=np.int16)
    frozen.flags.writeable = False
    bad: list[tuple[Any, str]] = [
        (np.zeros(7, np.int16), r"shape \(7,\); needed is int16, shape \(8,\)"),
        (np.zeros((8, 1), np.int16), r"shape \(8, 1\)"),
        (np.zeros(8, np.uint16), "got dtype uint16"),
        (np.zeros(8, ">i2"), "got dtype >i2"),
        (np.zeros(16, np.int16)[::2], "strided, misaligned or read-only"),
        (frozen, "strided, misaligned or read-only"),
        (np.zeros(17, np.uint8)[1:].view(np.int16), "strided, misaligned or read-only"),
        ([0] * 8, "got list"),
        (values.view(np.int16)[:8], "overlaps"),
    ]
    for out, message in bad:
        with pytest.raises(BadArgumentError, match=message):
            kernel(values, out)


@pytest.mark.parametrize(("kernel", "dtype"), ONE_TO_ONE)
def test_inputs_that_cannot_be_read(kernel: Callable[..., np.ndarray], dtype: Any) -> None:
    for values in (np.zeros((2, 2), dtype), np.zeros(2, np.int32), np.zeros(2, np.dtype(dtype).newbyteorder(">"))):
        with pytest.raises(SignalError, match="what is taken is"):
            kernel(values)
    misaligned = np.zeros(4 * np.dtype(dtype).itemsize + 1, np.uint8)[1:].view(dtype)
    assert kernel(misaligned).tolist() == [0] * 4


def test_the_native_part_checks_sizes_by_itself() -> None:
    words, values = np.zeros(5, np.uint16), np.zeros(8, np.int16)
    for call in (
        lambda: variants.BEST.pack12(words, values),
        lambda: variants.BEST.unpack12(values, words),
        lambda: variants.BEST.interleave(values, [values[:4], values[:3]]),
        lambda: variants.BEST.interleave(values, [values[:4]]),
        lambda: variants.BEST.deinterleave([values[:4], values[:3]], values),
        lambda: variants.BEST.quantise(values, np.zeros(7)),
        lambda: variants.BEST.dither(values, np.zeros(7), 0, 0),
        lambda: variants.BEST.step_break(values, 8, 1),
        lambda: variants.BEST.step_break(values[:0], 0, 1),
        lambda: _native.Tones([]),
        lambda: _native.copy_to_aligned(np.zeros(3, np.uint8), np.zeros(4, np.uint8)),
        lambda: _native.copy_from_aligned(np.zeros(3, np.uint8), np.zeros(4, np.uint8)),
    ):
        with pytest.raises(ValueError, match="do not fit together"):
            call()
