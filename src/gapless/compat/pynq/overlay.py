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
from .design import gpio_dict, interrupt_pins, ip_dict, mb_info
from .ip import DefaultIP, MicroblazeHierarchy, drivers
from .lib import DMA, AxiGPIO  # noqa: F401 - their import binds them

_USE_OF_IOP = """A wrapper loads the program of an IOP, which mb_info names:

    from iop.pynq_tutorial import Pynq_Tutorial
    iop = Pynq_Tutorial(overlay.iop1.mb_info)"""

#: Which overlay was downloaded last, by board.
_loaded: weakref.WeakKeyDictionary[Board, weakref.ref[Overlay]] = weakref.WeakKeyDictionary()


def loaded_overlay(board: Board) -> Overlay | None:
    """The overlay that was downloaded to a board last, while somebody has it."""
    last = _loaded.get(board)
    return None if last is None else last()


def forget_loaded(board: Board) -> None:
    """From now on no overlay counts as downloaded."""
    _loaded.pop(board, None)


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
        for ip in self.ip_dict.values():
            ip["device"] = self._board
        self._iops = {iop.name: iop for iop in spec.iops}
        inside = {mb_info(iop)["ip_name"] for iop in spec.iops}
        self._kinds = {
            name: drivers.get(ip["type"], DefaultIP) for name, ip in self.ip_dict.items() if name not in inside
        }
        # What an attribute is comes to be when it is first asked for: a driver may write to its IP then.
        self._parts: dict[str, Any] = dict.fromkeys((*self._iops, *self._kinds))
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
        return loaded_overlay(self._board) is self

    def __getattr__(self, name: str) -> Any:
        parts = self.__dict__.get("_parts", {})
        if name not in parts:
            raise AttributeError(f"overlay {self.__dict__.get('design')} has no {name!r}: it has {', '.join(parts)}")
        if not self.is_loaded():
            raise PynqError(f"Overlay not currently loaded: {self.design}.download() loads it")
        if parts[name] is None:
            parts[name] = self._make(name)
        return parts[name]

    def _make(self, name: str) -> DefaultIP | MicroblazeHierarchy:
        if name in self._iops:
            return MicroblazeHierarchy(self._board, self._iops[name])
        ip = self.ip_dict[name]
        made = self._kinds[name](ip)
        what = f"{name}, {ip['type']}: registers at {format_address(ip['phys_addr'])}, {format_size(ip['addr_range'])}."
        describe(made, name, f"{what}\n\n{type(made).__doc__ or ''}")
        return made

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parts]


def _text(overlay: Overlay) -> str:
    spec = overlay._board.spec
    rows: list[tuple[str, ...]] = [("attribute", "is", "registers", "driver")]
    for name, iop in overlay._iops.items():
        at = f"{format_address(iop.base)}, {format_size(iop.size)}"
        rows.append((name, "IOP (MicroBlaze)", at, f"{MicroblazeHierarchy.__module__}.MicroblazeHierarchy"))
    for name, kind in overlay._kinds.items():
        ip = overlay.ip_dict[name]
        at = f"{format_address(ip['phys_addr'])}, {format_size(ip['addr_range'])}"
        rows.append((name, ip["type"].split(":")[-2], at, f"{kind.__module__}.{kind.__name__}"))
    pins: list[tuple[str, ...]] = [("pin", "PS GPIO")]
    pins += [(name, f"EMIO {pin['index']}") for name, pin in overlay.gpio_dict.items()]
    lines: list[tuple[str, ...]] = [("interrupt", "line")]
    lines += [(name, str(pin["index"])) for name, pin in overlay.interrupt_pins.items()]
    return "\n\n".join(
        (
            f"Overlay {overlay.design} on {spec.title}, board {overlay._board.uri}.",
            f"It has {spec.design.removeprefix(overlay.design + ': ')}:",
            *(table(listed) for listed in (rows, pins, lines) if len(listed) > 1),
            "Each attribute has a help() of its own. Buffers for DMA engines and IOPs come from pynq.allocate().",
            *(_USE_OF_IOP for _ in spec.iops[:1]),
        )
    )


def _identifier(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
