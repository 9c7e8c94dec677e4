"""Objects whose help() tells what this one has, not only what their class can have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def describe(thing: Any, name: str, text: str) -> None:
    """Give ``thing`` a class of its own, below the one it has, since help() shows the class.

    Args:
        thing: changed in place; isinstance and everything it has stay as they are.
        name: of the class.
        text: its docstring.
    """
    kind = type(thing)
    thing.__class__ = type(name, (kind,), {"__doc__": text, "__module__": kind.__module__})


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of text in columns, indented."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"    {line.rstrip()}" for line in lines)
