"""Which ``pynq`` a program imports: that of gapless, or the one that is installed."""

from __future__ import annotations

import atexit
import importlib.metadata
import os
import sys

from ...board import Board
from ...errors import UnsupportedError
from ...units import format_time
from ..pynq.board_in_use import board_in_use
from . import finder

#: Set in the environment of a process whose program shall have the installed one.
VARIABLE = "GAPLESS_PYNQ_REAL"
#: The oldest with the Device that gapless's is a subclass of.
_OLDEST = (3, 0)
#: So many findings are printed.
_LISTED = 20


def installed_version() -> str:
    """The version of the installed ``pynq``.

    Raises UnsupportedError when none is installed in this Python, or one that is too old.
    """
    advice = "pip install pynq installs one (3.0.1 to 4.0.0 are known to run); without --real gapless's own is used"
    try:
        version = importlib.metadata.version("pynq")
    except importlib.metadata.PackageNotFoundError:
        raise UnsupportedError(f"pynq is not installed for {sys.executable}: {advice}") from None
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST:
        raise UnsupportedError(f"pynq {version} is installed, which knows no boards but its own: {advice}")
    return version


def provide() -> None:
    """From now on ``import pynq`` finds the one that the environment asks for, on the board in use."""
    if not os.environ.pop(VARIABLE, ""):
        finder.install()
        return
    from ..pynq_device import install

    board = board_in_use()
    install(board)
    atexit.register(_print_findings, board)  # before the board's close, which was registered earlier


def _print_findings(board: Board) -> None:
    findings = board.findings
    for found in findings[:_LISTED]:
        print(f"gapless: {found.kind} at {format_time(found.time)}: {found.text}", file=sys.stderr)
    if len(findings) > _LISTED:
        print(f"gapless: and {len(findings) - _LISTED} more findings", file=sys.stderr)
