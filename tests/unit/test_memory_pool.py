"""Pool: where buffers go, what is left, and what it says when there is no room."""

from __future__ import annotations

import gc
import random
import sys
import threading
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import HostMemory
from gapless.errors import AddressError, AllocationError, BadArgumentError, GaplessError
from gapless.memory import BufferCount, MappedRegion, PoolStats, RangePool, span

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BASE = 0x1000_0000


def make_pool(size=MIB, base=BASE, *, name="ps-cma", **options):
    memory = HostMemory(size)
    return RangePool(MappedRegion("ps-low", base, size, memory), base, size, name=name, **options)


class Guard:
    def __init__(self):
        self.calls = []

    def allocated(self, address, nbytes):
        self.calls.append(("allocated", address, nbytes))

    def released(self, address, nbytes):
        self.calls.append(("released", address, nbytes))


def test_buffers_go_to_the_lowest_address_that_fits():
    pool = make_pool()
    first = pool.allocate(16)
    second = pool.allocate((2, 100), np.int16)
    third = pool.allocate(10, "c16")
    assert (first.dtype, first.shape) == (np.uint32, (16,))
    assert (second.dtype, second.shape, third.dtype) == (np.int16, (2, 100), np.complex128)
    assert [b.physical_address for b in (first, second, third)] == [BASE, BASE + 64, BASE + 64 + 448]
    second.free()
    assert pool.allocate(112).physical_address == BASE + 64
    assert first.flags.writeable
    assert first.flags.c_contiguous


def test_what_is_written_is_in_the_region_at_that_address():
    pool = make_pool()
    buffer = pool.allocate(4, np.uint16, address=BASE + 128)
    buffer[:] = [1, 2, 3, 0x1234]
    assert pool.region.map(buffer.physical_address, 8, None).tolist() == [1, 0, 2, 0, 3, 0, 0x34, 0x12]


