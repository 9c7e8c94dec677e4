"""Modes 2 and 3 on a real kernel: the same code as on any other pool, and memory by its address.

QEMU has no memory of the PL: the device tree names 2 GiB of what Linux does not manage as such.
"""

from __future__ import annotations

import numpy as np
import pytest
from device_memory import carve_out_pool, pl_pool
from physical import move, peek, poke

from gapless.errors import AddressError
from gapless.memory import MemoryType, RangePool
from gapless.memory.providers.devmem import map_physical

BASE, SIZE = 0xF_8000_0000, 0x7FF0_0000


@pytest.fixture(scope="module")
def pools() -> dict[str, RangePool]:
    return {pool.name: pool for pool in (carve_out_pool(), pl_pool())}


@pytest.mark.mode(2, 3)
@pytest.mark.claim("PL memory is found in the device tree")
def test_pl_memory_is_found(pools: dict[str, RangePool]) -> None:
    pool = pools["pl-ddr"]
    assert (pool.base, pool.size, pool.kind.value) == (BASE, SIZE, "pl")
    assert pool.memory_type is MemoryType.DEVICE
    assert "pl-ddr" in pool.about


def user_program(pool: RangePool, other: RangePool, nbytes: int) -> None:
    """What a user writes; between PS and PL only the name of the pool changes."""
    values = np.random.default_rng(nbytes).integers(-32768, 32768, nbytes // 2, np.int16)
    with pool.allocate(values.size, np.int16) as samples, other.allocate(values.size, np.int16) as copy:
        samples.write(values)
        samples[5:9] = -1
        values[5:9] = -1
        copy.fill(0)
        samples.sync_to_device()
        move(copy.physical_address, samples.physical_address, samples.nbytes)
        copy.sync_from_device()
        assert np.array_equal(copy.read(), values)
        tail = min(nbytes, 4096)
        assert np.array_equal(peek(copy.physical_address + nbytes - tail, tail), values.view(np.uint8)[-tail:])


@pytest.mark.mode(2, 3)
@pytest.mark.claim("one code for PS and PL, from a page to 16 MiB")
@pytest.mark.parametrize("nbytes", [4096, 100_002, 1 << 20, 16 << 20])
def test_one_code_for_ps_and_pl(pools: dict[str, RangePool], nbytes: int) -> None:
    user_program(pools["pl-ddr"], pools["ps-carveout"], nbytes)
    user_program(pools["ps-carveout"], pools["pl-ddr"], nbytes)


@pytest.mark.mode(2, 3, 5)
@pytest.mark.claim("1 GiB from PS to PL and back by DMA")
def test_a_gib_there_and_back(pools: dict[str, RangePool]) -> None:
    """What the CPU writes are blocks: under emulation it would take a minute for all of it."""
    size, block, most = 1 << 30, (1 << 18) + 1, (1 << 30) - 64  # of one transfer
    random = np.random.default_rng(8)
    places = [0, *(int(at) for at in random.integers(block, size - 2 * block, 4)), most - 7, size - block]
    with pools["ps-carveout"].allocate(size, np.uint8) as here, pools["pl-ddr"].allocate(size, np.uint8) as there:
        for source, destination in ((here, there), (there, here)):
            values = [random.integers(0, 256, block, np.uint8) for _ in places]
            for at, written in zip(places, values, strict=True):
                destination[at : at + block].fill(0)
                source[at : at + min(block, size - at)] = written[: size - at]
            for first, nbytes in ((0, most), (most, size - most)):
                move(destination.physical_address + first, source.physical_address + first, nbytes)
            for at in places:
                found = destination[at : at + block].read()
                assert np.array_equal(found, source[at : at + block].read()), at
                assert np.array_equal(peek(destination.physical_address + at, found.size), found), at
            assert np.array_equal(destination[size - block :].read(), values[-1])
            assert np.array_equal(destination[:block].read(), values[0])


@pytest.mark.mode(3)
@pytest.mark.claim("PL memory is mapped by address, at any alignment")
@pytest.mark.parametrize("offset", [0, 1, 4093, 0x123_4567, SIZE - 5000])
def test_pl_memory_by_address(offset: int) -> None:
    values = np.random.default_rng(offset).integers(0, 256, 4999, np.uint8)
    with map_physical(BASE + offset, 4999) as buffer:
        assert buffer.physical_address == BASE + offset
        poke(BASE + offset, values)
        assert np.array_equal(buffer.read(), values)
        buffer.write(values[::-1])
        assert np.array_equal(peek(BASE + offset, 4999), values[::-1])


@pytest.mark.mode(3)
def test_what_is_in_a_pool_is_allocated_there(pools: dict[str, RangePool]) -> None:
    with pytest.raises(AddressError, match="is in pool pl-ddr: allocate it there"):
        map_physical(BASE + SIZE - 1, 10, pools=pools.values())
    map_physical(BASE + SIZE, 10, pools=pools.values()).free()
