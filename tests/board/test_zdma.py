"""The PS's DMA on the virtual board: copies, lists, fills, time, and what goes wrong."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.boards.zcu111 import zcu111
from gapless.dma.zdma_registers import State
from gapless.errors import (
    BadArgumentError,
    BoardClosedError,
    BufferFreedError,
    BufferInFlightError,
    DmaSlaveError,
    NotContiguousError,
    SgSlaveError,
    UnknownNameError,
    WaitTimeoutError,
)
from gapless.memory import Buffer

MIB, GIB = 1 << 20, 1 << 30
POOLS = ("ps-cma", "ps-carveout", "pl-ddr")


@pytest.fixture(scope="module")
def board():
    with gapless.open("virtual:zcu111?ps=32GiB") as opened:
        yield opened
        assert opened.findings == ()


@pytest.fixture
def fresh():
    with gapless.open("virtual:zcu111?ps=32GiB") as opened:
        yield opened


class Scattered(Buffer):
    """Parts of a buffer as one piece of memory, as huge pages give it."""

    def __init__(self, whole, cuts, order):
        edges = [0, *sorted(cuts), whole.nbytes]
        parts = [whole[a:b] for a, b in pairwise(edges) if b > a]
        self.parts = [parts[i % len(parts)] for i in order(len(parts))]
        self.whole = whole
        # The lease, and with it the rest of a buffer, is that of the whole.
        self._lease, self._memory = whole._lease, whole._memory
        self._place, self._extent = whole._place, whole._extent

    @property
    def runs(self):
        return tuple((part.physical_address, part.nbytes) for part in self.parts)

    def read(self):
        return np.concatenate([np.asarray(part) for part in self.parts])


def noise(buffer, seed):
    buffer[:] = np.random.default_rng(seed).integers(0, 256, buffer.nbytes, dtype=np.uint8)
    return np.array(buffer)


@settings(max_examples=60, deadline=None)
@given(
    nbytes=st.integers(1, 300_000),
    first=st.integers(0, 70),
    second=st.integers(0, 70),
    pools=st.tuples(st.sampled_from(POOLS), st.sampled_from(POOLS)),
    channel=st.integers(0, 15),
    seed=st.integers(0, 99),
)
def test_a_copy_is_the_bytes_and_nothing_else(board, nbytes, first, second, pools, channel, seed):
    with (
        board.memory[pools[0]].allocate(nbytes + 140, np.uint8) as src,
        board.memory[pools[1]].allocate(nbytes + 140, np.uint8) as dst,
    ):
        data, wanted = noise(src, seed), noise(dst, seed + 1)
        done = board.zdma.copy(src[first : first + nbytes], dst[second : second + nbytes], channel=channel)
        wanted[second : second + nbytes] = data[first : first + nbytes]
        np.testing.assert_array_equal(dst, wanted)
        assert (done.bytes, done.mode, done.channel) == (nbytes, "simple", board.zdma[channel].name)


@settings(max_examples=60, deadline=None)
@given(
    nbytes=st.integers(2, 200_000),
    cuts=st.tuples(st.lists(st.integers(0, 200_000), max_size=40), st.lists(st.integers(0, 200_000), max_size=40)),
    seed=st.integers(0, 99),
)
def test_lists_put_the_bytes_where_they_belong(board, nbytes, cuts, seed):
    rng = np.random.default_rng(seed)
    with (
        board.memory["pl-ddr"].allocate(nbytes, np.uint8) as whole,
        board.memory["ps-carveout"].allocate(nbytes, np.uint8) as other,
    ):
        src, dst = (
            Scattered(buffer, {1, *(cut % nbytes for cut in some)}, rng.permutation)
            for buffer, some in zip((whole, other), cuts, strict=True)
        )
        noise(whole, seed)
        done = board.zdma.copy(src, dst)
        np.testing.assert_array_equal(dst.read(), src.read())
        assert (done.bytes, done.mode) == (nbytes, "sg")


def test_more_than_a_transfer_holds(board):
    """2**30 - 1 bytes are one transfer; one more are a list of pieces of 512 MiB."""
    pool = board.memory["ps-carveout"]
    with pool.allocate(GIB, np.uint8) as src, pool.allocate(GIB, np.uint8) as dst:
        for at in (0, GIB // 2 - 8, GIB // 2, GIB - 16, GIB - 8):
            src[at : at + 8] = at % 251 + 1
        done = board.zdma.copy(src[: GIB - 1], dst[: GIB - 1])
        assert (done.mode, done.pieces) == ("simple", 1)
        done = board.zdma.copy(src, dst)
        assert (done.mode, done.pieces) == ("sg", 2)
        for at in (0, GIB // 2 - 8, GIB // 2, GIB - 16, GIB - 8):
            assert dst[at : at + 8].tolist() == [at % 251 + 1] * 8
        # Read and written by one 9.6 GB/s port.
        assert done.seconds == pytest.approx(2 * GIB / 9.6e9, rel=0.01)


@pytest.mark.parametrize(
    ("channel", "to", "rate"), [("gdma0", "ps-cma", 4.8e9), ("adma0", "ps-cma", 2.0e9), ("gdma0", "pl-ddr", 4.8e9)]
)
def test_a_copy_takes_the_time_its_ports_need(board, channel, to, rate):
    with board.memory["ps-cma"].allocate(8 * MIB) as src, board.memory[to].allocate(8 * MIB) as dst:
        done = board.zdma.copy(src, dst, channel=channel)
        assert done.rate == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("name", ["gdma1", "adma1"])
def test_fill_repeats_the_pattern(board, name):
    width = board.zdma[name].spec.bus_width // 8
    with board.memory["ps-cma"].allocate(10_000, np.uint8) as dst:
        before = noise(dst, 1)
        for size in (1, 2, 4, 8, 16):
            pattern = bytes(range(200, 200 + size))
            if size > width:
                with pytest.raises(BadArgumentError, match="a pattern has 1, 2, 4, 8 bytes"):
                    board.zdma[name].fill(dst, pattern)
                continue
            board.zdma[name].fill(dst[size : size + 9001], pattern)
            np.testing.assert_array_equal(dst[size : size + 9001], np.frombuffer((pattern * 9001)[:9001], np.uint8))
            assert dst[0] == before[0]
            np.testing.assert_array_equal(dst[size + 9001 :], before[size + 9001 :])
        with pytest.raises(BadArgumentError, match="not a multiple of the pattern's 4 bytes"):
            board.zdma[name].fill(dst[1:], b"1234")
        for wrong in (b"", b"123", bytes(32)):
            with pytest.raises(BadArgumentError, match="a pattern of"):
                board.zdma[name].fill(dst, wrong)


def test_what_cannot_be_copied(board):
    pool = board.memory["ps-cma"]
    with pool.allocate((64, 64), np.uint8) as src, pool.allocate(4096, np.uint8) as dst:
        with pytest.raises(BadArgumentError, match="4096 bytes cannot be copied to 4095 bytes"):
            board.zdma.copy(src, dst[1:])
        with pytest.raises(BadArgumentError, match="overlap at 0x"):
            board.zdma.copy(dst[:100], dst[99:199])
        board.zdma.copy(dst[:100], dst[100:200])  # neighbours
        with pytest.raises(NotContiguousError):
            board.zdma.copy(src[:, 1], dst[:64])
        with pytest.raises(BadArgumentError, match="not in DMA memory"):
            board.zdma.copy(np.zeros(4096, np.uint8), dst)
        with pytest.raises(BadArgumentError, match="timeout=0"):
            board.zdma.copy(src, dst, timeout=0)
        with pytest.raises(UnknownNameError, match=r"no ZDMA channel 'gdma8': there is gdma0, .* adma7"):
            board.zdma.copy(src, dst, channel="gdma8")
        with pytest.raises(UnknownNameError):
            board.zdma[16]
        gone = pool.allocate(4096, np.uint8)
        gone.free()
        with pytest.raises(BufferFreedError):
            board.zdma.copy(gone, dst)
    assert (len(board.zdma), board.zdma[-1].name, board.zdma[8].name) == (16, "adma7", "adma0")


@pytest.mark.parametrize("side", ["src", "dst"])
@pytest.mark.parametrize("lists", [False, True])
def test_memory_that_answers_with_an_error(fresh, side, lists):
    pool = fresh.memory["ps-carveout"]
    with pool.allocate(MIB, np.uint8) as src, pool.allocate(MIB, np.uint8) as dst:
        broken = src if side == "src" else dst
        fresh.probe.faults.slave_error(broken.physical_address + MIB // 2, 64)
        source = Scattered(src, {MIB // 3}, range) if lists else src
        with pytest.raises(DmaSlaveError, match="was read" if side == "src" else "was written") as caught:
            fresh.zdma.copy(source, dst)
        assert caught.value.address == broken.physical_address
        assert not src.in_flight
        fresh.probe.faults.clear_slave_errors()
        noise(src, 1)
        fresh.zdma.copy(src, dst)
        np.testing.assert_array_equal(src, dst)


def test_descriptors_that_cannot_be_read(fresh):
    carveout = fresh.memory["ps-carveout"]
    with carveout.allocate(MIB, np.uint8) as src, carveout.allocate(MIB, np.uint8) as dst:
        low = fresh.memory["ps-cma"]
        fresh.probe.faults.slave_error(low.base, low.size)
        with pytest.raises(SgSlaveError, match="descriptor"):
            fresh.zdma.copy(Scattered(src, {5}, range), dst)
        data = noise(src, 1)
        fresh.zdma.copy(Scattered(src, {5}, lambda n: range(n)[::-1]), dst, pool=carveout)
        np.testing.assert_array_equal(dst, np.concatenate([data[5:], data[:5]]))


def test_a_lost_interrupt_is_no_timeout(fresh):
    fresh.probe.faults.lose_zdma_interrupt("gdma0")
    with fresh.memory["ps-cma"].allocate(MIB) as src, fresh.memory["ps-cma"].allocate(MIB) as dst:
        noise(src.view(np.uint8), 3)
        assert fresh.zdma.copy(src, dst).seconds < 3e-3
        np.testing.assert_array_equal(src, dst)


def test_a_timeout_stops_the_channel_and_says_how_far_it_was(fresh):
    with fresh.memory["ps-cma"].allocate(16 * MIB) as src, fresh.memory["pl-ddr"].allocate(16 * MIB) as dst:
        with pytest.raises(WaitTimeoutError, match=r"gdma0: waited 1 ms for DMA_DONE of 64 MiB; .* MiB moved"):
            fresh.zdma.copy(src, dst, timeout=1e-3)
        assert fresh.zdma[0].state is State.IDLE
        assert not src.in_flight
    assert fresh.findings == ()


def test_a_channel_left_running_is_stopped_before_it_is_used(fresh):
    """As a program leaves it that was killed: busy, with interrupts on, in a mode of its own."""
    channel = fresh.zdma["gdma0"]
    base, bus = channel.spec.base, fresh.bus
    pool = fresh.memory["pl-ddr"]
    old = [pool.allocate(64 * MIB, np.uint8) for _ in range(2)]
    for register, value in ((0x128, old[0].physical_address), (0x138, old[1].physical_address)):
        bus.write32(base + register, value & 0xFFFF_FFFF)
        bus.write32(base + register + 4, value >> 32)
        bus.write32(base + register + 8, 64 * MIB)
    bus.write32(base + 0x108, 0xFFF)
    bus.write32(base + 0x200, 1)
    assert channel.state is State.BUSY
    with fresh.memory["ps-cma"].allocate(4096, np.uint8) as src, pool.allocate(4096, np.uint8) as dst:
        data = noise(src, 1)
        channel.copy(src, dst)
        np.testing.assert_array_equal(dst, data)
    for buffer in old:
        buffer.free()  # a channel still at it would be a finding
    assert fresh.findings == ()


def test_stop_from_outside_ends_the_wait(fresh):
    with fresh.memory["ps-cma"].allocate(16 * MIB) as src, fresh.memory["pl-ddr"].allocate(16 * MIB) as dst:
        caught = []

        def copy():
            try:
                fresh.zdma.copy(src, dst, channel=0, timeout=1e6)
            except gapless.errors.GaplessError as error:
                caught.append(error)

        fresh.probe.faults.slow_memory("HPM0", 1e-7)  # 40 hours: under way whatever the host does
        thread = threading.Thread(target=copy)
        thread.start()
        while not src.in_flight or fresh.zdma[0].state is not State.BUSY:
            pass
        with pytest.raises(BufferInFlightError):
            src.free()
        fresh.zdma[0].stop(1000.0)  # bursts under way take 140 s, too
        thread.join(20)
        assert [type(error).__name__ for error in caught] == ["DmaStateError"]
        assert "stopped by somebody else" in str(caught[0])


def test_threads_share_the_channels(fresh):
    pairs = [(fresh.memory["ps-cma"].allocate(70_000), fresh.memory["pl-ddr"].allocate(70_000)) for _ in range(6)]
    for seed, (src, _) in enumerate(pairs):
        noise(src.view(np.uint8), seed)
    threads = [threading.Thread(target=fresh.zdma.copy, args=pair) for pair in pairs for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for src, dst in pairs:
        np.testing.assert_array_equal(src, dst)


def test_dma_where_nothing_is_allocated_is_a_finding(fresh):
    channel, bus = fresh.zdma["gdma0"], fresh.bus
    with fresh.memory["ps-cma"].allocate(4096, np.uint8) as src:
        for register, value in ((0x128, src.physical_address), (0x138, 0x7000_0000)):
            bus.write32(channel.spec.base + register, value)
            bus.write32(channel.spec.base + register + 8, 8192)
        bus.write32(channel.spec.base + 0x200, 1)
        bus.sleep(1e-3)
        wanted = [("past-buffer-end", src.physical_address), ("unallocated-memory", 0x7000_0000)]
    assert [(found.kind, found.address) for found in fresh.findings] == wanted


def test_closing_the_board_ends_it(fresh):
    with fresh.memory["ps-cma"].allocate(64) as src, fresh.memory["ps-cma"].allocate(64) as dst:
        fresh.close()
        with pytest.raises(BoardClosedError):
            fresh.zdma.copy(src, dst)


def test_every_ultrascale_board_has_the_same_sixteen():
    specs = zcu111().zdmas
    assert [spec.name for spec in specs] == [f"{kind}{n}" for kind in ("gdma", "adma") for n in range(8)]
    assert (specs[0].base, specs[7].base, specs[8].base, specs[15].base) == (
        0xFD50_0000,
        0xFD57_0000,
        0xFFA8_0000,
        0xFFAF_0000,
    )
    assert [specs[0].interrupt, specs[15].interrupt] == [156, 116]  # UG1085, "System Interrupts"
