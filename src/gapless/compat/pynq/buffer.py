"""PynqBuffer: a DmaBuffer with the names that PYNQ gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...errors import AllocationError, BufferUseError, PynqError, UnsupportedError
from ...memory import Buffer, DmaBuffer
from .board_in_use import board_in_use

if TYPE_CHECKING:
    from .pointer import Pointer


class Settling(Protocol):
    """A channel that holds a buffer until somebody looks whether its transfer has ended."""

    def settle(self) -> None:
        """Let go of the buffer, if it has ended."""
        ...


#: The channels with a transfer that nobody has waited for: PYNQ's programs need not, nor keep the channel.
unsettled: set[Settling] = set()


def settle_all() -> None:
    """Have all channels let go of what they do not use any more."""
    for channel in list(unsettled):
        channel.settle()


class PynqBuffer(DmaBuffer):
    """Memory that devices reach, as a numpy array: what ``allocate`` and ``Xlnk.cma_array`` give.

    It is a :class:`~gapless.memory.DmaBuffer`, and safe where PYNQ's is not: a copy or the result of arithmetic is a
    plain array with no physical address, a strided view refuses to have one, and a freed buffer raises
    BufferFreedError.
    """

    _given: Pointer | None = None  # the memory of a pointer that somebody else allocated
    _cache: Any = None

    @property
    def device_address(self) -> int:
        """As ``physical_address``."""
        return self.physical_address

    @property
    def virtual_address(self) -> int:
        """Address of the first byte in this process."""
        self._live_lease()
        return int(self.__array_interface__["data"][0])

    @property
    def pointer(self) -> Pointer:
        """To the first byte, for the methods of ``Xlnk`` that take a pointer."""
        from .pointer import Pointer

        return self._given or Pointer(self)

    @property
    def coherent(self) -> bool:
        """Whether CPU and devices see the same bytes at all times, so that flush and invalidate have nothing to do."""
        return self.pool.coherent

    @property
    def cacheable(self) -> bool:
        """Whether caches have to be flushed and invalidated around a device's work: not ``coherent``."""
        return not self.coherent

    def flush(self) -> None:
        """As ``sync_to_device()``."""
        self.sync_to_device()

    def invalidate(self) -> None:
        """As ``sync_from_device()``."""
        self.sync_from_device()

    def free(self) -> None:
        """As :meth:`gapless.memory.Buffer.free`; a transfer that has ended is none, though nobody waited for it."""
        if self.in_flight:
            settle_all()
        super().free()

    def freebuffer(self) -> None:
        """Give the memory back, at once where no view is left; a second call does nothing.

        An array that ``cma_array`` made on a given pointer hands that to its ``cache``, if it has one, and otherwise
        does nothing: ``cma_free(pointer)`` frees it.

        Raises:
            BufferInFlightError: a DMA channel or an IOP still uses it.
            BufferUseError: this is a view; free the buffer itself.
        """
        if self._given is None:
            self.free()
        elif self._cache is not None:
            cache, self._cache = self._cache, None
            cache.return_pointer(self._given)

    def close(self) -> None:
        """As ``freebuffer()``."""
        self.freebuffer()


def allocate(shape: Any, dtype: Any = "u4", target: Any = None, **kwargs: Any) -> Any:
    """Memory that devices reach, as an array of zeros; free it with ``freebuffer()`` or in a ``with``.

    Source of names and behaviour: PYNQ 2.5 to 4.0, ``pynq/buffer.py``.

    Args:
        shape: one length or a tuple of them.
        dtype: of its elements.
        target: what allocates it, anything with ``allocate(shape, dtype, **kwargs)``: ``board.memory["pl-ddr"]``. By
            default the pool ``ps-cma`` of the board in use.
        kwargs: for ``target``; a pool of gapless takes ``align``, ``address``, ``below`` and ``contiguous``.
            PYNQ's ``cacheable`` is accepted and changes nothing.

    Raises:
        PynqError: ("BO allocation failed") no room; the message says what is free, and which pool has more.
        BadArgumentError: no such shape or dtype.
    """
    kwargs.pop("cacheable", None)
    source = board_in_use().memory["ps-cma"] if target is None else target
    try:
        made = source.allocate(shape, dtype, **kwargs)
    except AllocationError as error:
        raise PynqError(f"BO allocation failed: {error}") from error
    return as_pynq(made) if isinstance(made, Buffer) and not isinstance(made, PynqBuffer) else made


def as_pynq(buffer: Buffer) -> PynqBuffer:
    """What a pool has just allocated, as PYNQ's class, all zeros. It takes its place: it alone frees the memory."""
    if not isinstance(buffer, DmaBuffer):
        raise UnsupportedError(
            f"memory {buffer.pool.name} is Device memory here, which no numpy array can be on: use "
            "board.memory[...].allocate, whose buffers copy"
        )
    if not buffer._whole:
        raise BufferUseError(f"{buffer.pool.name}: a view is not what a pool allocated")
    array: PynqBuffer = buffer.view(PynqBuffer)
    array._whole, buffer._whole = True, False
    clear(array)
    return array


def clear(buffer: Buffer) -> None:
    """Make it all zeros, for devices, too: Linux clears what PYNQ allocates, and programs count on it."""
    buffer.fill(0)
    buffer.sync_to_device()


def on_pointer(pointer: Pointer, shape: tuple[int, ...], dtype: np.dtype[Any], cache: Any) -> PynqBuffer:
    """An array on the memory of a pointer; ``cache.return_pointer(pointer)`` is called when it is freed."""
    flat = pointer.view(dtype.itemsize * int(np.prod(shape, dtype=object)))
    array: PynqBuffer = flat.view(dtype).reshape(shape)
    array._given, array._cache = pointer, cache
    return array
