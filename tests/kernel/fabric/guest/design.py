"""The design in the PL that the host models: a DAC behind an AXI DMA. Host and guest both read it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapless.boards import BoardSpec, ConverterSpec, DmaSpec, MemoryKind, MemorySpec, PoolSpec, PortSpec
from gapless.units import GIB, MIB

#: Two pages of registers, at the `fabric` node of zcu102.dts, with its interrupt.
DMA, MONITOR, INTERRUPT = 0xF_FFFF_0000, 0xF_FFFF_1000, 89
#: A word of the DMA's page that PG021 leaves free: how often the host has looked at the pages.
LOOKS = DMA + 0xFFC

#: What the DMA reaches: what Linux has and the carve-out, and what stands in for the PL's memory.
_MEMORIES = (
    MemorySpec("ps-low", 0x0, 2 * GIB, MemoryKind.PS),
    MemorySpec("ps-high", 0x8_0000_0000, 30 * GIB, MemoryKind.PS),
    MemorySpec("pl-ddr", 0xF_8000_0000, 2 * GIB - MIB, MemoryKind.PL),
)
_PORTS = {MemoryKind.PS: "hp0", MemoryKind.PL: "mig"}

#: Slow, for an emulated processor, and a FIFO of 0.7 s, so that a busy machine makes no gap.
RATE = 12e6
_FIFO = 16 * MIB

SPEC = BoardSpec(
    "pl-model",
    "a model of the PL on the host",
    memories=_MEMORIES,
    pools=(PoolSpec("ps-carveout", 0x8_8000_0000, 28 * GIB, kind=MemoryKind.PS),),
    ports=(PortSpec("hp0", 4.8e9), PortSpec("mig", 19.2e9)),
    dmas=(DmaSpec("axi_dma_dac0", DMA, True, _PORTS, mm2s_interrupt=INTERRUPT, data_width=16),),
    converters=(ConverterSpec("dac0", "dac", 0, MONITOR, 8, 4e9, ("axi_dma_dac0",), _FIFO),),
    design="one DAC behind a scatter-gather AXI DMA",
)


def signal(seed: int, start: int, count: int) -> NDArray[np.int16]:
    """Samples ``start`` to ``start + count`` (multiples of 4) of noise that never repeats; int16, shape (count,)."""
    bits = np.random.PCG64(seed)
    bits.advance(start // 4)
    words: NDArray[np.uint64] = bits.random_raw(count // 4)
    return words.astype("<u8", copy=False).view("<i2")
