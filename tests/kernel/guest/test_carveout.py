"""Mode 5 on a real kernel: found, allocated whole, written and read without a fault, moved by a DMA engine."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from device_memory import carve_out_pool, in_child, pl_pool, spec
from numpy.typing import NDArray
from physical import move, peek, poke

from gapless.errors import AccessDeniedError, AddressError
from gapless.memory import DeviceBuffer, MemoryType, RangePool
from gapless.memory.providers.availability import Unavailable
from gapless.memory.providers.devmem import carve_out, map_physical, pl_memory
from gapless.memory.providers.iomem import Iomem

BASE, SIZE = 0x8_8000_0000, 28 << 30
GIB = 1 << 30
BLOCK = (256 << 10) + 13


@pytest.fixture(scope="module")
def pool() -> RangePool:
    return carve_out_pool()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[DeviceBuffer]:
    """Memory of another pool, to move to and from."""
    buffer = pl_pool().allocate(4 << 20, np.uint8)
    yield buffer
    buffer.free()


@pytest.mark.mode(5)
@pytest.mark.claim("the carve-out is found from /proc/iomem and the device tree")
def test_the_carve_out_is_found(pool: RangePool) -> None:
    assert (pool.base, pool.size) == (BASE, SIZE)
    assert pool.memory_type is MemoryType.DEVICE
    assert pool.sync_method == "nothing to do: uncached mapping"
    assert "carveout@880000000" in pool.about


def places() -> list[tuple[str, int]]:
    """Offsets of blocks at both ends and over every multiple of 4 GiB of physical address."""
    crossings = [(f"over {at:#x}", at - BASE - BLOCK // 2) for at in range(0x9_0000_0000, BASE + SIZE, 4 * GIB)]
    return [("first", 0), *crossings, ("last", SIZE - BLOCK)]


@pytest.mark.mode(5)
@pytest.mark.claim("28 GiB as one buffer: first, last and 4 GiB-crossing blocks written, moved by DMA and compared")
def test_28_gib_are_one_buffer(pool: RangePool, elsewhere: DeviceBuffer) -> None:
    random = np.random.default_rng(1)
    with pool.allocate(SIZE, np.uint8) as buffer:
        assert buffer.runs == ((BASE, SIZE),)
        assert len(places()) == 9
        written = {name: random.integers(0, 256, BLOCK, np.uint8) for name, _ in places()}
        for name, offset in places():
            buffer[offset : offset + BLOCK] = written[name]
        # All are there before the first is looked at: none lies over another.
        for name, offset in places():
            elsewhere.fill(0)
            move(elsewhere.physical_address, buffer[offset : offset + BLOCK].physical_address, BLOCK)
            assert np.array_equal(peek(elsewhere.physical_address, BLOCK), written[name]), name
            assert np.array_equal(elsewhere[:BLOCK].read(), written[name]), name
            assert not elsewhere[BLOCK].any()
        for name, offset in places():
            block = random.integers(0, 256, BLOCK, np.uint8)
            elsewhere[7 : 7 + BLOCK] = block
            move(BASE + offset, elsewhere.physical_address + 7, BLOCK)
            assert np.array_equal(buffer[offset : offset + BLOCK].read(), block), name
            assert np.array_equal(peek(BASE + offset, BLOCK), block), name
        # What was not touched is not mapped.
        assert pool.region._mapper.mapped <= 2 * len(places()) * (64 << 20)
    assert pool.stats().free == SIZE
    assert pool.region._mapper.mapped == 0


@pytest.mark.mode(5)
@pytest.mark.claim("1,000 random slices of odd lengths, written and read: no SIGBUS, equal to numpy")
def test_any_slice_of_any_length(pool: RangePool) -> None:
    random = np.random.default_rng(4)
    size = (1 << 20) + 5
    buffer, model = pool.allocate(size, np.uint8), np.zeros(size, np.uint8)
    buffer.fill(0)
    for turn in range(1000):
        start = int(random.integers(0, size))
        length = int(random.integers(1, min(size - start, 2**13 if turn % 10 else size) + 1))
        end = start + length
        values = random.integers(0, 256, length, np.uint8)
        kind = turn % 4
        if kind == 0:
            buffer[start:end] = values
        elif kind == 1:
            buffer.write(values, start)
        elif kind == 2:
            buffer[start:end].fill(values[0])
        else:
            target = np.zeros(length + 3, np.uint8)[3:]  # itself at no multiple of 8
            buffer.read(target, start)
            assert np.array_equal(target, model[start:end]), (turn, start, end)
            continue
        model[start:end] = values if kind < 2 else values[0]
        assert np.array_equal(buffer[start:end].read(), model[start:end]), (turn, start, end)
    assert np.array_equal(buffer.read(), model)
    assert np.array_equal(peek(buffer.physical_address, size), model)


@pytest.mark.mode(5)
@pytest.mark.parametrize("dtype", ["<i2", "<f4", "<c8", "<f8", ">u4", "S3", "<c16"])
def test_any_dtype_at_any_offset(pool: RangePool, dtype: str) -> None:
    random = np.random.default_rng(5)
    raw = pool.allocate(1 << 16, np.uint8)
    raw.fill(0)
    model = np.zeros(1 << 16, np.uint8)
    kind = np.dtype(dtype)
    for _ in range(40):
        start = int(random.integers(0, 1 << 15))
        count = int(random.integers(1, 500))
        part = raw[start : start + count * kind.itemsize].view(kind)
        values = random.integers(0, 256, count * kind.itemsize, np.uint8)
        part.write(values.view(kind))
        model[start : start + values.size] = values
        assert part.read().tobytes() == values.tobytes()
    assert np.array_equal(raw.read(), model)


FAULTS: dict[str, Callable[[NDArray[np.uint8]], object]] = {
    "a word at an odd address": lambda array: ctypes.c_uint64.from_address(array.ctypes.data + 1),
    "a copy of a part of an array": lambda array: array[1:1000].copy(),
    "an unaligned array": lambda array: np.ndarray(100, "<f8", array, 3).sum(),
}


@pytest.mark.claim("the machine does fault on unaligned accesses to the carve-out")
@pytest.mark.parametrize("access", FAULTS.values(), ids=FAULTS)
def test_numpy_itself_dies_there(pool: RangePool, access: Callable[[NDArray[np.uint8]], object]) -> None:
    with pool.allocate(4096, np.uint8) as buffer:

        def use(array: NDArray[np.uint8]) -> None:
            array[8] = 5
            os.write(1, b"alive")
            found = access(array)
            getattr(found, "value", None)  # of what ctypes gives

        ended, said = in_child(lambda: use(buffer.as_array()))
        assert (said, ended) == ("alive", -signal.SIGBUS)


@pytest.mark.claim("memory of the kernel is refused by address, and the entry named")
def test_kernel_memory_is_refused() -> None:
    (code,) = [entry for entry in Iomem.read().entries if entry.name == "Kernel code"]
    with pytest.raises(AddressError, match="Kernel code") as refused:
        map_physical(code.base, 4096)
    print(refused.value)
    assert "System RAM" in str(refused.value)
    with pytest.raises(AddressError, match=r"0x8_0000_0000-0x8_6FFF_FFFF System RAM"):
        map_physical(0x8_0000_0000 - 4096, 8192)
    with pytest.raises(AddressError, match=r"reserved"):  # without no-map
        map_physical(0x8_6800_0000, 4096)
    with pytest.raises(AddressError, match="xuartps"):
        map_physical(0xFF00_0000, 4096)


@pytest.mark.claim("memory that is reserved with no-map can be mapped by address")
def test_reserved_memory_with_no_map_is_ours_by_address() -> None:
    with map_physical(0x8_7000_0001, 12345) as buffer:
        values = np.random.default_rng(6).integers(0, 256, 12345, np.uint8)
        buffer.write(values)
        assert np.array_equal(peek(0x8_7000_0001, 12345), values)


@pytest.mark.needs("strict-devmem")
@pytest.mark.claim("what the kernel refuses by itself is an error that says so")
def test_the_kernels_own_refusal(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/iomem").write_text("ff000000-ff000fff : somebody\n")  # hides System RAM
    (tmp_path / "dev").symlink_to("/dev")
    try:
        with pytest.raises(AccessDeniedError, match="STRICT_DEVMEM") as refused:
            map_physical(0x8_0800_0000, 4096, root=tmp_path)
    except pytest.fail.Exception:
        pytest.skip("this kernel was built without STRICT_DEVMEM")
    print(refused.value)
    with pytest.raises(AddressError, match="do not go so far"):
        map_physical(1 << 60, 4096, root=tmp_path)


@pytest.mark.claim("without root, the reason and what gives it are said")
def test_without_root() -> None:
    def use() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        for found in (carve_out(spec()), pl_memory(spec())):
            assert isinstance(found, Unavailable)
            os.write(1, f"{found.reason}; {found.fix}\n".encode())
        try:
            map_physical(0x8_7000_0000, 4096)
        except AccessDeniedError as error:
            os.write(1, f"{error}\n".encode())

    ended, said = in_child(use)
    print(said)
    assert ended == 0
    assert len(said.splitlines()) == 3
    for line in said.splitlines():
        for part in ("/proc/iomem", "root", "CAP_SYS_RAWIO", "udev"):
            assert part in line


@pytest.mark.claim("addresses do not wrap at 36 bits")
def test_37_bits_are_37_bits(pool: RangePool, elsewhere: DeviceBuffer) -> None:
    """QEMU has no memory above 0xF_FFFF_FFFF; but nothing there shows that what is below is not meant."""
    with pool.allocate(4096, np.uint8, address=BASE) as buffer:
        buffer.fill(0x5A)
        elsewhere.fill(0x33)
        move(elsewhere.physical_address, BASE + (1 << 36), 4096)
        assert not (elsewhere[:4096].read() == 0x5A).any()
        poke(elsewhere.physical_address, np.full(16, 0x77, np.uint8))
        move(BASE, elsewhere.physical_address, 16)
        assert (buffer[:16].read() == 0x77).all()
        assert (buffer[16:].read() == 0x5A).all()
