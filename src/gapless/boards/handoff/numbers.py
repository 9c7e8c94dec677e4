"""Numbers as Vivado writes them."""

from __future__ import annotations

from ...errors import BadArgumentError


def number(text: str | None, what: str) -> int:
    """A decimal or, after 0x, a hexadecimal number. BadArgumentError, naming ``what``, for anything else."""
    try:
        value = int(text or "", 16 if (text or "").lower().startswith("0x") else 10)
    except ValueError:
        raise BadArgumentError(f"{what} is {text!r} in the hand-off, which is no number: export it again") from None
    if value < 0:
        raise BadArgumentError(f"{what} is {text} in the hand-off: it cannot be negative")
    return value
