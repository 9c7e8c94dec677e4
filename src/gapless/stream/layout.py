"""How a signal lies in memory, and in which pieces it is played."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..boards import DmaSpec
from ..dma import piece_bytes, split
from ..errors import SignalError
from ..samples import Source

_SAMPLE = 2  # bytes
#: Blocks are unrolled to at least this, so that descriptors are fetched far more rarely than data.
_LEAST_BLOCK = 1 << 20


@dataclass(frozen=True)
class Layout:
    """``stored`` samples in memory, played ``repeat`` times, then the first ``rest`` of them once more."""

    stored: int
    repeat: int
    rest: int

    @property
    def total(self) -> int:
        """Samples played."""
        return self.stored * self.repeat + self.rest

    def pieces(self, spec: DmaSpec, address: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Pieces of one pass over the block at physical ``address``, and those of the rest."""
        rest = split(spec, address, self.rest * _SAMPLE) if self.rest else np.zeros((0, 2), np.uint64)
        return split(spec, address, self.stored * _SAMPLE), rest


def lay_out(source: Source, total: int, spec: DmaSpec) -> Layout:
    """Decide how ``total`` samples of ``source`` are stored.

    A source that repeats within ``total`` is stored as one block of whole repetitions; the descriptors
    (or transfers) point to the block again and again. The block is a whole number of the engine's words,
    so that every repetition starts aligned. Anything else is stored in full.
    """
    unit = source.period if source.length is None else source.length
    if unit is None or unit >= total:
        return Layout(total, 1, 0)
    aligned = math.lcm(unit * _SAMPLE, max(spec.data_width, 64)) // _SAMPLE
    if aligned >= total:
        return Layout(total, 1, 0)
    largest = piece_bytes(spec) // _SAMPLE
    if source.length is None:
        # A generator costs memory only for what is stored: fill one piece with it.
        block = max(1, largest // aligned) * aligned
    else:
        block = aligned * max(1, min(largest, _LEAST_BLOCK // _SAMPLE) // aligned)
    block = min(block, total // aligned * aligned)
    return Layout(block, total // block, total % block)


def samples_to_play(source: Source, samples: int | None, repeat: int) -> int:
    """How many samples ``source`` gives, from what was asked; SignalError when it cannot be."""
    if repeat < 1:
        raise SignalError(f"repeat={repeat}: a signal is played at least once")
    if samples is not None and samples < 1:
        raise SignalError(f"samples={samples}: at least one sample is played")
    if source.length is None:
        if samples is None:
            raise SignalError(f"{source.name} never ends: say how many samples (samples= or --samples, --seconds)")
        return samples * repeat
    available = source.length * repeat
    if samples is None:
        return available
    if samples > available:
        raise SignalError(
            f"asked {samples} samples of {source.name}, which has {source.length}"
            + (f" and is repeated {repeat} times" if repeat > 1 else "")
            + f": use repeat={math.ceil(samples / source.length)} (--repeat)"
        )
    return samples


def fill(source: Source, layout: Layout, out: NDArray[np.int16]) -> None:
    """Write the block that ``layout`` stores into ``out`` (int16, shape (layout.stored,))."""
    if source.length is None:
        source.fill(out, 0)
        return
    first = min(source.length, layout.stored)
    source.fill(out[:first], 0)
    while first < layout.stored:  # unrolled repetitions
        more = min(first, layout.stored - first)
        out[first : first + more] = out[:more]
        first += more
