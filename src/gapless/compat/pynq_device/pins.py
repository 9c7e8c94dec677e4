"""Pins of a board's PS where PYNQ has files of Linux's GPIO."""

from __future__ import annotations

from ..pynq.gpio import GPIO


class Line:
    """Stands in for ``pynq.gpio._GPIO``: a pin in one direction.

    Args:
        gpio_index: its number, counted from 0 through all banks of the PS's GPIO.
        direction: "in" or "out".
    """

    def __init__(self, gpio_index: int, direction: str) -> None:
        self.index, self.direction, self.path = gpio_index, direction, ""
        self._pin: GPIO | None = GPIO(gpio_index, direction)

    def read(self) -> int:
        """The level of an input."""
        return self._gpio().read()

    def write(self, value: int) -> None:
        """Drive an output."""
        self._gpio().write(value)

    def unexport(self) -> None:
        """Let others have it, in any direction."""
        if self._pin is not None:
            self._pin.release()
            self._pin = None

    def is_exported(self) -> bool:
        """Whether it has not been let go of."""
        return self._pin is not None

    def _gpio(self) -> GPIO:
        if self._pin is None:
            self._pin = GPIO(self.index, self.direction)
        return self._pin
