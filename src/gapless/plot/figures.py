"""Pictures of a play and of a loopback, for reports and for looking at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError, UnsupportedError
from ..samples.source import Source
from ..stream.report import PlayReport
from ..units import format_rate, format_size, format_time
from .panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    TITLE,
    VERMILION,
    draw_ledger,
    draw_spectrum,
    draw_waveform,
    shown_samples,
    time_unit,
)

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")

_LEAST_AROUND_BOUNDARY = 60  # samples shown on each side


def plot_play(path: str | os.PathLike[str], report: PlayReport, *, title: str) -> None:
    """Draw a play: its first samples and their spectrum (where ``report.head`` has them) and its ledger.

    Args:
        path: .png (1600 x 1000 pixels; 1600 x 400 without a head), .svg or .pdf; replaced when it exists.
        report: of the play.
        title: printed at the top.

    Raises:
        BadArgumentError: another suffix, or a place that cannot be written.
        UnsupportedError: without ``pip install 'gapless[plot]'``.
    """
    head = report.head if report.head is not None and len(report.head) else None
    figure = _figure(path, title, _what_ran(report), height=10 if head is not None else 4)
    if head is None:
        draw_ledger(figure.subplots(), report.ledger, report.rate, "played")
    else:
        grid = figure.add_gridspec(2, 2, height_ratios=[3, 1])
        draw_waveform(figure.add_subplot(grid[0, 0]), head, report.rate, "Played")
        draw_spectrum(figure.add_subplot(grid[0, 1]), head, report.rate, "what was played")
        draw_ledger(figure.add_subplot(grid[1, :]), report.ledger, report.rate, "played")
    _save(figure, path)


def plot_loopback(
    path: str | os.PathLike[str],
    *,
    source: Source,
    captured: NDArray[np.int16],
    rate: float,
    report: PlayReport,
    transfer_samples: int,
) -> None:
    """Draw a capture against the source it was played from, around the first DMA transfer boundary.

    Args:
        path: .png (1600 x 1000 pixels), .svg or .pdf; replaced when it exists.
        source: what was played; sample 0 of it is ``captured[0]``.
        captured: int16, shape (n,), n >= 1.
        rate: samples per second of both.
        report: of the play.
        transfer_samples: samples in one DMA transfer. Where the capture is not longer than that, its
            start is shown instead.

    Raises:
        BadArgumentError: another suffix, an empty capture, or a place that cannot be written.
        UnsupportedError: without ``pip install 'gapless[plot]'``.
    """
    if len(captured) == 0:
        raise BadArgumentError(f"{path}: no samples captured: there is nothing to draw")
    figure = _figure(path, f"Loopback of {source.name}", _what_ran(report))
    grid = figure.add_gridspec(3, 2, height_ratios=[2.4, 1.6, 0.9], width_ratios=[3, 2])
    both = figure.add_subplot(grid[0, :])
    difference = figure.add_subplot(grid[1, 0])
    _draw_boundary((both, difference), source, captured, rate, transfer_samples)
    draw_spectrum(figure.add_subplot(grid[1, 1]), captured, rate, "the capture")
    draw_ledger(figure.add_subplot(grid[2, :]), report.ledger, rate, "played")
    _save(figure, path)


def _draw_boundary(
    axes: tuple[Any, Any], source: Source, captured: NDArray[np.int16], rate: float, boundary: int
) -> None:
    both, difference = axes
    crossed = 0 < boundary < len(captured)
    centre = boundary if crossed else 0
    around = max(_LEAST_AROUND_BOUNDARY, shown_samples(captured) // 2)
    start, stop = max(0, centre - around), min(len(captured), centre + around)
    if source.length is not None:
        stop = min(stop, source.length)
    start = min(start, max(stop - 1, 0))
    played, seen = np.zeros(stop - start, dtype=np.int16), captured[start:stop]
    source.fill(played, start)
    factor, unit = time_unit((stop - start) / rate)
    time = (np.arange(start, stop) - centre) / rate * factor
    both.plot(time, played, color=ORANGE, linewidth=5, label="source")
    marker = "o" if len(seen) <= 250 else ""
    both.plot(time, seen, color=BLUE, linewidth=1.4, marker=marker, markersize=3.5, label="capture")
    off = seen.astype(np.int32) - played
    difference.plot(time, off, color=VERMILION if off.any() else GREEN, linewidth=2)
    where = f"the first DMA transfer boundary, sample {boundary:,}" if crossed else "the first sample"
    both.set_title(f"Source and capture around {where}", **TITLE)
    both.set_ylabel("sample (int16)")
    low, high = min(int(played.min()), int(seen.min())), max(int(played.max()), int(seen.max()))
    room = max(high - low, 20)
    both.set_ylim(low - 0.07 * room, high + 0.28 * room)  # the legend has the top to itself
    both.margins(x=0.01)
    differing = _count_differing(source, captured)
    difference.set_title(_in_words(differing, len(captured)), **TITLE)
    difference.set_ylabel("capture - source")
    difference.margins(x=0.01)
    if not off.any():
        difference.set_ylim(-2, 2)
        difference.set_yticks([-1, 0, 1])
    for each in axes:
        each.set_xlabel(f"time from {'the boundary' if crossed else 'the start'} ({unit})")
        if crossed:
            each.axvline(0, color=GREY, linestyle="--", linewidth=1.2, label="transfer boundary")
    both.legend(loc="upper right", ncols=3, framealpha=0.95)


def _count_differing(source: Source, captured: NDArray[np.int16]) -> int:
    """How many samples of the whole capture, not only of those shown, are not the source's."""
    block, differing = np.empty(1 << 18, dtype=np.int16), 0
    comparable = len(captured) if source.length is None else min(len(captured), source.length)
    for start in range(0, comparable, len(block)):
        part = block[: comparable - start]
        source.fill(part, start)
        differing += int(np.count_nonzero(part != captured[start : start + len(part)]))
    return differing + len(captured) - comparable


