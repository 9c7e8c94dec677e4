"""Memory of a design, as something to allocate from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import UnsupportedError
from ...memory import Pool
from ...units import format_address, format_size
from .buffer import allocate
from .mmio import MMIO

if TYPE_CHECKING:
    from .device import Device


class Memory:
    """A memory that the design has: ``overlay.ddr4_0``, or ``overlay.PSDDR`` for that of the PS.

    ``allocate(shape, dtype, target=overlay.ddr4_0)`` has arrays on it, and as small ones of the PL (BRAM) have none,
    it can be read and written by the word, too.

    Source of names: PYNQ 3, ``EmbeddedXrtMemory`` of ``pynq/pl_server/embedded_device.py``.

    Attributes:
        device: that it is on.
        description: its entry in ``mem_dict``.
        base_address, size: in bytes.
    """

    def __init__(self, device: Device, desc: dict[str, Any]) -> None:
        self.device, self.description = device, desc
        self.base_address, self.size = desc["base_address"], desc["size"]

    def __repr__(self) -> str:
        return f"<Memory {self.description['tag']}: {format_size(self.size)} at {format_address(self.base_address)}>"

    @property
    def pool(self) -> Pool:
        """The pool of the board in this memory; UnsupportedError when there is none."""
        end = self.base_address + self.size
        for pool in self.device.board.memory.values():
            if self.base_address <= pool.base < end:
                return pool
        raise UnsupportedError(
            f"{self!r} has no pool on {self.device.tag}: read and write it by the word, or allocate from one of "
            f"{', '.join(self.device.board.memory) or 'none'}"
        )

    def allocate(self, shape: Any, dtype: Any = "u4", **kwargs: Any) -> Any:
        """As ``pynq.allocate``, in this memory."""
        return allocate(shape, dtype, target=self.pool, **kwargs)

    @property
    def mmio(self) -> MMIO:
        """Its words as registers."""
        return MMIO(self.base_address, self.size, self.device)

    def read(self, offset: int = 0) -> int:
        """The 32-bit word at ``offset`` (bytes, a multiple of 4)."""
        return self.mmio.read(offset)

    def write(self, offset: int, value: int | bytes) -> None:
        """Write a 32-bit word, or bytes, at ``offset`` (bytes, a multiple of 4)."""
        self.mmio.write(offset, value)
