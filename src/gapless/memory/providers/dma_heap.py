"""Mode 1 by dma-heap: contiguous memory of the kernel's CMA area (drivers/dma-buf/dma-heap.c, heaps/cma_heap.c).

No other driver has a part in it, so DMA_BUF_IOCTL_SYNC finds nothing to do (cma_heap_dma_buf_begin_cpu_access
syncs for attached devices only) and the cache is kept line by line from here. A program that is killed loses its
memory to the kernel at once, whatever an engine does with it: huge pages (mode 4) are kept until it has stopped.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import secrets
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..._native import PinnedPages, cache_needs_maintenance
from ...errors import AllocationError, GaplessError, UnsupportedError
from ...units import format_size
from ..chunked_pool import ChunkedPool
from ..pool import Pool
from ..region import MemoryType
from ..source import Chunk, region_of
from .availability import Unavailable
from .cma_areas import CmaArea, cma_areas, cma_free, newly_taken
from .hugepages import BY_LINE, COHERENT
from .pagemap import physical_pages

if TYPE_CHECKING:
    from ..claims import Claims

#: Reads ``nbytes`` at a physical address as a device sees them.
Prover = Callable[[int, int], bytes]

_ALLOC = 0xC018_4800  # DMA_HEAP_IOCTL_ALLOC (include/uapi/linux/dma-heap.h)
_ARGUMENT = struct.Struct("<QIIQ")  # len, fd, fd_flags, heap_flags
_MAGIC = 32  # bytes


def dma_heap(*, root: Path, claims: Claims | None, prove: Prover | None) -> Pool | Unavailable:
    """The pool ``ps-cma`` on the first heap of contiguous memory, or why there is none."""
    heaps = sorted((root / "dev/dma_heap").glob("*"))
    if not heaps:
        return Unavailable("there is no /dev/dma_heap", "a kernel with CONFIG_DMABUF_HEAPS_CMA")
    # "system" and its variants put buffers together of single pages.
    contiguous = [heap for heap in heaps if not heap.name.startswith("system")]
    if not contiguous:
        names = ", ".join(heap.name for heap in heaps)
        return Unavailable(f"of the dma-heaps ({names}) none is of contiguous memory", "boot with cma=512M")
    source = DmaHeap(root, contiguous[0], prove)
    try:
        source.take(mmap.PAGESIZE, align=1, below=None, contiguous=True).close()
    except PermissionError:
        return Unavailable(
            f"{source.heap} is not this user's to open",
            "run as root, or give a group the right, in a file of /etc/udev/rules.d: "
            'SUBSYSTEM=="dma_heap", GROUP="GROUP", MODE="0660"',
        )
    except (GaplessError, OSError) as error:
        return Unavailable(f"dma-heap {source.heap.name}: {error}", "huge pages (mode 4), or u-dma-buf")
    return ChunkedPool(source, name="ps-cma", about=f"dma-heap {source.heap.name}", claims=claims)


class DmaHeap:
    """A source of contiguous memory, one dma-buf for each chunk.

    Args:
        root: where /dev, /proc and /sys are.
        heap: the device.
        prove: where pagemap does not tell addresses (since Linux 6.12 the pages are mapped by number) they are
            taken from the CMA area's bitmap, and this must find there what the CPU wrote.
    """

    unit = mmap.PAGESIZE
    memory_type = MemoryType.NORMAL_CACHED

    def __init__(self, root: Path, heap: Path, prove: Prover | None) -> None:
        self.heap, self._root, self._prove = heap, root, prove
        self.coherent = not cache_needs_maintenance()
        self.sync_method = COHERENT if self.coherent else BY_LINE
        # Between two looks at the bitmap. Reentrant: the collector may run anything.
        self._turn = threading.RLock()

    def available(self) -> int:
        """Bytes that the kernel could lend now."""
        return cma_free(self._root)

    def take(self, nbytes: int, *, align: int, below: int | None, contiguous: bool) -> Chunk:
        """As :meth:`Source.take`; all of it is contiguous."""
        del align, below, contiguous
        nbytes = -(-nbytes // self.unit) * self.unit
        with self._turn:
            before = cma_areas(self._root)
            descriptor = self._allocate(nbytes)
            pages = None
            try:
                pages = PinnedPages(descriptor, nbytes, [0])
                address = self._address(pages, before)
            except BaseException:
                if pages is not None:
                    pages.close()
                os.close(descriptor)
                raise
        return self._chunk(descriptor, pages, address)

    def _allocate(self, nbytes: int) -> int:
        heap = os.open(self.heap, os.O_RDWR | os.O_CLOEXEC)
        try:
            argument = bytearray(_ARGUMENT.pack(nbytes, 0, os.O_RDWR | os.O_CLOEXEC, 0))
            fcntl.ioctl(heap, _ALLOC, argument)
        except OSError as error:
            if error.errno not in {errno.ENOMEM, errno.EINVAL}:  # EINVAL: more than the machine has
                raise
            raise AllocationError(
                f"asked {format_size(nbytes)} in ps-cma: {self.heap.name} has no such run, of "
                f"{format_size(self.available())} that are free; free a buffer, or boot with a larger cma="
            ) from None
        finally:
            os.close(heap)
        return int(_ARGUMENT.unpack(argument)[1])

    def _address(self, pages: PinnedPages, before: dict[str, CmaArea]) -> int:
        count = pages.size // self.unit
        try:
            found = physical_pages(self._root, pages.pointer, self.unit, count)
        except UnsupportedError:
            return self._proved(pages, newly_taken(before, cma_areas(self._root), pages.size))
        if found != list(range(found[0], found[0] + pages.size, self.unit)):
            raise UnsupportedError(f"{self.heap.name} gives single pages, not one run of them")
        return found[0]

    def _proved(self, pages: PinnedPages, candidates: list[int]) -> int:
        why = "this kernel's pagemap does not tell where dma-heap memory is"
        if self._prove is None:
            raise UnsupportedError(f"{why}, and there is no DMA engine here to find out by")
        if not candidates:
            raise UnsupportedError(f"{why}, and the CMA areas' bitmaps are not in /sys/kernel/debug/cma: mount debugfs")
        memory, last = pages.view(0, pages.size, None), pages.size - _MAGIC
        magic = [(0, secrets.token_bytes(_MAGIC)), (last, secrets.token_bytes(_MAGIC))]
        for offset, text in magic:
            memory[offset : offset + _MAGIC] = bytearray(text)
        pages.sync_to_device(0, pages.size)
        for address in candidates:
            if all(self._prove(address + offset, _MAGIC) == text for offset, text in magic):
                return address
        raise UnsupportedError(
            f"{why}, and a DMA engine found what the CPU wrote at none of {len(candidates)} places that were taken "
            "meanwhile in the CMA areas"
        )

    def _chunk(self, descriptor: int, pages: PinnedPages, address: int) -> Chunk:
        size = pages.size

        def close() -> None:
            pages.close()
            os.close(descriptor)

        region = region_of(self, self.heap.name, address, size, pages)
        return Chunk(region, ((address, size),), close)
