"""What an overlay has as attributes, besides the DMA engines of gapless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...board import Board
from ...boards import IopSpec
from ...errors import BadArgumentError
from ...units import format_address, format_size
from .described import describe
from .design import mb_info

if TYPE_CHECKING:
    from ...iop import Iop


class DefaultIP:
    """An IP without a driver of its own: its registers."""

    def __init__(self, board: Board, name: str, description: dict[str, Any]) -> None:
        self._board, self.description = board, description
        self.base, self.size = description["phys_addr"], description["addr_range"]
        describe(
            self,
            name,
            f"{name}, {description['type']}: registers at {format_address(self.base)}, read(offset) and "
            "write(offset, value).",
        )

    def read(self, offset: int = 0) -> int:
        """The 32-bit register at ``offset`` (bytes, a multiple of 4)."""
        return self._board.bus.read32(self._address(offset))

    def write(self, offset: int, value: int) -> None:
        """Write the 32-bit register at ``offset`` (bytes, a multiple of 4)."""
        self._board.bus.write32(self._address(offset), value & 0xFFFF_FFFF)

    def _address(self, offset: int) -> int:
        if not 0 <= offset < self.size or offset % 4:
            raise BadArgumentError(
                f"offset {offset:#x}: a multiple of 4 below {self.size:#x}, the size of {self.description['fullpath']}"
            )
        return int(self.base) + offset


class MicroblazeHierarchy:
    """An IOP of the design, for the wrapper of a MicroBlaze program: it takes ``mb_info``."""

    def __init__(self, board: Board, spec: IopSpec) -> None:
        self._board, self.spec, self._mb_info = board, spec, mb_info(spec)
        describe(
            self,
            spec.name,
            f"{spec.name}: a MicroBlaze at {spec.clock / 1e6:g} MHz with {format_size(spec.size)} of memory that the "
            f"host sees at {format_address(spec.base)}.\n\n"
            f"It sees {format_size(spec.window.size)} of the board's memory, from physical address "
            f"{format_address(spec.window.physical)} on, at {format_address(spec.window.base)}.\n"
            "Give mb_info to the wrapper of a program, or use iop.",
        )

    @property
    def mb_info(self) -> dict[str, str]:
        """The IOP and its wires by name: ip_name, rst_name, intr_pin_name, intr_ack_name and mb_type."""
        return self._mb_info

    @property
    def mbtype(self) -> str:
        """What its pins lead to, ``mb_info["mb_type"]``."""
        return self._mb_info["mb_type"]

    @property
    def iop(self) -> Iop:
        """The IOP as gapless has it: load(), start(), mailbox, wait_idle()."""
        return self._board.iop(self.spec.index)
