"""BaseOverlay: PYNQ's base designs, with the names of what is on the board."""

from __future__ import annotations

from typing import Any

from ...lib import RGBLED, AxiGPIO, MicroblazeHierarchy
from ...overlay import Overlay

#: What the pins of an AXI GPIO are called, by the names that it has in the designs of several boards; and which way
#: they go.
_PINS = {
    "leds": (("leds_gpio", "gpio_leds"), "out"),
    "buttons": (("btns_gpio", "gpio_btns"), "in"),
    "switches": (("switches_gpio", "gpio_sws"), "in"),
}
_RGB_GPIO = "rgbleds_gpio"
_RGB_PINS = 3
#: The first two of the coloured LEDs have the numbers after those of the green ones: LD4 and LD5.
_FIRST_RGB = 4


class BaseOverlay(Overlay):
    """A base design of PYNQ's for a PYNQ-Z1, PYNQ-Z2 or ZCU104, from its hand-off, which comes with PYNQ.

    Source of names: PYNQ 3, ``boards/*/base/base.py``. HDMI, audio and trace analysers have their registers only.

    Args:
        bitfile: path of base.bit or base.hwh.
        kwargs: as for :class:`Overlay`.

    Attributes:
        leds, buttons, switches: channels of the AXI GPIOs, with their lengths and directions.
        rgbleds: the coloured LEDs by number; None before the first.
        PMODA, PMODB, ARDUINO, RPI, PMOD0, ...: the ``mb_info`` of each IOP, as far as the design has them.
    """

    def __init__(self, bitfile: str, **kwargs: Any) -> None:
        super().__init__(bitfile, **kwargs)
        if self.is_loaded():
            self._name_pins()
            for name in self.hierarchy_dict:
                iop = getattr(self, name)
                if isinstance(iop, MicroblazeHierarchy):
                    setattr(self, name.removeprefix("iop_").upper(), iop.mb_info)

    def _name_pins(self) -> None:
        for attribute, (names, direction) in _PINS.items():
            for name in names:
                if name in self.ip_dict:
                    channel = self._gpio(name).channel1
                    channel.setlength(self._width(name))
                    channel.setdirection(direction)
                    setattr(self, attribute, channel)
        if _RGB_GPIO in self.ip_dict:
            count = self._width(_RGB_GPIO) // _RGB_PINS
            made = [RGBLED(number, start_index=_FIRST_RGB) for number in range(_FIRST_RGB, _FIRST_RGB + count)]
            self.rgbleds: list[RGBLED | None] = [*[None] * _FIRST_RGB, *made]

    def _gpio(self, name: str) -> AxiGPIO:
        found: AxiGPIO = getattr(self, name)
        return found

    def _width(self, name: str) -> int:
        return int(self.ip_dict[name]["parameters"].get("C_GPIO_WIDTH", 32))
