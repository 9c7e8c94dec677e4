"""A check that descriptions of boards share."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import BadArgumentError


def unique(board: str, what: str, values: Iterable[object]) -> None:
    """BadArgumentError when one of ``values`` is there twice; None stands for none."""
    seen = set()
    for value in values:
        if value is not None and value in seen:
            raise BadArgumentError(f"board {board}: {what} {value} is given twice")
        seen.add(value)
