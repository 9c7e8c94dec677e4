"""Pointers as PYNQ's memory functions give and take them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import BadArgumentError, UnknownNameError
from ...units import format_size
from .buffer import PynqBuffer

#: C types that memory can be seen as, by numpy's codes, which have the sizes of this machine's C. A char is a number.
_C_TYPES: Mapping[str, str] = {
    "char": "b",
    "signed char": "b",
    "unsigned char": "B",
    "short": "h",
    "unsigned short": "H",
    "int": "i",
    "unsigned int": "I",
    "unsigned": "I",
    "long": "l",
    "unsigned long": "L",
    "long long": "q",
    "unsigned long long": "Q",
    "float": "f",
    "double": "d",
    "_Bool": "?",
    "bool": "?",
    "size_t": "N",
    "ssize_t": "n",
    "uintptr_t": "P",
    "intptr_t": "p",
    **{f"int{bits}_t": f"i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}_t": f"u{bits // 8}" for bits in (8, 16, 32, 64)},
}


def c_type(name: str) -> np.dtype[Any] | None:
    """The dtype of a C type, None for void; UnknownNameError for one that is not known."""
    if name == "void":
        return None
    if name not in _C_TYPES:
        raise UnknownNameError("C type", name, ("void", *_C_TYPES))
    return np.dtype(_C_TYPES[name])


class Pointer:
    """Where a buffer is in this process, with a C type: what PYNQ has from cffi, with bounds.

    ``p[i]``, ``p[i] = value``, ``p[first:last]`` (an array on the memory), ``p + n`` and ``p - n`` count elements of
    the type; a ``void *`` has to be cast first (``Xlnk.cma_cast``). Two pointers are equal when their addresses are,
    whatever their types. It refers to its buffer: BadArgumentError beyond that, BufferFreedError when it was freed.
    """

    __slots__ = ("_address", "_buffer", "_dtype", "_offset", "data_type")
    __iter__ = None  # as in C, a pointer does not know how many elements follow

    def __init__(self, buffer: PynqBuffer, data_type: str = "void", offset: int = 0) -> None:
        self._dtype = c_type(data_type)
        self._buffer, self.data_type, self._offset = buffer, data_type, offset
        self._address = buffer.virtual_address + offset

    @property
    def buffer(self) -> PynqBuffer:
        """The buffer that it points into."""
        return self._buffer

    @property
    def physical_address(self) -> int:
        """Of what it points to."""
        return self._buffer.physical_address + self._offset

    def cast(self, data_type: str) -> Pointer:
        """The same place as another C type."""
        return Pointer(self._buffer, data_type, self._offset)

    def view(self, nbytes: int) -> PynqBuffer:
        """The ``nbytes`` bytes from here on, as uint8, shape (nbytes,); BadArgumentError beyond the buffer."""
        self._buffer._live_lease()
        have = self._buffer.nbytes - self._offset
        if not 0 <= nbytes <= have:
            raise BadArgumentError(f"{nbytes} bytes at {self}: there are {have} to the end of the buffer")
        flat = self._buffer.reshape(-1).view(np.uint8)
        found: PynqBuffer = flat[self._offset : self._offset + nbytes]
        return found

    def _elements(self, first: int, last: int) -> PynqBuffer:
        if self._dtype is None:
            raise TypeError(f"{self} points to no elements: cast it first, such as Xlnk.cma_cast(pointer, 'int')")
        size, start = self._dtype.itemsize, self._offset + first * self._dtype.itemsize
        whole = Pointer(self._buffer).view(self._buffer.nbytes)
        if not 0 <= start <= start + (last - first) * size <= len(whole):
            raise BadArgumentError(
                f"elements {first} to {last - 1} at {self}: its buffer of {format_size(len(whole))} ends before"
                if start >= 0
                else f"element {first} at {self}: its buffer begins later"
            )
        found: PynqBuffer = whole[start : start + (last - first) * size].view(self._dtype)
        return found

    def _chosen(self, key: int | slice) -> tuple[int, int]:
        if isinstance(key, slice):
            if key.start is None or key.stop is None or key.step is not None:
                raise BadArgumentError("a slice of a pointer needs both ends and no step: p[0:10]")
            return operator.index(key.start), operator.index(key.stop)
        return operator.index(key), operator.index(key) + 1

    def __getitem__(self, key: int | slice) -> Any:
        found = self._elements(*self._chosen(key))
        return found if isinstance(key, slice) else found[0].item()

    def __setitem__(self, key: int | slice, value: Any) -> None:
        found = self._elements(*self._chosen(key))
        found[...] = value

    def __add__(self, count: int) -> Pointer:
        self._elements(0, 0)
        moved = self._offset + operator.index(count) * (self._dtype.itemsize if self._dtype is not None else 1)
        if not 0 <= moved <= self._buffer.nbytes:  # one past the end is a pointer, as in C
            raise BadArgumentError(f"{count} elements from {self} on: that is outside its buffer")
        return Pointer(self._buffer, self.data_type, moved)

    def __sub__(self, count: int) -> Pointer:
        return self + -operator.index(count)

    def __int__(self) -> int:
        return self._address

    def __eq__(self, other: object) -> bool:
        return self._address == other._address if isinstance(other, Pointer) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._address)

    def __repr__(self) -> str:
        # PYNQ programs look for "cdata" in it.
        return f"<cdata '{self.data_type} *' 0x{self._address:x}>"
