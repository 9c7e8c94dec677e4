"""DeviceBuffer: what numpy does, by whole aligned copies, and nothing beyond its bytes."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gapless._native import HostMemory, device_fill, device_read, device_write
from gapless.errors import BadArgumentError, BufferFreedError, BufferInFlightError, BufferUseError, NotContiguousError
from gapless.memory import DeviceBuffer, DmaBuffer, MappedRegion, MemoryType, RangePool, array_on, dma_memory, span

MIB = 1 << 20
BASE = 0x8_8000_0000


class Windows:
    """A mapping that knows what was reached, and refuses to be asked for more than it has."""

    def __init__(self, size):
        self.memory, self.reached = HostMemory(size), np.zeros(size, bool)

    def view(self, offset, nbytes, owner):
        return self.memory.view(offset, nbytes, owner)

    def reach(self, offset, nbytes):
        self.reached[offset : offset + nbytes] = True

    def discard(self, offset, nbytes):
        self.reached[offset : offset + nbytes] = False


def device_pool(size=8 * MIB):
    windows = Windows(size)
    region = MappedRegion(
        "carve-out", BASE, size, windows, memory_type=MemoryType.DEVICE, sync_method="nothing to do: uncached mapping"
    )
    return RangePool(region, BASE, size, name="carve-out"), windows


@pytest.fixture(scope="module")
def pool():
    return device_pool()[0]


# ---- the copies

PLACE, LENGTH = st.integers(0, 40), st.integers(0, 300)


@given(PLACE, PLACE, LENGTH, st.randoms(use_true_random=False))
def test_copies_touch_their_bytes_and_no_others(device_at, other_at, length, random):
    """Every alignment of either side, and guard bytes around both."""
    whole = np.frombuffer(random.randbytes(400), np.uint8).copy()
    device, model = whole.copy(), whole.copy()
    source = np.frombuffer(random.randbytes(400), np.uint8).copy()
    device_write(device[device_at : device_at + length], source[other_at : other_at + length])
    model[device_at : device_at + length] = source[other_at : other_at + length]
    assert np.array_equal(device, model)
    target, expected = whole.copy(), whole.copy()
    device_read(target[other_at : other_at + length], device[device_at : device_at + length])
    expected[other_at : other_at + length] = model[device_at : device_at + length]
    assert np.array_equal(target, expected)
    assert np.array_equal(device, model)


@given(PLACE, LENGTH, st.binary(min_size=1, max_size=50))
def test_a_fill_repeats_its_pattern_from_the_first_byte(at, length, pattern):
    device = np.full(400, 0xEE, np.uint8)
    device_fill(device[at : at + length], pattern)
    expected = (pattern * (length // len(pattern) + 1))[:length]
    assert device[at : at + length].tobytes() == expected
    assert (device[:at] == 0xEE).all()
    assert (device[at + length :] == 0xEE).all()


def test_a_fill_of_more_than_a_block_goes_on_with_its_pattern():
    device, pattern = np.zeros(200_003, np.uint8), bytes(range(7))
    device_fill(device, pattern)
    assert np.array_equal(device, np.resize(np.arange(7, dtype=np.uint8), device.size))


@pytest.mark.parametrize("copy", [device_write, device_read])
def test_both_sides_are_of_one_length(copy):
    with pytest.raises(ValueError, match="one length"):
        copy(np.zeros(8, np.uint8), np.zeros(9, np.uint8))


def test_nothing_is_written_where_nothing_may_be():
    constant = np.zeros(8, np.uint8)
    constant.flags.writeable = False
    for call in (
        lambda: device_write(constant, np.zeros(8, np.uint8)),
        lambda: device_read(constant, np.zeros(8, np.uint8)),
        lambda: device_fill(constant, b"1"),
    ):
        with pytest.raises((BufferError, ValueError)):
            call()


# ---- against numpy

DTYPES = st.sampled_from(["u1", "<i2", ">u4", "<f4", "<f8", "<c8", "<c16", "S3", "M8[us]", "?", "i1,<f8"])
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=20)


def values_of(shape, dtype, seed=0):
    kind = np.dtype(dtype)
    if kind == np.bool_:
        return np.random.default_rng(seed).integers(0, 2, shape).astype(bool)
    count = int(np.prod(shape)) * kind.itemsize
    return np.random.default_rng(seed).integers(0, 128, count, np.uint8).view(kind).reshape(shape)


def same(ours, theirs):
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


@given(SHAPES, DTYPES)
def test_what_was_written_is_read(shape, dtype):
    pool, _ = device_pool(MIB)
    values = values_of(shape, dtype)
    with pool.allocate(shape, dtype) as buffer:
        assert type(buffer) is DeviceBuffer
        assert not isinstance(buffer, np.ndarray)
        buffer.write(values)
        for read in (buffer.read(), np.asarray(buffer), np.array(buffer), buffer.read(np.empty_like(values))):
            assert same(read, values)
        for name in ("shape", "dtype", "size", "ndim", "itemsize", "nbytes"):
            assert getattr(buffer, name) == getattr(values, name), name
        assert len(buffer) == len(values)


@settings(max_examples=200)
@given(st.integers(1, 3000), DTYPES, st.data())
def test_parts_are_those_of_an_array(length, dtype, data):
    pool, windows = device_pool(MIB)
    values = values_of(length, dtype)
    buffer, model = pool.allocate(length, dtype), values.copy()
    windows.memory.view(0, windows.memory.size, None)[:] = 0xA5
    buffer.write(model)
    for turn in range(6):
        edge = st.one_of(st.none(), st.integers(-length - 2, length + 2))
        key = slice(data.draw(edge), data.draw(edge))
        part, expected = buffer[key], model[key]
        assert same(part.read(), expected)
        fresh = values_of(expected.shape, dtype, turn + 1)
        action = data.draw(st.sampled_from(["set", "write", "offset", "fill", "scalar"]))
        if action == "set":
            buffer[key] = fresh
        elif action == "write":
            part.write(fresh)
        elif action == "offset":
            buffer.write(fresh, key.indices(length)[0])
        elif fresh.size:
            fresh = np.full_like(fresh, fresh[0])
            if action == "fill":
                part.fill(fresh[0])
            else:
                buffer[key] = fresh[0]
        expected[...] = fresh
        assert same(buffer.read(), model)
        at = data.draw(st.integers(-length, length - 1))
        assert np.asarray(buffer[at]).tobytes() == model[at].tobytes()
        out = np.zeros(data.draw(st.integers(0, length)), dtype)
        first = data.draw(st.integers(0, length - out.size))
        assert same(buffer.read(out, first), model[first : first + out.size])
    # Beyond the buffer nothing was touched, and all that was touched had been reached.
    assert (windows.memory.view(buffer.nbytes, 4096, None) == 0xA5).all()
    assert not windows.reached[buffer.nbytes :].any()


@given(SHAPES, st.data())
def test_rows_shapes_and_other_dtypes(shape, data):
    pool, _ = device_pool(MIB)
    values = values_of(shape, "<i4")
    buffer = pool.allocate(shape, "<i4")
    buffer.write(values)
    at = data.draw(st.integers(-shape[0], shape[0] - 1))
    assert np.asarray(buffer[at]).tobytes() == values[at].tobytes()
    if values.ndim > 1:
        assert same(buffer[at].read(), values[at])
        assert buffer[at].physical_address == buffer.physical_address + at % shape[0] * values[0].nbytes
    for reshaped in (buffer.reshape(-1), buffer.reshape((-1,)), buffer.reshape(1, values.size)):
        assert same(reshaped.read(), values.reshape(reshaped.shape))
    assert same(buffer.view("<u2").read(), values.view("<u2"))
    assert same(buffer.view(np.uint8).read(), values.view(np.uint8))
    assert [np.asarray(row).tolist() for row in buffer] == values.tolist()


@given(st.integers(1, 100), st.integers(1, 7))
def test_strided_arrays_go_in_and_come_out(length, step):
    pool, _ = device_pool(MIB)
    wide = np.arange(length * step, dtype=np.int32)
    buffer = pool.allocate(length, np.int64)
    buffer.write(wide[::step])  # a cast, too
    assert np.array_equal(buffer.read(), wide[::step])
    out = np.zeros((length, step))
    buffer.read(out[:, 0])
    assert np.array_equal(out[:, 0], wide[::step])
    assert not out[:, 1:].any()


def test_buffers_of_more_than_a_block_are_whole():
    pool, windows = device_pool(16 * MIB)
    values = np.random.default_rng(3).integers(0, 256, 13 * MIB + 5, np.uint8)
    buffer = pool.allocate(values.size, np.uint8)
    buffer.write(values)
    assert np.array_equal(buffer.read(), values)
    buffer[5:].view(np.uint8).fill(3)
    values[5:] = 3
    assert np.array_equal(buffer.read(), values)
    assert windows.reached[: values.size].all()
    assert not windows.reached[values.size :].any()
    odd = buffer[: 3 * (4 * MIB // 3 + 1) * 3].view("S3")  # blocks of no whole number of elements
    odd.fill(b"abc")
    assert (odd.read() == b"abc").all()


def test_nothing_is_reached_before_it_is_used():
    pool, windows = device_pool()
    buffer = pool.allocate(MIB, np.uint8)
    assert not windows.reached.any()
    buffer[100:200].fill(1)
    assert windows.reached.nonzero()[0].tolist() == list(range(100, 200))
    array = buffer[300:400].as_array()
    assert windows.reached[300:400].all()
    array[5] = 9
    assert buffer[305] == 9
    buffer.free()
    del buffer, array
    gc.collect()
    assert not windows.reached.any()


# ---- what it refuses


def test_values_that_do_not_fit_change_nothing(pool):
    buffer = pool.allocate(10, np.int16)
    buffer.fill(7)
    for call in (
        lambda: buffer.write(np.zeros(11, np.int16)),
        lambda: buffer.write(np.zeros(2, np.int16), 9),
        lambda: buffer.write(np.zeros(2, np.int16), -1),
        lambda: buffer.write(np.zeros(10, np.float64)),
        lambda: buffer.read(np.zeros(11, np.int16)),
        lambda: buffer.read(np.zeros(10, np.uint8)),
        lambda: buffer.__setitem__(slice(0, 3), np.zeros(4, np.int16)),
        lambda: buffer.__setitem__(slice(0, 4), np.zeros((2, 2), np.int16)),
        lambda: buffer[(1, 2)],
        lambda: buffer[[1, 2]],
        lambda: buffer["a"],
        lambda: buffer.view("S7"),
        lambda: buffer.view("V0"),
    ):
        with pytest.raises(BadArgumentError):
            call()
    assert (buffer.read() == 7).all()


@pytest.mark.parametrize("key", [slice(None, None, 2), slice(None, None, -1)])
def test_a_part_is_one_stretch(pool, key):
    buffer = pool.allocate(10, np.int16)
    for call in (lambda: buffer[key], lambda: buffer.__setitem__(key, 0)):
        with pytest.raises(NotContiguousError, match=r"read\(\) it first"):
            call()


def test_an_index_outside_is_an_index_error(pool):
    buffer = pool.allocate(10, np.int16)
    for at in (10, -11):
        with pytest.raises(IndexError, match="of a buffer of 10"):
            buffer[at]
    with pytest.raises(ValueError, match="reshape"):
        buffer.reshape(3, 3)


def test_no_array_on_it_comes_by_accident(pool):
    buffer = pool.allocate(10, np.int16)
    with pytest.raises(TypeError):
        memoryview(buffer)
    with pytest.raises(ValueError, match="as_array"):
        buffer.__array__(copy=False)
    with pytest.raises(BadArgumentError, match="allocate"):
        DeviceBuffer()
    copied = np.asarray(buffer)
    copied[:] = 1
    buffer.fill(2)
    assert (copied == 1).all()
    assert np.shares_memory(array_on(buffer), buffer.as_array())


# ---- how long it lasts


def test_a_freed_buffer_and_its_parts_refuse_everything(pool):
    buffer = pool.allocate((4, 4), np.int16)
    part = buffer[1:3]
    with pytest.raises(BufferUseError, match="free the buffer it was made from"):
        part.free()
    buffer.free()
    buffer.free()
    assert buffer.freed
    assert part.freed
    assert "freed" in repr(buffer)
    for dead in (buffer, part):
        for call in (
            dead.read,
            dead.as_array,
            lambda dead=dead: dead.write(np.zeros(dead.shape, np.int16)),
            lambda dead=dead: dead.fill(0),
            lambda dead=dead: dead[0],
            lambda dead=dead: dead.reshape(-1),
            lambda dead=dead: dead.view(np.uint8),
            lambda dead=dead: dead.physical_address,
            lambda dead=dead: dead.runs,
            dead.sync_to_device,
            lambda dead=dead: np.asarray(dead),
        ):
            with pytest.raises(BufferFreedError):
                call()


def test_memory_comes_back_when_the_last_part_goes():
    pool, _ = device_pool(MIB)
    buffer = pool.allocate(MIB, np.uint8)
    part = buffer[5:10]
    buffer.free()
    assert pool.stats().free == 0
    del part
    gc.collect()
    assert pool.stats().free == MIB


def test_what_a_channel_uses_is_not_freed(pool):
    buffer = pool.allocate(64, np.uint8)
    with buffer.in_use_by("dma_dac0"), pytest.raises(BufferInFlightError, match="dma_dac0"):
        buffer.free()
    buffer.free()


def test_addresses_and_what_it_says_of_itself(pool):
    buffer = pool.allocate((8, 4), np.int16, align=4096)
    assert buffer.runs == ((buffer.physical_address, 64),)
    assert buffer[2:4].runs == ((buffer.physical_address + 16, 16),)
    assert span(dma_memory(buffer[1])) == (buffer.physical_address + 8, 8)
    assert buffer.memory_type is MemoryType.DEVICE
    assert buffer.sync_method == "nothing to do: uncached mapping"
    assert buffer.pool is pool
    assert "shape (8, 4)" in repr(buffer)
    buffer.sync_to_device()
    buffer.sync_from_device()


def test_the_same_region_as_normal_memory_gives_arrays():
    region = MappedRegion("r", BASE, MIB, HostMemory(MIB))
    assert type(RangePool(region, BASE, MIB, name="r").allocate(4)) is DmaBuffer
