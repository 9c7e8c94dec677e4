"""gapless budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from .. import board as boards
from ..board import Board
from ..boards import ConverterSpec, DmaSpec
from ..dma import piece_bytes
from ..errors import BadArgumentError, UnknownNameError
from ..stream import Budget, Limit, compute_budget, measure_rearm
from ..units import format_bandwidth, format_rate, format_size, format_time, parse_time
from . import options, values
from .output import print_fields, print_json, print_table

EXAMPLES = """\b
Examples:
  gapless budget --rate 2.048e9 --memory ps-cma
  gapless budget --rate 2.048e9 --engine direct --rearm 300us
  gapless budget --rate 1.5e9 --dac 1 --memory ps-cma --with adc1=1e9

\b
Exit status: 0 the rate can be sustained, 3 it cannot, 2 wrong use.

\b
JSON: "sustained", "max_rate_sa_per_s" (the highest that is), and "limits": "name", "needed" and
"available" in "unit", "headroom" (0.5: half as much again as needed), "ok", the "max_rate_sa_per_s"
at which this limit is reached, and "why" it is exceeded.
"""


def budget(
    rate: Annotated[
        str, typer.Option(metavar="SA/S", show_default=False, help="Samples per second of each channel, such as 2e9.")
    ],
    channels: Annotated[str, typer.Option(metavar="N", help="Converters in step that share the stream.")] = "1",
    memory: options.Memory = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="sg (scatter-gather), direct (re-armed by software), cyclic (a ring) or auto."
        ),
    ] = "auto",
    dac: Annotated[int | None, typer.Option(metavar="N", show_default="0", help="Play on this DAC.")] = None,
    adc: Annotated[int | None, typer.Option(metavar="N", show_default=False, help="Record from this ADC.")] = None,
    board: options.Board = options.DEFAULT_BOARD,
    fifo_depth: options.FifoDepth = None,
    block: Annotated[
        str | None,
        typer.Option(
            metavar="SAMPLES",
            show_default="as long as the length field allows",
            help="Samples in one descriptor or transfer, of all channels together.",
        ),
    ] = None,
    producer_rate: Annotated[
        str | None,
        typer.Option(
            metavar="SA/S",
            show_default=False,
            help="What makes (or, of an ADC, takes) the samples, of all channels together.",
        ),
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME=RATE",
            show_default=False,
            help="Another converter that runs at the same time, from the same memory: adc1=1e9.",
        ),
    ] = None,
    rearm: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            show_default="direct: measured on this machine; else not looked at",
            help="Time from a completion until software has started the next transfer, such as 20us.",
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Say whether a rate can be sustained, and why not.

    Nothing is started. It is computed from the board's description: converter, stream clock, memory port (which
    others may share), the engine's overhead, descriptor fetches, the time software has to re-arm, the producer.
    """
    if dac is not None and adc is not None:
        raise BadArgumentError("--dac and --adc both name the converter: give one of them")
    samples = None if block is None else values.whole(block, "--block")
    produced = None if producer_rate is None else values.positive(producer_rate, "--producer-rate", "1e9")
    asked, number = values.positive(rate, "--rate", "2.048e9"), values.whole(channels, "--channels")
    late = None if rearm is None else parse_time(rearm, "--rearm")
    with boards.open(values.board_uri(board, fifo_depth)) as opened:
        converter = opened.dac(dac or 0) if adc is None else opened.adc(adc)
        name, dma = converter.choose_engine(engine, converter.path(number))
        if name == "cyclic" and adc is not None:
            raise BadArgumentError("engine cyclic records for ever; use sg or direct")
        pool = converter.choose_pool(memory)
        sharing = _others(opened, converter.spec, others or ())
        block_bytes = _block_bytes(dma.spec, samples)
        if late is None and name == "direct":
            late = _measured_rearm()
        found = compute_budget(
            opened.spec,
            converter.spec,
            dma.spec,
            pool.kind,
            asked,
            engine=name,
            channels=number,
            block=block_bytes,
            rearm=late,
            producer=produced,
            others=sharing,
        )
        document = {
            "board": opened.uri,
            "converter": converter.spec.name,
            "engine": name,
            "memory": pool.name,
            "rate_sa_per_s": asked,
            "channels": number,
            "block_bytes": block_bytes,
            "fifo_depth_bytes": converter.spec.fifo_bytes,
            "rearm_seconds": late,
            "producer_rate_sa_per_s": produced,
            "with": {other.name: rate for other, rate in sharing},
        }
    if json:
        print_json(document | found.as_dict())
    else:
        _print(document, found)
    return 0 if found.sustained else 3


def _measured_rearm() -> float:
    """What the loop takes on this machine: tried on a board of its own, which counts CPU time."""
    with boards.open(f"{options.DEFAULT_BOARD}?clock=measured") as private:
        return measure_rearm(private.dac(0))


def _block_bytes(dma: DmaSpec, samples: int | None) -> int:
    longest = piece_bytes(dma)
    if samples is None:
        return longest
    if 2 * samples > longest:
        raise BadArgumentError(
            f"--block {samples}: one descriptor or transfer of {dma.name} moves at most {longest // 2} samples, "
            f"{format_size(longest)}"
        )
    return 2 * samples


def _others(board: Board, ours: ConverterSpec, texts: Sequence[str]) -> list[tuple[ConverterSpec, float]]:
    known = {converter.name: converter for converter in board.spec.converters if converter is not ours}
    found: dict[str, float] = {}
    for text in texts:
        name, _, rate = text.partition("=")
        if name not in known:
            raise UnknownNameError("other converter", name, known)
        if name in found:
            raise BadArgumentError(f"--with {text}: {name} is given twice")
        found[name] = values.positive(rate, f"--with {name}=", "adc1=1e9")
        if found[name] > known[name].max_rate:
            raise BadArgumentError(f"--with {text}: {name} converts at most {format_rate(known[name].max_rate)}")
    return [(known[name], rate) for name, rate in found.items()]


_FORMATS: dict[str, Callable[[float], str]] = {
    "Sa/s": format_rate,
    "B/s": format_bandwidth,
    "s": format_time,
    "Hz": lambda value: f"{value / 1e6:.6g} MHz",
    "1/s": lambda value: f"{value / 1e6:.3g} M/s" if value >= 1e6 else f"{value:.3g} /s",
}


def _cells(limit: Limit) -> tuple[str, ...]:
    form = _FORMATS[limit.unit]
    headroom = limit.available / limit.needed - 1
    share = f"{headroom:+.1%}" if headroom < 10 else f"{headroom + 1:,.0f} x"
    return limit.name, form(limit.needed), form(limit.available), share, "ok" if limit.ok else "NO"


def _print(document: dict[str, Any], found: Budget) -> None:
    engine = f"{document['engine']}, blocks of {format_size(document['block_bytes'])}"
    print_fields(
        [
            ("board", document["board"]),
            ("converter", document["converter"] + (f", {document['channels']} in step" * (document["channels"] > 1))),
            ("memory", document["memory"]),
            ("engine", engine),
            ("rate", format_rate(found.rate)),
        ]
    )
    print()
    columns = ("limit", "needed", "available", "headroom", "")
    print_table(columns, [_cells(limit) for limit in found.limits], numbers=columns[1:4])
    print()
    if found.sustained:
        print(f"can be sustained; at most {format_rate(found.max_rate)}")
        return
    print(f"cannot be sustained, at most {format_rate(found.max_rate)} can:")
    for reason in found.reasons:
        print(f"  {reason}")
