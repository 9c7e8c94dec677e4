"""``virtual:BOARD?key=value&...``: which virtual board, or which design, and how it is equipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from ..boards import BoardSpec
from ..boards.pynq_z2 import pynq_z2
from ..boards.zcu111 import zcu111
from ..errors import BadArgumentError, UnknownNameError
from ..units import GIB, KIB, MIB, format_size, parse_size, parse_time

_CLOCKS = ("virtual", "measured", "wall")


@dataclass(frozen=True)
class VirtualOptions:
    """What a URI asks for."""

    spec: BoardSpec
    read_cost: float = 200e-9
    write_cost: float = 100e-9
    slowdown: float = 0.0
    wall_clock: bool = False


def parse_uri(uri: str) -> VirtualOptions:
    """Read a ``virtual:`` URI; BadArgumentError or UnknownNameError when it cannot be."""
    name, _, options = uri.partition("?")
    try:
        given = parse_qsl(options, keep_blank_values=True, strict_parsing=bool(options))
    except ValueError:
        raise BadArgumentError(f"board {uri!r}: options are written ?key=value&key=value") from None
    kind = BOARDS[name] if name in BOARDS else _designed(name)
    keys = (*kind.sizes, "read", "write", "clock", "slowdown")
    query: dict[str, str] = {}
    for key, value in given:
        if key not in keys:
            raise UnknownNameError(f"option of the virtual {name}", key, keys)
        if key in query:
            raise BadArgumentError(f"board {uri!r}: {key} is given twice")
        query[key] = value
    return VirtualOptions(
        kind.build(**{f"{key}_bytes": kind.sizes[key](query[key]) for key in kind.sizes if key in query}),
        read_cost=_cost(query, "read", 200e-9),
        write_cost=_cost(query, "write", 100e-9),
        slowdown=_slowdown(query),
        wall_clock=query.get("clock") == "wall",
    )


def _designed(name: str) -> _Kind:
    """The board on which a design runs: a built-in one by name, or the path of its file."""
    # The boards that are described in Python need no XML.
    from ..boards.handoff.board_spec import board_spec
    from ..boards.handoff.checked import built_in, load_checked, names_file

    known = built_in()
    if not names_file(name) and name not in known:
        possible = [f"virtual:{board}" for board in (*BOARDS, *known, "FILE.hwh")]
        raise UnknownNameError("virtual board", name, possible)
    design = load_checked(Path(name) if names_file(name) else known[name])
    sizes = {key: partial(parse_size, what=key) for key in ("ps", "cma")}
    return _Kind(partial(board_spec, design), {**sizes, "fifo": _fifo})


def _ps(text: str) -> int:
    size = parse_size(text, "ps")
    if not 2 * GIB < size <= 32 * GIB or size % GIB:
        raise BadArgumentError(
            f"ps={text}: the PS memory is 2 GiB at address 0 and the rest at 0x8_0000_0000; a ZCU111 holds "
            "whole GiB from 3GiB to 32GiB (4GiB as delivered)"
        )
    return size


def _cma(text: str) -> int:
    size = parse_size(text, "cma")
    if not 16 * MIB <= size <= GIB or size % MIB:
        raise BadArgumentError(f"cma={text}: the CMA area is whole MiB from 16MiB to 1GiB")
    return size


def _fifo(text: str) -> int:
    size = parse_size(text, "fifo depth")
    if not 4 * KIB <= size <= 64 * MIB or size % 64:
        raise BadArgumentError(
            f"fifo depth of {format_size(size)}: it is a multiple of 64 bytes (whole words of both converters) "
            "from 4KiB to 64MiB"
        )
    return size


class _Kind(NamedTuple):
    """``sizes``: the options of ``build``, each with what reads it."""

    build: Callable[..., BoardSpec]
    sizes: Mapping[str, Callable[[str], int]]


#: The virtual boards by name; any other is built as a design describes it.
BOARDS = {
    "zcu111": _Kind(zcu111, {"ps": _ps, "cma": _cma, "fifo": _fifo}),
    "pynq-z2": _Kind(pynq_z2, {"cma": _cma, "fifo": _fifo}),
}


def _slowdown(query: dict[str, str]) -> float:
    """How many times slower than this machine the software's processor is; 0 where its time does not count."""
    clock = query.get("clock", "virtual")
    if clock not in _CLOCKS:
        raise UnknownNameError("clock", clock, _CLOCKS)
    if clock != "measured":
        if "slowdown" in query:
            raise BadArgumentError(
                f"slowdown={query['slowdown']}: the {clock} clock counts no CPU time: it goes with clock=measured"
            )
        return 0.0
    text = query.get("slowdown", "1")
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 1000:
        raise BadArgumentError(
            f"slowdown={text}: CPU time counts from 0.01 to 1000 times; about 15 is an Arm Cortex-A53 beside a server"
        )
    return value


def _cost(query: dict[str, str], key: str, default: float) -> float:
    value = parse_time(query[key], f"{key} cost") if key in query else default
    if not 0 < value <= 1e-3:
        raise BadArgumentError(f"{key}={query[key]}: a register access costs more than 0 and at most 1ms")
    return value
