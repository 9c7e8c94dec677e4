"""Mode 1 by the ``pynq`` package, where it is installed: its ``allocate`` (pynq/buffer.py) as a source."""

from __future__ import annotations

import importlib
import importlib.util
import mmap
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import AllocationError
from ...units import format_size
from ..chunked_pool import ChunkedPool
from ..pool import Pool
from ..region import MemoryType
from ..source import Chunk, region_of
from .availability import Unavailable
from .cma_areas import cma_free
from .hugepages import COHERENT

if TYPE_CHECKING:
    from ..claims import Claims


def pynq(*, root: Path, claims: Claims | None) -> Pool | Unavailable:
    """The pool ``ps-cma`` on what ``pynq.allocate`` gives, or why there is none."""
    if importlib.util.find_spec("pynq") is None:
        return Unavailable("the package pynq is not installed", "a PYNQ image, or another way of mode 1")
    try:
        source = PynqAllocate(importlib.import_module("pynq"), root)
    except Exception as error:  # whatever its device detection or XRT runs into
        return Unavailable(f"pynq cannot allocate: {error}", "run as root, in PYNQ's own environment")
    return ChunkedPool(source, name="ps-cma", about="pynq.allocate", claims=claims)


class PynqAllocate:
    """A source of PYNQ's buffers; ``package`` is the module ``pynq``.

    A buffer with ``coherent`` set needs no flush: PYNQ made it uncached (``cacheable=0``) or hardware looks after it.
    """

    unit = mmap.PAGESIZE

    def __init__(self, package: ModuleType, root: Path) -> None:
        self._package, self._root = package, root
        sample = package.allocate((self.unit,), "u1")
        self.coherent = bool(sample.coherent)
        sample.freebuffer()
        self.memory_type = MemoryType.WRITE_COMBINING if self.coherent else MemoryType.NORMAL_CACHED
        self.sync_method = COHERENT if self.coherent else "pynq: flush, invalidate"

    def available(self) -> int:
        """Bytes that the kernel could lend now."""
        return cma_free(self._root)

    def take(self, nbytes: int, *, align: int, below: int | None, contiguous: bool) -> Chunk:
        """As :meth:`Source.take`; all of it is contiguous."""
        del align, below, contiguous
        nbytes = -(-nbytes // self.unit) * self.unit
        try:
            buffer = self._package.allocate((nbytes,), "u1")
        except (RuntimeError, MemoryError) as error:  # with no sizes in it
            raise AllocationError(
                f"asked {format_size(nbytes)} in ps-cma: pynq.allocate says {error}; the kernel has "
                f"{format_size(self.available())} free in its CMA area; free a buffer, or boot with a larger cma="
            ) from None
        address = int(buffer.physical_address)
        region = region_of(self, "pynq", address, nbytes, _Mapped(buffer))
        return Chunk(region, ((address, nbytes),), buffer.freebuffer)


class _Mapped:
    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer

    def view(self, offset: int, nbytes: int, _owner: object) -> NDArray[np.uint8]:
        return np.asarray(self._buffer)[offset : offset + nbytes]

    def sync_to_device(self, offset: int, nbytes: int) -> None:
        self._buffer[offset : offset + nbytes].flush()

    def sync_from_device(self, offset: int, nbytes: int) -> None:
        self._buffer[offset : offset + nbytes].invalidate()
