"""What the commands print: results on stdout, warnings on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ..board import Board
from ..stream import Ledger, Queue

_LISTED_GAPS = 10


def print_json(document: dict[str, Any]) -> None:
    """One JSON document."""
    print(json.dumps(document, indent=2))


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Names and values, one pair a line."""
    pairs = list(fields)
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name:<{width}}  {value}")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """A table; the columns in ``numbers`` are set to the right. Loading rich for it would take longer than all else."""
    lines = [columns, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    for line in lines:
        cells = (
            cell.rjust(width) if name in numbers else cell.ljust(width)
            for name, cell, width in zip(columns, line, widths, strict=True)
        )
        print("  ".join(cells).rstrip())


def count(number: int, what: str) -> str:
    """``1 gap``, ``2 gaps``, ``1,000 gaps``."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def ring_line(queue: Queue, ledger: Ledger) -> str:
    """How near the ring of a stream came to its ends."""
    text = f"{queue.blocks} blocks of {queue.block_samples:,} samples"
    if ledger.counters is not None:
        low, high = ledger.counters.queue_low_water, ledger.counters.queue_high_water
        text += f", {low} to {high} with the engine, {count(ledger.counters.late_events, 'time')} none"
    return text + (f"; not permitted: {queue.refused}" if queue.refused else "")


def print_ledger(ledger: Ledger, verdict: str) -> None:
    """The first gaps as a table, and the account in one sentence: ``verdict`` when nothing is missing."""
    if ledger.complete:
        print(verdict)
        return
    shown = ledger.gaps[:_LISTED_GAPS]
    print()
    print_table(
        ("gap", "at sample", "length", "cause"),
        [(str(number), f"{gap.index:,}", f"{gap.length:,}", gap.cause) for number, gap in enumerate(shown, start=1)],
        numbers=("gap", "at sample", "length"),
    )
    if ledger.gap_count > len(shown):
        print(f"... and {ledger.gap_count - len(shown):,} more")
    print(f"\n{count(ledger.gap_count, 'gap')}, {count(ledger.missing_samples, 'sample')} missing")


def end(board: Board, complete: bool) -> int:
    """The exit status of a run: 3 when samples are missing, 1 when the board found fault with the software."""
    for found in board.findings:
        where = f" at 0x{found.address:_X}" if found.address else ""
        print(f"gapless: warning: {found.kind}{where}: {found.text}", file=sys.stderr)
    if not complete:
        return 3
    return 1 if board.findings else 0
