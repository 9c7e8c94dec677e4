"""PL: what is in the programmable logic of the board in use."""

from __future__ import annotations

from typing import Any

from . import in_pl
from .board_in_use import board_in_use
from .dictionaries import Dictionaries
from .ip_data import load_ip_data


class ProgrammableLogic:
    """What the overlay that was downloaded last has; None and empty where there is none.

    It stays when nothing refers to that overlay any more. Source of names: PYNQ 3, ``pynq/pl.py``, where a class of
    the name ``PL`` has them.
    """

    @property
    def bitfile_name(self) -> str | None:
        """The absolute path of the bitstream, or the name that a built-in design was asked for by."""
        return None if (last := self._last) is None else last.bitfile_name

    @property
    def timestamp(self) -> str | None:
        """When it was downloaded: "year/month/day hour:minute:second +microsecond"."""
        return None if (last := self._last) is None else last.timestamp

    @property
    def ip_dict(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.ip_dict``."""
        return self._found.ip_dict

    @property
    def mem_dict(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.mem_dict``."""
        return self._found.mem_dict

    @property
    def gpio_dict(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.gpio_dict``."""
        return self._found.gpio_dict

    @property
    def interrupt_pins(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.interrupt_pins``."""
        return self._found.interrupt_pins

    @property
    def interrupt_controllers(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.interrupt_controllers``."""
        return self._found.interrupt_controllers

    @property
    def hierarchy_dict(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.hierarchy_dict``."""
        return self._found.hierarchy_dict

    @property
    def clock_dict(self) -> dict[int, dict[str, Any]]:
        """As ``Overlay.clock_dict``."""
        return self._found.clock_dict

    @property
    def devicetree_dict(self) -> dict[str, Any]:
        """Empty: no device-tree overlays are loaded here."""
        return {}

    def load_ip_data(self, ip_name: str, data: str, zero: bool = False) -> None:
        """See :func:`gapless.compat.pynq.ip_data.load_ip_data`."""
        load_ip_data(board_in_use(), self._found, ip_name, data, zero)

    def reset(self, parser: Any = None) -> None:
        """Forget the overlay: its attributes are there again when it is downloaded again."""
        in_pl.forget(board_in_use())

    def clear_dict(self) -> None:
        """As :meth:`reset`."""
        self.reset()

    def shutdown(self) -> None:
        """Nothing: there are no shutdown managers to tell."""

    @property
    def _last(self) -> in_pl.Loaded | None:
        return in_pl.loaded(board_in_use())

    @property
    def _found(self) -> Dictionaries:
        return Dictionaries() if (last := self._last) is None else last.dictionaries


PL = ProgrammableLogic()
