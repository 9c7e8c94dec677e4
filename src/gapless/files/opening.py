"""A file as a source of samples."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import SignalError
from ..samples.source import Source
from .binary import BinarySource
from .npy import open_npy
from .sigmf_recording import open_sigmf
from .wav import WavSource

#: What can be opened and saved, by how the name ends.
SUFFIXES = {
    ".raw": "little-endian int16, nothing else",
    ".npy": "NumPy array, one-dimensional, int16 or floats within [-1, 1]",
    ".wav": "mono, 16-bit PCM or floats within [-1, 1]",
    ".sigmf-meta": "SigMF recording, ri16 or real floats, with its .sigmf-data beside it",
}


def _open_raw(path: Path) -> BinarySource:
    size = path.stat().st_size
    if size % 2:
        raise SignalError(f"{path}: {size} bytes, an odd number: .raw is int16, two bytes a sample")
    return BinarySource(path, np.dtype("<i2"), size // 2)


_OPENERS: dict[str, Callable[[Path], Source]] = {
    ".raw": _open_raw,
    ".npy": open_npy,
    ".wav": WavSource,
    ".sigmf-meta": open_sigmf,
}


def open_source(path: str | os.PathLike[str]) -> Source:
    """The samples in a file, by its suffix: one of SUFFIXES.

    What can be told without reading all samples is checked here: length, dtype, shape. Nothing stays
    open: ``fill`` opens the file, reads the stretch asked straight into the memory given, and closes it.

    Raises:
        SignalError: the file cannot be played; the message names it and says why.
        UnsupportedError: .wav or SigMF without ``pip install 'gapless[files]'``.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".sigmf-data":
        raise SignalError(f"{path}: give its metadata instead: {path.with_suffix('.sigmf-meta').name}")
    if suffix not in _OPENERS:
        raise SignalError(f"{path}: suffix {suffix!r} is not known; there is {', '.join(SUFFIXES)}")
    try:
        if path.is_dir():
            raise SignalError(f"{path}: is a directory; a file is needed")
        if path.stat().st_size == 0:
            raise SignalError(f"{path}: is empty; at least one sample is needed")
        return _OPENERS[suffix](path)
    except FileNotFoundError:
        raise SignalError(f"{path}: no such file") from None
    except OSError as error:
        raise SignalError(f"{path}: cannot be read: {error.strerror or error}") from error