@pytest.mark.parametrize("align", [1, 64, 128, 4096, 65536])
def test_alignment_is_of_the_physical_address(align):
    pool = make_pool(base=BASE + 64)
    first = pool.allocate(1)
    assert first.physical_address == BASE + 64
    address = pool.allocate(1, align=align).physical_address
    step = max(align, 64)
    assert address == -(-(BASE + 128) // step) * step


def test_below_bounds_the_end_of_the_buffer():
    pool = make_pool(4 * MIB, 0xFFFF_0000 - MIB)
    limit = 1 << 32
    low = pool.allocate(MIB, np.uint8, below=limit)
    assert low.physical_address + low.nbytes <= limit
    exact = pool.allocate(64 * KIB, np.uint8, below=limit)
    assert exact.physical_address + exact.nbytes == limit
    with pytest.raises(AllocationError, match=r"asked 64 B below 0x1_0000_0000 in ps-cma: largest free block"):
        pool.allocate(64, np.uint8, below=limit)
    assert pool.allocate(64, np.uint8).physical_address == limit
    with pytest.raises(AllocationError):
        pool.allocate(1, below=0)


def test_an_exact_address_is_given_or_the_reason_why_not():
    pool = make_pool(other_users=[(0x8000, 4096)])
    buffer = pool.allocate(KIB, np.uint8, address=BASE + 0x4000)
    assert buffer.physical_address == BASE + 0x4000
    for address, reason in [
        (BASE - 64, "outside the pool"),
        (BASE + MIB - 64, "outside the pool"),
        (BASE + 0x1020, "misaligned: the address must be a multiple of 64"),
        (BASE + 0x3FC0, "is taken: a buffer of 1 KiB is at 0x1000_4000"),
        (BASE + 0x43C0, "is taken: a buffer of 1 KiB is at 0x1000_4000"),
        (BASE + 0x8040, "is taken: another user"),
    ]:
        with pytest.raises(AddressError, match=reason):
            pool.allocate(128, np.uint8, address=address)
    with pytest.raises(AddressError, match="multiple of 4096"):
        pool.allocate(1, address=BASE + 0x5040, align=4096)
    with pytest.raises(AddressError, match="does not end at or below"):
        pool.allocate(64, address=BASE, below=BASE + 255)
    pool.allocate(64, address=BASE, below=BASE + 256)
    buffer.free()
    pool.allocate(128, np.uint8, address=BASE + 0x43C0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"shape": 0},
        {"shape": (4, 0)},
        {"shape": -1},
        {"shape": (-2, -2)},
        {"shape": 2.5},
        {"shape": "4"},
        {"shape": None},
        {"shape": (1,) * 33},
        {"shape": 1 << 62},
        {"shape": (1 << 40, 1 << 40)},
        {"shape": 4, "dtype": object},
        {"shape": 4, "dtype": [("a", "u4"), ("b", "O")]},
        {"shape": 4, "dtype": "S0"},
        {"shape": 4, "dtype": "no such type"},
        {"shape": 4, "align": 0},
        {"shape": 4, "align": 48},
        {"shape": 4, "align": -64},
        {"shape": 4, "align": 64.0},
        {"shape": 4, "below": -1},
        {"shape": 4, "below": 1e9},
        {"shape": 4, "address": -64},
        {"shape": 4, "address": "0x1000"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_takes_nothing(arguments):
    pool = make_pool()
    with pytest.raises(BadArgumentError):
        pool.allocate(**arguments)
    assert pool.stats().free == MIB


def test_the_largest_sizes_that_can_be_named_find_no_room():
    pool = make_pool()
    for arguments in ({"shape": (1 << 63) - 1, "dtype": "u1"}, {"shape": 1, "align": 1 << 70}):
        with pytest.raises(AllocationError):
            pool.allocate(**arguments)


def test_no_room_says_what_is_free_and_who_has_more():
    pools = []
    cma = make_pool(128 * MIB, name="ps-cma", hints=lambda: pools, other_users=[(96 * MIB, 7 * MIB)])
    pools += [cma, make_pool(4 * GIB, name="pl-ddr"), make_pool(16 * MIB, name="ps-small")]
    with pytest.raises(AllocationError) as caught:
        cma.allocate(256 * MIB, np.uint8)
    assert str(caught.value) == ("asked 256 MiB in ps-cma: largest free block 96 MiB of 121 MiB free; pl-ddr has 4 GiB")
    assert isinstance(caught.value, MemoryError)
    with pytest.raises(AllocationError, match="free a buffer, no other pool has room for it"):
        cma.allocate(5 * GIB, np.uint8)
    with pytest.raises(AllocationError, match=r"largest free block 96 MiB .* multiple of 64 GiB"):
        cma.allocate(MIB, np.uint8, align=64 * GIB)


def test_a_hint_respects_the_limit_asked():
    low = make_pool(MIB, name="low", hints=lambda: [make_pool(4 * GIB, base=8 * GIB, name="high")])
    with pytest.raises(AllocationError, match="high has 4 GiB"):
        low.allocate(2 * MIB, np.uint8)
    with pytest.raises(AllocationError) as caught:
        low.allocate(2 * MIB, np.uint8, below=4 * GIB)
    assert "high has" not in str(caught.value)


def test_stats_add_up():
    pool = make_pool(granularity=4096, other_users=[(5000, 100), (64 * KIB, 4096)])
    assert pool.stats() == PoolStats(MIB, 8192, MIB - 8192, MIB - 68 * KIB, BufferCount(0, 0))
    kept = [pool.allocate(1), pool.allocate(1025)]
    stats = pool.stats()
    assert stats == PoolStats(MIB, 5 * 4096, MIB - 5 * 4096, MIB - 68 * KIB, BufferCount(3 * 4096, 2))
    assert stats.as_dict() == {
        "total": MIB,
        "used": 20480,
        "free": MIB - 20480,
        "largest_free": MIB - 68 * KIB,
        "buffers": {"bytes": 12288, "count": 2},
    }
    with pytest.raises(FrozenInstanceError):
        stats.free = 0
    assert [b.physical_address - BASE for b in kept] == [0, 8192]


def test_an_exact_address_must_be_on_the_granularity():
    with pytest.raises(AddressError, match="misaligned: the address must be a multiple of 4096"):
        make_pool(granularity=4096).allocate(1, address=BASE + 64)


def test_numpy_integers_are_integers():
    pool = make_pool(base=0xFFFF_0000)
    buffer = pool.allocate(
        np.int16(300),
        np.uint8,
        align=np.int8(64),
        address=np.uint32(0xFFFF_FFC0),
        below=np.uint64(1 << 33),
    )
    assert span(buffer) == (0xFFFF_FFC0, 300)
    assert pool.allocate((np.uint8(200), np.uint8(200)), np.uint8).nbytes == 40_000


def test_pages_are_given_whole():
    pool = make_pool(granularity=4096)
    addresses = [pool.allocate(1, np.uint8).physical_address for _ in range(3)]
    assert addresses == [BASE, BASE, BASE]  # each was dropped at once
    held = [pool.allocate(n, np.uint8) for n in (1, 4096, 4097, 1)]
    assert [b.physical_address - BASE for b in held] == [0, 4096, 8192, 16384]


def test_cma_aligns_a_buffer_to_its_size_up_to_a_limit():
    pool = make_pool(64 * MIB, granularity=4096, size_alignment_limit=MIB)
    sizes = [4096, 8192, 12 * KIB, 3 * MIB, 1, 600 * KIB]
    held = [pool.allocate(size, np.uint8) for size in sizes]
    assert [b.physical_address - BASE for b in held] == [0, 8192, 16384, MIB, 4096, 4 * MIB]
    assert pool.allocate(1, np.uint8, align=32 * MIB).physical_address == BASE + 32 * MIB
    unlimited = make_pool(64 * MIB, granularity=4096)
    also = [unlimited.allocate(size, np.uint8) for size in sizes]
    assert [b.physical_address - BASE for b in also] == [
        0,
        4096,
        12288,
        24576,
        24576 + 3 * MIB,
        28672 + 3 * MIB,
    ]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"base": BASE - 64}, AddressError),
        ({"size": 2 * MIB}, AddressError),
        ({"size": -64}, AddressError),
        ({"size": 100}, BadArgumentError),
        ({"granularity": 100}, BadArgumentError),
        ({"granularity": -1}, BadArgumentError),
        ({"other_users": [(0, 100), (64, 64)]}, BadArgumentError),
        ({"other_users": [(MIB, 64)]}, BadArgumentError),
        ({"size_alignment_limit": 3}, BadArgumentError),
    ],
    ids=str,
)
def test_a_pool_that_cannot_be_is_refused(options, error):
    region = MappedRegion("r", BASE, MIB, HostMemory(MIB))
    with pytest.raises(error):
        RangePool(region, **{"base": BASE, "size": MIB, "name": "p", **options})


