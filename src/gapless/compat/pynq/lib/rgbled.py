"""RGBLED: a coloured LED, three pins of an AXI GPIO."""

from __future__ import annotations

from typing import Any

from ....errors import BadArgumentError, UnknownNameError
from ..device import Device
from ..mmio import MMIO

RGB_CLEAR, RGB_BLUE, RGB_GREEN, RGB_CYAN, RGB_RED, RGB_MAGENTA, RGB_YELLOW, RGB_WHITE = range(8)
_TRISTATE, _PINS = 0x4, 3


class RGBLED:
    """One of the coloured LEDs on the AXI GPIO ``rgbleds_gpio`` of the design in the PL.

    Source of names: PYNQ 3, ``pynq/lib/rgbled.py``. What is written is read back from the GPIO, so that several
    objects for the same LEDs agree.

    Args:
        index: which LED; its pins are those from 3 * (index - start_index) on.
        ip_name: another GPIO than that.
        start_index: the index of the first LED; 4 on a PYNQ-Z1 and PYNQ-Z2.
        device: by default, the board in use.

    Raises:
        UnknownNameError: the design has no such GPIO.
        BadArgumentError: ``index`` is before the first, or beyond the pins.
    """

    def __init__(self, index: int, ip_name: str = "rgbleds_gpio", start_index: int = 4, device: Any = None) -> None:
        found = Device.active_device if device is None else device
        if ip_name not in found.ip_dict:
            raise UnknownNameError("IP", ip_name, found.ip_dict)
        ip = found.ip_dict[ip_name]
        pins = int(ip["parameters"].get("C_GPIO_WIDTH", 32))
        if not 0 <= index - start_index < pins // _PINS:
            raise BadArgumentError(
                f"index {index}: {ip_name} has the pins of {pins // _PINS} LEDs, counted from {start_index}"
            )
        self.index, self._shift = index, _PINS * (index - start_index)
        self._mmio = MMIO(ip["phys_addr"], 8, found)

    def on(self, color: int) -> None:
        """Show a colour: RGB_BLUE | RGB_GREEN | RGB_RED of them. BadArgumentError for no number from 0 to 7."""
        if color not in range(1 << _PINS):
            raise BadArgumentError(f"color {color!r} should be an integer value from 0 to 7.")
        mask = RGB_WHITE << self._shift
        self._mmio.write(_TRISTATE, self._mmio.read(_TRISTATE) & ~mask)
        self._mmio.write(0, (self._mmio.read(0) & ~mask) | color << self._shift)

    def off(self) -> None:
        """Show nothing."""
        self.on(RGB_CLEAR)

    def write(self, color: int) -> None:
        """As :meth:`on`."""
        self.on(color)

    def read(self) -> int:
        """The colour that it shows."""
        return self._mmio.read(0) >> self._shift & RGB_WHITE
