"""Stretches of a source: inside its length, or copied round and round out of one period."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError


def check_stretch(name: str, length: int | None, start: int, count: int) -> None:
    """Raise BadArgumentError unless samples ``start .. start + count`` are in a source of ``length``."""
    if start < 0 or (length is not None and start + count > length):
        there = "any from 0 on" if length is None else f"0 .. {length}"
        raise BadArgumentError(f"{name}: samples {start} .. {start + count} asked: there are {there}")


def copy_periodic(out: NDArray[np.int16], period: NDArray[np.int16], start: int) -> None:
    """Write samples ``start .. start + len(out)`` of ``period`` repeated for ever into ``out``."""
    done, at = 0, start % len(period)
    while done < len(out):
        part = period[at : at + len(out) - done]
        out[done : done + len(part)] = part
        done, at = done + len(part), 0
