"""What a soft processor did, as rows of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._native import ExecutionLog
from ..iop import Program
from ..iop.stores import logged
from .output import print_table

_PROFILE_ROWS = 20


def trace_rows(log: ExecutionLog, program: Program, texts: Sequence[str]) -> dict[str, Any]:
    """As :func:`gapless.iop.stores.logged`; ``texts`` has the instruction at each word of the program.

    Each record has ``where``, too.
    """
    trace = logged(log, lambda pc, _: _at(texts, pc // 4))
    for record in trace["records"]:
        record["where"] = program.symbol(record["pc"])
    return trace


def profile_rows(log: ExecutionLog, program: Program, texts: Sequence[str]) -> list[dict[str, Any]]:
    """The instructions that took most cycles, most first.

    Each with ``pc``, ``text``, ``count``, ``cycles``, ``share`` and ``where``.
    """
    counts, cycles = log.counts(), log.cycles()
    total = max(1, int(cycles.sum()))
    most = np.argsort(cycles, kind="stable")[::-1][:_PROFILE_ROWS]
    return [
        {
            "pc": 4 * int(word),
            "text": _at(texts, word),
            "count": int(counts[word]),
            "cycles": int(cycles[word]),
            "share": int(cycles[word]) / total,
            "where": program.symbol(4 * int(word)),
        }
        for word in most
        if counts[word]
    ]


def print_trace(trace: dict[str, Any]) -> None:
    """The records as a table."""
    rows = [
        (f"{row['cycle']:,}", f"{row['pc']:x}", row["text"], f"0x{row['address']:08X}", f"0x{row['value']:X}")
        for row in trace["records"]
    ]
    print_table(("cycle", "pc", "instruction", "address", "value"), rows, numbers=("cycle", "pc", "value"))
    if trace["dropped"]:
        print(f"... and {trace['dropped']:,} more")


def _at(texts: Sequence[str], word: int) -> str:
    return texts[word] if word < len(texts) else ""
