"""What the kernel knows of physical addresses: /proc/iomem."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import AccessDeniedError, AddressError
from ...units import format_address, format_size
from .ranges import Span, merge

#: What Linux hands out itself begins with this; kernel code, reservations and the like are below it.
_SYSTEM_RAM = "System RAM"
#: On arm64, memory that is reserved with no-map has this name at the top (arch/arm64/kernel/setup.c,
#: request_standard_resources); what is reserved without is below System RAM.
_NO_MAP = "reserved"

ROOT_NEEDED = (
    "/proc/iomem shows addresses to root only (CAP_SYS_ADMIN), and without them nobody can say what Linux manages"
)
ROOT_FIX = (
    "run as root; a group or a udev rule for /dev/mem is not enough: the kernel also wants CAP_SYS_RAWIO for it, and "
    "CAP_SYS_ADMIN for /proc/iomem"
)


@dataclass(frozen=True)
class Entry:
    """One line: ``base`` to ``end`` (last address + 1), who has it, and in how many others it lies."""

    base: int
    end: int
    name: str
    depth: int = 0

    @property
    def span(self) -> Span:
        """Its addresses."""
        return self.base, self.end

    def overlaps(self, base: int, nbytes: int) -> bool:
        """Whether it has any of the ``nbytes`` from ``base`` on."""
        return self.base < base + nbytes and base < self.end

    def __str__(self) -> str:
        return f"{format_address(self.base)}-{format_address(self.end - 1)} {self.name}"


class Iomem:
    """The entries of /proc/iomem, in its order: each comes before what lies in it.

    ``readable`` is False where the file is missing or shows no addresses; nothing is known then.
    """

    def __init__(self, text: str) -> None:
        self.entries = tuple(_parsed(line) for line in text.splitlines() if " : " in line)
        # Who may not know sees 00000000-00000000 throughout (kernel/resource.c, r_show).
        self.readable = any(entry.end > 1 for entry in self.entries)

    @classmethod
    def read(cls, root: Path = Path("/")) -> Iomem:
        """Of this machine, or of what stands for it."""
        try:
            return cls((root / "proc/iomem").read_text(encoding="ascii", errors="replace"))
        except OSError:
            return cls("")

    @property
    def managed(self) -> tuple[Span, ...]:
        """What Linux hands out: memory of programs and of itself."""
        return merge(entry.span for entry in self.top if entry.name.startswith(_SYSTEM_RAM))

    @property
    def no_map(self) -> tuple[Span, ...]:
        """Memory that Linux knows and leaves alone: reserved with ``no-map``."""
        return merge(entry.span for entry in self.top if entry.name == _NO_MAP)

    @property
    def top(self) -> tuple[Entry, ...]:
        """The entries that lie in no other."""
        return tuple(entry for entry in self.entries if entry.depth == 0)

    def refuse_managed(self, base: int, nbytes: int) -> None:
        """AddressError when Linux manages any of the ``nbytes`` from ``base`` on; it names the entry.

        AccessDeniedError when nobody can tell.
        """
        self._refuse(base, nbytes, [entry for entry in self.top if entry.name.startswith(_SYSTEM_RAM)])

    def refuse_used(self, base: int, nbytes: int) -> None:
        """As :meth:`refuse_managed`, and also when a driver has any of it. Memory with ``no-map`` passes."""
        self._refuse(base, nbytes, [entry for entry in self.top if entry.name != _NO_MAP])

    def _refuse(self, base: int, nbytes: int, entries: list[Entry]) -> None:
        if not self.readable:
            raise AccessDeniedError(f"{format_size(nbytes)} at {format_address(base)}: {ROOT_NEEDED}; {ROOT_FIX}")
        for entry in entries:
            if entry.overlaps(base, nbytes):
                raise AddressError(
                    f"{format_size(nbytes)} at {format_address(base)} is not ours to map: {self._within(entry, base)} "
                    "is in it (/proc/iomem). Ask for memory that Linux does not manage, or allocate from a pool"
                )

    def _within(self, entry: Entry, address: int) -> str:
        at = max(entry.base, address)
        inner = [part for part in self.entries if part.depth and part.base <= at < part.end]
        return f"{entry}, there {inner[-1]}," if inner else str(entry)


def _parsed(line: str) -> Entry:
    addresses, _, name = line.partition(" : ")
    text = addresses.lstrip(" ")
    first, _, last = text.partition("-")
    return Entry(int(first, 16), int(last, 16) + 1, name.strip(), (len(addresses) - len(text)) // 2)
