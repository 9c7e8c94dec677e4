"""The number of each interrupt line of a board."""

from __future__ import annotations

from ..design import Block, Design

#: Lines of the PS's interrupt controller are below it; see :class:`~gapless.boards.BoardSpec`.
FIRST_BEHIND = 1024


class Lines:
    """Numbers for everything in a design that interrupts.

    ``inputs``: the line at each input of an AXI INTC, by the controller's name and the input's number. They are
    counted from 1024 on, and after them what is connected to nothing.
    """

    def __init__(self, design: Design) -> None:
        self.inputs: dict[tuple[str, int], int] = {}
        self._next = FIRST_BEHIND
        self._pins = {
            name: self._number(pin.controller, pin.index, pin.line) for name, pin in design.interrupts.items()
        }
        self._controllers = {
            name: self._number(controller.parent, controller.index, controller.line)
            for name, controller in design.interrupt_controllers.items()
        }

    def of_pin(self, pin: str) -> int | None:
        """The line of a pin "block/port", or None where it reaches nobody that the PS listens to."""
        return self._pins.get(pin)

    def of_block(self, block: Block) -> int | None:
        """The first line of a block: of an AXI INTC its output's."""
        if block.name in self._controllers:
            return self._controllers[block.name]
        return next((line for pin, line in self._pins.items() if pin.rpartition("/")[0] == block.name), None)

    def unconnected(self) -> int:
        """A line of its own for an interrupt that leads nowhere: a driver of it has to poll."""
        self._next += 1
        return self._next - 1

    def _number(self, controller: str, index: int, line: int) -> int:
        if not controller:
            return line
        if (controller, index) not in self.inputs:
            self.inputs[controller, index] = self.unconnected()
        return self.inputs[controller, index]
