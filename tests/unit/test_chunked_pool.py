"""A pool on memory that is lent in chunks, against a plain model, on a source of pages at random addresses."""

from __future__ import annotations

import gc
import random
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gapless._native import HostMemory
from gapless.errors import AddressError, AllocationError, NotContiguousError
from gapless.memory import ChunkedPool, MappedRegion, MemoryType
from gapless.memory.page_runs import choose_pages, runs_of
from gapless.memory.source import Chunk
from gapless.units import KIB

UNIT = 64 * KIB


class Pages:
    """A kernel with ``count`` free pages somewhere."""

    unit = UNIT
    memory_type = MemoryType.NORMAL_CACHED
    coherent = True
    sync_method = "nothing to do: coherent"

    def __init__(self, addresses: list[int]) -> None:
        self.free = set(addresses)
        self.on_take: Any = None

    def available(self) -> int:
        return len(self.free) * UNIT

    def take(self, nbytes: int, *, align: int, below: int | None, contiguous: bool) -> Chunk:
        if self.on_take is not None:
            self.on_take()
        count = -(-nbytes // UNIT)
        pages = choose_pages(self.free, UNIT, count, align=align, below=below, contiguous=contiguous)
        if pages is None:
            raise AllocationError(f"asked {nbytes}: {len(self.free)} pages free")
        self.free -= set(pages)
        runs = runs_of(pages, UNIT)
        base = runs[0][0] if len(runs) == 1 else 0

        def close() -> None:
            assert not self.free & set(pages), "given back twice"
            self.free |= set(pages)

        return Chunk(MappedRegion("fake", base, count * UNIT, HostMemory(count * UNIT)), runs, close)


def somewhere(count: int, seed: int) -> list[int]:
    return [UNIT * place for place in random.Random(seed).sample(range(1, 2 * count + 2), count)]


class _Model:
    """A chunk: its runs, and (first, last) of what is taken in it, by name."""

    def __init__(self, runs: tuple[tuple[int, int], ...]) -> None:
        self.runs = runs
        self.taken: dict[int, tuple[int, int]] = {}

    def fit(self, nbytes: int, align: int, below: int | None) -> int | None:
        if len(self.runs) != 1:
            return None
        base, size = self.runs[0]
        step = max(align, 64)
        end = min(base + size, below if below is not None else base + size)
        for at in range(-(-base // step) * step, end - nbytes + 1, step):
            last = at + -(-nbytes // 64) * 64
            if last <= base + size and all(last <= first or at >= stop for first, stop in self.taken.values()):
                return at
        return None


class AgainstAModel(RuleBasedStateMachine):
    @initialize(count=st.integers(1, 12), seed=st.integers(0, 1000))
    def start(self, count: int, seed: int) -> None:
        self.all = somewhere(count, seed)
        self.source = Pages(list(self.all))
        self.pool = ChunkedPool(self.source, name="fake")
        self.chunks: list[_Model] = []
        self.buffers: dict[int, tuple[Any, _Model]] = {}
        self.names = 0

    @rule(
        nbytes=st.one_of(st.integers(1, UNIT), st.integers(1, 4 * UNIT), st.sampled_from([UNIT - 1, UNIT, UNIT + 1])),
        align=st.sampled_from([1, 64, 256, 4096, UNIT, 4 * UNIT]),
        below=st.one_of(st.none(), st.integers(0, 26).map(lambda pages: pages * UNIT)),
        contiguous=st.booleans(),
    )
    def allocate(self, nbytes: int, align: int, below: int | None, contiguous: bool) -> None:
        free = set(self.source.free)
        fits = [(chunk, at) for chunk in self.chunks if (at := chunk.fit(nbytes, align, below)) is not None]
        count = -(-nbytes // UNIT)
        fresh = choose_pages(free, UNIT, count, align=align, below=below, contiguous=contiguous)
        try:
            buffer = self.pool.allocate(nbytes, np.uint8, align=align, below=below, contiguous=contiguous)
        except AllocationError:
            assert not fits
            assert fresh is None
            return
        if fits and (nbytes < UNIT or fresh is None):
            chunk, at = fits[0]
            assert buffer.runs == ((at, nbytes),)
            assert self.source.free == free
        else:
            assert fresh is not None
            chunk = _Model(runs_of(fresh, UNIT))
            self.chunks.append(chunk)
            assert self.source.free == free - set(fresh)
            assert buffer.runs[0][0] == fresh[0]
        first = buffer.runs[0][0]
        chunk.taken[self.names] = (first, first + -(-nbytes // 64) * 64)
        assert sum(size for _, size in buffer.runs) == nbytes
        assert len(buffer.runs) == 1 or not contiguous
        assert first % align == 0
        assert all(below is None or at + size <= below for at, size in buffer.runs)
        buffer.fill(self.names % 251)
        self.buffers[self.names] = buffer, chunk
        self.names += 1

    @precondition(lambda self: self.buffers)
    @rule(data=st.data(), explicitly=st.booleans())
    def let_go(self, data: st.DataObject, explicitly: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.buffers)))
        buffer, chunk = self.buffers.pop(name)
        if explicitly:
            buffer.free()
        del buffer
        del chunk.taken[name]
        if not chunk.taken:
            self.chunks.remove(chunk)

    @invariant()
    def the_kernel_has_the_rest(self) -> None:
        if not hasattr(self, "chunks"):
            return
        ours = {at for chunk in self.chunks for first, size in chunk.runs for at in range(first, first + size, UNIT)}
        assert self.source.free == set(self.all) - ours
        stats = self.pool.stats()
        assert stats.total == len(self.all) * UNIT == stats.used + stats.free
        assert stats.buffers.count == len(self.buffers)
        assert all(np.all(np.asarray(buffer) == name % 251) for name, (buffer, _) in self.buffers.items())

    def teardown(self) -> None:
        if hasattr(self, "buffers"):
            self.buffers.clear()
            assert self.source.free == set(self.all)


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@given(
    places=st.sets(st.integers(0, 30), max_size=14),
    count=st.integers(1, 8),
    align=st.sampled_from([1, UNIT, 2 * UNIT, 4 * UNIT]),
    below=st.one_of(st.none(), st.integers(0, 31).map(lambda place: place * UNIT)),
    contiguous=st.booleans(),
)
def test_the_best_pages_are_chosen(
    places: set[int], count: int, align: int, below: int | None, contiguous: bool
) -> None:
    pages = [place * UNIT for place in places]
    chosen = choose_pages(pages, UNIT, count, align=align, below=below, contiguous=contiguous)
    usable = {page for page in pages if below is None or page + UNIT <= below}
    windows = [
        page for page in usable if page % align == 0 and all(page + step * UNIT in usable for step in range(count))
    ]
    if windows:
        assert chosen is not None
        assert len(runs_of(chosen, UNIT)) == 1
        assert chosen[0] in windows
        # No window lies in a smaller run than the one that was chosen.
        sizes = {
            page: size for first, size in runs_of(sorted(usable), UNIT) for page in range(first, first + size, UNIT)
        }
        assert sizes[chosen[0]] == min(sizes[window] for window in windows)
    elif contiguous or align > UNIT or len(usable) < count:
        assert chosen is None
        return
    assert chosen is not None
    assert len(set(chosen)) == len(chosen) == count
    assert set(chosen) <= usable
    by_size = sorted((size // UNIT for _, size in runs_of(sorted(usable), UNIT)), reverse=True)
    fewest = 1 if windows else next(n for n in range(1, count + 1) if sum(by_size[:n]) >= count)
    # The whole of the largest runs is in fewest runs, whatever is taken of the last one.
    assert len(runs_of(chosen, UNIT)) == fewest


def pool_of(addresses: list[int]) -> tuple[ChunkedPool, Pages]:
    source = Pages(addresses)
    return ChunkedPool(source, name="fake"), source


def test_several_runs_are_one_array_with_no_single_address() -> None:
    pool, _ = pool_of([UNIT, 3 * UNIT, 4 * UNIT])
    with pool.allocate(3 * UNIT - 5, np.uint8) as buffer:
        assert buffer.runs == ((UNIT, UNIT), (3 * UNIT, 2 * UNIT - 5))
        assert buffer[UNIT:].physical_address == 3 * UNIT
        assert buffer[UNIT - 1 : UNIT + 1].runs == ((2 * UNIT - 1, 1), (3 * UNIT, 1))
        with pytest.raises(NotContiguousError, match="2 runs"):
            _ = buffer.physical_address


def test_an_address_is_only_had_where_memory_is() -> None:
    pool, _ = pool_of([4 * UNIT])
    with pytest.raises(AddressError, match=r"it has no memory yet.*the kernel's to say"):
        pool.allocate(64, np.uint8, address=4 * UNIT)
    first = pool.allocate(64, np.uint8)
    assert first.physical_address == 4 * UNIT
    second = pool.allocate(64, np.uint8, address=4 * UNIT + 4096)
    assert second.physical_address == 4 * UNIT + 4096
    with pytest.raises(AddressError, match="not there, or taken: it has 64 KiB at 0x4_0000 now"):
        pool.allocate(64, np.uint8, address=4 * UNIT + 4096)
    with pytest.raises(AddressError, match="misaligned"):
        pool.allocate(64, np.uint8, address=4 * UNIT + 32)
    with pytest.raises(AddressError, match="at or below"):
        pool.allocate(64, np.uint8, address=4 * UNIT + 8192, below=4 * UNIT)


def test_what_the_source_gives_against_the_wish_is_given_back() -> None:
    class Willful(Pages):
        def take(self, nbytes: int, *, align: int, below: int | None, contiguous: bool) -> Chunk:
            return super().take(nbytes, align=1, below=None, contiguous=contiguous)

    source = Willful([5 * UNIT])
    pool = ChunkedPool(source, name="fake")
    for wish, said in (({"align": 2 * UNIT}, "multiple of 128 KiB"), ({"below": UNIT}, "below 0x1_0000")):
        with pytest.raises(AllocationError, match=f"{said}.*gave 0x5_0000"):
            pool.allocate(UNIT, np.uint8, **wish)
        assert source.free == {5 * UNIT}


def test_an_error_names_the_pool_that_has_room() -> None:
    small, source = pool_of([UNIT])
    large = ChunkedPool(Pages([UNIT * place for place in range(10)]), name="large")
    pool = ChunkedPool(source, name="small", hints=lambda: (small, large))
    with pytest.raises(AllocationError, match=r"1 pages free; large has 640 KiB"):
        pool.allocate(5 * UNIT, np.uint8)


def test_threads_share_it() -> None:
    pool, source = pool_of(somewhere(8, 3))
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        numbers = random.Random(seed)
        held: list[Any] = []
        try:
            for _ in range(400):
                if held and numbers.random() < 0.5:
                    buffer = held.pop(numbers.randrange(len(held)))
                    assert np.all(np.asarray(buffer) == seed)
                    buffer.free()
                    continue
                try:
                    buffer = pool.allocate(numbers.choice([64, 1000, UNIT // 2, UNIT, 2 * UNIT]), np.uint8)
                except AllocationError:
                    continue
                buffer.fill(seed)
                held.append(buffer)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    gc.collect()
    assert len(source.free) == 8


def test_the_collector_may_free_in_the_middle_of_an_allocation() -> None:
    pool, source = pool_of([UNIT * place for place in range(1, 4)])

    class Ring:
        pass

    ring = Ring()
    ring.me, ring.buffer = ring, pool.allocate(2 * UNIT, np.uint8)
    del ring
    source.on_take = gc.collect
    with pool.allocate(3 * UNIT, np.uint8, contiguous=True) as buffer:
        assert buffer.runs == ((UNIT, 3 * UNIT),)
    assert len(source.free) == 3
