"""The machine's DMA engines and upper memory by the plainest means, so that what is tested is on one side only."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapless._native import MmioBus
from gapless.boards.zynqmp import zdmas
from gapless.dma import Zdma
from gapless.dma.zdma_registers import Event, Offset
from gapless.memory import MappedRegion, MemoryType, RangePool

CARVE_OUT = 0x9_0000_0000


def physical(base: int, size: int) -> NDArray[np.uint8]:
    """Physical addresses through /dev/mem."""
    descriptor = os.open("/dev/mem", os.O_RDWR | os.O_SYNC | os.O_CLOEXEC)
    try:
        return np.frombuffer(mmap.mmap(descriptor, size, offset=base), np.uint8)
    finally:
        os.close(descriptor)


@contextmanager
def zdma(channels: int = 4) -> Iterator[Zdma]:
    """Drivers of the first GDMA channels."""
    bus = MmioBus()
    specs = zdmas()[:channels]
    for spec in specs:
        bus.add_window(spec.base, physical(spec.base, 4096))
        bus.add_polled_line(spec.interrupt, spec.base + Offset.ISR, int(Event.DONE))
    engines = Zdma(bus, specs)
    yield engines
    engines.close()


class _Physical:
    def __init__(self, base: int, size: int) -> None:
        self._bytes = physical(base, size)

    def view(self, offset: int, nbytes: int, _owner: object) -> NDArray[Any]:
        return self._bytes[offset : offset + nbytes]


def carve_out(size: int, base: int = CARVE_OUT) -> RangePool:
    """Memory that Linux does not have."""
    region = MappedRegion("carve-out", base, size, _Physical(base, size), memory_type=MemoryType.DEVICE)
    return RangePool(region, base, size, name="carve-out")


def read_by_device(address: int, nbytes: int) -> bytes:
    """What the last GDMA channel finds at a physical address."""
    registers = physical(zdmas()[7].base, 4096).view(np.uint32)
    scratch = carve_out(4096, CARVE_OUT - 4096).allocate(nbytes, np.uint8)
    registers[Offset.ISR // 4] = 0xFFF
    registers[Offset.CTRL0 // 4] = 0x80
    for register, value in ((Offset.SRC_WORD0, address), (Offset.DST_WORD0, scratch.physical_address)):
        words = (value & 0xFFFF_FFFF, value >> 32, nbytes, 0)
        for number, word in enumerate(words):
            registers[register // 4 + number] = word
    registers[Offset.CTRL2 // 4] = 1
    deadline = time.monotonic() + 10
    while not registers[Offset.ISR // 4] & Event.DONE:
        assert time.monotonic() < deadline, f"{nbytes} bytes at {address:#x} were not read in 10 s"
    return bytes(scratch.read())
