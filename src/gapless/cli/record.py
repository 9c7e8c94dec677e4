"""gapless record."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from .. import board as boards
from ..board import Board
from ..errors import BadArgumentError, GaplessError, UnsupportedError
from ..files import check_destination, ledger_path
from ..files import record as record_file
from ..samples import CounterSource, Source
from ..stream import StreamReport
from ..units import format_rate, format_size, format_time, parse_time
from . import options, sources, values
from .interrupts import stoppable
from .output import count, end, print_fields, print_json, print_ledger, ring_line
from .progress import ProgressBar

EXAMPLES = """\b
Examples:
  gapless record counter.npy --samples 100e6
  gapless record long.raw --seconds 10 --rate 250e6
  gapless record tone.wav --source tone:1e6 --rate 250e6 --samples 1e6
  gapless record late.sigmf-meta --samples 100e6 --engine direct --software-delay 1ms

\b
Exit status: 0 every sample was recorded, 3 recorded with gaps, 2 wrong use, 1 failed (also: the disk is
full), 130 interrupted; of these last two the file and its ledger are valid.
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
        str | None, typer.Option(metavar="N", show_default=False, help="How many samples to record, such as 100e6.")
    ] = None,
    seconds: Annotated[
        str | None, typer.Option(metavar="S", show_default=False, help="How long to record, instead of --samples.")
    ] = None,
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
    clock: options.Clock = None,
    slowdown: options.Slowdown = None,
    block: options.Block = None,
    blocks: options.Blocks = None,
    software_delay: options.SoftwareDelay = "0",
    force: options.Force = False,
    json: options.Json = False,
) -> int:
    """Record samples from an ADC into a file, straight from the engine: it may be larger than memory.

    The ledger accounts for every sample. Those that were lost are missing in the file; where, is saved with
    it: in OUT.ledger.json, or in the .sigmf-meta. 'gapless verify' shows it. Ctrl-C ends the capture: file and
    ledger are those of what was recorded by then.
    """
    if source is not None and re.fullmatch("dac[0-9]+", source):
        raise BadArgumentError(f"--source {source}: nothing plays on it while this command records; see 'gapless demo'")
    uri = values.board_uri(board, fifo_depth, clock=clock, slowdown=slowdown)
    delay, place = parse_time(software_delay, "--software-delay"), values.address(address)
    asked, ring = values.rate(rate), values.ring(block, blocks)
    total = values.sample_count(samples, seconds, asked or values.DEFAULT_RATE)
    if total is None:
        raise BadArgumentError("how much to record: give --samples, such as 100e6, or --seconds")
    check_destination(out, rate=asked or values.DEFAULT_RATE)
    with boards.open(uri) as opened:
        signal, used_rate = sources.open_signal(source or "counter:", asked)
        total = values.sample_count(samples, seconds, used_rate) or total  # a file may have brought its own rate
        converter = opened.adc(adc)
        stopped: BaseException | None = None
        with stoppable() as stop:
            with ProgressBar("recording", wanted=not json) as progress:
                _connect(opened, adc, source, signal, total)
                stop.hold()
                capture = record_file(
                    converter,
                    out,
                    rate=used_rate,
                    samples=total,
                    description=f"{source or 'counter:'} on adc{adc} of {uri}",
                    memory=memory,
                    engine=engine,
                    address=place,
                    software_delay=delay,
                    force=force,
                    **ring,
                )

                def look(done: int, nbytes: int) -> None:
                    progress(done, nbytes)
                    stop.check()

                try:
                    with capture:
                        capture.wait(look)
                except (KeyboardInterrupt, GaplessError) as error:
                    stopped = error
            # The account comes first, however it ended.
            report = capture.report
            if json:
                print_json(report.as_dict())
            else:
                _print(report, out)
            sys.stdout.flush()
        if isinstance(stopped, KeyboardInterrupt):
            recorded = f"{report.samples_recorded:,} of {total:,} samples"
            stopped = KeyboardInterrupt(f"interrupted after {recorded}: {out} has these, {ledger_path(out)} says so")
        if stopped is not None:
            raise stopped
        return end(opened, report.complete)


def _connect(board: Board, adc: int, source: str | None, signal: Source, samples: int) -> None:
    if board.probe is None:
        if source is not None:
            raise UnsupportedError(f"--source {source}: what is at the input of {board.uri} is not for software to say")
        return
    if isinstance(signal, CounterSource) and signal.name == "counter:":
        board.probe.connect(adc, "counter")
    else:
        board.probe.connect(adc, sources.read_all(signal, samples))


def _print(report: StreamReport, out: str) -> None:
    moved = count(report.transfers, "descriptor" if report.descriptors else "transfer")
    recorded = report.samples_recorded
    print_fields(
        [
            ("board", report.board),
            ("memory", report.memory),
            ("engine", f"{report.engine}, {moved}"),
            ("ring", ring_line(report.queue, report.ledger)),
            ("rate", format_rate(report.rate)),
            ("samples", f"{recorded:,} of {report.samples_requested or 0:,}"),
            ("time", f"{format_time(recorded / report.rate)} of signal in {format_time(report.wall_seconds)}"),
            ("file", f"{out}, {format_size(2 * recorded)} of samples"),
        ]
    )
    whole = report.complete
    print_ledger(report.ledger, "no gap: every sample was recorded" if whole else "no gap in what was recorded")
