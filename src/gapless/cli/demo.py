"""gapless demo."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from .. import board as boards
from ..board import Board
from ..dma import piece_bytes
from ..samples import ArraySource
from ..stream import Capture, Dac, PlayReport
from ..units import format_rate, format_size, format_time
from . import options, values
from .demo_signal import CHIRP, RATE, TONE, make_signal
from .output import count, end, print_json

EXAMPLES = """\b
Examples:
  gapless demo
  gapless demo --plot loopback.png --json

\b
Exit status: 0 nothing was missing and the capture equals the source, 3 otherwise.
"""

_SAMPLES = 40_000_000
_LATE = 1e-3  # seconds
_PICTURE = "gapless-demo.png"


@dataclass(frozen=True)
class _Outcome:
    report: PlayReport
    capture: Capture
    differing: int
    without: PlayReport
    picture: Path | None

    @property
    def complete(self) -> bool:
        return self.report.complete and self.capture.complete and self.differing == 0


def demo(
    plot: Annotated[str, typer.Option(metavar="FILE", help="Where the picture goes: .png, .svg or .pdf.")] = _PICTURE,
    json: options.Json = False,
) -> int:
    """Play, capture and compare a signal; no board is needed.

    A signal larger than one DMA transfer leaves a DAC of the virtual ZCU111 and comes back through an
    ADC. The last line says how many samples went through, in how many transfers, with how many gaps,
    and that the capture equals the source.
    """
    picture = values.picture(plot) if values.can_plot() or plot != _PICTURE else None
    say: Callable[[str], None] = (lambda _: None) if json else _say
    with boards.open(options.DEFAULT_BOARD) as board:
        outcome = _run(board, picture, say)
        if json:
            print_json(_document(outcome))
        status = end(board, outcome.complete)
    say(_verdict(outcome))
    return status


def _say(line: str) -> None:
    print(line, flush=True)


def _run(board: Board, picture: Path | None, say: Callable[[str], None]) -> _Outcome:
    dac = board.dac(0)
    transfer = piece_bytes(dac.engines()["sg"].spec)
    say(f"board    {board.uri}: {board.spec.title}, in software")
    signal = make_signal(_SAMPLES)
    say(f"signal   a chirp from {CHIRP[0] / 1e6:g} to {CHIRP[1] / 1e6:g} MHz over a tone at {TONE / 1e6:g} MHz")
    size, lasts = format_size(signal.nbytes), format_time(_SAMPLES / RATE)
    say(f"         {_SAMPLES:,} samples at {format_rate(RATE)}: {size}, {lasts}")
    say(f"         one DMA transfer moves {format_size(transfer)} at most: this takes {-(-signal.nbytes // transfer)}")
    report, capture = _loop_back(board, dac, signal)
    say("path     pl-ddr -> DMA -> FIFO -> dac0 -> wire -> adc0 -> FIFO -> DMA -> pl-ddr")
    low, depth = report.fifo_low_water_bytes, report.fifo_depth_bytes
    say(f"played   {report.samples_played:,} samples, {count(report.ledger.gap_count, 'gap')} in the ledger of dac0")
    say(f"         its FIFO never held less than {low:,} of its {depth:,} bytes")
    recorded = len(capture.samples)
    say(f"captured {recorded:,} samples, {count(capture.ledger.gap_count, 'gap')} in the ledger of adc0")
    differing = _SAMPLES - recorded + int(np.count_nonzero(capture.samples != signal[:recorded]))
    say(f"compared the capture with the source: {differing:,} of {_SAMPLES:,} samples differ")
    without = dac.play(signal, rate=RATE, engine="direct", software_delay=_LATE)
    _say_without(without, say)
    if picture is None:
        say("picture  none: pip install 'gapless[plot]'")
    else:
        _draw(picture, signal, capture, report, transfer // 2)
        say(f"picture  {os.path.abspath(picture)}")
    return _Outcome(report, capture, differing, without, picture)


def _loop_back(board: Board, dac: Dac, signal: NDArray[np.int16]) -> tuple[PlayReport, Capture]:
    assert board.probe is not None  # the board is virtual
    board.probe.connect(0, dac.spec.name)
    recording = board.adc(0).start(len(signal), rate=RATE)
    try:
        report = dac.play(signal, rate=RATE)
    except BaseException:
        recording.cancel()
        raise
    return report, recording.wait()


def _say_without(report: PlayReport, say: Callable[[str], None]) -> None:
    ledger = report.ledger
    say(f"without  the same signal, each transfer started by software that is {format_time(_LATE)} late:")
    where = f", at sample {ledger.gaps[0].index:,}" if len(ledger.gaps) == 1 else ""
    say(f"         {count(ledger.gap_count, 'gap')}, {count(ledger.missing_samples, 'sample')} missing{where}")


def _draw(
    picture: Path, signal: NDArray[np.int16], capture: Capture, report: PlayReport, transfer_samples: int
) -> None:
    from ..plot import plot_loopback

    plot_loopback(
        picture,
        source=ArraySource(signal, name="a chirp over a tone"),
        captured=capture.samples,
        rate=RATE,
        report=report,
        transfer_samples=transfer_samples,
    )


def _document(outcome: _Outcome) -> dict[str, Any]:
    return {
        "samples": _SAMPLES,
        "differing_samples": outcome.differing,
        "capture_equals_source": outcome.differing == 0,
        "play": outcome.report.as_dict(),
        "record": outcome.capture.as_dict(),
        "without": outcome.without.as_dict(),
        "plot": None if outcome.picture is None else str(outcome.picture),
    }


def _verdict(outcome: _Outcome) -> str:
    report = outcome.report
    gaps = report.ledger.gap_count + outcome.capture.ledger.gap_count
    same = (
        "equals the source"
        if outcome.differing == 0
        else f"differs from the source in {count(outcome.differing, 'sample')}"
    )
    return (
        f"{count(report.samples_played, 'sample')} in {count(report.transfers, 'transfer')}, "
        f"{count(gaps, 'gap')}: the capture {same}"
    )
