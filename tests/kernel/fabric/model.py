"""The PL on the host: gapless's own models on the guest's memory, driven through two pages of it, in real time."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapless._native import HostMemory, Machine
from gapless.boards import MemoryKind
from gapless.stream.ledger import Ledger
from gapless.stream.monitor import StreamMonitor
from gapless.units import GIB

from .guest.design import DMA, INTERRUPT, LOOKS, MONITOR, SPEC
from .registers import DmaPage, MonitorPage

_PAGE = 0x1000
#: The model knows kinds of memory by number, four of them.
_KINDS = (MemoryKind.PS, MemoryKind.PS, MemoryKind.PL, MemoryKind.PL)
_GAP_SELECT = 0x24
#: Seconds that pass at most between two looks: a host that was held up slows the PL down, and makes no gap.
_LONGEST_STEP = 0.02


@dataclass(frozen=True)
class Played:
    """What the DAC did from one start to its stop: the ledger, and of its samples, gaps left out, bytes and SHA-256."""

    ledger: Ledger
    nbytes: int
    sha256: str


class Model:
    """A DMA, a DAC and its stream monitor on the memory of a guest, an open file."""

    def __init__(self, descriptor: int) -> None:
        self.played: list[Played] = []
        (dma,), (dac,) = SPEC.dmas, SPEC.converters
        self._machine = Machine(0.0, 0.0)
        added = {port.name: self._machine.add_port(port.bandwidth) for port in SPEC.ports}
        ports = [added[dma.ports[kind]] for kind in _KINDS]
        for memory in SPEC.memories:
            # Nobody tells the host what the guest allocates: it is not guarded.
            shared = HostMemory(descriptor, _in_file(memory.base), memory.size)
            self._machine.add_memory(memory.base, memory.size, shared, 0, _KINDS.index(memory.kind), False)
        pages = [HostMemory(descriptor, _in_file(base), _PAGE) for base in (DMA, MONITOR)]
        widths = dma.length_width, dma.address_width, dma.data_width
        self._machine.add_dma(dma.base, dma.name, dma.sg, *widths, dma.dre, dma.clock, INTERRUPT, -1, ports)
        self._machine.add_dac(dac.base, dac.samples_per_beat, dac.fifo_bytes)
        self._machine.connect_dac(0, 0)
        self._bus = self._machine.bus()
        self._monitor = StreamMonitor(self._bus, dac)
        words: list[NDArray[np.uint32]] = [page.view(0, _PAGE, None).view(np.uint32) for page in pages]
        self._dma_page = DmaPage(self._bus, DMA, words[0])
        self._monitor_page = MonitorPage(self._bus, MONITOR, words[1], self._ended)
        self._looks = words[0][(LOOKS - DMA) // 4 :][:1]
        self._hash, self._seen = hashlib.sha256(), 0
        self._machine.set_tap(0, self._see)
        self._time = time.monotonic()

    def look(self) -> bool:
        """Do what the guest wrote, let the time pass that did, and answer; True while the interrupt line is up."""
        self._monitor_page.take()
        self._dma_page.take()
        now = time.monotonic()
        self._bus.sleep(min(now - self._time, _LONGEST_STEP))
        self._time = now
        # A guest that sees a completion finds the counts of what it completed.
        self._monitor_page.answer()
        up = self._dma_page.answer()
        self._looks += np.uint32(1)
        return up

    @property
    def findings(self) -> list[str]:
        """What the guest's software did wrong."""
        return [text for _, _, text, _ in self._machine.findings()]

    def _see(self, data: memoryview) -> None:
        self._hash.update(data)
        self._seen += data.nbytes

    def _ended(self) -> None:
        """CONTROL is about to be written: keep what was played so far, if anything was."""
        select = self._bus.read32(MONITOR + _GAP_SELECT)
        ledger = self._monitor.ledger()
        self._bus.write32(MONITOR + _GAP_SELECT, select)  # the guest's
        self._machine.flush_tap(0)
        if self._seen:
            self.played.append(Played(ledger, self._seen, self._hash.hexdigest()))
        self._hash, self._seen = hashlib.sha256(), 0


def _in_file(address: int) -> int:
    """Where QEMU has a physical address of the machine in the file of its memory."""
    return address if address < 2 * GIB else address - 0x8_0000_0000 + 2 * GIB
