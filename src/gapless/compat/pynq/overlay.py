"""Overlay: a design in the PL, and what it has, as attributes."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

from ...board import Board
from ...boards.designs import DESIGNS
from ...errors import PynqError, UnknownNameError, UnsupportedError
from ...units import format_address, format_size
from .board_in_use import board_in_use
from .described import describe, table
from .design import gpio_dict, interrupt_pins, ip_dict, pl_peripherals
from .ip import DefaultIP, MicroblazeHierarchy

_USE_OF_IOP = """A wrapper loads the program of an IOP, which mb_info names:

    from iop.pynq_tutorial import Pynq_Tutorial
    iop = Pynq_Tutorial(overlay.iop1.mb_info)"""

#: Which overlay was downloaded last, by board.
_loaded: weakref.WeakKeyDictionary[Board, weakref.ref[Overlay]] = weakref.WeakKeyDictionary()


class Overlay:
    """A design in the PL of the board in use; its IP, IOPs and DMA engines are attributes.

    Source of names: PYNQ 2.6, ``pynq/overlay.py``. The designs are those that gapless has a description of, found by
    the name of the file without its folder and suffix; on a virtual board the file may be missing. ``help(overlay)``
    lists what the design has.

    Args:
        bitfile_name: path of the .bit file.
        dtbo: not supported; None.
        download: load it at once. Else its attributes raise PynqError until :meth:`download`.
        ignore_version, device: PYNQ's; they change nothing here.

    Raises:
        UnknownNameError: there is no such design for this board; the message lists those there are.
        UnsupportedError: the board in use was opened without its design.
        BadArgumentError, UnsupportedError, FpgaLoadError and others: it cannot be loaded, see ``Board.load``.
    """

    def __init__(
        self,
        bitfile_name: str,
        dtbo: str | None = None,
        download: bool = True,
        ignore_version: bool = False,
        device: Any = None,
    ) -> None:
        self._board = board_in_use()
        spec = self._board.spec
        if dtbo is not None:
            raise PynqError(f"dtbo={dtbo!r}: device-tree overlays are not loaded here; the engines need none")
        self.bitfile_name = str(bitfile_name)
        self.design = Path(bitfile_name).stem
        known = DESIGNS.get(spec.name, ())
        if self.design not in known:
            raise UnknownNameError(f"design of {spec.title} called", self.design, known)
        self.ip_dict, self.gpio_dict, self.interrupt_pins = ip_dict(spec), gpio_dict(spec), interrupt_pins(spec)
        self._parts = _parts(self._board, self.ip_dict)
        if not self._parts:
            raise UnsupportedError(f"board {self._board.uri} knows nothing that is in the PL: design {spec.design}")
        # Reading an attribute asks each time whether the design is still there.
        describe(self, _identifier(self.design), _text(self))
        if download:
            self.download()

    def download(self, dtbo: str | None = None) -> None:
        """Load the design into the PL; whatever was loaded before is gone."""
        self._board.load(self.bitfile_name)
        _loaded[self._board] = weakref.ref(self)

    def is_loaded(self) -> bool:
        """Whether this is what was loaded into the PL last."""
        last = _loaded.get(self._board)
        return last is not None and last() is self

    def __getattr__(self, name: str) -> Any:
        parts = self.__dict__.get("_parts", {})
        if name not in parts:
            raise AttributeError(f"overlay {self.__dict__.get('design')} has no {name!r}: it has {', '.join(parts)}")
        if not self.is_loaded():
            raise PynqError(f"Overlay not currently loaded: {self.design}.download() loads it")
        return parts[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parts]


def _parts(board: Board, ips: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {iop.name: MicroblazeHierarchy(board, iop) for iop in board.spec.iops}
    found |= {dma.name: board.dma(dma.name) for dma in board.spec.dmas}
    found |= {part.name: DefaultIP(board, part.name, ips[part.name]) for part in pl_peripherals(board.spec)}
    return found


def _text(overlay: Overlay) -> str:
    spec = overlay._board.spec
    rows: list[tuple[str, ...]] = [("attribute", "is", "registers", "driver")]
    for name, part in overlay._parts.items():
        if isinstance(part, MicroblazeHierarchy):
            what, at, size = "IOP (MicroBlaze)", part.spec.base, part.spec.size
        else:
            ip = overlay.ip_dict[name]
            what, at, size = ip["type"].split(":")[-2], ip["phys_addr"], ip["addr_range"]
        kind = type(part).__mro__[1] if type(part).__module__.startswith(__package__) else type(part)
        rows.append((name, what, f"{format_address(at)}, {format_size(size)}", f"{kind.__module__}.{kind.__name__}"))
    pins: list[tuple[str, ...]] = [("pin", "PS GPIO")]
    pins += [(name, f"EMIO {pin['index']}") for name, pin in overlay.gpio_dict.items()]
    lines: list[tuple[str, ...]] = [("interrupt", "line")]
    lines += [(name, str(pin["index"])) for name, pin in overlay.interrupt_pins.items()]
    return "\n\n".join(
        (
            f"Overlay {overlay.design} on {spec.title}, board {overlay._board.uri}.",
            f"It has {spec.design.removeprefix(overlay.design + ': ')}:",
            *(table(listed) for listed in (rows, pins, lines) if len(listed) > 1),
            "Each attribute has a help() of its own. Buffers for DMA engines and IOPs come from Xlnk().cma_array().",
            *(_USE_OF_IOP for _ in spec.iops[:1]),
        )
    )


def _identifier(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
