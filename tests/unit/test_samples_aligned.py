"""Copies with aligned accesses only: every alignment, and what lies beside is left as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.errors import BadArgumentError
from gapless.samples import copy_from_aligned, copy_to_aligned

OFFSETS = st.integers(0, 17)


def device_memory(nbytes: int) -> np.ndarray:
    """Whole words: 8-byte aligned, and a multiple of 8 bytes long."""
    return np.random.default_rng(nbytes).integers(0, 256, -(-nbytes // 8) * 8, dtype=np.uint8)


@given(nbytes=st.integers(0, 100), at=OFFSETS, data_at=OFFSETS)
def test_to_aligned(nbytes: int, at: int, data_at: int) -> None:
    device = device_memory(nbytes + at)
    data = np.random.default_rng(1).integers(0, 256, nbytes + data_at, dtype=np.uint8)[data_at:]
    want = device.copy()
    want[at : at + nbytes] = data
    copy_to_aligned(device[at : at + nbytes], data)
    assert np.array_equal(device, want)


@given(nbytes=st.integers(0, 100), at=OFFSETS, out_at=OFFSETS)
def test_from_aligned(nbytes: int, at: int, out_at: int) -> None:
    device = device_memory(nbytes + at)
    out = np.full(nbytes + out_at + 9, 77, dtype=np.uint8)
    copy_from_aligned(out[out_at : out_at + nbytes], device[at : at + nbytes])
    assert np.array_equal(out[out_at : out_at + nbytes], device[at : at + nbytes])
    assert (out[:out_at] == 77).all()
    assert (out[out_at + nbytes :] == 77).all()


def test_arrays_of_any_dtype_and_shape() -> None:
    device = np.zeros(8, dtype=np.int16)
    copy_to_aligned(device[1:7], np.arange(6, dtype=np.int16).reshape(2, 3))
    assert device.tolist() == [0, 0, 1, 2, 3, 4, 5, 0]
    out = np.empty((3, 1), dtype=np.uint32)
    copy_from_aligned(out, device[1:7])
    assert out.view(np.int16).reshape(-1).tolist() == [0, 1, 2, 3, 4, 5]


def test_copies_that_cannot_be() -> None:
    memory = np.zeros(64, dtype=np.uint8)
    frozen = np.zeros(8, dtype=np.uint8)
    frozen.flags.writeable = False
    wrong: list[tuple[Any, Any, str]] = [
        (memory[:8], memory[8:15], "8 bytes for 7 bytes"),
        (memory[:8], memory[4:12], "overlaps"),
        (memory[:16:2], memory[16:24], "strided"),
        (memory[:8], memory[16:32:2], "strided"),
        (frozen, memory[:8], "read-only"),
        ([1, 2], memory[:2], "not an array"),
    ]
    for target, source, message in wrong:
        for copy in (copy_to_aligned, copy_from_aligned):
            with pytest.raises(BadArgumentError, match=message):
                copy(target, source)
