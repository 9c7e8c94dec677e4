"""gapless iop run."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

import numpy as np
import typer

from .. import board as boards
from ..board import Board
from ..errors import AddressError, BadArgumentError, UnsupportedError
from ..iop import Iop, Program
from ..memory import Buffer
from ..units import format_address, format_size, format_time, parse_size, parse_time
from . import options
from .iop_disasm import disassemble
from .iop_report import print_trace, profile_rows, trace_rows
from .output import count, end, print_fields, print_json, print_table

EXAMPLES = """\b
Examples:
  gapless iop run tutorial --buffer 4KiB --word 1=1 --word 2=10 --word 0=buffer --trace
  gapless iop run program.elf --word 0=0x1234 --seconds 0.5 --profile
  gapless iop run ticks --board 'virtual:pynq-z2' --iop 2 --json
"""
_SHOWN_WORDS = 16  # of a buffer
_BOARD = "virtual:pynq-z2"


def run(
    firmware: Annotated[
        str, typer.Argument(metavar="FIRMWARE", show_default=False, help="A .bin, an ELF file, or one of our programs.")
    ],
    board: options.Board = _BOARD,
    number: Annotated[int, typer.Option("--iop", metavar="N", help="Which soft processor.")] = 1,
    word: Annotated[
        list[str] | None,
        typer.Option(
            "--word",
            metavar="I=V",
            help="Write V to mailbox word I, in the order given, once the program waits; V may be 'buffer'.",
        ),
    ] = None,
    buffer: Annotated[
        str | None,
        typer.Option("--buffer", metavar="SIZE", help="Allocate a buffer that --word I=buffer gives the address of."),
    ] = None,
    seconds: Annotated[
        str, typer.Option("--seconds", metavar="TIME", help="Let it run so long on the board's clock.")
    ] = "10ms",
    trace: Annotated[bool, typer.Option("--trace", help="List its stores, with the instruction of each.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="List where its cycles went.")] = False,
    json: options.Json = False,
) -> int:
    """Execute a program on a virtual board's soft processor."""
    program = Program.load(firmware)
    words = [_word(text, buffer is not None) for text in word or []]
    duration, size = parse_time(seconds, "--seconds"), None if buffer is None else parse_size(buffer, "--buffer")
    with ExitStack() as stack:
        opened = stack.enter_context(boards.open(board))
        iop = opened.iop(number)
        probe: Any = opened.probe
        if probe is None:
            raise UnsupportedError(f"{board} is a real board: what a program does can be seen on a virtual one only")
        bench = probe.iop(number)
        log = bench.observe("stores" if trace else "nothing") if trace or profile else None
        memory = None if size is None else stack.enter_context(_allocate(opened, iop, size))
        iop.load(program)
        began = opened.bus.time()
        iop.start()
        for index, value in words:
            iop.mailbox[index] = memory.physical_address if value is None and memory is not None else value or 0
        opened.bus.sleep(duration)
        report = _report(opened, iop, bench, opened.bus.time() - began, memory)
        if log is not None:
            texts = [str(line["text"]) for line in disassemble(program)]
            report |= {"trace": trace_rows(log, program, texts)} if trace else {}
            report |= {"profile": profile_rows(log, program, texts)} if profile else {}
        iop.stop()
        if json:
            print_json(report)
        else:
            _print(report)
        # What stopped it is a finding, too, and said once.
        return 1 if report["fault"] else end(opened, True)


def _allocate(board: Board, iop: Iop, size: int) -> Buffer:
    window = iop.spec.window
    if not window.size:
        raise AddressError(f"--buffer {format_size(size)}: {iop.name} sees none of the board's memory")
    pool = next(
        (pool for pool in board.memory.values() if pool.size and window.holds(pool.base, pool.size)),
        next(iter(board.memory.values())),
    )
    return pool.allocate(max(1, -(-size // 4)), np.uint32, below=window.physical + window.size)


def _word(text: str, has_buffer: bool) -> tuple[int, int | None]:
    index, equals, value = text.partition("=")
    if value == "buffer" and not has_buffer:
        raise BadArgumentError(f"--word {text}: there is no buffer; --buffer SIZE allocates one")
    try:
        return int(index, 0), None if value == "buffer" else int(value, 0)
    except ValueError:
        pass
    example = "" if equals else " (there is no =)"
    raise BadArgumentError(f"--word {text}{example}: it is INDEX=VALUE, such as 0=0x1234 or 0=buffer")


def _report(board: Board, iop: Iop, bench: Any, seconds: float, memory: Buffer | None) -> dict[str, Any]:
    program = iop.program
    assert program is not None
    fault = bench.fault
    words = iop.mailbox.read(0, len(iop.mailbox))
    report: dict[str, Any] = {
        "firmware": program.name,
        "bytes": len(program.image),
        "board": board.uri,
        "iop": iop.name,
        "state": bench.state,
        "pc": bench.pc,
        "where": program.symbol(bench.pc),
        "instructions": bench.instructions,
        "cycles": bench.cycles,
        "seconds": seconds,
        "mailbox": {str(index): int(words[index]) for index in np.flatnonzero(words)},
        "fault": None if fault is None else fault._asdict(),
        "findings": [finding._asdict() for finding in board.findings],
    }
    if memory is not None:
        shown = memory[:_SHOWN_WORDS].read()
        report["buffer"] = {
            "physical_address": memory.physical_address,
            "nbytes": memory.nbytes,
            "words": [int(value) for value in shown],
        }
    return report


def _print(report: dict[str, Any]) -> None:
    where = f" ({report['where']})" if report["where"] else ""
    states = {
        "settled": "it waits",
        "running": "it is still at work",
        "faulted": "it crashed",
        "held": "it is in reset",
    }
    fields = [
        ("program", f"{report['firmware']}, {report['bytes']:,} bytes, on {report['iop']} of {report['board']}"),
        ("state", f"{states[report['state']]} at PC 0x{report['pc']:08X}{where}"),
        (
            "executed",
            f"{count(report['instructions'], 'instruction')}; {format_time(report['seconds'])} since its start",
        ),
    ]
    if report["fault"]:
        fields.append(("fault", report["fault"]["text"]))
    fields += [(f"word {index}", f"0x{value:08X}  {value}") for index, value in report["mailbox"].items()]
    if memory := report.get("buffer"):
        words = " ".join(str(value) for value in memory["words"])
        more = " ..." if memory["nbytes"] > 4 * _SHOWN_WORDS else ""
        fields.append(("buffer", f"{format_address(memory['physical_address'])}: {words}{more}"))
    print_fields(fields)
    if trace := report.get("trace"):
        print()
        print_trace(trace)
    if profile := report.get("profile"):
        print()
        columns = ("share", "cycles", "count", "pc", "instruction", "where")
        numbers = columns[:4]
        print_table(columns, [_profile_cells(row) for row in profile], numbers=numbers)


def _profile_cells(row: dict[str, Any]) -> tuple[str, ...]:
    figures = f"{row['share']:.1%}", f"{row['cycles']:,}", f"{row['count']:,}", f"{row['pc']:x}"
    return (*figures, row["text"], row["where"])
