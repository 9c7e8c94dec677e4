"""A bench for the AXI DMA model: one machine, memory, and the two channels of each DMA.

Nothing in here knows how the model works: registers, descriptors and units are those of PG021.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapless import _native

# DMACR
RS, RESET, KEYHOLE, CYCLIC = 1 << 0, 1 << 2, 1 << 3, 1 << 4
IOC, DLY, ERR = 1 << 12, 1 << 13, 1 << 14  # the enables, and the events in DMASR
CR_RESET = 0x0001_0002

# DMASR
HALTED, IDLE, SG_INCLUDED = 1 << 0, 1 << 1, 1 << 3
DMA_INT_ERR, DMA_SLV_ERR, DMA_DEC_ERR = 1 << 4, 1 << 5, 1 << 6
SG_INT_ERR, SG_SLV_ERR, SG_DEC_ERR = 1 << 8, 1 << 9, 1 << 10
ERRORS = DMA_INT_ERR | DMA_SLV_ERR | DMA_DEC_ERR | SG_INT_ERR | SG_SLV_ERR | SG_DEC_ERR

# registers of a channel, from its DMACR
DMACR, DMASR, CURDESC, CURDESC_MSB, TAILDESC, TAILDESC_MSB = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
ADDRESS, ADDRESS_MSB, LENGTH = 0x18, 0x1C, 0x28

# descriptors
SOF, EOF = 1 << 27, 1 << 26  # TXSOF and TXEOF in CONTROL, RXSOF and RXEOF in STATUS
CMPLT, BD_DEC_ERR, BD_SLV_ERR, BD_INT_ERR = 1 << 31, 1 << 30, 1 << 29, 1 << 28
BD_ERRORS = BD_DEC_ERR | BD_SLV_ERR | BD_INT_ERR
BYTES = (1 << 26) - 1

DMA_BASE = 0xA000_0000
DAC_BASE, ADC_BASE = 0xA010_0000, 0xA020_0000
MM2S_LINE, S2MM_LINE = 0, 1
MIB = 1 << 20

# A wide core's memory: above 4 GiB, so that a lost upper word is noticed everywhere.
MEMORY_BASE = 0x10_0000_0000
LOW_BASE = 0x1000_0000  # what a 32-bit core can reach
UNMAPPED = 0x7000_0000  # nothing answers here


def settings(threshold: int = 1, delay: int = 0) -> int:
    """The two counts in DMACR."""
    return threshold << 16 | delay << 24


class Channel:
    """The registers of one channel."""

    def __init__(self, bench: Bench, base: int, line: int, wide: bool) -> None:
        self.bench, self.base, self.line, self.wide = bench, base, line, wide

    def read(self, offset: int) -> int:
        return self.bench.bus.read32(self.base + offset)

    def write(self, offset: int, value: int) -> None:
        self.bench.bus.write32(self.base + offset, value)

    @property
    def control(self) -> int:
        return self.read(DMACR)

    @property
    def status(self) -> int:
        return self.read(DMASR)

    @property
    def threshold_status(self) -> int:
        return self.status >> 16 & 0xFF

    @property
    def current(self) -> int:
        return self.read(CURDESC) | (self.read(CURDESC_MSB) << 32 if self.wide else 0)

    def run(self, extra: int = 0, counts: int = settings()) -> None:
        self.write(DMACR, RS | extra | counts)

    def transfer(self, address: int, nbytes: int) -> None:
        """Direct mode: the address, then LENGTH."""
        self.write(ADDRESS, address & 0xFFFF_FFFF)
        if self.wide:
            self.write(ADDRESS_MSB, address >> 32)
        self.write(LENGTH, nbytes)

    def set_current(self, address: int) -> None:
        self.write(CURDESC, address & 0xFFFF_FFFF)
        if self.wide:
            self.write(CURDESC_MSB, address >> 32)

    def set_tail(self, address: int) -> None:
        if self.wide:
            self.write(TAILDESC_MSB, address >> 32)
        self.write(TAILDESC, address & 0xFFFF_FFFF)

    def start(self, first: int, tail: int, extra: int = 0, counts: int = settings()) -> None:
        """Scatter-gather: CURDESC, RS, TAILDESC."""
        self.set_current(first)
        self.run(extra, counts)
        self.set_tail(tail)

    def wait(self, bits: int, timeout: float = 20e-3, step: float = 1e-6) -> int:
        """Poll DMASR until one of ``bits`` is set; the status read last."""
        end = self.bench.bus.time() + timeout
        while True:
            status = self.status
            if status & bits or self.bench.bus.time() > end:
                return status
            self.bench.bus.sleep(step)

    def finish(self, timeout: float = 20e-3) -> int:
        """Wait for Idle; an error or a timeout fails."""
        status = self.wait(IDLE | HALTED, timeout)
        assert status & IDLE, f"not idle: DMASR {status:#010x}"
        assert not status & (ERRORS | HALTED), f"DMASR {status:#010x}"
        return status

    def interrupted(self, timeout: float = 0.0) -> bool:
        return self.bench.bus.wait_interrupt(self.line, timeout)


class Dma:
    """One instance: its number in the machine and its two channels."""

    def __init__(self, bench: Bench, number: int, base: int, lines: tuple[int, int], wide: bool) -> None:
        self.number = number
        self.mm2s = Channel(bench, base, lines[0], wide)
        self.s2mm = Channel(bench, base + 0x30, lines[1], wide)

    def channel(self, name: str) -> Channel:
        return {"mm2s": self.mm2s, "s2mm": self.s2mm}[name]


@dataclass
class Piece:
    """What one descriptor describes."""

    address: int
    nbytes: int
    flags: int = 0


class Bench:
    """A machine with memory, and as many DMAs as are added."""

    def __init__(self, *, read_cost: float = 200e-9, write_cost: float = 100e-9) -> None:
        self.machine = _native.Machine(read_cost, write_cost)
        self.ports: list[int] = []
        self._areas: list[tuple[int, int, _native.HostMemory]] = []
        self._bus: _native.Bus | None = None

    @property
    def bus(self) -> _native.Bus:
        """Of this thread; made at the first access, when everything is assembled."""
        if self._bus is None:
            self._bus = self.machine.bus()
        return self._bus

    def leave(self) -> None:
        """Give this thread's bus up: an actor that does nothing would hold the others back."""
        self._bus = None

    def add_port(self, bandwidth: float = 19.2e9) -> int:
        self.ports.append(self.machine.add_port(bandwidth))
        return self.ports[-1]

    def add_memory(self, base: int = MEMORY_BASE, size: int = 1 << 30, *, kind: int = 0, guarded: bool = False) -> None:
        memory = _native.HostMemory(size)
        self.machine.add_memory(base, size, memory, 0, kind, guarded)
        self._areas.append((base, size, memory))

    def add_dma(
        self,
        *,
        sg: bool,
        base: int = DMA_BASE,
        lines: tuple[int, int] = (MM2S_LINE, S2MM_LINE),
        length_width: int = 26,
        address_width: int = 40,
        data_bytes: int = 64,
        dre: bool = False,
        clock: float = 300e6,
        ports: Sequence[int] | None = None,
    ) -> Dma:
        if not self.ports:
            self.add_port()
        number = self.machine.add_dma(
            base,
            f"dma@{base:#x}",
            sg,
            length_width,
            address_width,
            data_bytes,
            dre,
            clock,
            *lines,
            list(ports or [self.ports[0]] * 4),
        )
        return Dma(self, number, base, lines, address_width > 32)

    def view(self, address: int, nbytes: int) -> NDArray[np.uint8]:
        for base, size, memory in self._areas:
            if base <= address and address + nbytes <= base + size:
                return memory.view(address - base, nbytes, self)
        raise ValueError(f"no memory at {address:#x}")

    def words(self, address: int, count: int) -> NDArray[np.uint32]:
        return self.view(address, 4 * count).view("<u4")

    def fill(self, address: int, nbytes: int, seed: int = 1) -> NDArray[np.uint8]:
        """Random bytes into memory; a copy of them."""
        data = np.random.default_rng(seed).integers(0, 256, nbytes, dtype=np.uint8)
        self.view(address, nbytes)[:] = data
        return data

    def chain(self, at: int, pieces: Iterable[Piece], *, ring: bool = False, stride: int = 64) -> list[int]:
        """Write one descriptor a piece from ``at`` on; their addresses. The last points on, or to the first."""
        pieces = list(pieces)
        addresses = [at + stride * i for i in range(len(pieces))]
        for i, (address, piece) in enumerate(zip(addresses, pieces, strict=True)):
            following = at if ring and i + 1 == len(pieces) else address + stride
            self.words(address, 16)[:8] = [
                following & 0xFFFF_FFFF,
                following >> 32,
                piece.address & 0xFFFF_FFFF,
                piece.address >> 32,
                0,
                0,
                piece.nbytes | piece.flags,
                0,
            ]
        return addresses

    def bd_status(self, address: int) -> int:
        return int(self.words(address, 8)[7])

    def findings(self) -> list[str]:
        """Kind and text of each."""
        return [f"{kind}: {text}" for _, kind, text, _ in self.machine.findings()]


