"""Words of memory that a guest writes and a host answers: the registers of a device that is on neither side."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

# GCC's library of atomic operations, which Debian's g++ brings: Python has none, and a store that fell between
# a look and an answer would be lost.
_EXCHANGE = getattr(ctypes.CDLL("libatomic.so.1"), "__atomic_compare_exchange_4")
_EXCHANGE.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_int)
_EXCHANGE.restype = ctypes.c_bool
_SEQUENTIAL = 5


class Cells:
    """32-bit words, shape (n,), dtype uint32, by offset in bytes; the host answers in those from 0 to ``end``.

    A word that is not what the host put there was written by the guest. So the host never stores: it exchanges what
    it knows for what is new, and where that fails the guest was first.
    """

    def __init__(self, words: NDArray[np.uint32], end: int) -> None:
        self._words, self._known = words[: end // 4], words[: end // 4].copy()
        self._address = words.ctypes.data

    def written(self) -> dict[int, int]:
        """What the guest wrote since the last look, by offset: what all words were at one moment.

        Two looks that find the same say so: each word was that when the first ended and the second began. A guest
        that stores without a pause is taken at the tenth look.
        """
        now = self._words.copy()
        for _ in range(10):
            before, now = now, self._words.copy()
            if np.array_equal(before, now):
                break
        changed = np.flatnonzero(now != self._known).tolist()
        self._known[changed] = now[changed]
        return {4 * index: int(now[index]) for index in changed}

    def answer(self, offset: int, value: int) -> bool:
        """Let the guest read ``value``; False when it has just written there, which the next look finds."""
        known = int(self._known[offset // 4])
        if value == known:
            return int(self._words[offset // 4]) == known
        expected = ctypes.c_uint32(known)
        done = bool(_EXCHANGE(self._address + offset, ctypes.byref(expected), value, _SEQUENTIAL, _SEQUENTIAL))
        if done:
            self._known[offset // 4] = value
        return done
