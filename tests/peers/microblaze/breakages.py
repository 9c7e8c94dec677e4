"""Processors that are wrong, to see that the comparison finds them out. Ours is changed by the code it gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import encodings as mb
from .ours import Breakage


def replaced(mnemonic: str, instead: str) -> Breakage:
    """A processor that takes every ``mnemonic`` for ``instead`` with the same operands."""
    right, bits = mb.named(mnemonic), np.uint32(mb.named(instead).bits)

    def replace(code: NDArray[np.uint32]) -> NDArray[np.uint32]:
        wrong = code & ~np.uint32(right.mask) | bits
        return np.where(mb.rows_of(code) == mb.ALL.index(right), wrong, code)

    return replace
