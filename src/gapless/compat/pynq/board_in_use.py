"""Which board code written for PYNQ runs on: PYNQ's names take no board, since a program there is on one."""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from threading import Lock
from typing import Any

from ... import board as boards
from ...board import Board

#: What is opened when nobody chose: by :func:`use` or by the environment.
DEFAULT_BOARD = "virtual:pynq-z2"
#: The environment variable with the URI of the board to open on first need.
VARIABLE = "GAPLESS_BOARD"


@dataclass
class _InUse:
    board: Board | None = None
    opened_here: bool = False


_lock, _current = Lock(), _InUse()


def use(board: Board | str) -> Board:
    """Have all PYNQ names use this board from now on, and return it.

    What was allocated, and overlays made before, stay on the board that they were made on; one that was opened here
    is closed.

    Args:
        board: an open board, which stays the caller's to close, or a URI as :func:`gapless.open` takes.
    """
    opened = boards.open(board) if isinstance(board, str) else board
    with _lock:
        before = _InUse(_current.board, _current.opened_here)
        _current.board, _current.opened_here = opened, isinstance(board, str)
    if before.opened_here and before.board is not None and before.board is not opened:
        before.board.close()
    return opened


def board_in_use() -> Board:
    """The board in use. If none was chosen, $GAPLESS_BOARD is opened, or else ``virtual:pynq-z2``."""
    with _lock:
        if _current.board is None:
            _current.board = boards.open(os.environ.get(VARIABLE) or DEFAULT_BOARD)
            _current.opened_here = True
        return _current.board


def board_of(device: Any) -> Board:
    """The board of a ``device`` argument: a Device, a board, or by default, and for PYNQ's own, the one in use."""
    found = getattr(device, "board", device)
    return found if isinstance(found, Board) else board_in_use()


def current_board() -> Board | None:
    """The board in use, or None where nothing has needed one yet."""
    return _current.board


@atexit.register
def close() -> None:
    """Close the board in use, if it was opened here; the next use of a PYNQ name opens or needs another."""
    with _lock:
        before = _InUse(_current.board, _current.opened_here)
        _current.board, _current.opened_here = None, False
    if before.opened_here and before.board is not None:
        before.board.close()
