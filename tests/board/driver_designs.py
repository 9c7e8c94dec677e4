"""Small designs for tests of the driver: what the ZCU111 has not."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager

import numpy as np

from gapless.boards import (
    BoardSpec,
    ConverterSpec,
    DmaSpec,
    MemoryKind,
    MemorySpec,
    PairSpec,
    PoolSpec,
    PortSpec,
    StreamFifoSpec,
)
from gapless.virtual import build_board

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
PS_LOW, PS_HIGH = 0x0, 0x8_0000_0000
PORTS = {MemoryKind.PS: "HP0"}


def dma(name="dma", *, line=0, mm2s=True, s2mm=True, sg=True, **options):
    options.setdefault("data_width", 32)
    return DmaSpec(
        name,
        0xA000_0000 + 0x1_0000 * line,
        sg=sg,
        ports=PORTS,
        mm2s_interrupt=2 * line if mm2s else None,
        s2mm_interrupt=2 * line + 1 if s2mm else None,
        **options,
    )


def converter(direction, dmas, *, index=0, beat=16, fifo=64 * KIB):
    base = 0xB000_0000 + (0x1_0000 if direction == "dac" else 0) + 0x2_0000 * index
    return ConverterSpec(f"{direction}{index}", direction, index, base, beat, 8e9, tuple(dmas), fifo)


def spec(*dmas, converters=(), fifos=(), pairs=(), bandwidth=4.8e9, name="bench"):
    """PS memory of 1 GiB at 0 and 8 GiB at 0x8_0000_0000, one port."""
    return BoardSpec(
        name,
        "a bench",
        (
            MemorySpec("ps-low", PS_LOW, GIB, MemoryKind.PS),
            MemorySpec("ps-high", PS_HIGH, 8 * GIB, MemoryKind.PS),
        ),
        (
            PoolSpec("low", 256 * MIB, 512 * MIB, MemoryKind.PS),
            PoolSpec("high", PS_HIGH, 8 * GIB, MemoryKind.PS),
        ),
        (PortSpec("HP0", bandwidth),),
        dmas,
        tuple(converters),
        fifos=tuple(fifos),
        pairs=tuple(pairs),
    )


def looped(depth=64 * KIB, **options):
    """One DMA whose MM2S comes back into its S2MM through a FIFO."""
    return build_board(spec(dma(**options), fifos=[StreamFifoSpec("loop", "dma", "dma", depth)]))


def two_dmas(depth=64 * KIB, source=None, sink=None):
    """DMA ``a`` sends, DMA ``b`` receives; each has both channels, only these are connected."""
    return build_board(
        spec(
            dma("a", line=0, **(source or {})),
            dma("b", line=1, **(sink or {})),
            fifos=[StreamFifoSpec("link", "a", "b", depth)],
        )
    )


def both_ways(**options):
    """One DMA with both channels: MM2S feeds a DAC, S2MM drains an ADC."""
    fifo = options.pop("fifo", MIB)
    return build_board(
        spec(
            dma(**options),
            converters=[converter("dac", ["dma"], fifo=fifo), converter("adc", ["dma"], beat=8, fifo=fifo)],
        )
    )


def in_step(*, fifo=64 * KIB, dac_beat=16, adc_beat=8, bandwidth=19.2e9, **options):
    """One DMA with both channels: MM2S feeds DACs 0 and 1 in step, S2MM drains ADCs 0 and 1; wires between them."""
    converters = [converter("dac", [], index=n, beat=dac_beat, fifo=fifo) for n in range(2)]
    converters += [converter("adc", [], index=n, beat=adc_beat, fifo=fifo) for n in range(2)]
    pairs = [
        PairSpec("dac01", "dac", 0xC000_0000, ("dac0", "dac1"), ("dma",)),
        PairSpec("adc01", "adc", 0xC001_0000, ("adc0", "adc1"), ("dma",)),
    ]
    options.setdefault("data_width", 64)
    board = build_board(spec(dma(**options), converters=converters, pairs=pairs, bandwidth=bandwidth))
    for number in range(2):
        board.probe.connect(number, f"dac{number}")
    return board


def noise(nbytes, seed=0):
    return np.random.default_rng(seed).integers(0, 256, nbytes, dtype=np.uint8)


def samples(count, seed=0):
    return np.random.default_rng(seed).integers(-32768, 32768, count, dtype=np.int16)


def fill(pool, data, **options):
    """A buffer of ``pool`` with ``data`` in it."""
    buffer = pool.allocate(data.shape, data.dtype, **options)
    buffer[...] = data
    return buffer


def used(board):
    return {name: (pool.stats().used, pool.stats().buffers.count) for name, pool in board.memory.items()}


@contextmanager
def leaving_nothing(board):
    """Inside, whatever takes memory gives it back, and nothing is done that hardware would suffer from."""
    before = used(board)
    yield board
    assert used(board) == before
    assert board.findings == ()


def counter(count, first=0):
    """What an ADC at the counter samples from index ``first`` on."""
    return np.arange(first, first + count).astype(np.uint16).view(np.int16)


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array, "<i2")).hexdigest()
