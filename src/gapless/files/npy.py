"""NumPy's .npy files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SignalError
from ..samples.convert import is_float_signal
from .binary import BinarySource

_format: Any = np.lib.format
_HEADERS = {(1, 0): _format.read_array_header_1_0, (2, 0): _format.read_array_header_2_0}


def open_npy(path: Path) -> BinarySource:
    """A one-dimensional .npy of int16 or floats.

    Layout: numpy.lib.format, versions 1.0 and 2.0; 3.0 is for field names, which samples do not have.
    """
    with path.open("rb") as file:
        try:
            version = _format.read_magic(file)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of files that Python 2 wrote
                shape, _, dtype = _HEADERS[version](file)
        except KeyError as error:
            raise SignalError(f"{path}: .npy version {error}; (1, 0) and (2, 0) can be played") from None
        except Exception as error:  # a damaged header gets far into Python's own parsers
            reason = str(error).partition("\n")[0]
            raise SignalError(f"{path}: not a .npy that can be played, or cut in its header: {reason}") from None
        offset = file.tell()
        file.seek(0, 2)
        size = file.tell() - offset
    is_float_signal(dtype, str(path))
    if len(shape) != 1:
        raise SignalError(f"{path}: shape is {shape}; samples are one-dimensional, shape (n,): save one channel")
    if shape[0] <= 0:
        raise SignalError(f"{path}: no samples in it; at least one is needed")
    if size < shape[0] * dtype.itemsize:
        raise SignalError(f"{path}: cut short: its header says {shape[0]} samples, there are {size // dtype.itemsize}")
    return BinarySource(path, dtype, shape[0], offset=offset)


def npy_header(samples: int) -> bytes:
    """The header of an int16 array of shape (samples,), as long for one number of samples as for another."""
    file = io.BytesIO()
    description = {"descr": "<i2", "fortran_order": False, "shape": (samples,)}
    _format.write_array_header_1_0(file, description)
    # numpy pads it to a multiple of 64 and keeps room for the length to grow.
    return file.getvalue()
