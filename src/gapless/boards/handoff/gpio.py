"""What the PS's GPIO drives in the PL (EMIO)."""

from __future__ import annotations

from collections.abc import Iterator

from .design import GpioPin
from .netlist import SLICES, Netlist, Pin
from .ps import Ps


def gpio_pins(netlist: Netlist, ps_name: str, ps: Ps) -> Iterator[GpioPin]:
    """Every slice of the PS's GPIO outputs, also slices of slices, and the pins that take it as a whole."""
    if source := netlist.pins.get(f"{ps_name}/{ps.gpio}"):
        yield from _taken(netlist, source, 0, frozenset())


def _taken(netlist: Netlist, source: Pin, first: int, seen: frozenset[str]) -> Iterator[GpioPin]:
    for pin in netlist.nets.get(source.net, ()):
        if pin.drives or pin.block in seen:
            continue
        out = netlist.pins.get(f"{pin.block}/Dout")
        if netlist.kinds.get(pin.block) not in SLICES or out is None:
            if not seen:  # else the slice's own entry names it
                yield GpioPin(pin.name, first, pin.width, source.net, (pin.name,))
            continue
        low = first + netlist.option(pin.block, "DIN_TO")
        high = first + netlist.option(pin.block, "DIN_FROM")
        pins = tuple(sorted(other.name for other in netlist.nets.get(out.net, ())))
        yield GpioPin(pin.block, low, high - low + 1, out.net, pins)
        yield from _taken(netlist, out, low, seen | {pin.block})
