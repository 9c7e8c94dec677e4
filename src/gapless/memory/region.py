"""A range of physical addresses that user code can map."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..boards.spec import MemoryKind
from ..errors import AddressError, BadArgumentError, UnsupportedError
from ..units import format_address, format_size


class MemoryType(str, Enum):
    """How the CPU sees a region, in Arm's words (DDI 0487, "Memory types and attributes")."""

    #: any access
    NORMAL_CACHED = "normal-cached"
    #: Normal Non-cacheable: any access, writes are gathered
    WRITE_COMBINING = "write-combining"
    #: aligned accesses only: any other is a SIGBUS
    DEVICE = "device"


class Region(Protocol):
    """Physical addresses ``base`` .. ``base + size`` (bytes), and how to reach what is there.

    Every method takes a physical address and a length in bytes, and raises AddressError when that
    range leaves the region.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def base(self) -> int: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def kind(self) -> MemoryKind: ...  # noqa: D102
    @property
    def memory_type(self) -> MemoryType: ...  # noqa: D102
    @property
    def windowed(self) -> bool:
        """True where memory is mapped in parts: :meth:`reach` comes before any access."""
        ...

    @property
    def coherent(self) -> bool:
        """True where CPU and devices see the same bytes at all times, so that the sync methods do nothing."""
        ...

    @property
    def sync_method(self) -> str:
        """How the two sync methods make CPU and devices see the same bytes, in words."""
        ...

    def map(self, address: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes at ``address``, shape (nbytes,), not copied. The array keeps ``owner`` alive."""
        ...

    def reach(self, address: int, nbytes: int) -> None:
        """Make sure that an access to what :meth:`map` gave for this range finds it mapped."""
        ...

    def sync_to_device(self, address: int, nbytes: int) -> None:
        """Make what the CPU wrote visible to devices."""
        ...

    def sync_from_device(self, address: int, nbytes: int) -> None:
        """Make what devices wrote visible to the CPU."""
        ...

    def prepare(self, address: int, nbytes: int) -> None:
        """A large buffer is about to be filled there (a hint)."""
        ...

    def discard(self, address: int, nbytes: int) -> None:
        """Nobody needs the contents any more (a hint)."""
        ...


class Mapper(Protocol):
    """What a :class:`MappedRegion` wraps: memory that gives out arrays on its bytes, by offset.

    Optional methods, each ``(offset, nbytes)``: ``reach`` (it is mapped in windows), ``discard``, ``advise_huge``,
    and, needed where the memory is not coherent, ``sync_to_device`` and ``sync_from_device``.
    """

    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes at ``offset``, not copied; the array keeps the mapping and ``owner`` alive."""
        ...


class MappedRegion:
    """A region whose bytes come from one mapping; ``base`` lies at ``offset`` bytes into it.

    ``coherent`` says that CPU and devices see the same bytes at all times, so that sync does nothing;
    ``sync_method`` says why that is so, or what the mapper's sync methods do.
    """

    def __init__(
        self,
        name: str,
        base: int,
        size: int,
        mapper: Mapper,
        *,
        kind: MemoryKind = MemoryKind.PS,
        memory_type: MemoryType = MemoryType.NORMAL_CACHED,
        coherent: bool = True,
        sync_method: str = "nothing to do: coherent",
        offset: int = 0,
    ) -> None:
        if base < 0 or size <= 0 or offset < 0:
            raise BadArgumentError(f"region {name}: base {base}, size {size}, offset {offset} in bytes")
        if not coherent and not hasattr(mapper, "sync_to_device"):
            raise UnsupportedError(f"region {name} is not coherent, and its mapping has no sync_to_device()")
        self.name, self.base, self.size = name, base, size
        self.kind, self.memory_type = kind, memory_type
        self.coherent, self.sync_method = coherent, sync_method
        self.windowed = hasattr(mapper, "reach")
        self._mapper, self._offset = mapper, offset

    def __repr__(self) -> str:
        return f"<region {self.name}: {format_size(self.size)} at {format_address(self.base)}>"

    def map(self, address: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes at ``address``, shape (nbytes,), not copied. The array keeps ``owner`` alive."""
        return self._mapper.view(self._to_offset(address, nbytes), nbytes, owner)

    def reach(self, address: int, nbytes: int) -> None:
        """Make sure that the bytes are mapped; nothing to do where all of the region is at all times."""
        self._pass_on("reach", address, nbytes)

    def sync_to_device(self, address: int, nbytes: int) -> None:
        """Make what the CPU wrote visible to devices; nothing to do on coherent memory."""
        self._pass_on("sync_to_device", address, nbytes, wanted=not self.coherent)

    def sync_from_device(self, address: int, nbytes: int) -> None:
        """Make what devices wrote visible to the CPU; nothing to do on coherent memory."""
        self._pass_on("sync_from_device", address, nbytes, wanted=not self.coherent)

    def prepare(self, address: int, nbytes: int) -> None:
        """A large buffer is about to be filled there: huge pages make that fast, where there are any."""
        self._pass_on("advise_huge", address, nbytes)

    def discard(self, address: int, nbytes: int) -> None:
        """Give the host its memory back, where the mapping can."""
        self._pass_on("discard", address, nbytes)

    def _pass_on(self, method: str, address: int, nbytes: int, *, wanted: bool = True) -> None:
        offset = self._to_offset(address, nbytes)
        call = getattr(self._mapper, method, None) if wanted else None
        if call is not None:
            call(offset, nbytes)

    def _to_offset(self, address: int, nbytes: int) -> int:
        if nbytes < 0 or address < self.base or address + nbytes > self.base + self.size:
            raise AddressError(
                f"{format_size(nbytes)} at {format_address(address)} is not inside region {self.name} "
                f"({format_address(self.base)} to {format_address(self.base + self.size - 1)})"
            )
        return address - self.base + self._offset
