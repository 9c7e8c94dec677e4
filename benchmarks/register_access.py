"""The cost of a register access from Python. It imports nothing of either side: PYNQ's Python runs it, too."""

from __future__ import annotations

import time
from collections.abc import Callable

ACCESSES = 10_000
DMASR, SOURCE_ADDRESS = 0x04, 0x18


def seconds_per_read(read: Callable[[int], int], address: int) -> float:
    """A loop around one call with a constant argument; the loop is part of the figure."""
    began = time.perf_counter()
    for _ in range(ACCESSES):
        read(address)
    return (time.perf_counter() - began) / ACCESSES


def seconds_per_write(write: Callable[[int, int], None], address: int) -> float:
    began = time.perf_counter()
    for _ in range(ACCESSES):
        write(address, 64)
    return (time.perf_counter() - began) / ACCESSES
