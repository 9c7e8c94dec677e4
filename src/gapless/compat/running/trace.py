"""What MicroBlaze programs store, for --trace: logged in the process that runs them, read by who started it."""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import Any

from ..._native import ExecutionLog
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
    logs: dict[str, list[ExecutionLog]] = {}

    def observe() -> None:
        probe: Any = board.probe
        for iop in board.spec.iops:
            logs.setdefault(iop.name, []).append(probe.iop(iop.index).observe("stores", _LIMIT))

    observe()
    board.when_loaded(observe)  # which gives it other IOPs
    # Called before the board's close, which was registered earlier.
    atexit.register(lambda: Path(path).write_text(json.dumps({name: _joined(some) for name, some in logs.items()})))


def _joined(logs: list[ExecutionLog]) -> dict[str, Any]:
    parts = [logged(log) for log in logs]
    records = [record for part in parts for record in part["records"]]
    return {"records": records, "dropped": sum(part["dropped"] for part in parts)}


def read_stores(path: Path) -> dict[str, Any]:
    """What was written to ``path``, by IOP: ``records`` and how many more were ``dropped``.

    A record has ``cycle``, ``pc``, ``opcode``, ``text``, ``address``, ``value`` and ``nbytes``. Nothing when the
    process ended too suddenly to write it.
    """
    found: dict[str, Any] = json.loads(path.read_text()) if path.stat().st_size else {}
    return found