def test_an_empty_pool_says_so_and_where_there_is_room():
    region = MappedRegion("r", BASE, MIB, HostMemory(MIB))
    pools = [
        RangePool(region, BASE + MIB, 0, name="ps-carveout", about="what is above 4 GiB", hints=lambda: pools),
        RangePool(region, BASE, MIB, name="pl-ddr", hints=lambda: pools),
    ]
    assert pools[0].stats() == PoolStats(0, 0, 0, 0, BufferCount(0, 0))
    for place in ({}, {"address": BASE + MIB}):
        with pytest.raises(AllocationError) as caught:
            pools[0].allocate(4096, np.uint8, **place)
        for part in ("asked 4 KiB in ps-carveout", "empty", "what is above 4 GiB", "pl-ddr has 1 MiB"):
            assert part in str(caught.value)


def test_the_guard_hears_of_every_allocation_and_release():
    guard = Guard()
    pool = make_pool(guard=guard)
    a, b = pool.allocate(10), pool.allocate(100)
    view = b[5:]
    a.free()
    a.free()
    b.free()
    assert guard.calls == [("allocated", BASE, 40), ("allocated", BASE + 64, 400), ("released", BASE, 40)]
    del view
    assert guard.calls[3:] == [("released", BASE + 64, 400)]
    with pytest.raises(AllocationError):
        pool.allocate(MIB)
    assert len(guard.calls) == 4


