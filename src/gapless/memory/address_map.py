"""Which region a physical address lies in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from ..errors import AddressError
from ..units import format_address, format_size
from .region import Region


class AddressMap:
    """Regions in order of address, none over another. ``str(map)`` is a table of them."""

    def __init__(self, regions: Iterable[Region] = ()) -> None:
        self._regions: list[Region] = []
        for region in regions:
            self.add(region)

    def add(self, region: Region) -> None:
        """Add a region; AddressError when it overlaps one that is there."""
        place = bisect_right(self._regions, region.base, key=lambda known: known.base)
        for other in self._regions[max(place - 1, 0) : place + 1]:
            if region.base < other.base + other.size and other.base < region.base + region.size:
                raise AddressError(f"region {_where(region)} overlaps region {_where(other)}")
        self._regions.insert(place, region)

    def exchange(self, gone: Iterable[Region], come: Iterable[Region]) -> None:
        """Replace regions by others; AddressError, and nothing changes, when one of these overlaps one that stays."""
        left = list(gone)
        self._regions = AddressMap([*(region for region in self._regions if region not in left), *come])._regions

    def find(self, address: int) -> Region | None:
        """The region that holds the byte at ``address``, or None."""
        place = bisect_right(self._regions, address, key=lambda known: known.base)
        region = self._regions[place - 1] if place else None
        return region if region is not None and address < region.base + region.size else None

    def resolve(self, address: int, nbytes: int = 1) -> Region:
        """The region that holds all ``nbytes`` bytes at ``address``; AddressError says what is around."""
        region = self.find(address)
        if region is None:
            raise AddressError(f"nothing is mapped at {format_address(address)}: {self._around(address)}")
        if nbytes < 0 or address + nbytes > region.base + region.size:
            raise AddressError(
                f"{format_size(nbytes)} at {format_address(address)} leaves region {_where(region)}: "
                f"{format_size(region.base + region.size - address)} are left there"
            )
        return region

    def __iter__(self) -> Iterator[Region]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)

    def __str__(self) -> str:
        rows = [("region", "from", "to", "size", "kind")]
        for region in self._regions:
            last = region.base + region.size - 1
            row = (region.name, format_address(region.base), format_address(last), format_size(region.size))
            rows.append((*row, region.kind.value))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def _around(self, address: int) -> str:
        place = bisect_right(self._regions, address, key=lambda known: known.base)
        below = [f"{_where(region)} is below" for region in self._regions[:place][-1:]]
        above = [f"{_where(region)} is above" for region in self._regions[place : place + 1]]
        return ", ".join(below + above) or "the map is empty"


def _where(region: Region) -> str:
    return f"{region.name} ({format_address(region.base)} to {format_address(region.base + region.size - 1)})"
