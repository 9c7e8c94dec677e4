"""Pins and the nets between them, and what drives each bit of a pin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ...errors import BadArgumentError
from .numbers import number

#: Blocks that only put wires together, take some out, or are constant: those of the IP catalog, and from Vivado 2024.2
#: on those that are written into the netlist itself.
CONCATS = frozenset({"xlconcat", "ilconcat"})
SLICES = frozenset({"xlslice", "ilslice"})
CONSTANTS = frozenset({"xlconstant", "ilconstant"})
_WIDEST = 1 << 16


@dataclass(frozen=True)
class Pin:
    """A pin of a block, or of the design when ``block`` is empty. ``drives``: its net has its value from it."""

    block: str
    port: str
    drives: bool
    width: int
    net: str
    frequency: float | None

    @property
    def name(self) -> str:
        """The path of the pin, as in PYNQ."""
        return f"{self.block}/{self.port}" if self.block else self.port


#: A bit of a pin that drives something, or None where nothing does, or a constant.
Bit = tuple[Pin, int] | None


class Netlist:
    """The nets of a design. ``names``: from instances to blocks."""

    def __init__(self, root: Element, modules: list[Element], names: Mapping[str, str]) -> None:
        self.pins: dict[str, Pin] = {}
        self.nets: dict[str, list[Pin]] = {}
        self.kinds = {names[module.get("INSTANCE", "")]: module.get("MODTYPE", "") for module in modules}
        self._options: dict[str, dict[str, str]] = {}
        self._driven: dict[str, list[Bit]] = {}
        self._clock_inputs: dict[str, list[Pin]] = {}
        for module in modules:
            block = names[module.get("INSTANCE", "")]
            if self.kinds[block] in CONCATS | SLICES:
                items = module.iterfind("PARAMETERS/PARAMETER")
                self._options[block] = {item.get("NAME", ""): item.get("VALUE", "") for item in items}
            for port in module.iterfind("PORTS/PORT"):
                self._add(port, block)
        for port in root.iterfind("EXTERNALPORTS/PORT"):
            self._add(port, "")

    def clocks(self, block: str) -> dict[str, float]:
        """The clock inputs of a block with their frequencies in Hz, as far as they are stated at either end."""
        found = {}
        for pin in self._clock_inputs.get(block, ()):
            stated = [other.frequency for other in (pin, *self.nets.get(pin.net, ())) if other.frequency]
            if stated:
                found[pin.port] = stated[0]
        return found

    def option(self, block: str, name: str) -> int:
        """A parameter of a concatenation or a slice."""
        return number(self._options[block].get(name), f"{name} of {block}")

    def bits(self, pin: Pin) -> list[Bit]:
        """What drives each bit of an input pin, the lowest first, through concatenations and slices."""
        drivers = [other for other in self.nets.get(pin.net, ()) if other.drives]
        return self._bits_of(drivers[0]) if drivers else [None] * pin.width

    def _bits_of(self, driver: Pin) -> list[Bit]:
        if driver.name not in self._driven:
            self._driven[driver.name] = [None] * driver.width  # what a loop of wires finds
            self._driven[driver.name] = self._find_bits(driver)
        return self._driven[driver.name]

    def _find_bits(self, driver: Pin) -> list[Bit]:
        kind = self.kinds.get(driver.block)
        if kind in CONSTANTS:
            return [None] * driver.width
        if kind in SLICES:
            din = self.pins.get(f"{driver.block}/Din")
            first, last = self.option(driver.block, "DIN_TO"), self.option(driver.block, "DIN_FROM")
            return self.bits(din)[first : last + 1] if din else [None] * driver.width
        if kind in CONCATS:
            together: list[Bit] = []
            for index in range(min(self.option(driver.block, "NUM_PORTS"), _WIDEST)):
                part = self.pins.get(f"{driver.block}/In{index}")
                width = part.width if part else 1
                bits = self.bits(part)[:width] if part else []
                together += bits + [None] * (width - len(bits))
            return together[:_WIDEST]
        return [(driver, index) for index in range(driver.width)]

    def _add(self, port: Element, block: str) -> None:
        name = port.get("NAME", "")
        # An input of the whole design drives the net inside it.
        drives = port.get("DIR") == ("O" if block else "I")
        hertz = port.get("CLKFREQUENCY")
        pin = Pin(
            block,
            name,
            drives,
            _width(port, f"{block}/{name}"),
            port.get("SIGNAME", ""),
            None if hertz is None else float(number(hertz, f"CLKFREQUENCY of {block}/{name}")),
        )
        self.pins[pin.name] = pin
        if pin.net:
            self.nets.setdefault(pin.net, []).append(pin)
        if port.get("SIGIS") == "clk" and port.get("DIR") == "I":
            self._clock_inputs.setdefault(block, []).append(pin)


def _width(port: Element, what: str) -> int:
    left, right = port.get("LEFT"), port.get("RIGHT")
    if left is None or right is None:
        return 1
    width = abs(number(left, f"LEFT of {what}") - number(right, f"RIGHT of {what}")) + 1
    if width > _WIDEST:
        raise BadArgumentError(f"{what} is {width} bits wide in the hand-off: none is wider than {_WIDEST}")
    return width
