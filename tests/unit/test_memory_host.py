"""HostMemory: sparse, bounded, and alive as long as anything looks at it; what buffers are made of on it."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

from gapless._native import Extent, HostMemory, Mapping, data_pointer

MIB, GIB = 1 << 20, 1 << 30


class Owner:
    pass


def test_36_gib_cost_nothing_until_touched():
    code = """
import resource
from gapless._native import Extent, HostMemory, Mapping, data_pointer
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
memories = [HostMemory(32 << 30), HostMemory(4 << 30)]
views = [memory.view(0, memory.size, None) for memory in memories]
for view in views:
    view[0], view[len(view) // 2], view[-1] = 1, 2, 3
grown = peak() - before
assert grown < 16 << 20, grown
assert [memory.resident for memory in memories] == [3 * 4096] * 2, [memory.resident for memory in memories]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_view_is_the_memory_itself():
    memory = HostMemory(MIB)
    one, other = memory.view(0, MIB, None), memory.view(4096, 16, None)
    assert one.dtype == np.uint8
    assert one.flags.writeable
    assert not one.any()
    one[4096:4112] = range(16)
    assert other.tolist() == list(range(16))
    other[3] = 99
    assert one[4099] == 99
    assert memory.view(MIB, 0, None).shape == (0,)


@pytest.mark.parametrize(
    ("offset", "nbytes"), [(0, MIB + 1), (MIB, 1), (MIB + 1, 0), ((1 << 64) - 1, 2), (1, (1 << 64) - 1)]
)
def test_nothing_outside_can_be_reached(offset, nbytes):
    memory = HostMemory(MIB)
    for call in (lambda: memory.view(offset, nbytes, None), lambda: memory.discard(offset, nbytes)):
        with pytest.raises(IndexError, match="leaves a host memory of 1048576 bytes"):
            call()
    with pytest.raises(IndexError):
        memory.advise_huge(offset, nbytes)


@pytest.mark.parametrize("size", [1 << 62, (1 << 64) - 1, 0])
def test_a_size_that_cannot_be_had_says_so(size):
    with pytest.raises((RuntimeError, ValueError), match="host memory"):
        HostMemory(size)


def test_an_odd_size_is_bounded_to_the_byte():
    memory = HostMemory(5000)
    assert memory.size == 5000
    memory.view(4999, 1, None)[0] = 1
    with pytest.raises(IndexError):
        memory.view(4999, 2, None)


def test_a_view_keeps_the_memory_and_its_owner_alive():
    memory, owner = HostMemory(MIB), Owner()
    gone = weakref.ref(owner)
    part = memory.view(0, 4096, owner)[10:20]
    part[:] = 7
    del memory, owner
    gc.collect()
    assert gone() is not None
    assert part.tolist() == [7] * 10
    del part
    gc.collect()
    assert gone() is None


def test_discard_returns_whole_pages_only():
    memory = HostMemory(MIB)
    view = memory.view(0, MIB, None)
    view[:] = 5
    assert memory.resident == MIB
    memory.discard(100, 3 * 4096)  # pages 1 and 2 lie wholly inside
    assert memory.resident == MIB - 2 * 4096
    memory.discard(5 * 4096 + 10, 10)  # inside one page
    assert memory.resident == MIB - 2 * 4096
    assert np.flatnonzero(view == 0).tolist() == list(range(4096, 3 * 4096))


def test_huge_pages_leave_small_neighbours_small():
    memory = HostMemory(64 * MIB)
    view = memory.view(0, memory.size, None)
    memory.advise_huge(8 * MIB + 5, 16 * MIB)
    view[0] = view[8 * MIB] = view[60 * MIB] = 1
    assert memory.resident == 3 * 4096
    view[8 * MIB + 5 : 24 * MIB] = 1
    assert memory.resident <= 16 * MIB + 3 * 4096
    memory.discard(8 * MIB + 5, 16 * MIB)
    view[16 * MIB] = 1  # no huge page any more
    assert memory.resident <= 6 * 4096


def test_an_extent_is_a_part_of_a_mapping_that_it_keeps():
    memory = HostMemory(1 << 20)
    whole = memory.view(0, 1 << 20, None)
    whole[:] = np.arange(1 << 20) % 251
    mapping = Mapping(whole)
    assert mapping.pointer == data_pointer(whole) == whole.__array_interface__["data"][0]
    extent = mapping.extent(4096, 1000)
    gone = weakref.ref(extent)
    array = np.ndarray((10, 25), "<i4", extent)
    assert array.flags.writeable
    assert np.array_equal(array.reshape(-1).view(np.uint8), whole[4096:5096])
    assert data_pointer(array[3:, 2:]) == mapping.pointer + 4096 + 308
    del extent, mapping, whole, memory
    gc.collect()
    array[:] = 7
    part = array[4]
    del array
    assert gone() is not None
    del part
    assert gone() is None


@pytest.mark.parametrize(("offset", "nbytes"), [(4096, 1), (4097, 0), (0, 4097), (1, 4096), (2, (1 << 64) - 1)])
def test_an_extent_does_not_leave_its_mapping(offset, nbytes):
    with pytest.raises(IndexError):
        Mapping(HostMemory(4096).view(0, 4096, None)).extent(offset, nbytes)


def test_an_extent_that_nothing_made_has_no_bytes():
    with pytest.raises(TypeError):
        Extent()
    with pytest.raises((BufferError, TypeError)):
        memoryview(Extent.__new__(Extent))


@pytest.mark.parametrize("dtype", ["u1", "<f8", ">i2", "M8[us]", "S3", [("a", "u1"), ("b", "c16")]])
def test_the_pointer_of_an_array_of_any_dtype(dtype):
    array = np.zeros((4, 5), dtype)
    for view in (array, array[1:, ::-2], array.T, array[2:2]):
        assert data_pointer(view) == view.__array_interface__["data"][0]


def test_memory_of_a_file_is_the_file(tmp_path):
    path = tmp_path / "memory"
    path.write_bytes(bytes(4096) + b"second page" + bytes(MIB))
    with path.open("r+b") as file:
        memory, other = (HostMemory(file.fileno(), 4096, MIB) for _ in range(2))
    assert memory.size == MIB
    view = memory.view(0, MIB, None)
    assert bytes(view[:11]) == b"second page"
    view[5000:5003] = 1, 2, 3
    assert other.view(5000, 3, None).tolist() == [1, 2, 3]
    # Not ours alone: nothing is given back.
    memory.discard(0, MIB)
    memory.advise_huge(0, MIB)
    del memory, view, other
    gc.collect()
    written = path.read_bytes()
    assert written[4096:4107] == b"second page"
    assert written[9096:9099] == bytes((1, 2, 3))


@pytest.mark.parametrize(
    ("offset", "size", "why"),
    [
        (0, 8193, "leaves a file of 8192 bytes"),
        (4096, 4097, "leaves a file of 8192 bytes"),
        (12288, 1, "leaves a file of 8192 bytes"),
        (4096, (1 << 64) - 1, "leaves a file of 8192 bytes"),
        (0, 0, "of 0 bytes"),
        (100, 100, "starts at a multiple of 4096"),
    ],
)
def test_memory_that_a_file_does_not_have(tmp_path, offset, size, why):
    path = tmp_path / "memory"
    path.write_bytes(bytes(8192))
    with path.open("r+b") as file, pytest.raises(ValueError, match=why):
        HostMemory(file.fileno(), offset, size)


def test_memory_of_no_file():
    with pytest.raises(ValueError, match="Bad file descriptor"):
        HostMemory(-1, 0, 4096)
