"""The register sequences of PYNQ's own DMA driver, which a board has to satisfy.

Written from a description of that driver's accesses, without using ours: direct start and transfer, scatter-gather with
the tail's lower half written before the upper one, and the cyclic start through a reset.
"""

from __future__ import annotations

import numpy as np
import pytest

from gapless._native import Bus, HostMemory, Machine

DMA, RAM, RAM_BYTES = 0xA000_0000, 0x10_0000_0000, 64 << 20
RX = 0x30
HALTED, IDLE, IOC = 1 << 0, 1 << 1, 1 << 12


class Loop:
    """One DMA, MM2S to S2MM through a FIFO, and its memory."""

    def __init__(self, *, scatter_gather: bool, address_width: int = 40, base: int = RAM) -> None:
        self.machine = Machine(200e-9, 100e-9)
        port = self.machine.add_port(4.8e9)
        memory = HostMemory(RAM_BYTES)
        self.base = base
        self.bytes = memory.view(0, RAM_BYTES, None)
        self.machine.add_memory(base, RAM_BYTES, memory, 0, 1, False)
        dma = self.machine.add_dma(
            DMA, "dma", scatter_gather, 26, address_width, 8, False, 100e6, 0, 1, [port, port, port, port]
        )
        self.machine.connect_fifo(dma, dma, 1 << 16)
        self.bus: Bus = self.machine.bus()

    def read(self, offset: int) -> int:
        return self.bus.read32(DMA + offset)

    def write(self, offset: int, value: int) -> None:
        self.bus.write32(DMA + offset, value)

    def spin(self, offset: int, mask: int, wanted: int) -> None:
        for _ in range(1_000_000):
            if self.read(offset) & mask == wanted:
                return
        pytest.fail(f"register 0x{offset:02X} stays 0x{self.read(offset):08X}")


def start_direct(loop: Loop, channel: int, control: int) -> None:
    loop.write(channel, control)
    loop.spin(channel + 0x04, HALTED, 0)


def transfer(loop: Loop, channel: int, address: int, nbytes: int, *, first: bool) -> None:
    assert bool(loop.read(channel + 0x04) & IDLE) is not first  # it insists on this
    loop.write(channel + 0x18, address & 0xFFFFFFFF)
    loop.write(channel + 0x1C, address >> 32)
    loop.write(channel + 0x28, nbytes)


def wait_direct(loop: Loop, channel: int) -> int:
    loop.spin(channel + 0x04, IDLE, IDLE)
    return loop.read(channel + 0x28)


@pytest.mark.parametrize("control", [0x1, 0x1001])
def test_direct(control: int) -> None:
    loop = Loop(scatter_gather=False)
    rng = np.random.default_rng(1)
    start_direct(loop, 0, control)
    start_direct(loop, RX, control)
    for number, nbytes in enumerate((64, 4096, 1_000_000, 8)):
        loop.bytes[:nbytes] = rng.integers(0, 256, nbytes, dtype=np.uint8)
        destination = 32 << 20
        loop.bytes[destination : destination + nbytes + 8] = 0
        transfer(loop, RX, loop.base + destination, nbytes, first=number == 0)
        transfer(loop, 0, loop.base, nbytes, first=number == 0)
        assert wait_direct(loop, 0) == nbytes
        assert wait_direct(loop, RX) == nbytes
        assert np.array_equal(loop.bytes[:nbytes], loop.bytes[destination : destination + nbytes])
        assert not loop.bytes[destination + nbytes : destination + nbytes + 8].any()
        if control & 0x1000:
            assert loop.bus.wait_interrupt(0, 1e-3)
            assert loop.bus.wait_interrupt(1, 1e-3)
            loop.write(0x04, IOC)
            loop.write(RX + 0x04, IOC)


def write_ring(loop: Loop, at: int, buffer: int, lengths: list[int]) -> None:
    words = loop.bytes[at : at + 64 * len(lengths)].view("<u4").reshape(-1, 16)
    words[:] = 0
    address = loop.base + buffer
    for index, length in enumerate(lengths):
        following = loop.base + at + 64 * ((index + 1) % len(lengths))
        words[index, 0:2] = following & 0xFFFFFFFF, following >> 32
        words[index, 2:4] = address & 0xFFFFFFFF, address >> 32
        words[index, 6] = length | (1 << 27 if index == 0 else 0) | (1 << 26 if index == len(lengths) - 1 else 0)
        address += length


def start_ring(loop: Loop, channel: int, at: int, count: int) -> None:
    first, last = loop.base + at, loop.base + at + 64 * (count - 1)
    loop.write(channel, 0)
    loop.write(channel + 0x08, first & 0xFFFFFFFF)
    loop.write(channel + 0x0C, first >> 32)
    loop.write(channel, 1)
    loop.write(channel + 0x10, last & 0xFFFFFFFF)  # the lower half first
    loop.write(channel + 0x14, last >> 32)


@pytest.mark.parametrize(("address_width", "base"), [(40, RAM), (32, 0x1000_0000)])
def test_scatter_gather(address_width: int, base: int) -> None:
    loop = Loop(scatter_gather=True, address_width=address_width, base=base)
    total, source, destination = 1_000_000, 1 << 20, 32 << 20
    lengths = [262_144, 262_144, 262_144, total - 3 * 262_144]
    loop.bytes[source : source + total] = np.random.default_rng(2).integers(0, 256, total, dtype=np.uint8)
    for _ in range(2):  # a second transfer starts from a channel stopped by DMACR=0
        write_ring(loop, 0x0000, source, lengths)
        write_ring(loop, 0x1000, destination, lengths)
        loop.bytes[destination : destination + total] = 0
        start_ring(loop, RX, 0x1000, len(lengths))
        start_ring(loop, 0, 0x0000, len(lengths))
        for channel, at in ((0, 0x0000), (RX, 0x1000)):
            loop.spin(channel + 0x04, IDLE, IDLE)
            status = loop.bytes[at : at + 64 * len(lengths)].view("<u4").reshape(-1, 16)[:, 7]
            assert (status & 0x03FFFFFF).tolist() == lengths
            assert (status >> 31).all()
            loop.write(channel, 0)
            loop.spin(channel + 0x04, HALTED, HALTED)
        assert np.array_equal(loop.bytes[source : source + total], loop.bytes[destination : destination + total])


def test_cyclic() -> None:
    loop = Loop(scatter_gather=True)
    period, source, destination = 65_536, 1 << 20, 32 << 20
    loop.bytes[source : source + period] = np.random.default_rng(3).integers(0, 256, period, dtype=np.uint8)
    write_ring(loop, 0x0000, source, [period // 2, period // 2])
    loop.write(0, 0)
    loop.write(0, 4)
    loop.write(0, 0)
    start = loop.base
    outside = loop.base + 2 * 64
    loop.write(0x08, start & 0xFFFFFFFF)
    loop.write(0x0C, start >> 32)
    loop.write(0, 0x11)
    loop.write(0x10, outside & 0xFFFFFFFF)
    loop.write(0x14, outside >> 32)
    for turn in range(5):  # far more than one turn of the ring
        write_ring(loop, 0x1000, destination, [period])
        loop.bytes[destination : destination + period] = 0
        start_ring(loop, RX, 0x1000, 1)
        loop.spin(RX + 0x04, IDLE, IDLE)
        loop.write(RX, 0)
        loop.spin(RX + 0x04, HALTED, HALTED)
        assert np.array_equal(loop.bytes[source : source + period], loop.bytes[destination : destination + period]), (
            f"turn {turn}"
        )
    assert not loop.read(0x04) & (HALTED | IDLE)
    loop.write(0, 0)
