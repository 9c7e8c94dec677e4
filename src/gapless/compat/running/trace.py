"""What MicroBlaze programs store, for --trace: logged in the process that runs them, read by who started it."""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import Any

from ...iop.stores import logged
from ..pynq.board_in_use import board_in_use

#: Names the file to write the log to, in the environment of the process that runs the code.
VARIABLE = "GAPLESS_PYNQ_TRACE"
#: How many stores are kept of each IOP.
_LIMIT = 10_000


def log_stores() -> None:
    """If $GAPLESS_PYNQ_TRACE asks for it, open the board now, log what its IOPs store, and write that at the end."""
    path = os.environ.pop(VARIABLE, "")
    if not path:
        return
    board = board_in_use()
    probe: Any = board.probe
    logs = {iop.name: probe.iop(iop.index).observe("stores", _LIMIT) for iop in board.spec.iops}
    # Called before the board's close, which was registered earlier.
    atexit.register(lambda: Path(path).write_text(json.dumps({name: logged(log) for name, log in logs.items()})))


def read_stores(path: Path) -> dict[str, Any]:
    """What was written to ``path``, by IOP: ``records`` and how many more were ``dropped``.

    A record has ``cycle``, ``pc``, ``opcode``, ``text``, ``address``, ``value`` and ``nbytes``. Nothing when the
    process ended too suddenly to write it.
    """
    found: dict[str, Any] = json.loads(path.read_text()) if path.stat().st_size else {}
    return found
