"""Copies to and from memory that takes aligned accesses of 8 bytes and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import copy_from_aligned as _copy_from
from .._native import copy_to_aligned as _copy_to
from ..errors import BadArgumentError
from .arguments import check_apart


def copy_to_aligned(device: NDArray[Any], data: NDArray[Any]) -> None:
    """Copy ``data`` into ``device`` with aligned 64-bit accesses only.

    Device memory on aarch64 (a mapping without caching or buffering) ends a memcpy with a bus error as soon as
    that takes an unaligned or a vector access. ``device`` may begin and end anywhere: the words that hold its
    first and last bytes are read, changed and written back whole, so nobody else may write to the rest of them
    meanwhile, and both words must be mapped whole.

    Args:
        device: contiguous, writable.
        data: contiguous, of the same size in bytes, apart from ``device``; ordinary memory.

    Raises:
        BadArgumentError: the sizes differ, an array is strided or read-only, or they overlap.
    """
    target, source = _bytes(device, "device"), _bytes(data, "data")
    _check(target, source, "device", "data")
    _copy_to(target, source)


def copy_from_aligned(out: NDArray[Any], device: NDArray[Any]) -> None:
    """Copy ``device`` into ``out`` with aligned 64-bit reads only: the counterpart of :func:`copy_to_aligned`.

    Args:
        out: contiguous, writable; ordinary memory.
        device: contiguous, of the same size in bytes, apart from ``out``. The words that hold its first and last
            bytes are read whole, so they must be mapped whole, and reading them must do no harm.

    Raises:
        BadArgumentError: the sizes differ, an array is strided or read-only, or they overlap.
    """
    target, source = _bytes(out, "out"), _bytes(device, "device")
    _check(target, source, "out", "device")
    _copy_from(target, source)


def _bytes(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if not isinstance(array, np.ndarray) or not array.flags.c_contiguous or array.dtype.hasobject:
        raise BadArgumentError(f"{name}: strided, or not an array of plain numbers; contiguous memory is needed")
    return array.reshape(-1).view(np.uint8)


def _check(target: NDArray[np.uint8], source: NDArray[np.uint8], to: str, origin: str) -> None:
    if target.nbytes != source.nbytes:
        raise BadArgumentError(
            f"{to}: {target.nbytes} bytes for {source.nbytes} bytes of {origin}: sizes must be equal"
        )
    if not target.flags.writeable:
        raise BadArgumentError(f"{to}: read-only; writable memory is needed")
    check_apart([target], [source])
