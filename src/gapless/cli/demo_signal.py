"""The signal of the demo: no two stretches of it are alike, so that no loss can hide."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RATE = 2.048e9
CHIRP = (100e6, 200e6)
TONE = 400e6
_BLOCK = 1 << 16  # samples made at a time: what stays in the cache


def make_signal(samples: int) -> NDArray[np.int16]:
    """A chirp from 100 to 200 MHz over a steady tone at 400 MHz, int16, shape (samples,).

    Phases are counted in 2**-64 turns, which wrap as they should, and looked up in a table of sines.
    """
    sine = np.sin(np.arange(1 << 16) * (2 * math.pi / (1 << 16)))
    chirp_table, tone_table = (np.rint(share * 32767 * sine).astype(np.int16) for share in (0.6, 0.3))
    start, tone = _turns(CHIRP[0] / RATE), _turns(TONE / RATE)
    slope = _turns((CHIRP[1] - CHIRP[0]) / RATE / samples)
    out = np.empty(samples, dtype=np.int16)
    for low in range(0, samples, _BLOCK):
        n = np.arange(low, min(low + _BLOCK, samples), dtype=np.uint64)
        chirp = start * n + slope * (n * (n - np.uint64(1)) >> np.uint64(1))
        out[low : low + len(n)] = chirp_table[chirp >> np.uint64(48)] + tone_table[tone * n >> np.uint64(48)]
    return out


def _turns(turns: float) -> np.uint64:
    return np.uint64(int(turns * 2**64))
