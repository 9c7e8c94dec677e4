"""DmaBuffer: a numpy array that knows its physical address."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._native import Extent, data_pointer, install_buffer_method
from ..errors import BadArgumentError, NotContiguousError
from .buffer import Buffer, castable, elements, receivable
from .lease import Lease, LoanLease


class DmaBuffer(Buffer, np.ndarray[Any, np.dtype[Any]]):  # type: ignore[misc]
    """Memory that devices reach, as a numpy array: made by ``Pool.allocate``, freed by ``free()``.

    What it has besides is in :class:`Buffer`.

    Slices, reshapes and other views are DmaBuffers on the same memory, with physical addresses of
    their own where they are C-contiguous. Whatever computes or copies (``buf + 1``, ``buf.copy()``,
    ``buf[[3, 1]]``) gives plain arrays and scalars; ``out=buf`` and ``buf += 1`` write in place.
    ``np.asarray(buf)`` is a plain array on the same memory, for code that should know nothing of DMA.

    The memory belongs to the buffer until ``free()`` was called and no view is left, or until the last
    view is collected without it. Code that keeps the buffer's bare pointer (``buf.ctypes``, C
    extensions, ``np.nditer``) must be done before ``free()``.
    """

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

    def _place(self) -> tuple[int, int]:
        if not self.flags.c_contiguous:
            raise NotContiguousError(
                f"a view of shape {self.shape} with strides {self.strides} bytes is not one stretch of "
                f"memory in C order, so it has no physical address: copy it into a buffer of its own "
                f"(new = pool.allocate(view.shape, view.dtype); new[...] = view)"
            )
        return data_pointer(self) - self._leased().pointer, self.nbytes

    def _extent(self) -> tuple[int, int]:
        # What covers every element, gaps of a strided view included.
        first = last = data_pointer(self) - self._live_lease().pointer
        if self.size == 0:
            return first, 0
        for length, stride in zip(self.shape, self.strides, strict=True):
            first += min(0, (length - 1) * stride)
            last += max(0, (length - 1) * stride)
        return first, last + self.itemsize - first

    def _empty(self) -> None:
        # No pointer into the memory may stay behind, not even for C code: become an empty array.
        _set_state(self, (1, (0,), self.dtype, False, b""))
        self._memory = None

    def _lent(self, lease: LoanLease) -> DmaBuffer:
        # Through plain arrays of its own, so that what is made of it refers to those, not to the array
        # that a loan's end empties (PyArray_SetBaseObject skips bases of one type only).
        return DmaBuffer._over(np.asarray(self).view(), lease, self._memory)

    # ---- in and out, as on memory that no numpy array can be on

    def write(self, values: ArrayLike, offset: int = 0) -> None:
        """Copy ``values``, of any shape, to the elements from ``offset`` on, counted in C order.

        Raises:
            BadArgumentError: they do not fit, or their dtype cannot be cast to this one (numpy's ``same_kind``).
            NotContiguousError: this is a strided view.
        """
        self._place()
        array = castable(values, self.dtype)
        first, last = elements(self.size, offset, array.size)
        _plain(self).reshape(-1)[first:last] = array.reshape(-1)

    def read(self, out: NDArray[Any] | None = None, offset: int = 0) -> NDArray[Any]:
        """A plain copy, shape and dtype as here; or ``out``, filled with the elements from ``offset`` on.

        Raises:
            BadArgumentError: ``out`` is larger than what is there, or its dtype cannot take this one's values.
            NotContiguousError: this is a strided view.
        """
        self._place()
        flat = _plain(self).reshape(-1)
        if out is None:
            out = np.empty(self.shape if offset == 0 else elements(self.size, offset, None)[1] - offset, self.dtype)
        first, last = elements(self.size, offset, out.size)
        receivable(self.dtype, out)[...] = flat[first:last].reshape(out.shape)
        return out

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


_set_state: Callable[[DmaBuffer, tuple[Any, ...]], None] = np.ndarray.__setstate__


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
