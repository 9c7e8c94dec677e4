"""``local?design=NAME`` or ``local?design=FILE.hwh``: the board that this program runs on."""

from __future__ import annotations

from urllib.parse import parse_qsl

from ..errors import BadArgumentError, UnknownNameError

_KEYS = ("design",)


def parse_uri(uri: str) -> str | None:
    """The design that a URI asks for; None for the board with no PL parts."""
    name, mark, options = uri.partition("?")
    if name not in ("local", "local:"):
        raise UnknownNameError("board", uri, ("local", "local?design=NAME", "local?design=FILE.hwh"))
    try:
        given = parse_qsl(options, keep_blank_values=True, strict_parsing=bool(mark))
    except ValueError:
        raise BadArgumentError(f"board {uri!r}: options are written ?key=value&key=value") from None
    design = None
    for key, value in given:
        if key not in _KEYS:
            raise UnknownNameError("option of board local (virtual:zcu111 has others)", key, _KEYS)
        if design is not None:
            raise BadArgumentError(f"board {uri!r}: {key} is given twice")
        design = value
    return design
