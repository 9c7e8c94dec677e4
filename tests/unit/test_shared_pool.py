"""A pool that several programs share: each instance of Claims is a program of its own to the others."""

import gc
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless._native import HostMemory
from gapless.errors import AddressError, AllocationError, RegistryError, TakenError
from gapless.memory import Claims, MappedRegion, RangePool
from gapless.units import MIB

BASE = 0x8_8000_0000


@pytest.fixture
def root(tmp_path):
    (tmp_path / "proc").symlink_to("/proc")
    return tmp_path


def a_pool(root, memory=None, *, size=MIB):
    region = MappedRegion("carve-out", BASE, size, memory or HostMemory(size))
    return RangePool(region, BASE, size, name="ps-carveout", claims=Claims(root))


def test_programs_get_different_memory_and_give_it_back(root):
    one, other = a_pool(root), a_pool(root)
    first = one.allocate(4096, np.uint8)
    second = other.allocate(4096, np.uint8)
    third = one.allocate(4096, np.uint8)
    assert [buffer.physical_address - BASE for buffer in (first, second, third)] == [0, 4096, 8192]
    assert other.stats().used == 8192
    assert other.stats().buffers.count == 1
    assert other.stats().buffers.bytes == 4096
    first.free()
    del third
    gc.collect()
    assert other.allocate(4096, np.uint8).physical_address == BASE
    assert one.stats().used == 4096  # what the other one has


def test_a_taken_address_says_who_has_it(root):
    one, other = a_pool(root), a_pool(root)
    buffer = one.allocate(4096, np.uint8)
    with pytest.raises(
        TakenError, match=r"4 KiB at 0x8_8000_0000 in ps-carveout is taken: pid \d+ \(.+\) has it since"
    ):
        other.allocate(4096, np.uint8, address=BASE)
    with pytest.raises(TakenError, match="is taken: pid"):
        other.allocate(64, np.uint8, address=BASE + 4032)
    buffer.free()
    kept = other.allocate(4096, np.uint8, address=BASE)
    assert kept.physical_address == BASE
    with pytest.raises(AddressError, match="taken"):
        one.allocate(4096, np.uint8, address=BASE)


def test_no_room_where_another_program_has_all(root):
    one, other = a_pool(root), a_pool(root)
    whole = one.allocate(MIB, np.uint8)
    with pytest.raises(AllocationError, match="largest free block 0 B of 0 B free"):
        other.allocate(64, np.uint8)
    whole.free()
    assert other.allocate(MIB, np.uint8).physical_address == BASE


def test_nothing_is_lost_where_the_registry_fails(root):
    pool = a_pool(root)
    buffer = pool.allocate(64, np.uint8)
    registry = root / "run/gapless/claims.json"
    text = registry.read_text()
    registry.write_text("rubbish")
    with pytest.raises(RegistryError, match="damaged"):
        pool.allocate(64, np.uint8)
    registry.write_text(text)
    assert pool.stats().used == 64
    assert pool.allocate(64, np.uint8).physical_address == BASE + 64
    buffer.free()


def test_arrays_that_are_collected_while_one_is_allocated(root):
    pool = a_pool(root)
    for _ in range(50):
        cycle = [pool.allocate(64, np.uint8)]
        cycle.append(cycle)  # only the collector takes it back, at any place
    del cycle
    gc.collect()
    pool.allocate(64, np.uint8).free()
    assert pool.stats().used == 0
    assert a_pool(root).allocate(MIB, np.uint8).physical_address == BASE


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(1, 3000)), max_size=60))
def test_no_byte_belongs_to_two(tmp_path_factory, steps):
    root = Path(tmp_path_factory.mktemp("root"))
    (root / "proc").symlink_to("/proc")
    pools = [a_pool(root, size=16384) for _ in range(3)]
    held: list[tuple[int, object]] = []
    for who, what, nbytes in steps:
        if what < 2 and held:
            held.pop(nbytes % len(held))[1].free()
            continue
        try:
            buffer = pools[who].allocate(nbytes, np.uint8)
        except AllocationError:
            continue
        held.append((who, buffer))
        taken = sorted((some.physical_address, some.nbytes) for _, some in held)
        assert all(at + size <= following for (at, size), (following, _) in itertools.pairwise(taken))
    for _, buffer in held:
        buffer.free()
    assert pools[0].allocate(16384, np.uint8).physical_address == BASE


def test_threads_of_two_programs(root):
    memory = HostMemory(MIB)
    pools = [a_pool(root, memory), a_pool(root, memory)]
    errors = []

    def work(pool, value):
        try:
            for _ in range(40):
                with pool.allocate(1000, np.uint8) as buffer:
                    buffer[...] = value
                    assert (np.asarray(buffer) == value).all()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(pools[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
