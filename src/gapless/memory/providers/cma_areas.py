"""Which pages of the kernel's CMA areas are taken: /sys/kernel/debug/cma (mm/cma_debug.c)."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

_DIRECTORY = "sys/kernel/debug/cma"
_WORD = 32


def cma_free(root: Path) -> int:
    """Bytes of all CMA areas that nobody has; 0 where the kernel has none.

    Linux uses these areas meanwhile for pages that it can move away; what it would have to move is not counted.
    """
    for line in (root / "proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "CmaFree":
            return int(rest.split()[0]) * 1024
    return 0


@dataclass(frozen=True)
class CmaArea:
    """Pages from physical address ``base`` on; bit n of ``taken`` stands for ``unit`` bytes from ``n * unit`` on."""

    base: int
    unit: int
    taken: int


def cma_areas(root: Path) -> dict[str, CmaArea]:
    """The areas now, by their folder; none where debugfs is not there or not ours to read."""
    areas = {}
    for directory in sorted((root / _DIRECTORY).glob("*")):
        order = _number(directory / "order_per_bit")
        # Since Linux 6.15 an area has ranges, each in a folder of its own.
        for place in sorted((directory / "ranges").glob("*")) or [directory]:
            taken = 0
            for index, word in enumerate((place / "bitmap").read_text().split()):
                taken |= int(word) << (index * _WORD)
            base = _number(place / "base_pfn") * mmap.PAGESIZE
            areas[str(place)] = CmaArea(base, mmap.PAGESIZE << order, taken)
    return areas


def newly_taken(before: dict[str, CmaArea], after: dict[str, CmaArea], nbytes: int) -> list[int]:
    """Physical addresses at which ``nbytes`` were free before and are taken now."""
    found = []
    for place, area in after.items():
        fresh = area.taken & ~before[place].taken if place in before else 0
        length = -(-nbytes // area.unit)
        position = 0
        while fresh >> position:
            if (fresh >> position) & 1 == 0:
                position += 1
                continue
            run = 0
            while (fresh >> (position + run)) & 1:
                run += 1
            found += [area.base + (position + shift) * area.unit for shift in range(run - length + 1)]
            position += run
    return found


def _number(path: Path) -> int:
    return int(path.read_text())
