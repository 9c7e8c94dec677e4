"""PYNQ's side of benchmarks/registers.py, and ours in Python beside it: runs in the environment of PYNQ.

For every line on stdin it measures everything once and prints a line of JSON.

PYNQ's own MMIO and DMA driver, unchanged, on a subclass of its ``Device`` whose registers are the bus of the
virtual board and whose memory is a pool of it.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import register_access
from pynq import MMIO, Device, allocate
from pynq.buffer import PynqBuffer
from pynq.lib.dma import DMA

import gapless

TRANSFERS, NBYTES = 1_000, 1 << 16
RATE = 2.048e9
_DMASR_WORD, _LENGTH_WORD, _IDLE = 1, 10, 2


class Words:
    """Registers as MMIO indexes them: 32-bit words."""

    __slots__ = ("_base", "_read32", "_write32")

    def __init__(self, bus: gapless._native.Bus, base: int) -> None:
        self._read32, self._write32, self._base = bus.read32, bus.write32, base

    def __getitem__(self, word: int) -> int:
        return self._read32(self._base + 4 * word)

    def __setitem__(self, word: int, value: np.uint32) -> None:
        self._write32(self._base + 4 * word, int(value))


class WatchedWords(Words):
    """With a stopwatch: from the first DMASR read that shows a transfer complete to the write of LENGTH.

    Idle shows it; IOC stays set from the first transfer on, because PYNQ acknowledges nothing here.
    """

    __slots__ = ("moving", "rearms", "seen")

    def __init__(self, bus: gapless._native.Bus, base: int) -> None:
        super().__init__(bus, base)
        self.rearms: list[int] = []
        self.moving, self.seen = False, 0

    def __getitem__(self, word: int) -> int:
        value = self._read32(self._base + 4 * word)
        if self.moving and word == _DMASR_WORD and value & _IDLE:
            self.moving = False
            self.seen = time.perf_counter_ns()
        return value

    def __setitem__(self, word: int, value: np.uint32) -> None:
        if word == _LENGTH_WORD:
            now = time.perf_counter_ns()
            if self.seen:
                self.rearms.append(now - self.seen)
            self.moving = True
        self._write32(self._base + 4 * word, int(value))


def plain_words(base: int) -> np.ndarray:
    """A register file in memory: every transfer is complete at once."""
    words = np.zeros(1024, dtype=np.uint32)
    words[_DMASR_WORD] = _IDLE
    return words


class OurDevice(Device):
    """A board as PYNQ sees it. MMIO takes the way it takes on a Zynq board: registers mapped as an array of words."""

    def __init__(self, tag: str, words: Callable[[int], object], pool: gapless.memory.Pool) -> None:
        super().__init__(tag)
        self.capabilities = {"MEMORY_MAPPED": True}
        self._words, self._pool = words, pool

    def mmap(self, base: int, length: int) -> object:
        return self._words(base)

    def allocate(self, shape: int, dtype: str, **_: object) -> PynqBuffer:
        ours = self._pool.allocate(shape, dtype)
        return PynqBuffer(ours.shape, ours.dtype, buffer=ours, device=self, device_address=ours.physical_address)

    def flush(self, *_: object) -> None:
        """Nothing: on a board a system call, which PYNQ is spared here."""


def sender(device: OurDevice, base: int) -> DMA:
    """PYNQ's driver for the direct-mode DMA of DAC 0, as an overlay would make it."""
    parameters = {
        "c_include_sg": "0",
        "c_include_mm2s": "1",
        "c_include_s2mm": "0",
        "c_sg_length_width": "26",
        "c_m_axi_mm2s_data_width": "512",
    }
    return DMA(
        {
            "type": "xilinx.com:ip:axi_dma:7.1",
            "fullpath": "axi_dma",
            "phys_addr": base,
            "addr_range": 0x1000,
            "device": device,
            "parameters": parameters,
            "interrupts": {},
            "gpio": {},
        }
    )


def send(channel: object, buffers: list[PynqBuffer], transfers: int) -> None:
    for _ in range(transfers // len(buffers)):
        for buffer in buffers:
            channel.transfer(buffer)
            channel.wait()
    if channel.transferred != NBYTES:
        raise SystemExit(f"PYNQ sent {channel.transferred} of {NBYTES} bytes")


def middle_mean(figures: list[int]) -> float:
    """Mean of the middle half, as the native stopwatch has it."""
    figures = sorted(figures)
    quarter = len(figures) // 4
    return statistics.fmean(figures[quarter : len(figures) - quarter])


def clock_reading() -> float:
    """Nanoseconds that reading the clock takes."""
    readings = []
    for _ in range(1000):
        before = time.perf_counter_ns()
        readings.append(time.perf_counter_ns() - before)
    return middle_mean(readings)


def main() -> None:
    with gapless.open("virtual:zcu111") as board:
        bus, pool, base = board.bus, board.memory["pl-ddr"], board.spec.dma("dma_dac0_direct").base
        status, source = register_access.DMASR, register_access.SOURCE_ADDRESS
        mmio = MMIO(base, 0x1000, device=OurDevice("mapped", lambda start: Words(bus, start), pool))
        board.dac(0).monitor.start(RATE)
        watched = OurDevice("watched", lambda start: WatchedWords(bus, start), pool)
        buffers = [allocate(NBYTES, "u1", target=watched) for _ in range(4)]
        dma = sender(watched, base)
        words = dma.mmio.array
        plain = sender(OurDevice("plain", plain_words, pool), base)

        for _ in sys.stdin:
            figures = {
                "read_ours": register_access.seconds_per_read(bus.read32, base + status),
                "read_pynq": register_access.seconds_per_read(mmio.read, status),
                "write_ours": register_access.seconds_per_write(bus.write32, base + source),
                "write_pynq": register_access.seconds_per_write(mmio.write, source),
            }
            words.rearms, words.seen = [], 0
            send(dma.sendchannel, buffers, TRANSFERS)
            if len(words.rearms) != TRANSFERS - 1:
                raise SystemExit(f"{len(words.rearms)} re-arms were seen in {TRANSFERS} transfers")
            figures["rearm_pynq"] = (middle_mean(words.rearms) - clock_reading()) / 1e9
            began = time.perf_counter()
            send(plain.sendchannel, buffers, TRANSFERS)
            figures["plain_turn_pynq"] = (time.perf_counter() - began) / TRANSFERS
            if board.findings:
                raise SystemExit(f"the virtual board found fault: {board.findings}")
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
