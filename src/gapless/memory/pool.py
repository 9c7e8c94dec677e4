"""Where buffers are allocated."""

from __future__ import annotations

import math
import operator
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from .._native import Extent
from ..boards.spec import MemoryKind
from ..errors import BadArgumentError
from ..units import format_size
from .buffer import Buffer
from .device_buffer import DeviceBuffer
from .dma_buffer import DmaBuffer
from .lease import Lease, Runs
from .region import MemoryType

if TYPE_CHECKING:
    from .stats import PoolStats

_MAX_DIMENSIONS = 32  # numpy 1.x
_MAX_BYTES = (1 << 63) - 1
# The dtypes that most buffers have, so that they need not be looked at each time.
_COMMON: dict[object, np.dtype[Any]] = {kind: np.dtype(kind) for kind in (np.uint8, np.int16, np.uint32, np.int32)}


class AllocationGuard(Protocol):
    """Told of every allocation and release: a virtual board catches DMA to anywhere else.

    ``nbytes`` is as asked, without rounding. ``released`` may be called from any thread.
    """

    def allocated(self, address: int, nbytes: int) -> None:
        """A buffer now lives at this physical address."""
        ...

    def released(self, address: int, nbytes: int) -> None:
        """It is gone."""
        ...


class Pool(ABC):
    """Where buffers are allocated: what every pool does, wherever its memory comes from.

    All methods may be called from any thread.

    Args:
        name: what messages call it.
        kind: which memory of the board it is.
        memory_type: how the CPU sees it.
        coherent: CPU and devices see the same bytes at all times, with nothing to do.
        sync_method: how CPU and devices come to see the same bytes.
        about: one line on what it is; an empty pool's error says it.
        hints: the other pools of the board; an error says which of them has room.
        guard: see :class:`AllocationGuard`.
    """

    def __init__(
        self,
        name: str,
        *,
        kind: MemoryKind,
        memory_type: MemoryType,
        coherent: bool,
        sync_method: str,
        about: str = "",
        hints: Callable[[], Iterable[Pool]] = tuple,
        guard: AllocationGuard | None = None,
    ) -> None:
        self.name, self.kind, self.memory_type = name, kind, memory_type
        self.coherent, self.sync_method = coherent, sync_method
        self.about, self.guard, self._hints = about, guard, hints
        self._device = memory_type is MemoryType.DEVICE
        # No lock around these. A call of a free list keeps the interpreter, so it is whole; a range is one
        # caller's from allocate() to its return; and the collector may call what takes it back at any place in
        # here, where waiting for a lock would be waiting for oneself.
        # By the identity of the reference that tells when the memory is let go.
        self._gone: dict[int, tuple[weakref.ref[Extent], Any]] = {}
        self._held, self._hold_lock = dict[Lease, Extent](), Lock()  # see Lease.hold

    def allocate(
        self,
        shape: SupportsIndex | Sequence[SupportsIndex],
        dtype: DTypeLike = np.uint32,
        *,
        align: int = 64,
        address: int | None = None,
        below: int | None = None,
        contiguous: bool = False,
    ) -> Buffer:
        """A buffer of ``shape`` and ``dtype``: a :class:`DmaBuffer`, or on Device memory a :class:`DeviceBuffer`.

        Its contents are undefined: on a board, whatever was there; on a virtual board, memory that no
        buffer used before reads zero.

        Args:
            shape: one length or a tuple of them; at least one element.
            dtype: anything but object.
            align: the physical address is a multiple of this power of two (bytes).
            address: this physical address and no other.
            below: the whole buffer ends at or below this physical address: ``1 << 32`` for a DMA
                engine with 32-bit addresses.
            contiguous: in one run of physical addresses, where the pool could also put it together of several
                (huge pages); see :attr:`Buffer.runs`.

        Raises:
            BadArgumentError: the arguments cannot be.
            AddressError: ``address`` is outside the pool, misaligned or taken; the message says which.
            AllocationError: no room; the message says what is free, and which pool has more.
        """
        dims, kind = _shape(shape), _dtype(dtype)
        nbytes = math.prod(dims) * kind.itemsize
        if nbytes > _MAX_BYTES:
            raise BadArgumentError(f"shape {dims} of {kind} is {nbytes} bytes: no memory has that many")
        align = power_of_two(align, "align")
        if address is not None or below is not None:
            address, below = _whole(address, "address"), _whole(below, "below")
        lease, memory = self._place(nbytes, align, address, below, contiguous)
        if self._device:
            return DeviceBuffer._over(lease, memory, 0, dims, kind, whole=True)
        buffer = DmaBuffer._over(np.ndarray(dims, kind, memory), lease, memory)  # type: ignore[arg-type]
        buffer._whole = True
        return buffer

    @abstractmethod
    def stats(self) -> PoolStats:
        """What is used and free now, in bytes; what other threads do meanwhile may show in one figure only."""

    @property
    @abstractmethod
    def base(self) -> int:
        """The lowest physical address it has memory at."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes in all, used and free."""

    def allocated_at(self, address: int) -> tuple[int, int] | None:
        """``(physical address, nbytes)`` of the live buffer, or of its run, that has this physical address."""
        runs = (run for _, place in list(self._gone.values()) for run in self._runs_of(place))
        return next((run for run in runs if 0 <= address - run[0] < run[1]), None)

    # ---- for the kinds of pools

    @abstractmethod
    def _place(
        self, nbytes: int, align: int, address: int | None, below: int | None, contiguous: bool
    ) -> tuple[Lease, Extent]:
        """Find room. The arguments are checked, but for ``address``."""

    @abstractmethod
    def _largest(self, below: int | None) -> int:
        """Bytes of the largest buffer that could be had now."""

    @abstractmethod
    def _runs_of(self, place: Any) -> Runs:
        """The physical addresses of what :meth:`_watch` was given."""

    @abstractmethod
    def _reclaim(self, place: Any) -> None:
        """What :meth:`_watch` was given for a range: it is free again. Runs wherever the last array on it went."""

    def _watch(self, memory: Extent, place: Any) -> None:
        """From here on the range comes back by itself."""
        gone = weakref.ref(memory, self._let_go)
        self._gone[id(gone)] = gone, place

    def _let_go(self, gone: weakref.ref[Extent]) -> None:
        self._reclaim(self._gone.pop(id(gone))[1])

    def _no_room(self, nbytes: int, align: int, below: int | None, free: int, limit: str = "") -> str:
        largest = self._largest(below)
        message = f"asked {format_size(nbytes)}{limit} in {self.name}: largest free block{limit} "
        message += f"{format_size(largest)} of {format_size(free)} free"
        if largest >= nbytes:
            message += f", but none holds it at a multiple of {format_size(align)}"
        if room := self._elsewhere(nbytes, below):
            return f"{message}; {room}"
        return f"{message}; free a buffer" + (
            ", no other pool has room for it" if any(pool is not self for pool in self._hints()) else ""
        )

    def _elsewhere(self, nbytes: int, below: int | None) -> str:
        others = [(pool.name, pool._largest(below)) for pool in self._hints() if pool is not self]
        return ", ".join(f"{name} has {format_size(size)}" for name, size in others if size >= nbytes)


