"""gapless play."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .. import board as boards
from ..errors import BadArgumentError
from ..stream import PlayReport, feed_source, samples_to_play
from ..units import format_rate, format_time, parse_time
from . import options, sources, values
from .output import count, end, print_fields, print_json, print_ledger, ring_line
from .progress import ProgressBar

EXAMPLES = """\b
Examples:
  gapless play signal.raw --rate 2.048e9
  gapless play tone:10e6 --seconds 0.1 --plot tone.png
  gapless play tone:10e6 --seconds 20 --stream
  gapless play noise: --samples 100e6 --engine direct --fifo-depth 64KiB --software-delay 1ms
  gapless play signal.npy --board 'virtual:zcu111?ps=32GiB' --memory ps-carveout --sha256 --json

\b
Exit status: 0 every sample was played on time, 3 played with gaps, 2 wrong use, 1 failed.
"""

_HEAD = 1 << 16  # samples that the plot's spectrum is taken of


def play(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=sources.HELP, show_default=False)],
    board: options.Board = options.DEFAULT_BOARD,
    memory: options.Memory = None,
    rate: options.Rate = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="sg (scatter-gather), direct (re-armed by software), cyclic (a ring without end) or auto.",
        ),
    ] = "auto",
    samples: Annotated[
        str | None,
        typer.Option(metavar="N", show_default="all of a file", help="How many samples to play, such as 100e6."),
    ] = None,
    seconds: Annotated[
        str | None, typer.Option(metavar="S", show_default=False, help="How long to play, instead of --samples.")
    ] = None,
    repeat: Annotated[str, typer.Option(metavar="N", help="Play the signal so many times, with no gap between.")] = "1",
    dac: Annotated[int, typer.Option(metavar="N", help="Which DAC.")] = 0,
    address: options.Address = None,
    fifo_depth: options.FifoDepth = None,
    clock: options.Clock = None,
    slowdown: options.Slowdown = None,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Put the signal through a few blocks while it plays: for more than fits memory."),
    ] = False,
    block: options.Block = None,
    blocks: options.Blocks = None,
    producer_rate: Annotated[
        str | None,
        typer.Option(
            metavar="SA/S",
            show_default="as fast as it can",
            help="With --stream: make the samples no faster than this, such as 512e6: provokes gaps.",
        ),
    ] = None,
    software_delay: options.SoftwareDelay = "0",
    force: options.Force = False,
    sha256: Annotated[
        bool, typer.Option("--sha256", help="Hash what the DAC converted, as little-endian int16 (virtual boards).")
    ] = False,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", show_default=False, help="Draw what was played and the ledger: .png, .svg or .pdf."
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Play a file or a generated signal on a DAC.

    The signal is put into contiguous memory, and DMA feeds it to the converter; with --stream it is filled in
    while it plays, so that it may go on for as long as one likes. The ledger beside the converter accounts for
    every sample: what was converted, and where samples were missing.
    """
    picture = None if plot is None else values.picture(plot)
    uri = values.board_uri(board, fifo_depth, clock=clock, slowdown=slowdown)
    delay = parse_time(software_delay, "--software-delay")
    times, place = values.whole(repeat, "--repeat"), values.address(address)
    signal, signal_rate = sources.open_signal(source, values.rate(rate))
    total = values.sample_count(samples, seconds, signal_rate)
    ring = values.ring(block, blocks)
    made = None if producer_rate is None else values.positive(producer_rate, "--producer-rate", "512e6")
    if (ring or made) and not stream:
        raise BadArgumentError("--block, --blocks and --producer-rate are about a stream: give --stream, too")
    common: dict[str, Any] = {
        "rate": signal_rate,
        "memory": memory,
        "engine": engine,
        "address": place,
        "sha256": sha256,
        "head": 0 if picture is None else _HEAD,
        "software_delay": delay,
        "force": force,
    }
    with boards.open(uri) as opened:
        with ProgressBar("playing", wanted=not json) as progress:
            if stream:
                wanted = samples_to_play(signal, total, times)
                with opened.dac(dac).stream(**common | ring) as output:
                    feed_source(output, signal, wanted, producer_rate=made, progress=progress)
                report = output.report
            else:
                report = opened.dac(dac).play(signal, repeat=times, samples=total, progress=progress, **common)
        # The account first: a disk that is full must not take it away.
        if json:
            print_json(report.as_dict())
        else:
            _print(report)
        if picture is not None:
            from ..plot import plot_play

            plot_play(picture, report, title=f"{signal.name} on dac{dac}")
            if not json:
                print(f"picture: {picture}")
        return end(opened, report.complete)


def _print(report: PlayReport) -> None:
    moved = count(report.transfers, "descriptor" if report.descriptors else "transfer")
    low, depth = report.fifo_low_water_bytes, report.fifo_depth_bytes
    fields = [
        ("board", report.board),
        ("memory", report.memory),
        ("engine", f"{report.engine}, {moved}"),
        ("rate", format_rate(report.rate)),
        ("samples", f"{report.samples_played:,} of {report.samples_requested:,}"),
        ("time", f"{format_time(report.signal_seconds)} of signal in {format_time(report.wall_seconds)}"),
        ("FIFO", f"low water {low:,} of {depth:,} bytes"),
    ]
    if report.queue is not None:
        fields.append(("ring", ring_line(report.queue, report.ledger)))
    if report.played_sha256 is not None:
        fields.append(("sha256", report.played_sha256))
    print_fields(fields)
    short = report.samples_requested - report.samples_played
    if report.ledger.complete and short > 0:
        print(f"no gap, but the last {count(short, 'sample')} never came")
    else:
        print_ledger(report.ledger, "no gap: every sample was converted on time")
