"""Pins of the PS's GPIO that lead to the PL: reset lines, acknowledges, and what a program makes of them.

Sources: UG585 (Zynq-7000 TRM, "General Purpose I/O", appendix "GPIO"), UG1087 (ZynqMP registers, module GPIO).
"""

from __future__ import annotations

from typing import Protocol

from .._native import Bus
from ..boards import PeripheralSpec
from ..boards.ps_gpio import BANK_PINS, PS_GPIO
from ..errors import BadArgumentError

# Of bank n: two registers for 16 pins each, whose upper half says which pins keep their level (1) ...
_MASK_DATA, _MASK_DATA_STRIDE = 0x000, 8
# ... one for the levels of all its pins ...
_DATA_RO, _DATA_RO_STRIDE = 0x060, 4
# ... and what makes a pin an output.
_DIRECTION, _OUTPUT_ENABLE, _BANK_STRIDE = 0x204, 0x208, 0x40


class Pin(Protocol):
    """An output."""

    def set(self, level: bool) -> None:
        """Drive it."""
        ...


class RegisterPin:
    """A pin by the registers of the PS's GPIO.

    Args:
        bus: the register bus.
        gpio: the PS's GPIO.
        pin: counted from the first that leads to the PL.
    """

    def __init__(self, bus: Bus, gpio: PeripheralSpec, pin: int) -> None:
        layout = PS_GPIO[gpio.kind]
        if not 0 <= pin < layout.emio_pins:
            raise BadArgumentError(f"pin {pin} of {gpio.name}: 0 to {layout.emio_pins - 1} lead to the PL")
        self._bus, bank, self._bit = bus, layout.first_bank + pin // BANK_PINS, pin % BANK_PINS
        self._mask_data = gpio.base + _MASK_DATA + _MASK_DATA_STRIDE * bank + 4 * (self._bit // 16)
        self._enables = tuple(gpio.base + at + _BANK_STRIDE * bank for at in (_DIRECTION, _OUTPUT_ENABLE))
        self._levels = gpio.base + _DATA_RO + _DATA_RO_STRIDE * bank
        self._enabled = False

    def level(self) -> bool:
        """What is on the pin: of one that nobody drives, what the PL gives it."""
        return bool(self._bus.read32(self._levels) >> self._bit & 1)

    def release(self) -> None:
        """Make it an input."""
        for register in reversed(self._enables):
            self._bus.write32(register, self._bus.read32(register) & ~(1 << self._bit))
        self._enabled = False

    def set(self, level: bool) -> None:
        """Drive it. Other pins of the bank are not touched: no other program can come between."""
        bit = 1 << self._bit % 16
        self._bus.write32(self._mask_data, (~bit & 0xFFFF) << 16 | (bit if level else 0))
        if not self._enabled:  # after the level: it must not be the wrong one for a moment
            for register in self._enables:
                self._bus.write32(register, self._bus.read32(register) | 1 << self._bit)
            self._enabled = True
