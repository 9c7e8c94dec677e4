"""The panels that plots are made of, each drawn into axes given to it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stream.ledger import Ledger

# Okabe and Ito, "Color Universal Design" (2008): told apart with any colour vision
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#606060"

TITLE: dict[str, Any] = {"loc": "left", "fontsize": 13.5}

_SPECTRUM_SAMPLES = 1 << 16
_FLOOR_DBFS = -160.0
_LISTED_GAPS = 4


def time_unit(seconds: float) -> tuple[float, str]:
    """Factor and name of the unit in which a span of so many seconds reads best."""
    for factor, name in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1:
            return factor, name
    return 1e9, "ns"


def frequency_unit(hertz: float) -> tuple[float, str]:
    """Factor and name of the unit in which frequencies up to so many hertz read best."""
    for factor, name in ((1e-9, "GHz"), (1e-6, "MHz"), (1e-3, "kHz")):
        if hertz * factor >= 1:
            return factor, name
    return 1.0, "Hz"


def spectrum_dbfs(samples: NDArray[np.int16], rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies in Hz and levels in dBFS (0: a sine of full scale), of at most the first 65536 samples.

    Blackman-Harris window, 92 dB down to its side lobes: what is seen beside a tone is in the signal.
    """
    used = samples[:_SPECTRUM_SAMPLES].astype(np.float64) / 32768
    turn = 2 * math.pi * np.arange(len(used)) / len(used)
    window = 0.35875 - 0.48829 * np.cos(turn) + 0.14128 * np.cos(2 * turn) - 0.01168 * np.cos(3 * turn)
    amplitude = np.abs(np.fft.rfft(used * window)) * 2 / window.sum()
    level = 20 * np.log10(np.maximum(amplitude, 10 ** (_FLOOR_DBFS / 20)))
    frequency = np.arange(len(level)) * (rate / len(used))
    return frequency.astype(np.float64, copy=False), level.astype(np.float64, copy=False)