def power_of_two(value: int, what: str) -> int:
    """``value``; BadArgumentError when it is none."""
    if type(value) is int and value > 0 and not value & (value - 1):  # what it nearly always is
        return value
    number = _whole(value, what)
    if not number or number & (number - 1):
        raise BadArgumentError(f"{what}={value!r}: it must be a power of two")
    return number


def _whole(value: int | None, what: str) -> int | None:
    try:
        number = None if value is None else operator.index(value)  # numpy's integers would overflow
    except TypeError:
        number = -1
    if number is not None and number < 0:
        raise BadArgumentError(f"{what}={value!r}: it must be a whole number of bytes, not negative")
    return number


def _shape(shape: SupportsIndex | Sequence[SupportsIndex]) -> tuple[int, ...]:
    if type(shape) is int and shape > 0:  # what it nearly always is
        return (shape,)
    try:
        dims = tuple(map(operator.index, shape)) if isinstance(shape, Iterable) else (operator.index(shape),)
    except TypeError:
        raise BadArgumentError(f"shape {shape!r}: it must be a length or a tuple of lengths") from None
    if any(length <= 0 for length in dims):
        raise BadArgumentError(f"shape {dims}: every length must be at least 1")
    if len(dims) > _MAX_DIMENSIONS:
        raise BadArgumentError(f"{len(dims)} dimensions: numpy arrays have at most {_MAX_DIMENSIONS}")
    return dims


def _dtype(dtype: DTypeLike) -> np.dtype[Any]:
    if isinstance(dtype, type) and (common := _COMMON.get(dtype)) is not None:
        return common
    try:
        kind = np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise BadArgumentError(f"dtype {dtype!r} is not understood: {error}") from None
    if kind.hasobject or kind.itemsize == 0 or kind.subdtype is not None:
        raise BadArgumentError(f"dtype {kind} cannot be in DMA memory: it needs a fixed size and no objects")
    return kind
