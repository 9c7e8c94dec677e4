"""Mode 4: huge pages, which plain user space gets with no kernel module, each physically contiguous.

Documentation/admin-guide/mm/hugetlbpage.rst. The pages come from files on a hugetlbfs, not from anonymous memory:
when a program is killed with a transfer under way, its pages stay in the file until the registry has stopped the
engine and unlinked it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..._native import PinnedPages, cache_needs_maintenance
from ...errors import AllocationError, GaplessError
from ...units import format_address, format_size
from ..chunked_pool import ChunkedPool
from ..lease import Runs
from ..page_runs import choose_pages, runs_of
from ..pool import Pool
from ..region import MemoryType
from ..source import Chunk, region_of
from .availability import Unavailable
from .huge_files import HugeFile, HugeFiles
from .pagemap import physical_pages, tells_addresses

if TYPE_CHECKING:
    from ...boards.spec import BoardSpec
    from ..claims import Claims

_PAGES = "sys/kernel/mm/hugepages"
# Where one run is a wish and no must: pages to look at, for each that is wanted, and at least. Each is zeroed.
_LOOK_AT, _LOOK_AT_LEAST = 4, 16
_ATTEMPTS = 3

COHERENT = "nothing to do: coherent"
BY_LINE = "dc cvac / dc civac"


def hugepages(
    spec: BoardSpec, *, root: Path = Path("/"), claims: Claims | None = None, page_size: int | None = None
) -> Pool | Unavailable:
    """The pool ``ps-hugepages``, or why there is none.

    Args:
        spec: the board; huge pages are the same on all.
        root: where /proc, /sys and /run are.
        claims: the registry of who has which memory.
        page_size: use pages of this many bytes only; None: any size the kernel keeps pages of.
    """
    del spec
    sizes = [size for size in PageSize.all(root) if page_size in {None, size.nbytes}]
    if not sizes:
        wanted = "no huge pages" if page_size is None else f"no huge pages of {format_size(page_size)}"
        return Unavailable(f"this kernel has {wanted} ({root / _PAGES})", "a kernel with CONFIG_HUGETLBFS")
    kept = [size for size in sizes if size.total()]
    if not kept:
        names = ", ".join(format_size(size.nbytes) for size in sizes)
        return Unavailable(f"the kernel keeps no huge pages (it could: of {names})", _advice(sizes))
    if not tells_addresses(root):
        return Unavailable(
            "this user is not told physical addresses: /proc/self/pagemap says 0 without CAP_SYS_ADMIN",
            "run as root (sudo); no udev rule or group opens it",
        )
    try:
        source = HugePages(root, kept, claims)
    except (GaplessError, OSError) as error:
        return Unavailable(f"huge pages cannot be taken: {error}", "run as root (sudo): mounting a hugetlbfs takes it")
    names = ", ".join(f"{size.total()} of {format_size(size.nbytes)}" for size in kept)
    return ChunkedPool(source, name="ps-hugepages", about=f"huge pages ({names}), {source.pinning}", claims=claims)


@dataclass(frozen=True)
class PageSize:
    """Huge pages of ``nbytes`` each; ``directory`` of sysfs has their numbers."""

    nbytes: int
    directory: Path

    @classmethod
    def all(cls, root: Path) -> list[PageSize]:
        """Those that the kernel knows, smallest first."""
        found = []
        for directory in (root / _PAGES).glob("hugepages-*kB"):
            kib = directory.name.removeprefix("hugepages-").removesuffix("kB")
            found.append(cls(int(kib) * 1024, directory))
        return sorted(found, key=lambda size: size.nbytes)

    def total(self) -> int:
        """Pages that the kernel keeps."""
        return self._number("nr_hugepages")

    def available(self) -> int:
        """Pages that nobody has or has reserved."""
        return max(0, self._number("free_hugepages") - self._number("resv_hugepages"))

    def _number(self, name: str) -> int:
        return int((self.directory / name).read_text())


class HugePages:
    """A source of huge pages, mapped side by side and pinned.

    Args:
        root: where /proc and /run are.
        sizes: those to take pages of, smallest first, at least one.
        claims: the registry.

    Attributes:
        pinning: in words, what keeps the pages at their addresses.
    """

    memory_type = MemoryType.NORMAL_CACHED

    def __init__(self, root: Path, sizes: list[PageSize], claims: Claims | None) -> None:
        self._root, self._sizes = root, sizes
        self._files = {size.nbytes: HugeFiles(root, size.nbytes, claims) for size in sizes}
        self.unit = sizes[0].nbytes
        self.coherent = not cache_needs_maintenance()
        self.sync_method = COHERENT if self.coherent else BY_LINE
        refusal = _pin_refusal()
        self._pins = not refusal
        self.pinning = f"not pinned ({refusal}): the kernel may move them" if refusal else "pinned by io_uring"
        # Two threads that look for neighbours at once would find none. Reentrant: the collector may run anything.
        self._turn = threading.RLock()

    def available(self) -> int:
        """Bytes that the kernel could lend now."""
        return sum(size.available() * size.nbytes for size in self._sizes)

    def take(self, nbytes: int, *, align: int, below: int | None, contiguous: bool) -> Chunk:
        """As :meth:`Source.take`: in the largest pages that ``nbytes`` fills, else smaller ones, else larger ones."""
        filled = [size for size in reversed(self._sizes) if size.nbytes <= nbytes]
        order = filled + [size for size in self._sizes if size.nbytes > nbytes]
        with self._turn:
            for last in (False, True):
                shortages = []
                for size in order:
                    try:
                        return self._take(size, nbytes, align, below, contiguous)
                    except AllocationError as error:
                        shortages.append(str(error))
                if not last:
                    for files in self._files.values():
                        files.sweep()
        asked = f"asked {format_size(nbytes)}{' in one run' if contiguous else ''}"
        asked += f" at a multiple of {format_size(align)}" if align > order[0].nbytes else ""
        asked += f" below {format_address(below)}" if below is not None else ""
        raise AllocationError(f"{asked} in ps-hugepages: {'; '.join(shortages)}; free a buffer, or {_advice(order)}")

    def _take(self, size: PageSize, nbytes: int, align: int, below: int | None, contiguous: bool) -> Chunk:
        count = -(-nbytes // size.nbytes)
        free = size.available()
        if free < count:
            raise AllocationError(f"{free} free pages of {format_size(size.nbytes)}, {count} needed")
        files = self._files[size.nbytes]

        def choose(pages: dict[int, int]) -> list[int] | None:
            return choose_pages(pages, size.nbytes, count, align=align, below=below, contiguous=contiguous)

        most = free if contiguous else min(free, max(_LOOK_AT * count, _LOOK_AT_LEAST))
        file = files.new()
        try:
            pages = self._gather(file, count, most, choose)
            mapping, runs = self._map(file, pages, choose)
        except BaseException:
            file.remove()
            raise
        chunk = self._chunk(file, mapping, runs)
        try:
            file.keep({pages[page] for first, length in runs for page in range(first, first + length, size.nbytes)})
        except BaseException:
            chunk.close()
            raise
        return chunk

    def _gather(
        self, file: HugeFile, count: int, most: int, choose: Callable[[dict[int, int]], list[int] | None]
    ) -> dict[int, int]:
        """Take pages until ``count`` of them are neighbours, or ``most`` are there: their offset, by address."""
        pages: dict[int, int] = {}
        wanted = count
        while True:
            offsets = file.grow(wanted - len(pages))
            if offsets:
                mapping = PinnedPages(file.descriptor, file.page, offsets)
                try:
                    addresses = physical_pages(self._root, mapping.pointer, file.page, len(offsets))
                finally:
                    mapping.close()
                pages.update(zip(addresses, offsets, strict=True))
            chosen = choose(pages)
            if chosen is not None and len(runs_of(chosen, file.page)) == 1:
                return pages
            if len(pages) < wanted or wanted >= most:
                return pages
            wanted = min(2 * wanted, most)

    def _map(
        self, file: HugeFile, pages: dict[int, int], choose: Callable[[dict[int, int]], list[int] | None]
    ) -> tuple[PinnedPages, Runs]:
        """Map and pin the best of ``pages``, which is corrected where the kernel moved one."""
        for _ in range(_ATTEMPTS):
            chosen = choose(pages)
            if chosen is None:
                raise AllocationError(_found(pages, file.page))
            offsets = [pages[address] for address in chosen]
            mapping = PinnedPages(file.descriptor, file.page, offsets)
            try:
                self._pin(mapping)
                addresses = physical_pages(self._root, mapping.pointer, file.page, len(chosen))
            except BaseException:
                mapping.close()
                raise
            if addresses == chosen:
                return mapping, runs_of(chosen, file.page)
            # The pin has moved pages out of memory that the kernel may want back. Where they are now they can stay.
            mapping.close()
            for address in chosen:
                del pages[address]
            pages.update(zip(addresses, offsets, strict=True))
        raise AllocationError(f"the kernel moved the pages {_ATTEMPTS} times while they were pinned; try again")

    def _pin(self, mapping: PinnedPages) -> None:
        try:
            if self._pins:
                mapping.pin()
        except OSError as error:
            raise AllocationError(f"the kernel does not pin {format_size(mapping.size)} of them: {error}") from None

    def _chunk(self, file: HugeFile, mapping: PinnedPages, runs: Runs) -> Chunk:
        def close() -> None:
            mapping.close()
            file.remove()

        base = runs[0][0] if len(runs) == 1 else 0
        region = region_of(self, "huge pages", base, mapping.size, mapping)
        return Chunk(region, runs, close, file.path)


def _found(pages: dict[int, int], page: int) -> str:
    runs = runs_of(sorted(pages), page)
    largest = max((nbytes for _, nbytes in runs), default=0)
    return f"{len(pages)} free pages of {format_size(page)}, the largest run of them {format_size(largest)}"


def _advice(sizes: list[PageSize]) -> str:
    size = sizes[0]
    short = format_size(size.nbytes).replace(" ", "").removesuffix("iB")
    return (
        f"have the kernel keep more: echo N > {size.directory / 'nr_hugepages'}, or, when that finds no memory "
        f"in one piece, boot with hugepagesz={short} hugepages=N"
    )


def _pin_refusal() -> str:
    """Why io_uring pins nothing here; empty where it does."""
    descriptor = os.memfd_create("gapless")
    try:
        os.ftruncate(descriptor, os.sysconf("SC_PAGE_SIZE"))
        page = PinnedPages(descriptor, os.sysconf("SC_PAGE_SIZE"), [0])
        try:
            page.pin()
        finally:
            page.close()
    except OSError as error:
        return f"no io_uring: {error.strerror}"
    finally:
        os.close(descriptor)
    return ""
