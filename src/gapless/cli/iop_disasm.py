"""gapless iop disasm."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from .._native import disassemble_microblaze
from ..errors import BadArgumentError
from ..iop import Program
from . import options
from .output import print_json

EXAMPLES = """\b
Examples:
  gapless iop disasm tutorial
  gapless iop disasm program.elf --start 0x50 --count 16
"""
_IMM = 0x2C  # the opcode, bits 31 to 26, of what gives the next instruction the upper half of its immediate


def disasm(
    firmware: Annotated[
        str, typer.Argument(metavar="FIRMWARE", show_default=False, help="A .bin, an ELF file, or one of our programs.")
    ],
    start: Annotated[str, typer.Option("--start", metavar="ADDRESS", help="Where to begin.")] = "0",
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", min=1, show_default="all", help="How many words.")
    ] = None,
    json: options.Json = False,
) -> None:
    """List a program's instructions."""
    program = Program.load(firmware)
    lines = disassemble(program)
    first = _address(start, len(program.image))
    chosen = lines[first // 4 :][:count]
    if json:
        print_json({"firmware": program.name, "bytes": len(program.image), "instructions": chosen})
        return
    for line in chosen:
        address = int(line["address"])
        symbol = program.symbol(address)
        if symbol and "+" not in symbol:
            print(f"\n{symbol}:")
        print(f"{address:8x}:  {line['opcode']}  {line['text']}")


def disassemble(program: Program) -> list[dict[str, int | str]]:
    """Every word of it: ``address``, ``opcode`` (8 hexadecimal digits) and ``text``."""
    image = program.image + bytes(-len(program.image) % 4)
    lines: list[dict[str, int | str]] = []
    prefix = -1
    for index, opcode in enumerate(np.frombuffer(image, "<u4").tolist()):
        text = disassemble_microblaze(opcode, 4 * index, prefix)
        lines.append({"address": 4 * index, "opcode": f"{opcode:08x}", "text": text})
        prefix = opcode & 0xFFFF if opcode >> 26 == _IMM else -1
    return lines


def _address(text: str, nbytes: int) -> int:
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    if address % 4 or not 0 <= address < nbytes:
        raise BadArgumentError(f"--start {text}: an address in the program, a multiple of 4 below {nbytes:#x}")
    return address
