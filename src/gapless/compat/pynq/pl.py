"""PL: what is in the programmable logic of the board in use."""

from __future__ import annotations

from typing import Any

from .board_in_use import board_in_use
from .overlay import Overlay, forget_loaded, loaded_overlay


class ProgrammableLogic:
    """What the overlay that was downloaded last has; None and empty where there is none.

    Source of names: PYNQ 3, ``pynq/pl.py``, where a class of the name ``PL`` has them.
    """

    @property
    def bitfile_name(self) -> str | None:
        """As the overlay was given it."""
        return None if (loaded := self._loaded) is None else loaded.bitfile_name

    @property
    def ip_dict(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.ip_dict``."""
        return {} if (loaded := self._loaded) is None else loaded.ip_dict

    @property
    def gpio_dict(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.gpio_dict``."""
        return {} if (loaded := self._loaded) is None else loaded.gpio_dict

    @property
    def interrupt_pins(self) -> dict[str, dict[str, Any]]:
        """As ``Overlay.interrupt_pins``."""
        return {} if (loaded := self._loaded) is None else loaded.interrupt_pins

    def reset(self) -> None:
        """Forget the overlay: its attributes are there again when it is downloaded again."""
        forget_loaded(board_in_use())

    @property
    def _loaded(self) -> Overlay | None:
        return loaded_overlay(board_in_use())


PL = ProgrammableLogic()
