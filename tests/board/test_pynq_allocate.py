"""allocate() and what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pynq_board import in_use

import gapless
from gapless.compat.pynq import PynqBuffer, Xlnk, allocate
from gapless.errors import (
    AllocationError,
    BadArgumentError,
    BufferFreedError,
    NotContiguousError,
    PynqError,
    UnknownNameError,
)


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with in_use(gapless.open("virtual:pynq-z2?cma=16MiB")) as board:
        yield board


def test_names_of_a_buffer(board: gapless.Board) -> None:
    pool = board.memory["ps-cma"]
    with allocate((4, 8), "i2", cacheable=1) as buffer:
        assert isinstance(buffer, PynqBuffer)
        assert (buffer.shape, buffer.dtype, buffer.nbytes) == ((4, 8), np.dtype(np.int16), 64)
        assert pool.base <= buffer.physical_address == buffer.device_address < pool.base + pool.size
        assert buffer[2:].physical_address == buffer.physical_address + 32
        assert buffer.virtual_address == buffer.ctypes.data
        assert (buffer.coherent, buffer.cacheable) == (pool.coherent, not pool.coherent)
        buffer[...] = 7
        buffer.flush()
        buffer.invalidate()
        assert (buffer == 7).all()
    assert buffer.freed
    with allocate(5) as words:
        assert words.dtype == np.uint32
        assert words.shape == (5,)


def test_a_target_allocates(board: gapless.Board) -> None:
    class Target:
        def allocate(self, shape: Any, dtype: Any, **kwargs: Any) -> Any:
            return shape, dtype, kwargs

    assert allocate((2, 3), "u1", target=Target(), bank=1) == ((2, 3), "u1", {"bank": 1})
    address = board.memory["ps-cma"].base + (8 << 20)
    with allocate(64, target=board.memory["ps-cma"], address=address) as buffer:
        assert isinstance(buffer, PynqBuffer)
        assert buffer.physical_address == address
    with gapless.open("virtual:zcu111") as other, allocate(64, target=other.memory["pl-ddr"]) as buffer:
        assert buffer.pool is other.memory["pl-ddr"]
    with pytest.raises(BadArgumentError):
        allocate((4, 0))


def test_failure_says_what_is_free(board: gapless.Board) -> None:
    """PYNQ: ``RuntimeError("BO allocation failed: ...")``, with neither a size nor what is free."""
    with pytest.raises(RuntimeError, match=r"^BO allocation failed: asked 64 MiB in ps-cma: largest .* free") as failed:
        allocate(64 << 20, "u1")
    assert isinstance(failed.value, PynqError)
    assert isinstance(failed.value.__cause__, AllocationError)


def test_what_is_computed_has_no_physical_address(board: gapless.Board) -> None:
    """PYNQ: the results of arithmetic, ``copy()`` and ``astype()`` keep a physical address that is not theirs."""
    with allocate(16) as buffer:
        for made in (buffer + 1, buffer.copy(), buffer.astype("f8"), np.sqrt(buffer)):
            assert type(made) is np.ndarray
            assert not hasattr(made, "physical_address")


def test_a_strided_view_has_no_physical_address(board: gapless.Board) -> None:
    """PYNQ: ``buf[::2].physical_address`` is that of the whole, and a device sends the wrong data."""
    with allocate(16) as buffer, pytest.raises(NotContiguousError):
        _ = buffer[::2].physical_address


def test_use_after_free(board: gapless.Board) -> None:
    """PYNQ: a view that is used after its buffer was freed ends the process."""
    buffer = allocate(16)
    view = buffer[4:]
    buffer.freebuffer()
    for use in (lambda: view[0], lambda: view.physical_address, lambda: buffer.flush()):
        with pytest.raises(BufferFreedError):
            use()


def test_a_board_without_the_pool(board: gapless.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "memory", type(board.memory)({}))
    with pytest.raises(UnknownNameError, match="ps-cma"):
        allocate(1)
    monkeypatch.undo()


def test_memory_that_was_used_comes_back_as_zeros(board: gapless.Board) -> None:
    """PYNQ: Linux clears what it gives, and programs count on it."""
    for make in (lambda: allocate(1000), lambda: Xlnk().cma_array(1000)):
        with make() as buffer:
            place = buffer.physical_address
            buffer[:] = 0xFFFF_FFFF
            buffer.sync_to_device()
        with make() as buffer:
            assert buffer.physical_address == place
            assert not buffer.any()