def find_peak(frequency: NDArray[np.float64], level: NDArray[np.float64]) -> tuple[float, float]:
    """Frequency and level of the largest line, between the bins by a parabola through three of them."""
    top = int(np.argmax(level))
    if not 0 < top < len(level) - 1:
        return float(frequency[top]), float(level[top])
    before, here, after = (float(level[top + i]) for i in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend else 0.0
    return float(frequency[top] + shift * frequency[1]), here - 0.25 * (before - after) * shift


def draw_waveform(axes: Any, samples: NDArray[np.int16], rate: float, name: str) -> None:
    """The first samples against time, few enough of them to see the shape."""
    shown = samples[: shown_samples(samples)]
    factor, unit = time_unit(len(shown) / rate)
    marker = "." if len(shown) <= 250 else ""
    axes.plot(np.arange(len(shown)) / rate * factor, shown, color=BLUE, linewidth=1.2, marker=marker)
    axes.set_title(f"{name}: the first {len(shown):,} samples", **TITLE)
    axes.set_xlabel(f"time ({unit})")
    axes.set_ylabel("sample (int16)")
    axes.margins(x=0.01)
    _full_scale(axes)


def shown_samples(samples: NDArray[np.int16]) -> int:
    """About 6 cycles of whatever dominates the signal, within 60 .. 1000 samples."""
    used = samples[:4096].astype(np.float64)
    if len(used) <= 60:
        return len(used)
    strongest = int(np.argmax(np.abs(np.fft.rfft(used - used.mean()))))
    return min(len(used), max(60, min(1000, 6 * len(used) // max(strongest, 1))))


def _full_scale(axes: Any) -> None:
    axes.set_ylim(-36000, 36000)
    axes.set_yticks([-32768, -16384, 0, 16384, 32767])


def draw_spectrum(axes: Any, samples: NDArray[np.int16], rate: float, name: str) -> None:
    """Spectrum of the samples with its largest line named."""
    frequency, level = spectrum_dbfs(samples, rate)
    at, peak = find_peak(frequency, level)
    low = len(frequency) > 100 and 0 < at < 0.05 * rate / 2  # on a linear axis: a line on its left edge
    factor, unit = frequency_unit(at if low else rate / 2)
    axes.plot(frequency * factor, level, color=BLUE, linewidth=0.8)
    text = "no signal: all samples are zero"
    if peak > _FLOOR_DBFS:
        peak_factor, peak_unit = frequency_unit(at)
        text = f"peak {peak:.1f} dBFS at {at * peak_factor:.5g} {peak_unit}"
        ring = {"color": VERMILION, "fillstyle": "none", "markersize": 8, "markeredgewidth": 1.5}
        axes.plot(at * factor, peak, "o", **ring)
    axes.set_title(f"Spectrum of {name}", **TITLE)
    axes.set_title(text, loc="right", color=GREY, fontsize=11)
    axes.set_xlabel(f"frequency ({unit})")
    axes.set_ylabel("level (dBFS)")
    if low:
        axes.set_xscale("log")
        axes.set_xlim(frequency[1] * factor, rate / 2 * factor)
        axes.xaxis.set_major_formatter("{x:g}")
    else:
        axes.set_xlim(0, rate / 2 * factor)
    axes.set_ylim(max(_FLOOR_DBFS, float(np.median(level)) - 30), 8)


def draw_ledger(axes: Any, ledger: Ledger, rate: float, done: str) -> None:
    """The ledger as a time line: blocks that are whole, gaps, and the account in words."""
    total = ledger.samples + ledger.missing_samples
    factor, unit = time_unit(max(total, 1) / rate)
    scale = factor / rate
    axes.broken_barh([(index * scale, length * scale) for index, length in ledger.blocks], (0, 1), color=GREEN)
    # a gap of few samples in a long play is thinner than a pixel: its edge line keeps it visible
    axes.broken_barh(
        [(gap.index * scale, gap.length * scale) for gap in ledger.gaps],
        (0, 1),
        color=VERMILION,
        edgecolor=VERMILION,
        linewidth=2,
    )
    _label_gaps(axes, ledger, scale, max(total, 1) * scale)
    axes.set_title(f"Ledger: {account(ledger, done)}", **TITLE)
    axes.set_xlabel(f"time ({unit})")
    axes.set_xlim(0, max(total, 1) * scale)
    axes.set_ylim(0, 2.1 if ledger.gaps else 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not ledger.gaps and not ledger.gap_count:
        axes.text(
            0.5,
            0.5,
            "no gap",
            transform=axes.transAxes,
            ha="center",
            va="center",
            color="white",
            weight="bold",
        )


def account(ledger: Ledger, done: str) -> str:
    """The ledger in words."""
    if ledger.complete:
        return f"no gap in {ledger.samples:,} samples {done}"
    gaps = "1 gap" if ledger.gap_count == 1 else f"{ledger.gap_count:,} gaps"
    listed = f" (first {len(ledger.gaps):,} shown)" if len(ledger.gaps) < ledger.gap_count else ""
    return f"{gaps}{listed}, {ledger.missing_samples:,} samples missing, {ledger.samples:,} {done}"


def _label_gaps(axes: Any, ledger: Ledger, scale: float, span: float) -> None:
    """Name the longest gaps, as many as have room side by side."""
    taken: list[float] = []
    for gap in sorted(ledger.gaps, key=lambda gap: (-gap.length, gap.index)):
        at = (gap.index + gap.length / 2) * scale
        if len(taken) == _LISTED_GAPS or any(abs(at - other) < 0.24 * span for other in taken):
            continue
        taken.append(at)
        side = "left" if at < 0.1 * span else "right" if at > 0.9 * span else "center"
        cause = gap.cause if len(gap.cause) <= 40 else gap.cause[:39] + "…"
        text = f"{gap.length:,} samples\n{cause}"
        axes.annotate(text, (at, 1.08), ha=side, va="bottom", fontsize=10.5, color=VERMILION)
