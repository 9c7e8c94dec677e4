"""What a soft processor stored, as a report has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._native import ExecutionLog, disassemble_microblaze


def _alone(pc: int, opcode: int) -> str:
    return disassemble_microblaze(opcode, pc, -1)


def logged(log: ExecutionLog, text: Callable[[int, int], str] = _alone) -> dict[str, Any]:
    """``records`` of what was logged, and ``dropped``: how many more there were.

    A record has ``cycle``, ``pc``, ``opcode``, ``text``, ``address``, ``value`` and ``nbytes``. ``text`` gives the
    instruction of a PC and an opcode; by default without what an ``imm`` before it adds.
    """
    records = [
        {
            "cycle": cycle,
            "pc": pc,
            "opcode": opcode,
            "text": text(pc, opcode),
            "address": address,
            "value": value,
            "nbytes": nbytes,
        }
        for cycle, pc, opcode, _, nbytes, address, value, _ in log.records().tolist()
    ]
    return {"records": records, "dropped": log.dropped}