# ---- the stream monitor of a converter ----

CONTROL, RATE, SAMPLES, MISSING, GAP_COUNT, GAP_SELECT = 0x00, 0x08, 0x10, 0x18, 0x20, 0x24
GAP_INDEX, GAP_LENGTH, GAP_CAUSE, FIFO_LEVEL, FIFO_HIGH, FIFO_DEPTH = 0x28, 0x30, 0x38, 0x40, 0x48, 0x4C
CAPTURE, PACKET = 0x50, 0x58
ENABLE, CLEAR, ZERO_IN_GAP = 1, 2, 4
LATE, BANDWIDTH, STALLED, PARTIAL_WORD = 1, 2, 3, 4


class Monitor:
    """The stream monitor's registers of a DAC or an ADC."""

    def __init__(self, bench: Bench, base: int) -> None:
        self.bench, self.base = bench, base

    def read(self, offset: int) -> int:
        return self.bench.bus.read32(self.base + offset)

    def read_wide(self, offset: int) -> int:
        low = self.read(offset)
        return low | self.read(offset + 4) << 32

    def write(self, offset: int, value: int) -> None:
        self.bench.bus.write32(self.base + offset, value)

    def write_wide(self, offset: int, value: int) -> None:
        self.write(offset, value & 0xFFFF_FFFF)
        self.write(offset + 4, value >> 32)

    def enable(self, rate: float, extra: int = 0) -> None:
        """``rate`` in samples per second; the register counts thousandths."""
        self.write_wide(RATE, round(rate * 1000))
        self.write(CONTROL, ENABLE | extra)

    @property
    def samples(self) -> int:
        return self.read_wide(SAMPLES)

    @property
    def missing(self) -> int:
        return self.read_wide(MISSING)

    def gaps(self) -> list[tuple[int, int, int]]:
        """(index, length, cause) of each."""
        found = []
        for i in range(self.read(GAP_COUNT)):
            self.write(GAP_SELECT, i)
            found.append((self.read_wide(GAP_INDEX), self.read_wide(GAP_LENGTH), self.read(GAP_CAUSE)))
        return found


def loop_bench(*, sg: bool, depth: int = 65536, low: bool = False, **options) -> tuple[Bench, Dma]:
    """One DMA whose MM2S feeds its own S2MM through a FIFO."""
    bench = Bench()
    if low:
        bench.add_memory(LOW_BASE)
        options.setdefault("address_width", 32)
    else:
        bench.add_memory()
    dma = bench.add_dma(sg=sg, **options)
    bench.machine.connect_fifo(dma.number, dma.number, depth)
    return bench, dma
