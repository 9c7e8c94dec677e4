"""Which line of the PS each interrupt pin reaches, through concatenations and AXI INTCs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .design import Interrupt, InterruptController
from .netlist import Bit, Netlist, Pin
from .ps import Ps

_CONTROLLER = "axi_intc"


def bit_name(pin: Pin, position: int) -> str:
    """The name of a bit: that of its pin where there is only one."""
    return pin.name if pin.width == 1 else f"{pin.name}[{position}]"


def controller_inputs(netlist: Netlist) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every AXI INTC and the pins at its inputs, whomever it interrupts."""
    for name, kind in netlist.kinds.items():
        if kind == _CONTROLLER and (inputs := netlist.pins.get(f"{name}/intr")):
            yield name, tuple("" if bit is None else bit_name(*bit) for bit in netlist.bits(inputs))


class Interrupts:
    """What reaches the PS: ``pins`` and ``controllers``, by their names."""

    def __init__(self, netlist: Netlist, ps_name: str, ps: Ps) -> None:
        self._netlist = netlist
        self.pins: dict[str, Interrupt] = {}
        self.controllers: dict[str, InterruptController] = {}
        for port, lines in ps.interrupts.items():
            if pin := netlist.pins.get(f"{ps_name}/{port}"):
                self._follow("", netlist.bits(pin)[: len(lines)], lines)

    def _follow(self, parent: str, bits: Sequence[Bit], lines: Sequence[int]) -> None:
        for index, bit in enumerate(bits):
            if bit is None:
                continue
            pin, position = bit
            if self._netlist.kinds.get(pin.block) == _CONTROLLER and pin.port == "irq":
                self._controller(pin.block, parent, index, lines[index])
            else:
                self.pins.setdefault(
                    bit_name(pin, position), Interrupt(pin.name, position, parent, index, lines[index])
                )

    def _controller(self, name: str, parent: str, index: int, line: int) -> None:
        if name in self.controllers:
            return
        self.controllers[name] = InterruptController(name, parent, index, line)
        if inputs := self._netlist.pins.get(f"{name}/intr"):
            bits = self._netlist.bits(inputs)
            # All of its inputs arrive at the line of its output.
            self._follow(name, bits, [line] * len(bits))
