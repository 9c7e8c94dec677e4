"""Interrupt: waits for an interrupt output of the design, in coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from ...board import Board
from ...errors import UnknownNameError, UnsupportedError, WaitTimeoutError
from ...units import format_time
from .board_in_use import board_in_use
from .in_pl import dictionaries_of

#: How long other coroutines have to wait at a time (seconds of the board's time).
_LOOK = 1e-4


class Interrupt:
    """An interrupt output of the design in the PL of the board in use.

    Source of names: PYNQ 3, ``pynq/interrupt.py``. It is a level: whoever waits has to clear it in the IP that
    raises it. Those of DMA engines are their driver's, which waits for them in its own thread.

    Args:
        pinname: its name, one of ``overlay.interrupt_pins``.

    Raises:
        UnknownNameError: the design has no such output.
        UnsupportedError: the board knows nothing of its design.
    """

    def __init__(self, pinname: str) -> None:
        board = board_in_use()
        pins = dictionaries_of(board).interrupt_pins
        if pinname not in pins:
            raise UnknownNameError("interrupt pin", pinname, pins)
        self._board = board
        self._entry: Mapping[str, Any] = pins[pinname]

    @classmethod
    def of(cls, board: Board, entry: Mapping[str, Any]) -> Interrupt:
        """The interrupt that an entry of ``interrupt_pins`` describes, on a board."""
        made = cls.__new__(cls)
        made._board, made._entry = board, entry
        return made

    @property
    def number(self) -> int:
        """The line to wait for: of the PS, or of an input of an AXI INTC.

        UnsupportedError where the board cannot tell the inputs of that INTC from each other.
        """
        controller, index = self._entry["controller"], self._entry["index"]
        if not controller:
            line: int = self._entry["raw_irq"]
            return line
        inputs = self._board.spec.interrupt_inputs
        if (controller, index) not in inputs:
            raise UnsupportedError(
                f"{self._entry['fullpath']} is input {index} of {controller}, which {self._board.uri} has no line for: "
                "open the board with the .hwh of this design"
            )
        return inputs[controller, index]

    async def wait(self, timeout: float | None = None) -> None:
        """Wait until it is high.

        Args:
            timeout: seconds of the board's time; None, as in PYNQ: as long as it takes somebody to push a button.
                Ctrl-C ends it, and ``asyncio.wait_for`` and others cancel it.

        Raises WaitTimeoutError when it did not come.
        """
        line, bus = self.number, self._board.bus
        await asyncio.sleep(0)  # somebody else may be about to clear what they waited for
        end = None if timeout is None else bus.time() + timeout
        while not bus.wait_interrupt(line, _LOOK):
            if end is not None and bus.time() >= end:
                raise WaitTimeoutError(f"interrupt line {line} was low for {format_time(timeout or 0.0)}")
            await asyncio.sleep(0)


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that waits for nothing but the board, also where an event loop runs already."""
    with suppress(StopIteration):
        while True:
            coroutine.send(None)
