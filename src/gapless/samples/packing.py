"""Converter words: 12-bit samples packed 4 into 3 words, and 14-bit samples aligned with the top of a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SignalError
from . import variants
from .arguments import check_apart, check_input, check_output


def pack12(samples: NDArray[np.int16], out: NDArray[np.uint16] | None = None) -> NDArray[np.uint16]:
    """Pack 4 samples of 12 bits into 3 words of 16.

    A sample is the upper 12 bits of an int16 (MSB-aligned, as 12-bit converters deliver it); its low 4 bits are
    dropped. Samples follow each other without a hole, least significant bit first. With ``s0 .. s3``
    the 12-bit values of 4 samples:

    ==== ============== ============
    word bits 15 .. b   bits b-1 .. 0
    ==== ============== ============
    0    s1[3:0]   b=12 s0[11:0]
    1    s2[7:0]   b=8  s1[11:4]
    2    s3[11:0]  b=4  s2[11:8]
    ==== ============== ============

    In memory (words are little-endian) that is one little-endian number of 48 bits:
    ``s0 | s1 << 12 | s2 << 24 | s3 << 36``.

    Args:
        samples: int16, shape (4 * n,).
        out: uint16, shape (3 * n,), contiguous, apart from the samples; made when None.

    Returns:
        ``out``.

    Raises:
        SignalError: another dtype or shape, or the length is not a multiple of 4.
        BadArgumentError: ``out`` cannot be written as it is.
    """
    samples = check_input(samples, np.int16, "samples")
    if len(samples) % 4:
        raise SignalError(f"pack12: {len(samples)} samples given: 4 go into 3 words, so a multiple of 4 is needed")
    length = len(samples) // 4 * 3
    out = np.empty(length, dtype=np.uint16) if out is None else check_output(out, np.uint16, length)
    check_apart([out], [samples])
    variants.BEST.pack12(out, samples)
    return out


def unpack12(words: NDArray[np.uint16], out: NDArray[np.int16] | None = None) -> NDArray[np.int16]:
    """Take apart what :func:`pack12` packed: samples are MSB-aligned, their low 4 bits zero.

    Args:
        words: uint16, shape (3 * n,).
        out: int16, shape (4 * n,), contiguous, apart from the words; made when None.

    Returns:
        ``out``.

    Raises:
        SignalError: another dtype or shape, or the length is not a multiple of 3.
        BadArgumentError: ``out`` cannot be written as it is.
    """
    words = check_input(words, np.uint16, "words")
    if len(words) % 3:
        raise SignalError(f"unpack12: {len(words)} words given: 3 hold 4 samples, so a multiple of 3 is needed")
    length = len(words) // 3 * 4
    out = np.empty(length, dtype=np.int16) if out is None else check_output(out, np.int16, length)
    check_apart([out], [words])
    variants.BEST.unpack12(out, words)
    return out


def align14(values: NDArray[np.int16], out: NDArray[np.int16] | None = None) -> NDArray[np.int16]:
    """Move 14-bit values to the top of their words: ``4 * value``, where 14-bit converters expect them.

    Values outside -8192 .. 8191 saturate.

    Args:
        values: int16, shape (n,).
        out: int16, shape (n,), contiguous, apart from the values; made when None.

    Returns:
        ``out``.

    Raises:
        SignalError: another dtype or shape.
        BadArgumentError: ``out`` cannot be written as it is.
    """
    values = check_input(values, np.int16, "values")
    out = np.empty(len(values), dtype=np.int16) if out is None else check_output(out, np.int16, len(values))
    check_apart([out], [values])
    variants.BEST.align14(out, values)
    return out


def unalign14(samples: NDArray[np.int16], out: NDArray[np.int16] | None = None) -> NDArray[np.int16]:
    """The 14-bit values of MSB-aligned samples, -8192 .. 8191; the low 2 bits of each word are dropped.

    Args:
        samples: int16, shape (n,).
        out: int16, shape (n,), contiguous, apart from the samples; made when None.

    Returns:
        ``out``.

    Raises:
        SignalError: another dtype or shape.
        BadArgumentError: ``out`` cannot be written as it is.
    """
    samples = check_input(samples, np.int16, "samples")
    out = np.empty(len(samples), dtype=np.int16) if out is None else check_output(out, np.int16, len(samples))
    check_apart([out], [samples])
    variants.BEST.unalign14(out, samples)
    return out
