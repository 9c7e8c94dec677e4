"""Xlnk: contiguous memory as PYNQ 1.x to 2.6 gave it."""

from __future__ import annotations

import operator
import os
import weakref
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from ...errors import AllocationError, BadArgumentError, PynqError, UnsupportedError
from ...memory import Pool
from .board_in_use import board_in_use
from .buffer import PynqBuffer, as_pynq, on_pointer
from .pointer import Pointer, c_type

ContiguousArray = PynqBuffer

_POOL = "ps-cma"
_BELOW = 1 << 32  # a Zynq-7000 has no addresses above, nor had Xlnk
_known: weakref.WeakSet[Xlnk] = weakref.WeakSet()


class Xlnk:
    """Allocates physically contiguous memory, from the pool ``ps-cma`` of the board in use.

    Source of names and behaviour: PYNQ 2.6, ``pynq/xlnk.py``. Where memory ends or the arguments cannot be, the
    errors are PynqError, which is a RuntimeError and begins with PYNQ's words. What differs:

    - arrays and pointers know their bounds, and say so when they were freed;
    - memory lasts as long as something refers to it: arrays by themselves, what ``cma_alloc`` gave as long as this
      object or a pointer does;
    - ``cacheable`` is accepted and changes nothing: how memory is cached is the pool's (``array.coherent``).
    """

    def __init__(self) -> None:
        board = board_in_use()
        try:
            self._pool: Pool = board.memory[_POOL]
        except UnsupportedError as error:
            if os.geteuid() == 0:
                raise
            raise PynqError(f"Root permission needed by the library. {error}") from error
        # By physical address. An array that nobody refers to any more frees itself, a bare pointer's memory does not.
        self._arrays: weakref.WeakValueDictionary[int, PynqBuffer] = weakref.WeakValueDictionary()
        self._pointers: dict[int, PynqBuffer] = {}
        _known.add(self)

    @property
    def bufmap(self) -> dict[Pointer, int]:
        """What was allocated through this object and not freed: pointers, and the bytes asked for."""
        return {Pointer(buffer): buffer.nbytes for buffer in self._buffers()}

    def cma_alloc(self, length: int, cacheable: int = 0, data_type: str = "void") -> Pointer:
        """Allocate ``length`` elements of a C type, or bytes for ``void``, and return a pointer to them.

        PynqError ("Failed to allocate Memory!") when there is no room.
        """
        kind = c_type(data_type)
        buffer = self._allocate(operator.index(length) * (1 if kind is None else kind.itemsize), np.dtype(np.uint8))
        self._pointers[buffer.physical_address] = buffer
        return Pointer(buffer, data_type)

    def cma_array(
        self,
        shape: SupportsIndex | tuple[int, ...],
        dtype: DTypeLike = np.uint32,
        cacheable: int = 0,
        pointer: Pointer | None = None,
        cache: Any = None,
    ) -> PynqBuffer:
        """A contiguous array of ``shape`` and ``dtype``; free it with ``freebuffer()`` or in a ``with``.

        Args:
            shape: one length or a tuple of them.
            dtype: of its elements.
            cacheable: changes nothing here.
            pointer: make it on this memory rather than on new.
            cache: with ``pointer``: its ``return_pointer(pointer)`` is called when the array is freed.

        Raises PynqError ("Failed to allocate Memory!") when there is no room.
        """
        dims = tuple(map(operator.index, shape)) if isinstance(shape, (tuple, list)) else (operator.index(shape),)
        kind = np.dtype(dtype)
        if pointer is not None:
            return on_pointer(_pointer(pointer), dims, kind, cache)
        array = self._allocate(dims, kind)
        self._arrays[array.physical_address] = array
        return array

    def allocate(self, *args: Any, **kwargs: Any) -> PynqBuffer:
        """As :meth:`cma_array`: PYNQ 2.5 and later call it so."""
        return self.cma_array(*args, **kwargs)

    def cma_get_buffer(self, buf: Pointer, length: int) -> memoryview:
        """``length`` bytes at a pointer, for bytearray, memoryview and other takers of a buffer."""
        return memoryview(_pointer(buf).view(length))  # type: ignore[arg-type]

    def cma_get_phy_addr(self, buf_ptr: Pointer) -> int:
        """The physical address of what a pointer points to, for a device."""
        return _pointer(buf_ptr).physical_address

    @staticmethod
    def cma_memcopy(dest: Any, src: Any, nbytes: int) -> None:
        """Copy bytes from a pointer or buffer to another; they may overlap. BadArgumentError beyond either."""
        _bytes(dest, nbytes, "dest")[...] = _bytes(src, nbytes, "src")

    @staticmethod
    def cma_cast(data: Pointer, data_type: str = "void") -> Pointer:
        """The same pointer as another C type ("int", "float", "uint8_t", ...)."""
        return _pointer(data).cast(data_type)

    def cma_free(self, buf: Pointer) -> None:
        """Free what a pointer points to, at once where no array or view of it is left.

        BufferFreedError when it was freed before; BufferInFlightError while a device uses it.
        """
        buffer = _pointer(buf).buffer
        buffer._live_lease()
        address = buffer.physical_address
        buffer.free()
        self._pointers.pop(address, None)

    def cma_stats(self) -> dict[str, int]:
        """Bytes free on the board, bytes asked for through this object, and how many buffers those are.

        The keys are PYNQ's: ``'CMA Memory Available'``, ``'CMA Memory Usage'`` and ``'Buffer Count'``. What is
        available goes down in pages of 4 KiB.
        """
        buffers = self._buffers()
        return {
            "CMA Memory Available": self._pool.stats().free,
            "CMA Memory Usage": sum(buffer.nbytes for buffer in buffers),
            "Buffer Count": len(buffers),
        }

    def cma_mem_size(self) -> int:
        """Bytes of the pool, used and free."""
        return self._pool.stats().total

    def xlnk_reset(self) -> None:
        """Free all that was allocated through any Xlnk of this program.

        PYNQ frees other programs' memory, too. What a device still uses stays, and the first of them raises
        BufferInFlightError when all others are free.
        """
        refused: list[Exception] = []
        for buffer in [buffer for xlnk in list(_known) for buffer in xlnk._buffers()]:
            try:
                buffer.free()
            except Exception as error:  # raised below
                refused.append(error)
        if refused:
            raise refused[0]

    def _buffers(self) -> list[PynqBuffer]:
        """Every live buffer. An address that was given out again has its new buffer."""
        self._pointers = {at: buffer for at, buffer in self._pointers.items() if not buffer.freed}
        arrays = [array for array in list(self._arrays.values()) if not array.freed]
        return [*self._pointers.values(), *arrays]

    def _allocate(self, shape: int | tuple[int, ...], dtype: np.dtype[Any]) -> PynqBuffer:
        try:
            return as_pynq(self._pool.allocate(shape, dtype, below=_BELOW))
        except (AllocationError, BadArgumentError) as error:
            raise PynqError(f"Failed to allocate Memory! {error}") from error


def _pointer(buf: object) -> Pointer:
    if not isinstance(buf, Pointer):
        raise PynqError(
            f"Unknown buffer type {type(buf).__name__}: what cma_alloc gave, or the .pointer of an array, is asked for"
        )
    return buf


def _bytes(memory: Any, nbytes: int, what: str) -> Any:
    if isinstance(memory, Pointer):
        return memory.view(nbytes)
    try:
        found = np.frombuffer(memory, np.uint8)
    except (TypeError, ValueError, BufferError):
        raise PynqError(f"Unknown buffer type {type(memory).__name__} as {what}: give a pointer or a buffer") from None
    if not 0 <= nbytes <= len(found):
        raise BadArgumentError(f"{nbytes} bytes of {what}, which has {len(found)}")
    if what == "dest" and not found.flags.writeable:
        raise BadArgumentError(f"{what} is read-only")
    return found[:nbytes]
