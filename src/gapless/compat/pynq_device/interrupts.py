"""Interrupt lines of a board where PYNQ has files of Linux's UIO."""

from __future__ import annotations

import asyncio
from typing import Any

from ...board import Board

#: How long other coroutines have to wait at a time (seconds of the board's time).
_LOOK = 1e-4


class LineController:
    """Stands in for ``pynq.interrupt.UioController``: tells events when a line is high.

    It looks from the event loop, a moment of the board's time each turn, so that the board's time goes on while all
    that the program does is wait.

    Args:
        board: whose line it is.
        line: its number at the PS's interrupt controller.
    """

    def __init__(self, board: Board, line: int) -> None:
        self._bus, self._line = board.bus, line
        self._events: list[Any] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def add_event(self, event: Any, number: int) -> None:
        """Call ``event.set()`` once, when the line is high; ``number`` is of no use here, as in PYNQ."""
        loop = asyncio.get_running_loop()
        idle = not self._events or self._loop is not loop
        self._events.append(event)
        self._loop = loop
        if idle:
            loop.call_soon(self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._events or self._loop is not loop:
            return
        if not self._bus.wait_interrupt(self._line, _LOOK):
            loop.call_soon(self._look, loop)
            return
        events, self._events = self._events, []
        for event in events:
            event.set()