def test_a_guard_or_mapping_that_fails_leaks_nothing():
    class Refusing(Guard):
        def allocated(self, address, nbytes):
            raise ValueError("no")

    class NoMapping:
        def view(self, offset, nbytes, owner):
            raise OSError("no mapping")

    pool = make_pool(guard=Refusing())
    with pytest.raises(ValueError, match="no"):
        pool.allocate(1)
    assert pool.stats().free == MIB
    pool = RangePool(MappedRegion("r", BASE, MIB, NoMapping()), BASE, MIB, name="p")
    with pytest.raises(OSError, match="no mapping"):
        pool.allocate(1)
    assert pool.stats() == PoolStats(MIB, 0, MIB, MIB, BufferCount(0, 0))


def test_only_big_buffers_are_announced_and_discarded():
    calls = []

    class Noting:
        memory = HostMemory(8 * MIB)
        view = memory.view

        def advise_huge(self, offset, nbytes):
            calls.append(("advise_huge", offset, nbytes))

        def discard(self, offset, nbytes):
            calls.append(("discard", offset, nbytes))

    pool = RangePool(MappedRegion("r", BASE, 8 * MIB, Noting()), BASE + MIB, 7 * MIB, name="p")
    pool.allocate(MIB - 1, np.uint8).free()
    assert calls == []
    big = pool.allocate(3 * MIB + 1, np.uint8)
    assert calls == [("advise_huge", MIB, 3 * MIB + 1)]
    rest = big[1:]
    big.free()
    assert len(calls) == 1  # not under a live view
    del rest
    assert calls[1:] == [("discard", MIB, 3 * MIB + 1)]


def test_big_buffers_give_the_host_its_memory_back():
    memory = HostMemory(64 * MIB)
    pool = RangePool(MappedRegion("r", BASE, 64 * MIB, memory), BASE, 64 * MIB, name="p")
    small = pool.allocate(100)
    small[:] = 1
    big = pool.allocate(32 * MIB, np.uint8)
    big[:] = 1
    assert memory.resident >= 32 * MIB
    big.free()
    assert memory.resident <= 3 * 4096
    assert small.tolist() == [1] * 100


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32), granularity=st.sampled_from([64, 4096]), users=st.booleans())
def test_random_use_never_overlaps_leaks_or_loses_count(seed, granularity, users):
    check_random_use(seed, granularity, [(123 * 4096, 8192), (40 * 4096, 4096)] if users else [], 150)


def test_a_hundred_thousand_operations_leave_one_block():
    for seed in range(10):
        check_random_use(seed, 64 if seed % 2 else 4096, [], 10_000)


