"""What the sample kernels take: contiguous one-dimensional arrays of one dtype, and outputs that overlap nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import BadArgumentError, SignalError

Array = NDArray[Any]


def check_input(array: object, dtypes: DTypeLike | Sequence[DTypeLike], name: str) -> Array:
    """``array`` as the kernels read it: shape (n,), one of ``dtypes``, aligned; copied only if it is strided.

    Raises:
        SignalError: another dtype or shape.
    """
    accepted = [np.dtype(dtype) for dtype in (dtypes if isinstance(dtypes, tuple) else (dtypes,))]
    given = np.asanyarray(array)
    if given.dtype not in accepted or given.ndim != 1:
        names = " or ".join(dtype.name for dtype in accepted)
        raise SignalError(f"{name}: got dtype {given.dtype}, shape {given.shape}; what is taken is {names}, shape (n,)")
    if not (given.flags.c_contiguous and given.flags.aligned):
        return np.array(given, order="C", subok=False)
    return given


def check_output(out: object, dtype: DTypeLike, length: int, name: str = "out") -> Array:
    """``out`` if it can be written as it is: dtype, shape (length,), contiguous, aligned, writable.

    Raises:
        BadArgumentError: it cannot.
    """
    wanted = f"{np.dtype(dtype).name}, shape ({length},)"
    if not isinstance(out, np.ndarray):
        raise BadArgumentError(f"{name}: got {type(out).__name__}; what is written to is an array of {wanted}")
    if out.dtype != np.dtype(dtype) or out.shape != (length,):
        raise BadArgumentError(f"{name}: got dtype {out.dtype}, shape {out.shape}; needed is {wanted}")
    if not (out.flags.c_contiguous and out.flags.aligned and out.flags.writeable):
        raise BadArgumentError(
            f"{name}: strided, misaligned or read-only; needed is contiguous, aligned and writable memory of {wanted}"
        )
    return out


def check_apart(outputs: Iterable[Array], inputs: Iterable[Array]) -> None:
    """All contiguous, as the checks above leave them.

    Raises:
        BadArgumentError: an output overlaps an input or another output.
    """
    written: list[Array] = []
    read = list(inputs)
    for out in outputs:
        for other in (*read, *written):
            if np.may_share_memory(out, other):  # compares bounds, which is exact for contiguous arrays
                raise BadArgumentError("out overlaps another array of this call: give it memory of its own")
        written.append(out)
