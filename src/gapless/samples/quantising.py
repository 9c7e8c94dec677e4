"""Floats into int16, saturated, with dither where wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError, SignalError
from . import variants
from .arguments import check_apart, check_input, check_output

_MASK = (1 << 64) - 1


def quantise(
    values: NDArray[np.float32] | NDArray[np.float64],
    out: NDArray[np.int16] | None = None,
    dither: int | None = None,
    *,
    start: int = 0,
) -> NDArray[np.int16]:
    """``round(values * 32767)`` saturated to int16; the arithmetic is float64, and ties round to even.

    Unlike :func:`to_int16`, values outside [-1, 1] are not refused: they become 32767 or -32768, and
    infinities do, too.

    Dither is TPDF: before rounding, the sum of two uniform numbers in [-1/2, 1/2) of a step is added. It is
    a function of the seed and the sample's index alone: a signal quantised block by block, with the
    ``start`` of each, is the one quantised at once, on any machine.

    Args:
        values: float32 or float64, shape (n,).
        out: int16, shape (n,), contiguous, apart from the values; made when None.
        dither: seed, 0 .. 2**64 - 1; None adds nothing.
        start: index of the first sample, 0 .. 2**64 - 1; matters to dither only.

    Returns:
        ``out``.

    Raises:
        SignalError: another dtype or shape, or a NaN (with its index); ``out`` is then written.
        BadArgumentError: ``out`` cannot be written as it is, or a seed or a start outside its range.
    """
    values = check_input(values, (np.float32, np.float64), "values")
    out = np.empty(len(values), dtype=np.int16) if out is None else check_output(out, np.int16, len(values))
    check_apart([out], [values])
    for name, number in (("dither", dither or 0), ("start", start)):
        if not 0 <= number <= _MASK:
            raise BadArgumentError(f"quantise: {name} {number} asked: 0 .. 2**64 - 1 can be")
    if dither is None:
        valid = variants.BEST.quantise(out, values)
    else:
        valid = variants.BEST.dither(out, values, _mix(dither), start)
    if not valid:
        at = int(np.argmax(np.isnan(values)))
        raise SignalError(f"values: sample {start + at} is nan; every sample must be a number")
    return out


def _mix(seed: int) -> int:
    """Seeds that lie close together give unrelated keys: SplitMix64's finaliser, as for the samples."""
    z = (seed + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
