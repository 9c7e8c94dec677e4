"""Memory of a board as PYNQ's ``PynqBuffer``s: on the very bytes that the board's devices read and write."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from pynq import MMIO
from pynq.buffer import PynqBuffer

from ...errors import AllocationError, PynqError
from ...memory import DmaBuffer, Pool
from ..pynq.buffer import clear

_set_state: Callable[..., None] = np.ndarray.__setstate__


class BoardMemory:
    """What ``allocate`` and ``overlay.ddr4_0`` are on: a pool of the board, with the names of PYNQ's ``XrtMemory``.

    Args:
        device: the ``Device`` that it belongs to.
        pool: where buffers come from; None: no pool is there, as in a block RAM, which is read and written only.
        base_address: its first physical address.
        size: bytes.
    """

    def __init__(self, device: Any, pool: Pool | None, base_address: int, size: int) -> None:
        self.device, self._pool = device, pool
        self.base_address, self.size = base_address, size

    def allocate(self, shape: Any, dtype: Any, **kwargs: Any) -> Any:
        """A ``PynqBuffer`` of zeros, as from PYNQ's own allocator, whose drivers count on that.

        ``cacheable`` and others of PYNQ's are taken and change nothing.

        Raises PynqError ("BO allocation failed") when there is no room, or no pool.
        """
        if self._pool is None:
            raise PynqError(f"BO allocation failed: no pool of {self.device.board.uri} is at {self.base_address:#x}")
        kind = np.dtype(dtype)
        nbytes = kind.itemsize * int(np.prod(shape, dtype=object))
        try:
            held = self._pool.allocate(nbytes, np.uint8)
        except AllocationError as error:
            raise PynqError(f"BO allocation failed: {error}") from error
        if not isinstance(held, DmaBuffer):
            raise PynqError(f"BO allocation failed: {self._pool.name} is memory that no numpy array can be on")
        clear(held)
        given = {"device": self.device, "bo": held, "coherent": self._pool.coherent}
        whole = PynqBuffer(shape, kind, buffer=held, device_address=held.physical_address, **given)
        # A view of it is what the program gets: views of that refer to ``whole``, and freeing can empty it.
        buffer = whole.view()
        buffer.memory, buffer.pointer, buffer.return_to = self, _Loan(buffer, held), self
        buffer.freed = True  # or PYNQ 3 would unmap it itself, when it is freed for the second time
        return buffer

    def return_pointer(self, loan: _Loan) -> None:
        """What PYNQ calls when a buffer is freed, or when nobody refers to it any more."""
        loan.end()

    @property
    def mmio(self) -> Any:
        """All of it as registers."""
        return MMIO(self.base_address, self.size, device=self.device)

    def read(self, address: int) -> int:
        """The word at ``address`` (bytes from the first)."""
        return int(self.mmio.read(address))

    def write(self, address: int, value: int | bytes) -> None:
        """Write a word, or bytes, from ``address`` on."""
        self.mmio.write(address, value)


class _Loan:
    """A buffer that PYNQ has, and the memory it is on."""

    def __init__(self, buffer: Any, held: DmaBuffer) -> None:
        self._buffer, self._held = weakref.ref(buffer), held

    def end(self) -> None:
        """Give the memory back, at once where no view is left; the array is empty from now on."""
        buffer = self._buffer()
        if buffer is not None:
            _set_state(buffer, (1, (0,), buffer.dtype, False, b""))
        self._held.free()
