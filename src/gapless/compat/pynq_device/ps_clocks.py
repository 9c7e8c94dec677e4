"""The PS's clock registers, for boards whose bus has none: what PYNQ writes to them is kept, and changes nothing.

PYNQ sets the clocks of the PL whenever it loads an overlay, so it has to find them. Values as after boot, for the
crystals that PYNQ takes for granted: PLLs at 1 GHz, clocks at 100 MHz. Sources: UG585, register details of slcr;
UG1087, CRL_APB and CRF_APB.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...board import Board
from ...errors import BusAccessError

_BYTES = 0x200
_SLCR_CLOCK, _CRL_CLOCK = 5 << 8 | 2 << 20, 1 << 24 | 5 << 8 | 2 << 16
#: By base address: offset to value.
_AFTER_BOOT: Mapping[int, Mapping[int, int]] = {
    0xF800_0000: {
        **dict.fromkeys((0x100, 0x104, 0x108), 20 << 12),
        **dict.fromkeys(range(0x170, 0x1B0, 0x10), _SLCR_CLOCK),
        0x120: 2 << 8,
    },
    0xFF5E_0000: {**dict.fromkeys((0x20, 0x30), 30 << 8), **dict.fromkeys(range(0xC0, 0xD0, 4), _CRL_CLOCK)},
    0xFD1A_0000: {**dict.fromkeys((0x20, 0x2C, 0x38), 30 << 8), 0x60: 1 << 8},
}


class PsClocks:
    """Where a board has no clock registers of its own, some that keep what is written to them."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._kept: dict[int, NDArray[np.uint32]] = {}

    def mapped(self, base: int, length: int) -> NDArray[np.uint32] | None:
        """``length`` bytes from ``base`` on; None where the board has registers there, or nobody has."""
        if base not in _AFTER_BOOT or length > _BYTES:
            return None
        if base not in self._kept:
            offsets = _AFTER_BOOT[base]
            try:
                self._board.bus.read32(base + min(offsets))
            except BusAccessError:
                pass
            else:
                return None
            self._kept[base] = np.zeros(_BYTES // 4, np.uint32)
            for offset, value in offsets.items():
                self._kept[base][offset // 4] = value
        return self._kept[base][: length // 4]
