"""What an overlay has as attributes: IP, and soft processors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...board import Board
from ...boards import IopSpec
from ...errors import BadArgumentError
from ...units import format_address, format_size
from .described import describe
from .design import mb_info
from .mmio import MMIO
from .registers import RegisterMap

if TYPE_CHECKING:
    from ...iop import Iop


#: The drivers by the type of IP that they are for.
drivers: dict[str, type[DefaultIP]] = {}


class DefaultIP:
    """An IP: its registers, and what those who inherit from it know to do with them.

    A class that inherits from it and has ``bindto``, a list of types (``"xilinx.com:ip:axi_gpio:2.0"``), is what
    overlays that are made from then on have for such IP.

    Source of names: PYNQ 3, ``pynq/overlay.py``.

    Args:
        description: of the IP, as in ``Overlay.ip_dict``: its ``phys_addr`` and ``addr_range`` (bytes); ``fullpath``,
            ``registers`` and ``device`` (the board) where they are known.

    Attributes:
        description: as given.
        device: the board that it is on.
        mmio: its registers.
    """

    bindto: Sequence[str] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Bind the class to the types that it names itself."""
        super().__init_subclass__(**kwargs)
        drivers.update(dict.fromkeys(cls.__dict__.get("bindto", ()), cls))

    def __init__(self, description: Mapping[str, Any]) -> None:
        if not isinstance(description, Mapping) or not {"phys_addr", "addr_range"} <= set(description):
            raise BadArgumentError(
                f"description {description!r}: a dict with 'phys_addr' and 'addr_range' is asked for, such as "
                "overlay.ip_dict['leds_gpio']"
            )
        self.description = description
        self.mmio = MMIO(description["phys_addr"], description["addr_range"], description.get("device"))
        self.device = self.mmio.device

    def read(self, offset: int = 0) -> int:
        """The 32-bit register at ``offset`` (bytes, a multiple of 4)."""
        return self.mmio.read(offset)

    def write(self, offset: int, value: int | bytes) -> None:
        """Write the 32-bit register at ``offset`` (bytes, a multiple of 4)."""
        self.mmio.write(offset, value)

    @property
    def register_map(self) -> Any:
        """Its registers by name, a :class:`RegisterMap`; AttributeError where nothing says what they are."""
        name, registers = self.description.get("fullpath", "IP"), self.description.get("registers")
        if not registers:
            raise AttributeError(
                f"{name} has no register_map: nothing here describes its registers; use read and write"
            )
        return RegisterMap.create_subclass(name, registers)(self.mmio.array)


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
