"""gapless record."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from .. import board as boards
from ..board import Board
from ..errors import BadArgumentError, UnsupportedError
from ..files import check_destination, save_samples
from ..samples import CounterSource, Source
from ..stream import Capture
from ..units import format_rate, format_size, format_time, parse_time
from . import options, sources, values
from .output import count, end, print_fields, print_json, print_ledger
from .progress import ProgressBar

EXAMPLES = """\b
Examples:
  gapless record counter.npy --samples 100e6
  gapless record tone.wav --source tone:1e6 --rate 250e6 --samples 1e6
  gapless record late.sigmf-meta --samples 100e6 --engine direct --software-delay 1ms

\b
Exit status: 0 every sample was recorded, 3 recorded with gaps, 2 wrong use, 1 failed.
"""


def record(
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="File to write: .raw (little-endian int16), .npy, .wav or .sigmf-meta.",
            show_default=False,
        ),
    ],
    samples: Annotated[
        str, typer.Option(metavar="N", show_default=False, help="How many samples to record, such as 100e6.")
    ],
    source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            show_default="counter:",
            help="What is at a virtual ADC's input: a generator or a file as in 'gapless play', repeated without end.",
        ),
    ] = None,
    board: options.Board = options.DEFAULT_BOARD,
    memory: options.Memory = None,
    rate: options.Rate = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="sg (scatter-gather), direct (re-armed by software) or auto.")
    ] = "auto",
    adc: Annotated[int, typer.Option(metavar="N", help="Which ADC.")] = 0,
    address: options.Address = None,
    fifo_depth: options.FifoDepth = None,
    software_delay: options.SoftwareDelay = "0",
    force: options.Force = False,
    json: options.Json = False,
) -> int:
    """Record samples from an ADC into a file.

    The ledger accounts for every sample. Those that were lost are missing in the file; where, is saved with
    it: in OUT.ledger.json, or in the .sigmf-meta. 'gapless verify' shows it.
    """
    if source is not None and re.fullmatch("dac[0-9]+", source):
        raise BadArgumentError(f"--source {source}: nothing plays on it while this command records; see 'gapless demo'")
    total, uri = values.whole(samples, "--samples"), values.board_uri(board, fifo_depth)
    delay, place = parse_time(software_delay, "--software-delay"), values.address(address)
    asked = values.rate(rate)
    check_destination(out, rate=asked or values.DEFAULT_RATE)
    with boards.open(uri) as opened:
        signal, used_rate = sources.open_signal(source or "counter:", asked)
        check_destination(out, rate=used_rate)  # a file may have brought its own
        converter = opened.adc(adc)
        with ProgressBar("recording", wanted=not json) as progress:
            _connect(opened, adc, source, signal, total)
            capture = converter.record(
                total,
                rate=used_rate,
                memory=memory,
                engine=engine,
                address=place,
                software_delay=delay,
                force=force,
                progress=progress,
            )
            progress.say("saving")
            what = source or "counter:"
            save_samples(
                out, capture.samples, rate=used_rate, ledger=capture.ledger, description=f"{what} on adc{adc} of {uri}"
            )
        if json:
            print_json(capture.as_dict())
        else:
            _print(capture, out)
        return end(opened, capture.complete)


def _connect(board: Board, adc: int, source: str | None, signal: Source, samples: int) -> None:
    if board.probe is None:
        if source is not None:
            raise UnsupportedError(f"--source {source}: what is at the input of {board.uri} is not for software to say")
        return
    if isinstance(signal, CounterSource) and signal.name == "counter:":
        board.probe.connect(adc, "counter")
    else:
        board.probe.connect(adc, sources.read_all(signal, samples))


def _print(capture: Capture, out: str) -> None:
    moved = count(capture.transfers, "descriptor" if capture.descriptors else "transfer")
    recorded = len(capture.samples)
    print_fields(
        [
            ("board", capture.board),
            ("memory", capture.memory),
            ("engine", f"{capture.engine}, {moved}"),
            ("rate", format_rate(capture.rate)),
            ("samples", f"{recorded:,} of {capture.samples_requested:,}"),
            ("time", f"{format_time(recorded / capture.rate)} of signal in {format_time(capture.wall_seconds)}"),
            ("file", f"{out}, {format_size(2 * recorded)} of samples"),
        ]
    )
    print_ledger(capture.ledger, "no gap: every sample was recorded")
