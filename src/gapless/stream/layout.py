"""How a signal lies in memory, and in which pieces it is played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..boards import DmaSpec
from ..dma import cut_runs, piece_bytes, split_runs
from ..errors import SignalError
from ..memory import Buffer, DeviceBuffer, Runs
from ..samples import Source

_SAMPLE = 2  # bytes
#: Blocks are unrolled to at least this many samples, so that descriptors are fetched far more rarely than data.
_LEAST_BLOCK = 1 << 19
#: A cyclic ring plays whole blocks, so that a short one plays less than was not asked for.
_LEAST_CYCLIC_BLOCK = 1 << 15
#: Samples that are made at a time where they cannot be made in place.
_STAGED = 1 << 21


@dataclass(frozen=True)
class Layout:
    """``stored`` samples in memory, played ``repeat`` times, then the first ``rest`` of them once more.

    They are the first ``unit`` samples of the source, again and again.
    """

    stored: int
    repeat: int
    rest: int
    unit: int

    @property
    def total(self) -> int:
        """Samples played."""
        return self.stored * self.repeat + self.rest

    def block(self, spec: DmaSpec) -> int | None:
        """Bytes of one descriptor or transfer where the signal is repeated; None where it is as long as can be."""
        nbytes = self.stored * _SAMPLE
        return nbytes if self.repeat > 1 and nbytes < piece_bytes(spec) else None

    def pieces(self, spec: DmaSpec, runs: Runs) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Pieces of one pass over the block, which lies in ``runs``, and those of the rest."""
        stored = split_runs(spec, cut_runs(runs, self.stored * _SAMPLE))
        rest = split_runs(spec, cut_runs(runs, self.rest * _SAMPLE)) if self.rest else np.zeros((0, 2), np.uint64)
        return stored, rest


def lay_out(source: Source, total: int, spec: DmaSpec, *, cyclic: bool = False) -> Layout:
    """Decide how ``total`` samples of ``source`` are stored.

    A source that repeats within ``total`` is stored as one block of whole repetitions; the descriptors
    (or transfers) point to the block again and again. The block is a whole number of the engine's words,
    so that every repetition starts aligned. Anything else is stored in full.

    ``cyclic``: the block is all there is, and is repeated for ever: always whole words and whole
    repetitions, until at least ``total`` samples were played.
    """
    word = max(spec.data_width, 64)
    largest = piece_bytes(spec) // _SAMPLE
    unit = source.period if source.length is None else min(source.length, total)
    if cyclic:
        if unit is None:
            unit = -(-total * _SAMPLE // word) * word // _SAMPLE  # it goes on: round up
        aligned = math.lcm(unit * _SAMPLE, word) // _SAMPLE
        least = max(_LEAST_CYCLIC_BLOCK, min(_LEAST_BLOCK, total))
        block = aligned * max(1, min(largest, least) // aligned)
        return Layout(block, -(-total // block), 0, unit)
    if unit is None or unit >= total:
        return Layout(total, 1, 0, total)
    aligned = math.lcm(unit * _SAMPLE, word) // _SAMPLE
    if max(aligned, _LEAST_BLOCK) >= total:
        return Layout(total, 1, 0, unit)
    # A generator costs memory only for what is stored: fill one piece with it.
    least = largest if source.length is None else min(largest, _LEAST_BLOCK)
    block = min(max(1, least // aligned), total // aligned) * aligned
    return Layout(block, total // block, total % block, unit)


def lay_out_in_place(length: int, total: int, word: int, *, cyclic: bool = False) -> Layout:
    """How ``total`` samples of a buffer of ``length`` are played from where it lies.

    SignalError when it is to be repeated and is not a whole number of the converter's words of ``word``
    samples: it would play what is left of the last word as a gap.
    """
    stored = min(length, total)
    if (total > stored or cyclic) and stored % word:
        raise SignalError(
            f"a buffer repeated where it lies is a whole number of the converter's {word}-sample words: {stored} "
            f"samples are not; play np.asarray(buffer), of which a copy is repeated, or {stored // word * word} samples"
        )
    if cyclic:
        return Layout(stored, -(-total // stored), 0, stored)
    return Layout(stored, total // stored, total % stored, stored)


def whole_number(value: float, what: str) -> int:
    """``value`` as an int of at least 1 (``1e6`` is one); SignalError otherwise."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if isinstance(value, (bool, str)) or number != value or number < 1:
        raise SignalError(f"{what}={value!r}: it is a whole number, at least 1")
    return number


class Counted(Protocol):
    """What a signal is called, and how many samples it has in all; None: it never ends."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def length(self) -> int | None: ...  # noqa: D102


class InPlace(NamedTuple):
    """Samples of a buffer that are played from where they lie."""

    length: int
    name: str = "buffer"


def samples_to_play(signal: Counted, samples: float | None, repeat: float, channels: int = 1) -> int:
    """How many samples per channel ``signal`` gives, from what was asked; SignalError when it cannot be."""
    repeat = whole_number(repeat, "repeat")
    samples = None if samples is None else whole_number(samples, "samples")
    if signal.length is None:
        if samples is None:
            raise SignalError(f"{signal.name} never ends: say how many samples (samples= or --samples, --seconds)")
        return samples * repeat
    length = signal.length // channels
    available = length * repeat
    if samples is None:
        return available
    if samples > available:
        raise SignalError(
            f"asked {samples} samples of {signal.name}, which has {length}"
            + (f" and is repeated {repeat} times" if repeat > 1 else "")
            + f": use repeat={-(-samples // length)} (--repeat)"
        )
    return samples


def fill(source: Source, layout: Layout, buffer: Buffer) -> None:
    """Write the block that ``layout`` stores into ``buffer`` (int16, shape (layout.stored,))."""
    if isinstance(buffer, DeviceBuffer):
        _fill_device(source, layout, buffer)
        return
    out: NDArray[np.int16] = np.asarray(buffer)
    first = layout.stored if source.length is None else min(layout.unit, layout.stored)
    source.fill(out[:first], 0)
    while first < layout.stored:  # unrolled repetitions
        more = min(first, layout.stored - first)
        out[first : first + more] = out[:more]
        first += more


def _fill_device(source: Source, layout: Layout, buffer: DeviceBuffer) -> None:
    # Made in ordinary memory, a part at a time, and copied once: reading back is what Device memory is slow at.
    period = layout.stored if source.length is None else min(layout.unit, layout.stored)
    part = np.empty(min(_STAGED, period), np.int16)
    done = 0
    while done < layout.stored:
        start = done % period
        count = min(len(part), period - start, layout.stored - done)
        source.fill(part[:count], start)
        buffer.write(part[:count], done)
        done += count