def check_random_use(seed, granularity, users, operations):
    """Against a bytearray that marks every granule that somebody has."""
    rng = random.Random(seed)
    size = 4 * MIB
    pool = make_pool(size, granularity=granularity, other_users=users)
    marks = bytearray(size // granularity)
    for offset, length in users:
        marks[offset // granularity : (offset + length) // granularity] = b"\1" * (length // granularity)
    live, failures, taken = [], 0, sum(marks)
    for _ in range(operations):
        if live and rng.random() < 0.45:
            buffer, first, count = live.pop(rng.randrange(len(live)))
            if rng.random() < 0.5:
                buffer.free()
            del buffer
            marks[first : first + count] = bytes(count)
            taken -= count
        else:
            nbytes = rng.randrange(1, 1 << rng.randrange(1, 19))
            align = 1 << rng.randrange(0, 18)
            options = rng.choice(
                [
                    {},
                    {"below": BASE + rng.randrange(1, size)},
                    {"address": BASE + rng.randrange(size) // align * align},
                ]
            )
            count = -(-nbytes // granularity)
            fit = lowest_fit(marks, granularity, count, align, options)
            try:
                buffer = pool.allocate(nbytes, np.uint8, align=align, **options)
            except GaplessError:
                assert fit is None
                failures += 1
                continue
            assert (buffer.physical_address - BASE) == (fit if fit is None else fit * granularity)
            assert buffer.nbytes == nbytes
            marks[fit : fit + count] = b"\1" * count
            taken += count
            live.append((buffer, fit, count))
            del buffer
        assert pool._free.free == size - taken * granularity
    stats = pool.stats()
    assert (stats.used, stats.used + stats.free) == (taken * granularity, size)
    assert stats.buffers.count == len(live)
    assert stats.largest_free == max(map(len, bytes(marks).split(b"\1"))) * granularity
    live.clear()
    assert pool.stats().buffers == BufferCount(0, 0)
    if not users:
        assert pool._free.blocks() == [(BASE, size)]
    if operations > 1000:
        assert failures > 100  # the pool was really full now and then


def lowest_fit(marks, granularity, count, align, options):
    step = max(1, align // granularity)
    end = min(len(marks), (options.get("below", BASE + len(marks) * granularity) - BASE) // granularity)
    if "address" in options:
        first, rest = divmod(options["address"] - BASE, granularity)
        free = rest == 0 and first + count <= len(marks) and not any(marks[first : first + count])
        return first if free else None
    blank, at = bytes(count), 0
    while True:
        at = marks.find(blank, at, end)
        if at < 0 or at % step == 0:
            return None if at < 0 else at
        at += step - at % step


def test_threads_share_a_pool():
    pool = make_pool(8 * MIB)
    errors = []

    def work(seed):
        rng = random.Random(seed)
        held = []
        try:
            for i in range(400):
                buffer = pool.allocate(rng.randrange(1, 3000), np.uint8)
                buffer[:] = seed
                held.append(buffer)
                if len(held) > 10:
                    old = held.pop(rng.randrange(len(held)))
                    assert (np.asarray(old) == seed).all()
                    if i % 2:
                        old.free()
        except BaseException as error:  # reported by the test
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    assert pool.stats() == PoolStats(8 * MIB, 0, 8 * MIB, 8 * MIB, BufferCount(0, 0))


def test_the_collector_may_run_while_a_range_is_given_back():
    class Cycle:
        pass

    class Collecting(Guard):
        def released(self, address, nbytes):
            super().released(address, nbytes)
            gc.collect()

    guard = Collecting()
    pool = make_pool(guard=guard)
    knot = Cycle()
    knot.me, knot.buffer = knot, pool.allocate(16)
    other = pool.allocate(16)
    del knot
    other.free()
    assert sorted(guard.calls[2:]) == [("released", BASE, 64), ("released", BASE + 64, 64)]
    assert pool.stats().buffers.count == 0


def test_an_empty_pool_is_there_and_says_why_it_gives_nothing():
    big = make_pool()
    memory = HostMemory(MIB)
    region = MappedRegion("ps-high", 0x8_0000_0000, MIB, memory)
    empty = RangePool(
        region, 0x8_0000_0000 + MIB, 0, name="ps-carveout", about="none on this SODIMM", hints=lambda: [big]
    )
    assert empty.stats() == PoolStats(0, 0, 0, 0, BufferCount(0, 0))
    for options in ({}, {"address": 0x8_0000_0000 + MIB}, {"below": 1 << 32}):
        with pytest.raises(AllocationError, match=r"asked 4 B in ps-carveout: .*none on this SODIMM.*ps-cma has 1 MiB"):
            empty.allocate(1, **options)


def test_a_limit_is_named_only_where_it_limits():
    pool = make_pool()
    with pytest.raises(AllocationError, match=r"asked 2 MiB in ps-cma: largest free block 1 MiB"):
        pool.allocate(2 * MIB, np.uint8, below=1 << 40)
    with pytest.raises(AllocationError, match=r"asked 1 MiB below 0x1000_1000 in ps-cma: largest free block below"):
        pool.allocate(MIB, np.uint8, below=BASE + 0x1000)