def _in_words(differing: int, count: int) -> str:
    if differing == 0:
        return f"Difference: zero in all {count:,} samples"
    return f"Difference: {differing:,} of {count:,} samples differ"


def _what_ran(report: PlayReport) -> str:
    low, depth = format_size(report.fifo_low_water_bytes), format_size(report.fifo_depth_bytes)
    return "   ·   ".join(
        (
            report.board,
            f"{report.engine} from {report.memory}",
            format_rate(report.rate),
            f"{report.samples_played:,} samples, {format_time(report.samples_played / report.rate)}",
            f"{report.transfers:,} {'transfer' if report.transfers == 1 else 'transfers'}",
            f"FIFO low water {low} of {depth}",
        )
    )


def _figure(path: str | os.PathLike[str], title: str, subtitle: str, height: float = 10) -> Any:
    """An empty figure with its headings; no pyplot, so that nothing global is touched."""
    if Path(path).suffix.lower() not in PICTURE_SUFFIXES:
        raise BadArgumentError(
            f"{path}: suffix {Path(path).suffix!r} is not known; there is {', '.join(PICTURE_SUFFIXES)}"
        )
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UnsupportedError(f"{path}: plots need matplotlib: pip install 'gapless[plot]'") from error
    figure: Any = Figure(figsize=(16, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.18, h_pad=0.14, hspace=0.04, wspace=0.03)
    figure.suptitle(f"{title}\n", fontsize=18, weight="bold", x=0.5)
    figure.text(0.5, 1 - 0.55 / height, subtitle, ha="center", va="center", fontsize=11.5, color=GREY)
    return figure


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    for axes in figure.axes:
        axes.xaxis.label.set_size(12)
        axes.yaxis.label.set_size(12)
        axes.tick_params(labelsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_yticks().size:
            axes.grid(visible=True, color="#DDDDDD", linewidth=0.7)
            axes.set_axisbelow(True)
    # no date in the file: the same run twice gives the same picture
    metadata = {".png": None, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        figure.savefig(path, metadata=metadata[Path(path).suffix.lower()])
    except OSError as error:
        raise BadArgumentError(f"{path}: cannot be written: {error.strerror or error}") from error
