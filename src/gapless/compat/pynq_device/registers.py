"""Registers as PYNQ's ``MMIO`` and ``RegisterMap`` have them: what ``Device.mmap`` gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ...errors import UnsupportedError
from ..pynq.mmio import RegisterArray


class Registers(RegisterArray):
    """Registers that look like a uint32 array, with the ``view`` that PYNQ's registers are made from."""

    def view(self, dtype: DTypeLike = None) -> Registers | WideRegisters:
        """The same registers: themselves as uint32, pairs of them as uint64."""
        kind = np.dtype(dtype)
        if kind == np.uint32:
            return self
        if kind == np.uint64:
            return WideRegisters(self)
        raise UnsupportedError(f"registers as {kind}: they have 32 bits, or two of them 64")


class WideRegisters:
    """Pairs of registers as 64-bit numbers, the first of each the lower half; two accesses each."""

    def __init__(self, words: Registers) -> None:
        self._words = words

    def __len__(self) -> int:
        return len(self._words) // 2

    def __getitem__(self, index: int) -> int:
        low, high = int(self._words[2 * index]), int(self._words[2 * index + 1])
        return high << 32 | low

    def __setitem__(self, index: int, value: Any) -> None:
        number = int(value)
        self._words[2 * index], self._words[2 * index + 1] = number & 0xFFFF_FFFF, number >> 32
