"""Our ZDMA driver on QEMU's ZDMA engines: another model of the same registers, written by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from gapless.dma import Zdma
from gapless.dma.zdma_lists import cut
from gapless.memory import Buffer, DmaBuffer, Pool

from . import zcu102
from .qtest import Qtest

GUARD = 64  # bytes around a destination that must stay as they were


@dataclass
class Bench:
    machine: Qtest
    pools: dict[str, Pool]
    zdma: Zdma


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with zcu102.zcu102() as (machine, ram):
        pools = zcu102.pools(ram)
        yield Bench(machine, pools, zcu102.zdma(machine, pools["low"]))


def noise(buffer: DmaBuffer, rng: np.random.Generator) -> np.ndarray:
    data = rng.integers(0, 256, buffer.nbytes, dtype=np.uint8)
    buffer[:] = data
    return data


def test_memory_is_shared_with_the_machine(bench):
    """What numpy writes the machine reads, and the other way round, at each place."""
    for pool in bench.pools.values():
        with pool.allocate(4096, np.uint8) as buffer:
            buffer[:] = np.arange(4096) % 251
            assert bench.machine.read_bytes(buffer.physical_address, 4096) == bytes(np.asarray(buffer))
            bench.machine.write_bytes(buffer.physical_address + 5, b"here")
            assert bytes(np.asarray(buffer[5:9])) == b"here"


@pytest.mark.parametrize("to", zcu102.PLACES)
@pytest.mark.parametrize("source", zcu102.PLACES)
def test_any_length_at_any_address_between_any_two(bench, source, to):
    rng = np.random.default_rng([len(source), len(to), ord(to[0])])
    for _ in range(8):
        nbytes = int(rng.integers(1, 300_000))
        first, second = (int(n) for n in rng.integers(0, 200, 2))
        with (
            bench.pools[source].allocate(nbytes + 300, np.uint8) as src,
            bench.pools[to].allocate(nbytes + 2 * GUARD + 300, np.uint8) as dst,
        ):
            data, before = noise(src, rng), noise(dst, rng)
            at = GUARD + second
            done = bench.zdma.copy(src[first : first + nbytes], dst[at : at + nbytes])
            assert (done.bytes, done.mode, done.pieces) == (nbytes, "simple", 1)
            np.testing.assert_array_equal(dst[at : at + nbytes], data[first : first + nbytes])
            np.testing.assert_array_equal(dst[:at], before[:at])
            np.testing.assert_array_equal(dst[at + nbytes :], before[at + nbytes :])


@pytest.mark.parametrize("name", ["gdma0", "gdma7", "adma0", "adma7"])
def test_channels_are_where_the_table_says(bench, name):
    """Each raises its own interrupt line: a wrong one would be waited for in vain until the next look at ISR."""
    rng = np.random.default_rng(5)
    with bench.pools["low"].allocate(5000, np.uint8) as src, bench.pools["top"].allocate(5000, np.uint8) as dst:
        data = noise(src, rng)
        before = dict(bench.machine.raised)
        assert bench.zdma.copy(src, dst, channel=name).channel == name
        np.testing.assert_array_equal(dst, data)
        line = bench.zdma[name].spec.interrupt
        assert {n for n, count in bench.machine.raised.items() if count != before.get(n, 0)} == {line}


class Scattered(Buffer):
    """Several buffers as one piece of memory, as huge pages give it."""

    def __init__(self, pool: Pool, lengths: list[int], rng: np.random.Generator) -> None:
        self.whole = pool.allocate(sum(lengths) + 4096 * len(lengths), np.uint8)
        self.parts: list[DmaBuffer] = []
        start = 0
        for length in lengths:
            start += int(rng.integers(0, 4096))
            self.parts.append(self.whole[start : start + length])
            start += length
        order = rng.permutation(len(lengths))
        self.parts = [self.parts[i] for i in order]
        # The lease, and with it the rest of a buffer, is that of the whole.
        self._lease, self._memory, self._whole = self.whole._lease, self.whole._memory, True
        self._place, self._extent, self._empty = self.whole._place, self.whole._extent, self.whole._empty

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        return tuple((part.physical_address, part.nbytes) for part in self.parts)

    def read(self) -> np.ndarray:
        return np.concatenate([np.asarray(part) for part in self.parts])


def lengths(total: int, count: int, rng: np.random.Generator) -> list[int]:
    cuts = np.sort(rng.choice(np.arange(1, total), count - 1, replace=False))
    return np.diff([0, *cuts.tolist(), total]).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_lists_of_different_pieces(bench, seed):
    rng = np.random.default_rng(seed)
    names = list(zcu102.PLACES)
    total = int(rng.integers(2_000, 400_000))
    pick = [bench.pools[names[i]] for i in rng.integers(0, 3, 2)]
    src = Scattered(pick[0], lengths(total, int(rng.integers(1, 200)), rng), rng)
    dst = Scattered(pick[1], lengths(total, int(rng.integers(2, 200)), rng), rng)
    src.whole[:] = rng.integers(0, 256, src.whole.nbytes, dtype=np.uint8)
    before = noise(dst.whole, rng)
    channel = bench.zdma[int(rng.integers(0, 16))]
    done = channel.copy(src, dst, pool=bench.pools[names[int(rng.integers(0, 3))]])
    assert (done.bytes, done.mode) == (total, "sg")
    assert done.pieces == max(len(cut(src.runs)), len(cut(dst.runs)))
    np.testing.assert_array_equal(dst.read(), src.read())
    for part in dst.parts:
        part[:] = 0
        first = part.physical_address - dst.whole.physical_address
        before[first : first + part.nbytes] = 0
    np.testing.assert_array_equal(dst.whole, before)  # nothing else was touched
    src.whole.free()
    dst.whole.free()


@pytest.mark.parametrize(("name", "size"), [("gdma3", n) for n in (1, 2, 4, 8, 16)] + [("adma3", n) for n in (1, 8)])
def test_fill(bench, name, size):
    rng = np.random.default_rng(size)
    pattern = rng.bytes(size)
    with bench.pools["top"].allocate(40_000, np.uint8) as dst:
        before = noise(dst, rng)
        nbytes = 30_001
        assert bench.zdma[name].fill(dst[size : size + nbytes], pattern).bytes == nbytes
        wanted = np.frombuffer((pattern * nbytes)[:nbytes], np.uint8)
        np.testing.assert_array_equal(dst[size : size + nbytes], wanted)
        np.testing.assert_array_equal(dst[:size], before[:size])
        np.testing.assert_array_equal(dst[size + nbytes :], before[size + nbytes :])


def test_a_channel_that_somebody_left_paused_and_misconfigured_is_used(bench):
    channel = bench.zdma["gdma5"]
    base, bus = channel.spec.base, bench.machine
    with bench.pools["low"].allocate(4096, np.uint8) as src, bench.pools["high"].allocate(4096, np.uint8) as dst:
        data = noise(src, np.random.default_rng(1))
        with bench.pools["low"].allocate(8, np.uint64) as lists:  # a source descriptor with CMD = pause
            lists[:] = [src.physical_address, 1 << 35 << 0 | 16, 0, 0, dst.physical_address, 2 << 35 | 16, 0, 0]
            for offset, value in ((0x158, lists.physical_address), (0x160, lists.physical_address + 32)):
                bus.write32(base + offset, value & 0xFFFF_FFFF)
                bus.write32(base + offset + 4, value >> 32)
            bus.write32(base + 0x110, 0xC0)
            bus.write32(base + 0x120, 0)  # fixed bursts: every word to one address
            bus.write32(base + 0x200, 1)
            assert bus.read32(base + 0x200) == 1
            assert bus.read32(base + 0x100) & 1 << 11
        assert channel.copy(src, dst).mode == "simple"
        np.testing.assert_array_equal(dst, data)
