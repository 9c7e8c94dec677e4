"""FreeList against a reference that walks a sorted list: the same addresses, not just valid ones."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import FreeList

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class Reference:
    """First fit, written the slow and obvious way."""

    def __init__(self, base, size, granularity):
        self.free = [(base, base + size)]
        self.granularity = granularity

    def rounded(self, size):
        return -(-size // self.granularity) * self.granularity

    def allocate(self, size, align, limit):
        size, align = self.rounded(size), max(align, self.granularity)
        for start, end in self.free:
            address = -(-start // align) * align
            if address + size <= min(end, limit):
                self.cut(address, size)
                return address
        return None

    def allocate_at(self, address, size):
        size = self.rounded(size)
        fits = any(start <= address and address + size <= end for start, end in self.free)
        if size == 0 or address % self.granularity or not fits:
            return False
        self.cut(address, size)
        return True

    def cut(self, address, size):
        kept = []
        for start, end in self.free:
            if start <= address < end:
                kept += [(start, address), (address + size, end)]
            else:
                kept.append((start, end))
        self.free = [(start, end) for start, end in kept if start < end]

    def release(self, address, size):
        size = self.rounded(size)
        merged = []
        for start, end in sorted([*self.free, (address, address + size)]):
            if merged and merged[-1][1] == start:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
        self.free = merged

    def blocks(self):
        return [(start, end - start) for start, end in self.free]


def assert_same(free_list, reference):
    blocks = reference.blocks()
    assert free_list.blocks() == blocks
    assert free_list.block_count == len(blocks)
    assert free_list.free == sum(size for _, size in blocks)
    assert free_list.largest_free() == max((size for _, size in blocks), default=0)


@settings(max_examples=150, deadline=None)
@given(
    granularity=st.sampled_from([1, 64, 4096]),
    base_units=st.integers(0, 37),
    operations=st.lists(
        st.tuples(
            st.sampled_from(["any", "any", "below", "at", "free", "free"]),
            st.integers(1, 40),  # size in units, minus a remainder
            st.integers(0, 63),
            st.integers(0, 12),  # log2 of the alignment in units: past the last class too
            st.integers(0, 400),  # address in units
        ),
        max_size=80,
    ),
)
def test_gives_the_addresses_of_the_reference(granularity, base_units, operations):
    base = base_units * granularity
    free_list = FreeList(base, 300 * granularity, granularity)
    reference = Reference(base, 300 * granularity, granularity)
    live = []
    for what, units, remainder, log_align, place in operations:
        size = max(1, units * granularity - remainder % granularity)
        if what == "free":
            if live:
                address, length = live.pop(place % len(live))
                free_list.release(address, length)
                reference.release(address, length)
        elif what == "at":
            address = place * granularity
            taken = free_list.allocate_at(address, size)
            assert taken == reference.allocate_at(address, size)
            if taken:
                live.append((address, size))
        else:
            limit = base + place * granularity + remainder if what == "below" else (1 << 64) - 1
            align = granularity << log_align
            address = free_list.allocate(size, align, limit)
            assert address == reference.allocate(size, align, limit)
            if address is not None:
                live.append((address, size))
        assert_same(free_list, reference)
    for address, length in live:
        free_list.release(address, length)
    assert free_list.blocks() == [(base, 300 * granularity)]


def test_many_blocks_with_mixed_alignments_follow_the_reference():
    # Thousands of live blocks: deep trees, which the short sequences above do not grow.
    rng = random.Random(3)
    free_list, reference = FreeList(64, 64 * MIB, 64), Reference(64, 64 * MIB, 64)
    live = []
    for _ in range(6000):
        if live and rng.random() < 0.35:
            block = live.pop(rng.randrange(len(live)))
            free_list.release(*block)
            reference.release(*block)
        else:
            size, align = rng.randrange(1, 60_000), 1 << rng.randrange(0, 21)
            limit = rng.choice([(1 << 64) - 1, rng.randrange(1, 64 * MIB)])
            address = free_list.allocate(size, align, limit)
            assert address == reference.allocate(size, align, limit)
            if address is not None:
                live.append((address, size))
    assert len(live) > 1000
    assert_same(free_list, reference)


def test_a_large_enough_block_that_fails_by_alignment_is_passed_over():
    free_list = FreeList(0, 64 * KIB, 64)
    assert free_list.allocate(64, 64) == 0
    for address in range(64, 64 * KIB, 64):
        assert free_list.allocate_at(address, 64)
    free_list.release(64, 8 * KIB - 128)  # 8064 bytes, but not 4 KiB at a multiple of 4 KiB ... until 4096
    free_list.release(32 * KIB, 4 * KIB)
    assert free_list.allocate(4 * KIB, 4 * KIB) == 32 * KIB
    assert free_list.allocate(4 * KIB - 64, 4 * KIB) == 4 * KIB
    assert free_list.allocate(64, 4 * KIB) is None
    assert free_list.allocate(64, 64) == 64


@pytest.mark.parametrize(
    ("base", "size", "granularity"),
    [(0, 4096, 0), (0, 4096, 96), (32, 4096, 64), (0, 100, 64), ((1 << 64) - 4096, 8192, 4096)],
)
def test_a_range_that_cannot_be_is_refused(base, size, granularity):
    with pytest.raises(ValueError, match=r"granularity|64 bits"):
        FreeList(base, size, granularity)


def test_works_up_to_the_last_addresses_of_64_bits():
    base = (1 << 64) - 8192
    free_list = FreeList(base, 4096, 64)
    assert free_list.allocate(4096, 1 << 63) is None
    assert free_list.allocate((1 << 64) - 1, 64) is None
    assert free_list.allocate(64, 64, base + 63) is None
    assert free_list.allocate(4096, 4096) == base
    assert free_list.allocate_at((1 << 64) - 64, 64) is False
    with pytest.raises(ValueError, match="outside"):
        free_list.release((1 << 64) - 64, 128)
    free_list.release(base, 4096)
    assert free_list.free == 4096


@pytest.mark.parametrize(
    ("address", "size"),
    [(0, 128), (64, 64), (64, 4096), (4096, 64), (8192, 64), (32, 64), (0, 0), (0, 1 << 63)],
)
def test_releasing_what_is_not_allocated_is_refused_and_changes_nothing(address, size):
    free_list = FreeList(0, 8192, 64)
    assert free_list.allocate(64, 64) == 0
    assert free_list.allocate_at(128, 64)
    before = free_list.blocks()
    with pytest.raises(ValueError, match="release"):
        free_list.release(address, size)
    assert free_list.blocks() == before
    assert free_list.free == 8192 - 128


def test_align_must_be_a_power_of_two():
    with pytest.raises(ValueError, match="power of two"):
        FreeList(0, 4096, 64).allocate(64, 96)


def test_largest_free_below_a_limit_counts_only_what_lies_below():
    free_list = FreeList(0, MIB, 64)
    free_list.allocate_at(4096, 64)
    assert free_list.largest_free(4096 + 64 + 1000) == 4096
    assert free_list.largest_free(100_000) == 100_000 - 4160
    assert free_list.largest_free(0) == 0


def time_per_operation(live_count, operations=20_000):
    rng = random.Random(live_count)
    free_list = FreeList(0, 28 * GIB, 64)
    sizes = [rng.randrange(64, 2 * MIB) for _ in range(operations)]
    live = [(free_list.allocate(size, 64), size) for size in sizes[:live_count]]
    picks = [rng.randrange(live_count) for _ in range(operations)]
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for pick, size in zip(picks, sizes, strict=True):
            free_list.release(*live[pick])
            live[pick] = (free_list.allocate(size, 64), size)
        best = min(best, (time.perf_counter() - start) / (2 * operations))
    return best


def test_time_does_not_grow_with_the_number_of_buffers():
    few, many = time_per_operation(100), time_per_operation(10_000)
    # A walk over the blocks would be some 50 times slower with many; a tree deepens by a few levels.
    assert many < 8 * few + 1e-6
    assert many < 20e-6
