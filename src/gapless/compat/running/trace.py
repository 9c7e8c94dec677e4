"""What the MicroBlaze programs of the board in use have stored, for --trace."""

from __future__ import annotations

import atexit
import os
import sys

from ..pynq.board_in_use import current_board

#: Set by the command line for the process that runs the script.
VARIABLE = "GAPLESS_PYNQ_TRACE"


def trace_lines() -> list[str]:
    """The stores of each IOP of the board in use, one a line; a board that cannot tell says so."""
    board = current_board()
    if board is None:
        return ["no board was used"]
    if board.probe is None:
        return [f"{board.uri}: only a virtual board sees what a MicroBlaze does"]
    return []


def print_trace_at_exit() -> None:
    """If the command line asked for it."""
    if os.environ.pop(VARIABLE, ""):
        # Registered after the board's own close, and so called before it.
        atexit.register(lambda: print(*trace_lines(), sep="\n", file=sys.stderr))
