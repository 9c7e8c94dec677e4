"""What all memory that devices reach has in common, whether it is a numpy array or not."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._native import Access, Extent
from ..errors import BadArgumentError, BufferInFlightError, BufferUseError, NotContiguousError
from .lease import Lease, LoanLease, Runs
from .region import MemoryType

if TYPE_CHECKING:
    from typing_extensions import Self

    from .pool import Pool


class Buffer:
    """Memory that devices reach: made by ``Pool.allocate``, freed by ``free()``.

    On memory that can be accessed in any way it is a :class:`DmaBuffer`, a numpy array; on Device memory a
    :class:`DeviceBuffer`, which copies. A program that uses what is here runs on both.
    """

    # No slots: np.ma takes over what is in __dict__, and with it what keeps the memory.
    _lease: Lease | LoanLease | None = None  # None: not in DMA memory
    _memory: Extent | None = None  # what keeps it; None once free() has emptied this object
    _whole: bool = False  # the buffer as allocated, not a view of it

    if TYPE_CHECKING:  # what each of the two is, as numpy has it
        shape: Any
        dtype: Any
        ndim: Any
        size: Any
        itemsize: Any
        nbytes: Any

        def __len__(self) -> int: ...
        def __getitem__(self, key: Any) -> Any: ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def reshape(self, *shape: Any) -> Any: ...  # noqa: D102
        def view(self, dtype: Any) -> Any: ...  # noqa: D102
        def fill(self, value: Any) -> None: ...  # noqa: D102
        def write(self, values: ArrayLike, offset: int = 0) -> None: ...  # noqa: D102
        def read(self, out: NDArray[Any] | None = None, offset: int = 0) -> NDArray[Any]: ...  # noqa: D102
        def _place(self) -> tuple[int, int]: ...
        def _extent(self) -> tuple[int, int]: ...
        def _empty(self) -> None: ...
        def _lent(self, lease: LoanLease) -> Any: ...

    # ---- where it is

    @property
    def physical_address(self) -> int:
        """Address of the first byte, as a bus master of the board sees it.

        BufferFreedError after ``free()``; NotContiguousError on a strided view, a copy, or where the bytes are in
        several runs of physical addresses: see :attr:`runs`.
        """
        lease = self._live_lease()
        return lease.physical_address(*self._place())

    @property
    def runs(self) -> Runs:
        """``(physical address, nbytes)`` of each contiguous stretch of it, in order; one on most memory.

        Raises as :attr:`physical_address` does, but for several runs.
        """
        lease = self._live_lease()
        return lease.physical_runs(*self._place())

    @property
    def pool(self) -> Pool:
        """The pool it was allocated from, also after ``free()``."""
        return self._leased().pool

    @property
    def memory_type(self) -> MemoryType:
        """How the CPU sees it: ``normal-cached``, ``write-combining`` or ``device``."""
        return self._leased().region.memory_type

    @property
    def sync_method(self) -> str:
        """What :meth:`sync_to_device` and :meth:`sync_from_device` do here, in words."""
        return self._leased().region.sync_method

    @property
    def access(self) -> Access:
        """For drivers: how native code gets at the memory."""
        region = self._leased().region
        if region.memory_type is MemoryType.DEVICE:
            return Access.DEVICE
        return Access.PLAIN if region.coherent else Access.CACHED

    def sync_to_device(self) -> None:
        """Make what the CPU wrote here visible to devices; nothing to do on coherent or uncached memory."""
        lease = self._live_lease()
        offset, nbytes = self._extent()
        lease.region.sync_to_device(lease.at + offset, nbytes)

    def sync_from_device(self) -> None:
        """Make what devices wrote here visible to the CPU; nothing to do on coherent or uncached memory."""
        lease = self._live_lease()
        offset, nbytes = self._extent()
        lease.region.sync_from_device(lease.at + offset, nbytes)

    # ---- how long it lasts

    def free(self) -> None:
        """Give the memory back; a second call does nothing.

        The pool has it at once when no view is left, else when the last view goes; reading either
        raises BufferFreedError from now on. BufferInFlightError while a channel uses it;
        BufferUseError on a view: free the buffer itself.
        """
        lease = self._leased()
        if not self._whole or not isinstance(lease, Lease):
            raise lease.not_yours()
        if self._memory is not None:
            lease.end()
            self._empty()

    @property
    def freed(self) -> bool:
        """True once ``free()`` was called on the buffer (for a view: on the buffer it shows).

        True also for what a stream had lent, once it was given back.
        """
        return self._lease is not None and self._lease.freed

    def __enter__(self) -> Self:
        if not self._whole:
            raise BufferUseError("`with` frees at its end: use it on the buffer itself, not on a view")
        self._live_lease()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.free()
        except BufferInFlightError:
            if kind is None:  # the error on its way out matters more; a held range stays reserved
                raise

    @property
    def in_flight(self) -> bool:
        """True while a DMA channel uses any part of the buffer."""
        return self._lease is not None and bool(self._lease.holders)

    def hold(self, name: str) -> None:
        """For drivers: ``name`` uses the memory from now on, so it cannot be freed. Counts."""
        self._live_lease().hold(name, cast(Extent, self._memory))

    def unhold(self, name: str) -> None:
        """For drivers: undo one :meth:`hold`."""
        self._leased().unhold(name)

    @contextmanager
    def in_use_by(self, name: str) -> Iterator[None]:
        """For drivers: hold it inside a ``with`` block."""
        lease = self._live_lease()  # a loan may end inside the block
        lease.hold(name, cast(Extent, self._memory))
        try:
            yield
        finally:
            lease.unhold(name)

    def _leased(self) -> Lease | LoanLease:
        if self._lease is None:
            raise NotContiguousError(
                "this array is a copy outside the pools, so it has no physical address: "
                "allocate a buffer (pool.allocate(shape, dtype)) and copy into it"
            )
        return self._lease

    def _live_lease(self) -> Lease | LoanLease:
        lease = self._leased()
        if lease.freed:
            raise lease.refusal()
        return lease


def dma_memory(array: object) -> Buffer:
    """``array`` itself; BadArgumentError when it is not in DMA memory."""
    if not isinstance(array, Buffer):
        what = f"an array of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise BadArgumentError(
            f"{what} is not in DMA memory: allocate a buffer (pool.allocate(shape, dtype)) and copy into it"
        )
    return array


def span(array: object) -> tuple[int, int]:
    """``(physical address, nbytes)`` of an array that a device is to read or write.

    Raises BadArgumentError when it is not in DMA memory, NotContiguousError when it is strided or in several
    runs, and BufferFreedError when it was freed.
    """
    buffer = dma_memory(array)
    return buffer.physical_address, buffer.nbytes


def elements(size: int, offset: int, count: int | None) -> tuple[int, int]:
    """First and last + 1 of ``count`` elements (None: all) from ``offset`` on; BadArgumentError beyond ``size``."""
    first = operator.index(offset)
    last = size if count is None else first + count
    if first < 0 or first > last or last > size:
        raise BadArgumentError(f"{last - first} elements from {first} on: the buffer has {size}")
    return first, last


def castable(values: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Any]:
    """``values`` as an array, if its dtype may be written to ``dtype``."""
    if not hasattr(values, "dtype"):  # numbers, which have no size of their own
        return np.asarray(values, dtype)
    array = np.asarray(values)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise BadArgumentError(f"values of {array.dtype} do not go into a buffer of {dtype}: convert them first")
    return array


def receivable(dtype: np.dtype[Any], out: NDArray[Any]) -> NDArray[Any]:
    """``out``, if it may take values of ``dtype``."""
    if not np.can_cast(dtype, out.dtype, "same_kind"):
        raise BadArgumentError(f"a buffer of {dtype} is not read into an array of {out.dtype}: give one of {dtype}")
    return out
