"""gapless load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import board as boards
from ..boards.bitstream import Bitstream
from ..units import format_size, format_time
from . import options
from .output import print_fields, print_json

EXAMPLES = """\b
Examples:
  gapless load design.bit --info
  gapless load design.bit --board local
  gapless load awg.bit
"""


def load(
    file: Annotated[str, typer.Argument(metavar="FILE", show_default=False, help="A .bit or .bin file.")],
    board: options.Board = options.DEFAULT_BOARD,
    info: Annotated[bool, typer.Option("--info", help="Only say what the file is; load nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="It reconfigures a part of the PL; a .bit file says so itself.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Load a bitstream into the PL of a board; on a virtual board, select a design by its name."""
    if info:
        bitstream = Bitstream.load(file)
        if json:
            print_json(bitstream.as_dict())
        else:
            _print(bitstream)
        return 0
    with boards.open(board) as opened:
        loaded = opened.load(Path(file), partial=partial)
    if json:
        print_json(
            {
                "board": opened.uri,
                "file": file,
                "design": loaded.design,
                "state": loaded.state,
                "seconds": loaded.seconds,
            }
        )
    else:
        took = f" after {format_time(loaded.seconds)}" if loaded.seconds else ""
        print(f"{opened.uri}: design {loaded.design} is {loaded.state}{took}")
    return 0


def _print(bitstream: Bitstream) -> None:
    made = f"{bitstream.date} {bitstream.time}".strip()
    kinds = [kind for kind in ("partial", "compressed", "encrypted") if getattr(bitstream, kind)]
    idcode = "" if bitstream.idcode is None else f", IDCODE 0x{bitstream.idcode:08X}"
    print_fields(
        [
            ("file", f"{bitstream.path} (.{bitstream.format})"),
            ("design", bitstream.design),
            ("part", (bitstream.part or "not said: the file has no header") + idcode),
            ("made", made or "not said"),
            *bitstream.attributes.items(),
            ("words", f"{format_size(bitstream.nbytes)}, {bitstream.byte_order}-endian"),
            ("kind", ", ".join(kinds) or "full"),
        ]
    )
