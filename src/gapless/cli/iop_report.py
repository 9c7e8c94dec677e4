"""What a soft processor did, as rows of a report."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._native import ExecutionLog
from ..iop import Program
from .iop_disasm import disassemble

_PROFILE_ROWS = 20


def trace_rows(log: ExecutionLog, program: Program) -> dict[str, Any]:
    """``records`` of what was logged, and ``dropped``: how many more there were.

    A record has ``cycle``, ``pc``, ``opcode``, ``text``, ``address``, ``value``, ``nbytes`` and ``where``.
    """
    texts = {int(line["address"]): str(line["text"]) for line in disassemble(program)}
    records = [
        {
            "cycle": cycle,
            "pc": pc,
            "opcode": opcode,
            "text": texts.get(pc, ""),
            "address": address,
            "value": value,
            "nbytes": nbytes,
            "where": program.symbol(pc),
        }
        for cycle, pc, opcode, _, nbytes, address, value, _ in log.records().tolist()
    ]
    return {"records": records, "dropped": log.dropped}


def profile_rows(log: ExecutionLog, program: Program) -> list[dict[str, Any]]:
    """The instructions that took most cycles, most first.

    Each with ``pc``, ``text``, ``count``, ``cycles``, ``share`` and ``where``.
    """
    counts, cycles = log.counts(), log.cycles()
    texts = [str(line["text"]) for line in disassemble(program)]
    total = max(1, int(cycles.sum()))
    most = np.argsort(cycles, kind="stable")[::-1][:_PROFILE_ROWS]
    return [
        {
            "pc": 4 * int(word),
            "text": texts[word] if word < len(texts) else "",
            "count": int(counts[word]),
            "cycles": int(cycles[word]),
            "share": int(cycles[word]) / total,
            "where": program.symbol(4 * int(word)),
        }
        for word in most
        if counts[word]
    ]
