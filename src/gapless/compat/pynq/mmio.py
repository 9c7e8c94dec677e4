"""MMIO: registers by their physical address."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from ...board import Board
from ...errors import BadArgumentError, RegisterOffsetError
from ...units import format_address
from .board_in_use import board_of
from .device import Device

_LENGTHS = (1, 2, 4, 8)


class RegisterArray(NDArrayOperatorsMixin):
    """Registers as if they were a uint32 array, shape (n,): what ``MMIO.array`` is.

    Every element that is looked at is one access of the bus, when it is looked at; a slice is registers again.
    Calculations and ``np.asarray`` work on what is read then. No numpy array can be on the registers of a virtual
    board, and on those of a real one numpy is free to access them as it likes.
    """

    dtype = np.dtype(np.uint32)

    def __init__(self, board: Board, base: int, words: range) -> None:
        self._board, self._base, self._words = board, base, words

    @property
    def shape(self) -> tuple[int]:
        """(n,)."""
        return (len(self._words),)

    @property
    def nbytes(self) -> int:
        """4 n."""
        return 4 * len(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return type(self)(self._board, self._base, self._words[key])
        return self._board.bus.read32(self._address(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, slice):
            self._board.bus.write32(self._address(key), word(value))
            return
        chosen = self[key]
        values = np.broadcast_to(np.asarray(value, dtype=object), chosen.shape)
        for number, item in enumerate([word(item) for item in values]):
            chosen[number] = item

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """What is in the registers now."""
        read = np.array([self[number] for number in range(len(self))], self.dtype)
        return read if dtype is None else read.astype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """Calculations are on copies; ``out`` writes the registers."""
        result = getattr(ufunc, method)(*(_read(given) for given in inputs), **kwargs)
        if out is None:
            return result
        out[0][:] = result  # one output: no ufunc with two is of use on registers
        return out[0]

    def __repr__(self) -> str:
        return f"<{len(self)} registers at {format_address(self._base + 4 * self._words.start)}>"

    def _address(self, index: Any) -> int:
        try:
            return self._base + 4 * self._words[operator.index(index)]
        except IndexError:
            raise RegisterOffsetError(f"register {index}: there are {len(self)}, counted from 0") from None


class MMIO:
    """Registers at a range of physical addresses, of the board in use.

    Source of names and behaviour: PYNQ 3, ``pynq/mmio.py``.

    Args:
        base_addr: physical address of the first, a multiple of 4.
        length: of the range in bytes; a rest of less than 4 is left out.
        device: the device or board that they are on; by default, and for PYNQ's own, the one in use.
        debug: PYNQ's; changes nothing.

    Attributes:
        base_addr, length: as given.
        device: the device that they are on.
        array: the registers as :class:`RegisterArray`.
    """

    def __init__(self, base_addr: int, length: int = 4, device: Any = None, *, debug: bool = False) -> None:
        if base_addr < 0 or length < 0:
            raise BadArgumentError(f"Base address or length cannot be negative: {base_addr:#x}, {length}")
        if base_addr % 4:
            raise BadArgumentError(f"base address {base_addr:#x}: registers are at multiples of 4")
        self.base_addr, self.length = operator.index(base_addr), operator.index(length)
        self.device = Device(board_of(device))
        self.array = RegisterArray(self.device.board, self.base_addr, range(self.length // 4))

    def read(self, offset: int = 0, length: int = 4, word_order: str = "little") -> int:
        """The number at ``offset`` (bytes, a multiple of 4).

        Args:
            offset: from ``base_addr`` on.
            length: 1, 2, 4 or 8 bytes. Registers have 32 bits: fewer bytes are the lowest of one, 8 are two of them.
            word_order: which of two registers is the upper half: the second ("little") or the first ("big").

        Raises:
            RegisterOffsetError: the offset is between two registers, or beyond the last.
            BadArgumentError: no such length or order.
        """
        if length not in _LENGTHS:
            raise BadArgumentError(f"length {length}: MMIO currently only supports 1, 2, 4 and 8-byte reads.")
        if word_order not in ("little", "big"):
            raise BadArgumentError(f"word_order {word_order!r}: MMIO only supports big and little endian.")
        index = self._index(offset, max(4, length), "read")
        if length < 8:
            return int(self.array[index]) & (1 << 8 * length) - 1
        words = [int(self.array[index]), int(self.array[index + 1])]
        low, high = words if word_order == "little" else reversed(words)
        return high << 32 | low

    def write(self, offset: int, data: int | bytes) -> None:
        """Write a 32-bit number, or bytes to consecutive registers, at ``offset`` (bytes, a multiple of 4).

        Raises:
            RegisterOffsetError: the offset is between two registers, or the data go beyond the last.
            BadArgumentError: the number has more than 32 bits, or the bytes are no whole registers; nothing is written.
        """
        if not isinstance(data, (bytes, bytearray)):
            self.array[self._index(offset, 4, "write")] = data
            return
        if len(data) % 4:
            raise RegisterOffsetError(f"Unaligned write: data length must be multiple of 4, not {len(data)}.")
        index = self._index(offset, len(data), "write")
        for number, value in enumerate(np.frombuffer(data, "<u4").tolist()):
            self.array[index + number] = value

    def _index(self, offset: int, nbytes: int, what: str) -> int:
        if offset % 4:
            raise RegisterOffsetError(f"Unaligned {what}: offset {offset:#x} must be multiple of 4.")
        if not 0 <= offset <= self.array.nbytes - nbytes:
            raise RegisterOffsetError(
                f"offset {offset:#x}: a multiple of 4 from 0 on, and {nbytes} bytes from there within the "
                f"{self.array.nbytes:#x} at {format_address(self.base_addr)}"
            )
        return operator.index(offset) // 4


def word(value: Any) -> int:
    """``value`` for a 32-bit register; a negative number as its two's complement. BadArgumentError beyond 32 bits."""
    try:
        number = operator.index(value)
    except TypeError:
        raise BadArgumentError(f"Data type must be int or bytes, not {type(value).__name__}.") from None
    if not -(1 << 31) <= number < 1 << 32:
        raise BadArgumentError(f"{number:#x} does not fit a 32-bit register: write bytes to several")
    return number & 0xFFFF_FFFF


def _read(given: Any) -> Any:
    return np.asarray(given) if isinstance(given, RegisterArray) else given
