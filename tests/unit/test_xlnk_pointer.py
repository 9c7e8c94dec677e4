"""Pointers: elements, bounds, and what C programs do with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import gapless
from gapless.compat import pynq
from gapless.compat.pynq import Xlnk
from gapless.compat.pynq.pointer import Pointer
from gapless.errors import BadArgumentError, BufferFreedError, UnknownNameError


@pytest.fixture
def xlnk() -> Iterator[Xlnk]:
    with gapless.open("virtual:pynq-z2") as board:
        pynq.use(board)
        yield Xlnk()
        pynq.close()


@pytest.mark.parametrize(
    ("name", "size", "value"),
    [
        ("char", 1, -5),
        ("unsigned char", 1, 250),
        ("short", 2, -3),
        ("int", 4, -70000),
        ("unsigned int", 4, 1 << 31),
        ("long long", 8, -(1 << 40)),
        ("uint64_t", 8, 1 << 63),
        ("float", 4, 0.5),
        ("double", 8, 0.1),
        ("bool", 1, True),
    ],
)
def test_elements_of_a_type(xlnk: Xlnk, name: str, size: int, value: float) -> None:
    pointer = xlnk.cma_alloc(3, data_type=name)
    assert pointer.buffer.nbytes == 3 * size
    pointer[1] = value
    assert pointer[1] == value
    assert [pointer[0], pointer[2]] == [0, 0]
    assert (pointer + 1)[0] == value
    assert (pointer + 1).physical_address - pointer.physical_address == size
    assert int(pointer + 3 - 2) == int(pointer) + size


def test_bounds(xlnk: Xlnk) -> None:
    pointer = xlnk.cma_alloc(4, data_type="int") + 1
    assert pointer[-1] == 0
    for use in (
        lambda: pointer[3],
        lambda: pointer[-2],
        lambda: pointer[0:4],
        lambda: pointer + 4,
        lambda: pointer - 2,
    ):
        with pytest.raises(BadArgumentError):
            use()
    with pytest.raises(BadArgumentError, match="both ends"):
        pointer[:2]
    with pytest.raises(TypeError):
        iter(pointer)


def test_void_points_to_no_elements(xlnk: Xlnk) -> None:
    pointer = xlnk.cma_alloc(4)
    for use in (lambda: pointer[0], lambda: pointer + 1):
        with pytest.raises(TypeError, match="cast it first"):
            use()
    with pytest.raises(UnknownNameError, match="there is void, char"):
        xlnk.cma_cast(pointer, "struct thing")


def test_equal_where_the_address_is(xlnk: Xlnk) -> None:
    pointer = xlnk.cma_alloc(8)
    ints = Xlnk.cma_cast(pointer, "int")
    assert pointer == ints
    assert hash(pointer) == hash(ints)
    assert ints + 1 != ints
    assert pointer != int(pointer)
    assert pointer
    assert repr(ints) == f"<cdata 'int *' {int(ints):#x}>"


def test_a_slice_is_the_memory_and_outlives_nothing(xlnk: Xlnk) -> None:
    pointer = xlnk.cma_alloc(4, data_type="int")
    ints = pointer[0:4]
    ints[:] = [1, 2, 3, 4]
    pointer[1:3] = 9
    assert ints.tolist() == [1, 9, 9, 4]
    assert ints.dtype == np.int32
    xlnk.cma_free(pointer)
    for use in (lambda: ints[0], lambda: pointer[0], lambda: pointer.cast("int")):
        with pytest.raises(BufferFreedError):
            use()
    assert isinstance(pointer, Pointer)
    assert "cdata" in str(pointer)
