"""DmaBuffer: a numpy array that knows its physical address."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from .._native import Extent, data_pointer, install_buffer_method
from ..errors import (
    BadArgumentError,
    BufferInFlightError,
    BufferUseError,
    NotContiguousError,
)
from .lease import Lease, LoanLease

if TYPE_CHECKING:
    from .pool import Pool


class DmaBuffer(np.ndarray[Any, np.dtype[Any]]):
    """Memory that devices reach, as a numpy array: made by ``Pool.allocate``, freed by ``free()``.

    Slices, reshapes and other views are DmaBuffers on the same memory, with physical addresses of
    their own where they are C-contiguous. Whatever computes or copies (``buf + 1``, ``buf.copy()``,
    ``buf[[3, 1]]``) gives plain arrays and scalars; ``out=buf`` and ``buf += 1`` write in place.
    ``np.asarray(buf)`` is a plain array on the same memory, for code that should know nothing of DMA.

    The memory belongs to the buffer until ``free()`` was called and no view is left, or until the last
    view is collected without it. Code that keeps the buffer's bare pointer (``buf.ctypes``, C
    extensions, ``np.nditer``) must be done before ``free()``.
    """

    # No slots: np.ma takes over what is in __dict__, and with it what keeps the memory.
    _lease: Lease | LoanLease | None = None  # None: not in DMA memory
    _memory: Extent | None = None  # what keeps it; None once free() has emptied this array
    _whole: bool = False  # the buffer as allocated, not a view of it

    def __new__(cls, *_args: object, **_kwargs: object) -> DmaBuffer:
        """Not for users: only a pool knows physical addresses."""
        raise BadArgumentError("a DmaBuffer comes from pool.allocate(shape, dtype)")

    @classmethod
    def _over(cls, array: NDArray[Any], lease: Lease | LoanLease, memory: Extent | None) -> DmaBuffer:
        buffer = array.view(cls)
        buffer._lease, buffer._memory = lease, memory
        return buffer

    def __array_finalize__(self, obj: NDArray[Any] | None) -> None:
        """Called by numpy on every new array of this class: share the lease if the memory is shared."""
        if isinstance(obj, DmaBuffer) and (lease := obj._lease) is not None:
            memory = obj._memory
            # What is made of an emptied array has no memory either, and must say why.
            if memory is None or 0 <= data_pointer(self) - lease.pointer < lease.nbytes:
                self._lease, self._memory = lease, memory

    # ---- where it is

    @property
    def physical_address(self) -> int:
        """Address of the first byte, as a bus master of the board sees it.

        BufferFreedError after ``free()``; NotContiguousError on a strided view or a copy.
        """
        lease = self._live_lease()
        if not self.flags.c_contiguous:
            raise NotContiguousError(
                f"a view of shape {self.shape} with strides {self.strides} bytes is not one stretch of "
                f"memory in C order, so it has no physical address: copy it into a buffer of its own "
                f"(new = pool.allocate(view.shape, view.dtype); new[...] = view)"
            )
        return lease.address + data_pointer(self) - lease.pointer

    @property
    def pool(self) -> Pool:
        """The pool it was allocated from, also after ``free()``."""
        return self._leased().pool

    def sync_to_device(self) -> None:
        """Make what the CPU wrote here visible to devices; nothing to do on coherent memory."""
        self.pool.region.sync_to_device(*self._extent())

    def sync_from_device(self) -> None:
        """Make what devices wrote here visible to the CPU; nothing to do on coherent memory."""
        self.pool.region.sync_from_device(*self._extent())

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

    def _empty(self) -> None:
        # No pointer into the memory may stay behind, not even for C code: become an empty array.
        _set_state(self, (1, (0,), self.dtype, False, b""))
        self._memory = None

    @property
    def freed(self) -> bool:
        """True once ``free()`` was called on the buffer (for a view: on the buffer it shows).

        True also for what a stream had lent, once it was given back.
        """
        return self._lease is not None and self._lease.freed

    def __enter__(self) -> DmaBuffer:
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
            raise _not_dma_memory()
        return self._lease

    def _live_lease(self) -> Lease | LoanLease:
        lease = self._leased()
        if lease.freed:
            raise lease.refusal()
        return lease

    def _extent(self) -> tuple[int, int]:
        # Physical range that covers every element, gaps of a strided view included.
        lease = self._live_lease()
        first = last = data_pointer(self) - lease.pointer + lease.address
        if self.size == 0:
            return first, 0
        for length, stride in zip(self.shape, self.strides, strict=True):
            first += min(0, (length - 1) * stride)
            last += max(0, (length - 1) * stride)
        return first, last + self.itemsize - first

    # ---- what numpy does with it

    # The rest stays hidden from type checkers, which know these methods from ndarray.
    if not TYPE_CHECKING:

        def __getitem__(self, key):
            self._refuse_freed()
            return _settle(super().__getitem__(_plain(key)))

        def __setitem__(self, key, value):
            _plain(self)[_plain(key)] = _plain(value)

        def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
            if "where" in kwargs:
                kwargs["where"] = _plain(kwargs["where"])
            if out is not None:
                kwargs["out"] = tuple(_plain(array) for array in out)
            result = getattr(ufunc, method)(*(_plain(array) for array in inputs), **kwargs)
            if out is None or result is NotImplemented or result is None:
                return result
            if not isinstance(result, tuple):
                return out[0]
            return tuple(new if given is None else given for new, given in zip(result, out, strict=True))

        def __array_function__(self, func, types, args, kwargs):
            # Functions such as np.split hand out views, so their arguments stay as they are.
            _refuse_any_freed(args)
            _refuse_any_freed(kwargs.values())
            return _settle(super().__array_function__(func, types, args, kwargs))

        def __array_wrap__(self, array, context=None, return_scalar=False):
            plain = array if array is self else np.asarray(array)
            return plain[()] if return_scalar else plain

        def __buffer__(self, flags):
            # memoryview(buf) must hold the memory, not this object: free() empties this object.
            return memoryview(_plain(self))

        def view(self, *args, **kwargs):
            """As ndarray.view; on a class other than DmaBuffer it is made from the plain array."""
            self._refuse_freed()
            kind = kwargs.get("type", args[-1] if args else None)
            if isinstance(kind, type) and issubclass(kind, np.ndarray) and not issubclass(kind, DmaBuffer):
                return _plain(self).view(*args, **kwargs)
            return super().view(*args, **kwargs)

        def squeeze(self, axis=None):
            """As ndarray.squeeze, which would make a plain array of it."""
            return self.reshape(_plain(self).squeeze(axis).shape)

        @property
        def flat(self):
            """As ndarray.flat."""
            return _plain(self).flat

        @flat.setter
        def flat(self, value):
            _plain(self).flat = _plain(value)

        def __repr__(self):
            return f"DmaBuffer({self._lease.state})" if self.freed else super().__repr__()

        def __str__(self):
            return repr(self) if self.freed else super().__str__()

        def __format__(self, spec):
            return repr(self) if self.freed else super().__format__(spec)

        def _refuse_freed(self):
            lease = self._lease
            if lease is not None and lease.freed:
                raise lease.refusal()


def span(array: object) -> tuple[int, int]:
    """``(physical address, nbytes)`` of an array that a device is to read or write.

    Raises BadArgumentError when it is not in DMA memory, NotContiguousError when it is strided and
    BufferFreedError when it was freed.
    """
    if not isinstance(array, DmaBuffer):
        what = f"an array of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise BadArgumentError(
            f"{what} is not in DMA memory: allocate a buffer (pool.allocate(shape, dtype)) and copy into it"
        )
    return array.physical_address, array.nbytes


_set_state: Callable[[DmaBuffer, tuple[Any, ...]], None] = np.ndarray.__setstate__


def _not_dma_memory() -> NotContiguousError:
    return NotContiguousError(
        "this array is a copy outside the pools, so it has no physical address: "
        "allocate a buffer (pool.allocate(shape, dtype)) and copy into it"
    )


def _plain(value: Any) -> Any:
    """A plain ndarray on the same memory, which keeps the lease; anything else as it is."""
    if isinstance(value, DmaBuffer):
        value._refuse_freed()  # type: ignore[attr-defined]
        return np.asarray(value)
    if isinstance(value, tuple):  # an index
        return tuple(_plain(item) for item in value)
    return value


def _settle(result: Any) -> Any:
    """Results that left the memory become plain arrays, also inside a list or a tuple."""
    if isinstance(result, DmaBuffer):
        if result._lease is None:
            return np.asarray(result)
        if result._memory is None:  # another thread has called free() while numpy made it
            raise result._lease.refusal()
        return result
    if isinstance(result, list):
        return [_settle(item) for item in result]
    if isinstance(result, tuple):
        settled = [_settle(item) for item in result]
        return result._make(settled) if hasattr(result, "_make") else tuple(settled)
    return result


def _refuse_any_freed(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, DmaBuffer):
            value._refuse_freed()  # type: ignore[attr-defined]
        elif isinstance(value, (list, tuple)):
            _refuse_any_freed(value)


def _on_plain(name: str) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)

    def call(self: DmaBuffer, *args: Any, **kwargs: Any) -> Any:
        return method(_plain(self), *args, **kwargs)

    return call


def _on_view(name: str) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)

    def call(self: DmaBuffer, *args: Any, **kwargs: Any) -> Any:
        self._refuse_freed()  # type: ignore[attr-defined]
        return _settle(method(self, *args, **kwargs))

    return call


# numpy makes the results of these methods without asking the subclass, or works in place on them.
_COMPUTING = """
    all any argmax argmin argpartition argsort astype byteswap choose clip compress conj conjugate copy
    cumprod cumsum dot dump dumps fill flatten item itemset max mean min newbyteorder nonzero partition
    prod ptp put repeat round searchsorted setfield sort std sum take tobytes tofile tolist tostring trace
    var __dlpack__ __bool__ __complex__ __contains__ __copy__ __deepcopy__ __float__ __index__ __int__
    __reduce__ __reduce_ex__
"""
# These give a view where they can and a copy where they cannot.
_VIEWING = "diagonal getfield ravel reshape swapaxes transpose"

for _wrap, _names in ((_on_plain, _COMPUTING), (_on_view, _VIEWING)):
    for _name in _names.split():
        _method = getattr(np.ndarray, _name, None)  # numpy 2 has dropped some
        if _method is not None:
            _call = _wrap(_name)
            _call.__name__, _call.__doc__ = _name, f"As ndarray.{_name}."
            setattr(DmaBuffer, _name, _call)

if sys.version_info < (3, 12):
    install_buffer_method(DmaBuffer)
