"""Physical memory with nothing of gapless in between: /dev/mem word by word, and a DMA channel that nobody drives."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

_PAGE = 4096
_GDMA_7 = 0xFD57_0000
#: Registers of the ZDMA (UG1087, "ZDMA").
_ISR, _CTRL0, _SOURCE, _DESTINATION, _TOTAL, _CTRL2 = 0x100, 0x110, 0x128, 0x138, 0x188, 0x200
_DONE, _RESET_CTRL0 = 1 << 10, 0x80


@contextmanager
def _mapped(base: int, nbytes: int) -> Iterator[memoryview]:
    descriptor = os.open("/dev/mem", os.O_RDWR | os.O_SYNC)
    try:
        with mmap.mmap(descriptor, nbytes, offset=base) as mapping, memoryview(mapping) as view:
            yield view
    finally:
        os.close(descriptor)


def peek(address: int, nbytes: int) -> NDArray[np.uint8]:
    """The bytes at a physical address, read as 64-bit words."""
    first, end = address // _PAGE * _PAGE, -(-(address + nbytes) // _PAGE) * _PAGE
    with _mapped(first, end - first) as view, view.cast("Q") as words:
        low, high = (address - first) // 8, -(-(address + nbytes - first) // 8)
        found = np.array([words[at] for at in range(low, high)], np.uint64).view(np.uint8)
    skip = (address - first) % 8
    return found[skip : skip + nbytes]


def poke(address: int, values: NDArray[np.uint8]) -> None:
    """Write bytes at a physical address, one after the other."""
    first, end = address // _PAGE * _PAGE, -(-(address + values.size) // _PAGE) * _PAGE
    with _mapped(first, end - first) as view:
        for at, value in enumerate(values.tolist(), address - first):
            view[at] = value


def move(destination: int, source: int, nbytes: int, timeout: float = 60) -> None:
    """Copy physical memory by GDMA channel 7, in simple mode."""
    with _mapped(_GDMA_7, _PAGE) as view, view.cast("I") as registers:

        def write(offset: int, *values: int) -> None:
            for at, value in enumerate(values, offset // 4):
                registers[at] = value & 0xFFFF_FFFF

        write(_ISR, 0xFFF)
        write(_CTRL0, _RESET_CTRL0)
        write(_SOURCE, source, source >> 32, nbytes, 0)
        write(_DESTINATION, destination, destination >> 32, nbytes, 0)
        write(_CTRL2, 1)
        end = time.monotonic() + timeout
        while not registers[_ISR // 4] & _DONE:
            assert time.monotonic() < end, f"no DONE of GDMA 7: ISR {registers[_ISR // 4]:#x}"
        write(_ISR, _DONE)
