"""Pages that stand for registers: in which order what was written takes effect, and what is read afterwards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gapless._native import Bus
from gapless.dma.registers import INTERRUPTS, Control, Offset

from .cells import Cells

#: TAILDESC reads as this: no address of a descriptor, so that writing the same tail again is seen.
_TAKEN = 1
#: An acknowledgement is of what was: it goes first. Then where to begin, then that the channel may run, then fetch.
_MM2S = (
    *(Offset.DMASR, Offset.CURDESC + 4, Offset.CURDESC),
    *(Offset.DMACR, Offset.TAILDESC + 4, Offset.TAILDESC),
)
_MM2S_END = 0x30
_MONITOR_END, _CONTROL = 0x64, 0x00


class DmaPage:
    """The registers of a scatter-gather AXI DMA's MM2S channel (PG021, "Register Space").

    Interrupts are kept here: the model's are collected and cleared at once, and a write to DMASR clears what the page
    has shown. A completion between the guest's look at its descriptors and the host's at the page stays: it is new.
    """

    def __init__(self, bus: Bus, base: int, words: NDArray[np.uint32]) -> None:
        self._bus, self._base, self._cells = bus, base, Cells(words, _MM2S_END)
        self._shown = self._new = 0

    def take(self) -> None:
        """Do what the guest wrote."""
        written = self._cells.written()
        for offset in _MM2S:
            if offset not in written:
                continue
            value = written.pop(offset)
            if offset == Offset.DMASR:
                self._shown &= ~value
                continue
            if offset == Offset.DMACR and value & Control.RESET:
                self._shown = self._new = 0
            self._bus.write32(self._base + offset, value)
        if written:
            raise RuntimeError(f"the guest wrote to registers that a scatter-gather channel has not: {written}")

    def answer(self) -> bool:
        """Let the guest read what is so now; True when its interrupt line is up."""
        status = self._read(Offset.DMASR)
        raised = status & int(INTERRUPTS)
        if raised:
            self._new |= raised
            self._bus.write32(self._base + Offset.DMASR, raised)
        for offset in _MM2S:
            if offset not in (Offset.DMASR, Offset.TAILDESC):
                self._cells.answer(offset, self._read(offset))
        self._cells.answer(Offset.TAILDESC, _TAKEN)
        interrupts = self._shown | self._new
        if self._cells.answer(Offset.DMASR, status & ~int(INTERRUPTS) | interrupts):
            self._shown, self._new = interrupts, 0
        return bool(interrupts & self._read(Offset.DMACR))

    def _read(self, offset: int) -> int:
        return self._bus.read32(self._base + offset)


class MonitorPage:
    """The registers of a stream monitor (docs/stream-monitor.md).

    CONTROL takes effect last. ``ended`` is called before it does when that ends a play, or forgets one.
    """

    def __init__(self, bus: Bus, base: int, words: NDArray[np.uint32], ended: Callable[[], None]) -> None:
        self._bus, self._base, self._cells, self._ended = bus, base, Cells(words, _MONITOR_END), ended

    def take(self) -> None:
        """Do what the guest wrote."""
        for offset, value in sorted(self._cells.written().items(), reverse=True):
            if offset == _CONTROL:
                self._ended()
            self._bus.write32(self._base + offset, value)

    def answer(self) -> None:
        """Let the guest read what is so now: of a register of 64 bits both halves, the lower one first."""
        for offset in range(0, _MONITOR_END, 4):
            self._cells.answer(offset, self._bus.read32(self._base + offset))
