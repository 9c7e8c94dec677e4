"""Samples into a file, whole or not at all."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BadArgumentError
from ..samples.convert import BLOCK_SAMPLES, to_int16
from ..stream.ledger import Ledger
from .ledger_file import ledger_path, write_ledger
from .opening import SUFFIXES
from .sigmf_recording import check_sigmf_available, data_path, write_metadata
from .wav import check_wav_rate, write_wav


def check_destination(path: str | os.PathLike[str], *, rate: float) -> Path:
    """Raise what :func:`save_samples` would of its ``path`` and ``rate``, before there is anything to save.

    Raises BadArgumentError or UnsupportedError; returns ``path``.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadArgumentError(f"{path}: suffix {suffix!r} is not known; there is {', '.join(SUFFIXES)}")
    if not (math.isfinite(rate) and rate > 0):
        raise BadArgumentError(f"{path}: rate {rate} asked: it must be above 0 Sa/s")
    try:
        if path.is_dir() or not path.parent.is_dir():
            reason = "is a directory" if path.is_dir() else f"there is no folder {path.parent}"
            raise BadArgumentError(f"{path}: cannot be written: {reason}")
    except OSError as error:  # a folder on the way to it is not ours to look into
        raise BadArgumentError(f"{path}: cannot be written: {error.strerror}") from error
    if suffix == ".wav":
        check_wav_rate(path, rate)
    if suffix == ".sigmf-meta":
        check_sigmf_available(path)
    return path


def save_samples(
    path: str | os.PathLike[str],
    samples: ArrayLike,
    *,
    rate: float,
    ledger: Ledger | None = None,
    description: str = "",
) -> None:
    """Write samples to a file, in the format its suffix says: one of SUFFIXES.

    The file is written under another name beside it and renamed when all of it is on the disk, so that
    no failure leaves half a file under ``path``. An int16 array is not copied.

    Args:
        path: .raw, .npy, .wav, or .sigmf-meta (the .sigmf-data goes beside it). An existing file is replaced.
        samples: int16, shape (n,), or what :func:`gapless.samples.to_int16` makes so.
        rate: samples per second; .raw and .npy have no place for it.
        ledger: saved with it: in SigMF its gaps become annotations labelled "gap", at the first sample after
            each, counted in samples of the file; beside the other formats it is a file of its own, at
            :func:`ledger_path`. None: nothing is known, and the ledger of an earlier capture is removed.
        description: for SigMF; the other formats have no place for it.

    Raises:
        BadArgumentError: unknown suffix, no such folder, a rate the format cannot hold, or the disk refused.
        SignalError: ``samples`` cannot be made int16.
        UnsupportedError: .wav or SigMF without ``pip install 'gapless[files]'``.
    """
    path = check_destination(path, rate=rate)
    array = to_int16(samples, name="samples")
    suffix = path.suffix.lower()
    try:
        if suffix == ".sigmf-meta":
            _save_sigmf(path, array, rate, ledger, description)
            return
        beside = ledger_path(path)
        with _replacing(path, *((beside,) if ledger else ())) as (part, *account):
            if suffix == ".raw":
                _write_raw(part, array)
            elif suffix == ".npy":
                with part.open("wb") as file:
                    np.save(file, np.asarray(array), allow_pickle=False)
            else:
                write_wav(part, array, rate)
            if ledger is not None:
                write_ledger(account[0], replace(ledger, rate=float(rate)))
            else:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise BadArgumentError(f"{path}: cannot be written: {error.strerror or error}") from error


def _save_sigmf(path: Path, samples: NDArray[np.int16], rate: float, ledger: Ledger | None, description: str) -> None:
    with _replacing(data_path(path), path) as (data, meta):
        _write_raw(data, samples)
        if ledger is not None:
            ledger = replace(ledger, rate=float(rate))
        write_metadata(meta, rate=rate, ledger=ledger, description=description)


def _write_raw(path: Path, samples: NDArray[np.int16]) -> None:
    with path.open("wb") as file:
        for start in range(0, len(samples), BLOCK_SAMPLES):
            block = samples[start : start + BLOCK_SAMPLES]
            file.write(block.astype("<i2", copy=False).data.cast("B"))


@contextlib.contextmanager
def _replacing(*paths: Path) -> Iterator[list[Path]]:
    """Names to write under, that become ``paths`` when all went well and are removed when not."""
    parts = [path.with_name(f".{path.name}.{secrets.token_hex(4)}.part") for path in paths]
    try:
        yield parts
        for part in parts:
            with part.open("rb+") as file:
                os.fsync(file.fileno())  # or the name could reach the disk before the samples do
        for path in paths[1:]:  # metadata of an earlier recording must never describe the new samples
            path.unlink(missing_ok=True)
        for part, path in zip(parts, paths, strict=True):
            os.replace(part, path)
    except BaseException:
        for part in parts:
            part.unlink(missing_ok=True)
        raise
