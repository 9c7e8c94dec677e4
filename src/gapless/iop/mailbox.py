"""The words through which a host and a program on a soft processor talk.

Source: PYNQ's ``pynqmicroblaze`` (mailbox in the last 4 KiB of the local memory: data, address word, command word).
"""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._native import Bus
from ..errors import BadArgumentError

BYTES = 0x1000
WORDS = BYTES // 4
#: Index of the word that tells programs of ours where the board's memory begins for them; 0 is DEFAULT_WINDOW.
WINDOW_WORD = 0xFF4 // 4
#: Index of the word for an address, and of that for a command.
ADDRESS_WORD = 0xFF8 // 4
COMMAND_WORD = 0xFFC // 4
DEFAULT_WINDOW = 0x2000_0000


class Mailbox:
    """The last 4 KiB of a soft processor's local memory, by words: ``mailbox[i]`` is the 32-bit word ``i``.

    Args:
        name: whose it is, for messages.
        bus: the register bus.
        base: its physical address.
    """

    def __init__(self, name: str, bus: Bus, base: int) -> None:
        self._name, self._bus, self._base = name, bus, base

    def __len__(self) -> int:
        return WORDS

    def __getitem__(self, index: int) -> int:
        return self._bus.read32(self._address(index))

    def __setitem__(self, index: int, value: int) -> None:
        self._bus.write32(self._address(index), _word(value))

    def read(self, first: int, count: int) -> NDArray[np.uint32]:
        """``count`` words from ``first`` on: uint32, shape (count,)."""
        self._check(first, count)
        return self._bus.read_words(self._address(first), operator.index(count))

    def write(self, first: int, words: ArrayLike) -> None:
        """Write words from ``first`` on, in order: integers of 32 bits, shape (n,)."""
        values = np.array([_word(word) for word in np.ravel(np.asarray(words)).tolist()], np.uint32)
        self._check(first, len(values))
        self._bus.write_words(self._address(first), values)

    def _address(self, index: int) -> int:
        self._check(index, 1)
        return self._base + 4 * operator.index(index)

    def _check(self, first: int, count: int) -> None:
        if not first >= 0 or count < 1 or first + count > WORDS:
            what = f"word {first}" if count == 1 else f"{count} words from {first} on"
            raise BadArgumentError(f"{what} of the mailbox of {self._name}: it has words 0 to {WORDS - 1}")


def _word(value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise BadArgumentError(f"{value!r} is no word of a mailbox: that is an integer of 32 bits") from None
    if not -(1 << 31) <= number < 1 << 32:
        raise BadArgumentError(f"{number} does not fit into a word of a mailbox, which has 32 bits")
    return number & 0xFFFF_FFFF
