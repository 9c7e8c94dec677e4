"""Sums of sines of any frequency and length, at native speed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._native import Tones
from ..errors import BadArgumentError, SignalError
from . import variants
from .arguments import check_output
from .convert import FULL_SCALE

_WORD = (1 << 64) - 1
_FORMATS = (np.dtype(np.int16), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Tone:
    """One sine: ``amplitude * sin(2 pi (f n / rate + phase))``.

    Attributes:
        frequency: in Hz, above 0 and below half the rate; a Fraction states it exactly.
        amplitude: of full scale, in (0, 1].
        phase: of sample 0, in turns.
    """

    frequency: Fraction | float
    amplitude: float = 0.9
    phase: Fraction | float = 0.0


class MultiToneSource:
    """Tones added up: sample n is ``round(32767 * sum of amplitude * sin(2 pi (f n / rate + phase)))``.

    The phase of sample n is exact to 2**-62 turn for any n up to 2**63, and a sample is the same to the bit
    whatever stretch it is asked in, on any machine with the same C library. The float64 sum, before it is rounded,
    is within 1e-15 of the sines per tone, relative to full scale.

    Args:
        tones: one or more, whose amplitudes add up to at most 1.
        rate: samples per second it is made for.
    """

    length: int | None = None
    period: int | None = None

    def __init__(self, tones: Sequence[Tone], rate: float) -> None:
        if not (math.isfinite(rate) and rate > 0):
            raise BadArgumentError(f"tones: rate {rate} asked: it must be above 0 Sa/s")
        if not tones:
            raise BadArgumentError("tones: none given; at least one is needed")
        exact_rate = Fraction(repr(float(rate)))  # the decimal number that was meant, as for ToneSource
        for tone in tones:
            if not 0 < tone.frequency < exact_rate / 2:
                raise SignalError(
                    f"tones: {float(tone.frequency):g} Hz asked at {float(rate):g} Sa/s: "
                    f"a tone lies above 0 Hz and below half the rate, {float(rate) / 2:g} Hz"
                )
            if not tone.amplitude > 0 or not math.isfinite(tone.phase):
                raise SignalError(f"tones: {tone} asked: the amplitude must be above 0, and the phase finite")
        total = math.fsum(tone.amplitude for tone in tones)
        if not total <= 1:
            raise SignalError(f"tones: the amplitudes add up to {total:g}: at most 1 (full scale) has room")
        self.name = "tones:" + ",".join(f"{float(tone.frequency):g}" for tone in tones)
        self.rate: float | None = float(rate)
        self._tones = Tones(
            [
                (
                    *turn_words(Fraction(tone.frequency) / exact_rate),
                    *turn_words(Fraction(tone.phase)),
                    tone.amplitude * FULL_SCALE,
                )
                for tone in tones
            ]
        )

    def fill(self, out: NDArray[np.int16] | NDArray[np.float32] | NDArray[np.float64], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out``, shape (n,), contiguous.

        Into int16 they are rounded. Into float32 and float64 they are not, and full scale is 32767.
        """
        if not 0 <= start <= (1 << 63) - len(out):
            raise BadArgumentError(
                f"{self.name}: samples {start} .. {start + len(out)} asked: there are 0 .. {1 << 63}"
            )
        dtype = out.dtype if out.dtype in _FORMATS else np.int16
        self._tones.fill(variants.BEST, check_output(out, dtype, len(out)), start)


def turn_words(turns: Fraction) -> tuple[int, int]:
    """The fraction of a turn in units of 2**-128, to the nearest, as its upper and its lower half."""
    units = round((turns % 1) * (1 << 128)) % (1 << 128)
    return units >> 64, units & _WORD
