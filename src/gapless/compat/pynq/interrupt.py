"""Interrupt: waits for an interrupt output of the design, in coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from ...board import Board
from ...errors import UnknownNameError, WaitTimeoutError
from ...units import format_time
from .board_in_use import board_in_use
from .design import interrupt_pins

#: How long other coroutines have to wait at a time (seconds of the board's time).
_LOOK = 1e-4


class Interrupt:
    """An interrupt output of the design of the board in use.

    Source of names: PYNQ 3, ``pynq/interrupt.py``. It is a level: whoever waits has to clear it in the IP that
    raises it. Those of DMA engines are their driver's, which waits for them in its own thread.

    Args:
        pinname: its name, one of ``overlay.interrupt_pins``.

    Attributes:
        number: the line of the PS that it drives.

    Raises UnknownNameError when the design has no such output.
    """

    def __init__(self, pinname: str) -> None:
        board = board_in_use()
        pins = interrupt_pins(board.spec)
        if pinname not in pins:
            raise UnknownNameError("interrupt pin", pinname, pins)
        self.number: int = pins[pinname]["index"]
        self._bus = board.bus

    @classmethod
    def on_line(cls, board: Board, number: int) -> Interrupt:
        """The interrupt on a line of a board's PS."""
        made = cls.__new__(cls)
        made.number, made._bus = number, board.bus
        return made

    async def wait(self, timeout: float | None = None) -> None:
        """Wait until it is high.

        Args:
            timeout: seconds of the board's time; None, as in PYNQ: as long as it takes somebody to push a button.
                Ctrl-C ends it, and ``asyncio.wait_for`` and others cancel it.

        Raises WaitTimeoutError when it did not come.
        """
        await asyncio.sleep(0)  # somebody else may be about to clear what they waited for
        end = None if timeout is None else self._bus.time() + timeout
        while not self._bus.wait_interrupt(self.number, _LOOK):
            if end is not None and self._bus.time() >= end:
                raise WaitTimeoutError(f"interrupt line {self.number} was low for {format_time(timeout or 0.0)}")
            await asyncio.sleep(0)


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that waits for nothing but the board, also where an event loop runs already."""
    with suppress(StopIteration):
        while True:
            coroutine.send(None)
