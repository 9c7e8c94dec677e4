"""Arrays of many kinds into the one kind a converter takes: int16, one-dimensional, contiguous."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SignalError
from .quantising import quantise

FULL_SCALE = 32767
_NATIVE = (np.dtype(np.float32), np.dtype(np.float64))  # what the kernel takes as it is
BLOCK_SAMPLES = 1 << 18  # floats are scaled this many at a time: 2 MiB of temporary, whatever the signal


def is_float_signal(dtype: np.dtype[np.generic], name: str = "signal") -> bool:
    """True when samples of ``dtype`` are floats to be scaled, False when they are int16 of any byte order.

    Raises:
        SignalError: samples of that dtype cannot be played.
    """
    if dtype.kind == "i" and dtype.itemsize == 2:
        return False
    if dtype.kind == "f":
        return True
    if dtype.kind == "c":
        raise SignalError(
            f"{name}: complex where real samples are needed: dtype is {dtype}; "
            "play its .real or .imag, or mix it up to a real carrier first"
        )
    raise SignalError(
        f"{name}: dtype is {dtype}; accepted are int16, and floats within [-1, 1]: convert it with the scaling you mean"
    )


def scale_into(out: NDArray[np.int16], values: NDArray[np.floating], name: str, start: int = 0) -> None:
    """Write ``round(values * 32767)`` into ``out``, both of shape (n,); ``start`` is the index of the first.

    The arithmetic is float64 whatever the floats are, and ties round to even. -1.0 becomes -32767.

    Raises:
        SignalError: a value is NaN, infinite or outside [-1, 1]; ``out`` is then partly written.
    """
    for low in range(0, len(values), BLOCK_SAMPLES):
        block = values[low : low + BLOCK_SAMPLES]
        if block.dtype not in _NATIVE or not (block.flags.c_contiguous and block.flags.aligned):
            block = block.astype(np.float64, order="C")
        largest = max(float(block.max()), -float(block.min()))  # NaN when any is NaN
        if not largest <= 1.0:
            _refuse(block.astype(np.float64), name, start + low)
        quantise(block, out[low : low + len(block)])


def _refuse(block: NDArray[np.float64], name: str, start: int) -> None:
    finite = np.isfinite(block)
    if not finite.all():
        at = int(np.argmin(finite))
        raise SignalError(f"{name}: sample {start + at} is {block[at]}; every sample must be a finite number")
    at = int(np.argmax(np.abs(block)))
    raise SignalError(
        f"{name}: sample {start + at} is {block[at]:.6g}, and floats must lie within [-1, 1] "
        "(1.0 is full scale): divide by the largest magnitude, or give int16"
    )


def to_int16(array: ArrayLike, *, name: str = "signal") -> NDArray[np.int16]:
    """The samples of ``array`` as int16, shape (n,), C-contiguous.

    An array that is all of this already is returned as it is, not copied. Floats in [-1, 1] are scaled:
    ``round(x * 32767)``, so that 1.0 is full scale and -1.0 is -32767. Nothing else is converted
    silently: what an int32 or a uint16 means as a voltage is for the caller to say.

    Args:
        array: int16 or float, shape (n,), n >= 1.
        name: what messages call it.

    Raises:
        SignalError: any other dtype or shape, no samples, a NaN or infinity (with its index), or a
            float outside [-1, 1] (with the largest).
    """
    try:
        given = np.asarray(array)
    except (ValueError, TypeError) as error:
        raise SignalError(f"{name}: not an array of numbers: {error}") from None
    scaled = is_float_signal(given.dtype, name)
    if given.ndim != 1:
        raise SignalError(
            f"{name}: shape is {given.shape}; samples are one-dimensional, shape (n,): "
            "take one channel of it, such as signal[:, 0]"
        )
    if given.size == 0:
        raise SignalError(f"{name}: no samples in it; at least one is needed")
    if not scaled:
        return np.ascontiguousarray(given, dtype=np.int16)
    _check_range(given, name)
    out = np.empty(given.shape, dtype=np.int16)
    scale_into(out, given, name)
    return out


def _check_range(values: NDArray[np.floating], name: str) -> None:
    """Look at the whole signal before any of it is scaled, so that the message has its largest value."""
    low, high = float(values.min()), float(values.max())  # these reduce without a temporary
    if not np.isfinite(low) or not np.isfinite(high):
        for start in range(0, len(values), BLOCK_SAMPLES):
            block = values[start : start + BLOCK_SAMPLES].astype(np.float64)
            if not np.isfinite(block).all():
                _refuse(block, name, start)
    largest = max(high, -low)
    if largest > 1.0:
        raise SignalError(
            f"{name}: the largest magnitude is {largest:.6g}, and floats must lie within [-1, 1] "
            "(1.0 is full scale): divide by it, or give int16"
        )
