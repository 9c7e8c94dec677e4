"""GPIO: pins of the PS that lead into the PL."""

from __future__ import annotations

import weakref
from typing import Any

from ...board import Board
from ...boards.ps_gpio import PS_GPIO, PsGpioLayout
from ...errors import BadArgumentError, PynqDirectionError, PynqError, UnsupportedError
from ...iop import Pin, RegisterPin
from .board_in_use import board_in_use

#: Pins in use, by board: PYNQ, too, gives one object to all who ask for a pin.
_used: weakref.WeakKeyDictionary[Board, weakref.WeakValueDictionary[int, _Line]] = weakref.WeakKeyDictionary()


class _Line:
    """A pin in one direction."""

    def __init__(self, index: int, direction: str, pin: Pin) -> None:
        self.index, self.direction, self.pin = index, direction, pin


class GPIO:
    """A pin of the PS's GPIO on the board in use: ``GPIO(GPIO.get_gpio_pin(0), "out")``.

    Source of names and behaviour: PYNQ 3, ``pynq/gpio.py``. Pins are counted from 0 through all banks, whatever
    number Linux has for the first.

    Args:
        gpio_index: what ``get_gpio_pin`` gave.
        direction: "in" or "out".

    Raises:
        BadArgumentError: no such pin leads into the PL, or no such direction.
        PynqDirectionError: it is in use in the other direction.
        UnsupportedError: the board has no such GPIO, or a real one gives this pin to nobody.
    """

    def __init__(self, gpio_index: int, direction: str) -> None:
        if direction not in ("in", "out"):
            raise BadArgumentError(f"Direction should be in or out, not {direction!r}.")
        board = board_in_use()
        lines = _used.setdefault(board, weakref.WeakValueDictionary())
        line = lines.get(gpio_index)
        if line is not None and line.direction != direction:
            raise PynqDirectionError(f"GPIO already in use in other direction: pin {gpio_index} is '{line.direction}'")
        if line is None:
            line = lines[gpio_index] = _Line(gpio_index, direction, _pin(board, gpio_index, direction))
        self._lines = lines
        self._held: _Line | None = line

    @property
    def index(self) -> int:
        """As given."""
        return self._line.index

    @property
    def direction(self) -> str:
        """ "in" or "out"."""
        return self._line.direction

    def read(self) -> int:
        """The level of an input, 0 or 1; PynqDirectionError for an output."""
        pin = self._line.pin
        if self.direction != "in" or not isinstance(pin, RegisterPin):
            raise PynqDirectionError("Cannot read GPIO output.")
        return int(pin.level())

    def write(self, value: int) -> None:
        """Drive an output; PynqDirectionError for an input."""
        if self.direction != "out":
            raise PynqDirectionError("Cannot write GPIO input.")
        if value not in (0, 1):
            raise BadArgumentError(f"Can only write integer 0 or 1, not {value!r}.")
        self._line.pin.set(bool(value))

    def release(self) -> None:
        """Let others have it, in any direction; it stays as it is. Afterwards this object is of no use."""
        self._lines.pop(self._line.index, None)
        self._held = None

    @property
    def _line(self) -> _Line:
        if self._held is None:
            raise PynqError("this GPIO was released")
        return self._held

    @staticmethod
    def get_gpio_base(target_label: str | None = None) -> int:
        """The number of the first pin: 0 here."""
        _refuse(target_label)
        return 0

    @staticmethod
    def get_gpio_pin(gpio_user_index: int, target_label: str | None = None) -> int:
        """The number of a pin that is counted from the first that leads into the PL."""
        _refuse(target_label)
        return _layout(board_in_use()).first_pin + gpio_user_index

    @staticmethod
    def get_gpio_npins(target_label: str | None = None) -> int:
        """How many pins there are, those that do not lead into the PL, too."""
        _refuse(target_label)
        return _layout(board_in_use()).pins


def _pin(board: Board, index: int, direction: str) -> Pin:
    pin = board.pin(index - _layout(board).first_pin)
    if direction == "in":
        if not isinstance(pin, RegisterPin):
            raise UnsupportedError(f"pin {index} of {board.uri}: a real board's pins are outputs only here")
        pin.release()
    return pin


def _layout(board: Board) -> PsGpioLayout:
    gpio = board.spec.ps_gpio
    if gpio is None:
        raise UnsupportedError(f"{board.uri} knows of no GPIO of the PS")
    return PS_GPIO[gpio.kind]


def _refuse(target_label: Any) -> None:
    if target_label is not None:
        raise UnsupportedError(f"target_label={target_label!r}: only the PS's own GPIO is known here")
