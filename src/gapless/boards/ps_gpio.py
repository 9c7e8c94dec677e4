"""The PS's GPIO of each family: which of its pins lead to the PL (EMIO).

Sources: UG585 and UG1085, "General Purpose I/O" and "System Addresses"; Linux,
drivers/gpio/gpio-zynq.c (numbers of pins).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

BANK_PINS = 32


class PsGpioLayout(NamedTuple):
    """``banks`` banks from ``first_bank`` on lead to the PL; ``first_pin``: their first, counted through all banks.

    ``base``: of its registers. ``label``: what Linux's driver calls it.
    """

    base: int
    first_bank: int
    banks: int
    first_pin: int
    label: str

    @property
    def emio_pins(self) -> int:
        """How many lead to the PL."""
        return self.banks * BANK_PINS

    @property
    def pins(self) -> int:
        """How many there are, those of the package (MIO), too."""
        return self.first_pin + self.emio_pins


#: By the kind of its PeripheralSpec.
PS_GPIO: Mapping[str, PsGpioLayout] = {
    "ps-gpio-7000": PsGpioLayout(0xE000_A000, 2, 2, 54, "zynq_gpio"),
    "ps-gpio-mp": PsGpioLayout(0xFF0A_0000, 3, 3, 78, "zynqmp_gpio"),
}
