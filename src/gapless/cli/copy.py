"""gapless copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from .. import board as boards
from ..board import Board
from ..dma import Copied
from ..errors import BadArgumentError
from ..memory import Buffer
from ..units import MIB, format_address, format_bandwidth, format_size, format_time, parse_size
from . import options
from .output import count, end, print_fields, print_json

EXAMPLES = """\b
Examples:
  gapless copy ps-cma pl-ddr
  gapless copy pl-ddr ps-cma --size 16MiB --channel adma0
  gapless copy ps-carveout pl-ddr --size 1GiB --no-verify --board 'virtual:zcu111?ps=32GiB'
"""

#: Bytes that are made and compared at a time: what is copied may be larger than this machine's memory.
_STEP = 16 * MIB
_WORD = np.dtype("<u8")
#: Odd, so that every word of memory gets another value (Knuth's multiplicative hash).
_FACTOR = 0x9E37_79B9_7F4A_7C15


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Pool to copy from; 'gapless memory' lists them.")],
    to: Annotated[str, typer.Argument(metavar="TO", help="Pool to copy to; it may be the same one.")],
    size: Annotated[str, typer.Option("--size", metavar="BYTES", help="How much: 65536, 64MiB or 1GiB.")] = "64MiB",
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel", metavar="NAME", show_default="the first that is free", help="gdma0 to gdma7, adma0 to adma7."
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Fill the source with a pattern, and compare the copy.")
    ] = True,
    board: options.Board = options.DEFAULT_BOARD,
    json: options.Json = False,
) -> int:
    """Copy memory by the PS's own DMA, check the copy, and say how fast it was.

    Allocates in both pools, and needs no bitstream: it shows that their physical addresses are what they
    are said to be. Exit status 1 when the copy is not equal.
    """
    nbytes = parse_size(size, "--size")
    if nbytes == 0:
        raise BadArgumentError("--size 0: there is nothing to copy")
    with boards.open(board) as opened:
        with (
            opened.memory[source].allocate(nbytes, np.uint8) as src,
            opened.memory[to].allocate(nbytes, np.uint8) as dst,
        ):
            if verify:
                _fill(src, dst)
            done = opened.zdma.copy(src, dst, channel=channel)
            differing = _first_difference(dst) if verify else None
            addresses = src.runs[0][0], dst.runs[0][0]
        if json:
            print_json(_document(source, to, addresses, done, verify, differing))
        else:
            _print(source, to, addresses, done, verify, differing)
        return _status(opened, differing)


def _status(board: Board, differing: int | None) -> int:
    found = end(board, True)
    return found if differing is None else 1


def _pattern(nbytes: int) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """What the source holds, step by step: no two words alike, so that nothing can take another's place."""
    for start in range(0, nbytes, _STEP):
        stop = min(start + _STEP, nbytes)
        words = np.arange(start // _WORD.itemsize + 1, -(-stop // _WORD.itemsize) + 1, dtype=_WORD)
        yield slice(start, stop), (words * _WORD.type(_FACTOR)).view(np.uint8)[: stop - start]


def _fill(src: Buffer, dst: Buffer) -> None:
    # The destination gets the opposite: what an earlier run left there must not pass for this one's copy.
    for part, data in _pattern(src.nbytes):
        src.write(data, part.start)
        dst.write(~data, part.start)


def _first_difference(dst: Buffer) -> int | None:
    for part, data in _pattern(dst.nbytes):
        differs = np.flatnonzero(dst.read(np.empty_like(data), part.start) != data)
        if len(differs):
            return int(part.start) + int(differs[0])
    return None


def _document(
    source: str, to: str, addresses: tuple[int, int], done: Copied, verify: bool, differing: int | None
) -> dict[str, Any]:
    return {
        "from": source,
        "to": to,
        "bytes": done.bytes,
        "source_address": addresses[0],
        "destination_address": addresses[1],
        "channel": done.channel,
        "mode": done.mode,
        "pieces": done.pieces,
        "seconds": done.seconds,
        "equal": differing is None if verify else None,
    }


def _print(source: str, to: str, addresses: tuple[int, int], done: Copied, verify: bool, differing: int | None) -> None:
    how = "by registers" if done.mode == "simple" else f"by lists of descriptors, {count(done.pieces, 'piece')}"
    equal = "equal" if differing is None else f"NOT EQUAL: the first byte that differs is number {differing:,}"
    print_fields(
        [
            ("from", f"{source} at {format_address(addresses[0])}"),
            ("to", f"{to} at {format_address(addresses[1])}"),
            ("copied", f"{format_size(done.bytes)} by {done.channel}, {how}"),
            ("took", f"{format_time(done.seconds)}, {format_bandwidth(done.rate)}"),
            ("copy", equal if verify else "not compared"),
        ]
    )
