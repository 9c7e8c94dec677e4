"""A buffer on Device memory, where a numpy array is not safe."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any, SupportsIndex, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .._native import Extent, device_fill, device_read, device_write
from ..errors import BadArgumentError, NotContiguousError
from ..units import MIB
from .buffer import Buffer, castable, elements, receivable
from .lease import Lease, LoanLease

#: Bytes copied at a time where a copy needs a conversion, or memory is mapped in windows.
_BLOCK = 4 * MIB


class DeviceBuffer(Buffer):
    """Memory that devices reach and that the CPU sees as Device memory: it copies in and out, whole and aligned.

    Linux on arm64 maps everything it does not manage as Device memory (``pgprot_noncached`` in
    arch/arm64/mm/mmu.c, ``phys_mem_access_prot``): every carve-out and the memory of the PL. There an access that
    is not aligned to its size raises SIGBUS (DDI 0487, "Memory types and attributes", Device memory), which numpy
    and memcpy make freely. So this is no array: :meth:`write`, :meth:`read` and :meth:`fill` use aligned accesses
    only, in native code, and :meth:`as_array` gives an array to those who know the rule.

    ``buffer[a:b]`` is a DeviceBuffer on a part (of the first axis), ``buffer[i]`` of a one-dimensional one a
    scalar, ``buffer[a:b] = values`` writes. ``np.asarray(buffer)`` is a copy. All methods let other threads run.
    """

    def __init__(self) -> None:
        raise BadArgumentError("a DeviceBuffer comes from pool.allocate(shape, dtype)")

    @classmethod
    def _over(
        cls,
        lease: Lease | LoanLease,
        memory: Extent | None,
        offset: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        whole: bool = False,
    ) -> DeviceBuffer:
        buffer = cls.__new__(cls)
        buffer._lease, buffer._memory, buffer._whole = lease, memory, whole
        buffer._offset, buffer.shape, buffer.dtype = offset, shape, dtype
        return buffer

    _offset: int  # bytes from the lease's beginning

    # ---- what it is

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        """Axes."""
        return len(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes in all."""
        return self.size * self.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a buffer without axes")
        return int(self.shape[0])

    def __repr__(self) -> str:
        lease = self._leased()
        if self.freed:
            return f"DeviceBuffer({lease.state})"
        return f"DeviceBuffer(shape {self.shape}, {self.dtype}, {lease})"

    # ---- in and out

    def write(self, values: ArrayLike, offset: int = 0) -> None:
        """Copy ``values``, of any shape, to the elements from ``offset`` on, counted in C order.

        BadArgumentError: they do not fit, or their dtype cannot be cast to this one (numpy's ``same_kind``).
        """
        array = castable(values, self.dtype)
        first, last = elements(self.size, offset, array.size)
        flat = array.reshape(-1)  # a copy only where the array is strided
        for start, stop in self._blocks(first, last):
            part = np.ascontiguousarray(flat[start - first : stop - first], dtype=self.dtype)
            device_write(self._reach(start, stop), part.view(np.uint8))

    def read(self, out: NDArray[Any] | None = None, offset: int = 0) -> NDArray[Any]:
        """A copy, shape and dtype as here; or ``out``, filled with the elements from ``offset`` on.

        BadArgumentError: ``out`` is larger than what is there, or its dtype cannot take this one's values.
        """
        if out is None:
            first, last = elements(self.size, offset, None)
            out = np.empty(self.shape if first == 0 else last - first, self.dtype)
        first, last = elements(self.size, offset, receivable(self.dtype, out).size)
        direct = out.dtype == self.dtype and out.flags.c_contiguous
        flat: Any = out.reshape(-1) if direct else out.flat
        for start, stop in self._blocks(first, last):
            place = slice(start - first, stop - first)
            part = flat[place] if direct else np.empty(stop - start, self.dtype)
            device_read(part.view(np.uint8), self._reach(start, stop))
            if not direct:
                flat[place] = part
        return out

    def fill(self, value: Any) -> None:
        """Set every element to ``value``."""
        pattern = np.asarray(value).astype(self.dtype).tobytes()
        for start, stop in self._blocks(0, self.size):
            device_fill(self._reach(start, stop), pattern)

    def as_array(self) -> NDArray[Any]:
        """A plain numpy array on the memory itself. THE RULE: aligned accesses of one element only.

        Allowed are scalar reads and writes, ``a[...] = scalar`` but 0, and strided copies, of a dtype of at most
        8 bytes; anything that may become a memcpy, a memset, a vector instruction over a boundary or an unaligned
        view ends the process with SIGBUS. The array keeps the memory, also after ``free()``.
        """
        lease, memory = self._live_lease(), self._live_memory()
        lease.region.reach(lease.at + self._offset, self.nbytes)
        array: NDArray[Any] = np.ndarray(self.shape, self.dtype, memory, self._offset)  # type: ignore[arg-type]
        return array

    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("an array on Device memory is not safe: as_array() gives one, with its rule")
        array = self.read()
        return array if dtype is None else array.astype(dtype, copy=False)

    # ---- parts of it

    def __getitem__(self, key: Any) -> Any:
        part = self._part(key)
        return part if part.shape or self.ndim == 0 else part.read()[()]

    def __setitem__(self, key: Any, value: Any) -> None:
        part = self._part(key)
        values = np.asarray(value)
        if values.ndim == 0:
            part.fill(values)
        elif values.shape == part.shape:
            part.write(values)
        else:
            raise BadArgumentError(f"values of shape {values.shape} for a part of shape {part.shape}")

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def reshape(self, *shape: Any) -> DeviceBuffer:
        """The same memory in another shape."""
        # numpy knows the rules (-1, tuples); no memory is behind this array.
        dims = np.broadcast_to(np.empty((), np.uint8), (self.size,)).reshape(*shape).shape
        return self._over(self._live_lease(), self._memory, self._offset, dims, self.dtype)

    def view(self, dtype: DTypeLike) -> DeviceBuffer:
        """The same memory as elements of another dtype; the last axis must hold a whole number of them."""
        kind = np.dtype(dtype)
        row = (self.shape[-1] if self.shape else 1) * self.itemsize
        if kind.itemsize == 0 or row % kind.itemsize:
            raise BadArgumentError(f"rows of {row} bytes are not a whole number of {kind}")
        shape = (*self.shape[:-1], row // kind.itemsize)
        return self._over(self._live_lease(), self._memory, self._offset, shape, kind)

    def _part(self, key: Any) -> DeviceBuffer:
        lease = self._live_lease()
        if key is Ellipsis:
            return self._over(lease, self._memory, self._offset, self.shape, self.dtype)
        row = self.itemsize * math.prod(self.shape[1:])
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise NotContiguousError(f"a step of {step}: a part of a DeviceBuffer is one stretch; read() it first")
            shape = (max(0, stop - start), *self.shape[1:])
        elif hasattr(key, "__index__"):
            start, shape = self._index(key), self.shape[1:]
        else:
            raise BadArgumentError(f"[{key!r}]: a DeviceBuffer takes one index or one slice; read() gives an array")
        return self._over(lease, self._memory, self._offset + start * row, shape, self.dtype)

    def _index(self, key: SupportsIndex) -> int:
        index, length = operator.index(key), len(self)
        if not -length <= index < length:
            raise IndexError(f"index {index} of a buffer of {length}")
        return index % length

    # ---- for Buffer

    def _place(self) -> tuple[int, int]:
        return self._offset, self.nbytes

    _extent = _place

    def _empty(self) -> None:
        self._memory = None

    def _lent(self, lease: LoanLease) -> DeviceBuffer:
        return self._over(lease, self._memory, self._offset, self.shape, self.dtype)

    # ---- access

    def _live_memory(self) -> Extent:
        self._live_lease()
        return cast(Extent, self._memory)

    def _blocks(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        step = max(1, _BLOCK // self.itemsize)
        for start in range(first, last, step):
            yield start, min(start + step, last)

    def _reach(self, start: int, stop: int) -> memoryview:
        """Elements ``start`` to ``stop``, mapped."""
        lease, memory = self._live_lease(), self._live_memory()
        offset = self._offset + start * self.itemsize
        nbytes = (stop - start) * self.itemsize
        lease.region.reach(lease.at + offset, nbytes)
        return memoryview(memory)[offset : offset + nbytes]


def array_on(buffer: Buffer) -> NDArray[Any]:
    """A plain array on the memory of any buffer; on Device memory the rule of :meth:`DeviceBuffer.as_array` holds."""
    return buffer.as_array() if isinstance(buffer, DeviceBuffer) else np.asarray(buffer)
