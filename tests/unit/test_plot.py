"""Pictures: they say what happened, whatever happened, and touch nothing global."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapless.errors import BadArgumentError, UnsupportedError
from gapless.plot import plot_loopback, plot_play
from gapless.plot.panels import account, find_peak, spectrum_dbfs
from gapless.samples import ArraySource, parse_generator
from gapless.stream.ledger import Gap, Ledger
from gapless.stream.report import PlayReport

pytest.importorskip("matplotlib")

RATE = 4.9152e9


def tone(count: int, text: str = "tone:10e6") -> np.ndarray:
    out = np.empty(count, dtype=np.int16)
    parse_generator(text, RATE).fill(out, 0)
    return out


def play_report(head: np.ndarray | None = None, *gaps: Gap, count: int = 1 << 30) -> PlayReport:
    ledger = Ledger(count, gaps, len(gaps), sum(gap.length for gap in gaps))
    return PlayReport(
        board="virtual:zcu111",
        engine="axi_dma_0",
        memory="pl-ddr",
        rate=RATE,
        samples_requested=count,
        samples_played=count,
        ledger=ledger,
        transfers=8192,
        descriptors=8192,
        fifo_depth_bytes=1 << 20,
        fifo_low_water_bytes=900_000,
        wall_seconds=1.0,
        head=head,
    )


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is written in the figures saved, collected where it is drawn."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    written: list[str] = []
    original = Figure.savefig

    def savefig(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        written.extend(text.get_text() for text in self.findobj(Text))

    monkeypatch.setattr(Figure, "savefig", savefig)
    return written


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_the_suffix_says_what_is_written(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = tmp_path / f"play{suffix}"
    plot_play(path, play_report(tone(4096)), title="A play")
    assert path.read_bytes().startswith(start)


def test_the_size_of_a_png(tmp_path: Path) -> None:
    plot_play(tmp_path / "a.png", play_report(tone(4096)), title="A play")
    assert png_size(tmp_path / "a.png") == (1600, 1000)
    plot_play(tmp_path / "b.png", play_report(None), title="A play")
    assert png_size(tmp_path / "b.png") == (1600, 400)


def test_a_clean_play_says_no_gap(tmp_path: Path, texts: list[str]) -> None:
    plot_play(tmp_path / "a.png", play_report(tone(65536)), title="Tone on dac0")
    assert "no gap" in texts
    assert "Ledger: no gap in 1,073,741,824 samples played" in texts
    assert any(text.strip() == "Tone on dac0" for text in texts)
    assert any("4.9152 GSa/s" in text and "virtual:zcu111" in text for text in texts)
    assert any(text.startswith("peak -0.9 dBFS at 10 MHz") for text in texts)


def test_gaps_are_named_with_length_and_cause(tmp_path: Path, texts: list[str]) -> None:
    gaps = (Gap(100_000_000, 5_000_000, "memory stalled"), Gap(900_000_000, 17, "underrun"))
    plot_play(tmp_path / "a.png", play_report(None, *gaps), title="A play")
    assert "no gap" not in texts
    assert "Ledger: 2 gaps, 5,000,017 samples missing, 1,073,741,824 played" in texts
    assert "5,000,000 samples\nmemory stalled" in texts
    assert "17 samples\nunderrun" in texts


def test_a_gap_log_that_was_too_short_is_never_called_no_gap(tmp_path: Path, texts: list[str]) -> None:
    ledger = Ledger(1000, (Gap(5, 1, "underrun"),), gap_count=9, missing_samples=40)
    assert account(ledger, "played") == "9 gaps (first 1 shown), 40 samples missing, 1,000 played"
    unlogged = Ledger(1000, (), gap_count=1, missing_samples=4)
    report = play_report(None)
    object.__setattr__(report, "ledger", unlogged)
    plot_play(tmp_path / "a.png", report, title="A play")
    assert "no gap" not in texts


@pytest.mark.parametrize(
    "head", [np.zeros(5000, np.int16), np.ones(1, np.int16), np.empty(0, np.int16), tone(3), tone(100), None]
)
def test_odd_heads_are_drawn(tmp_path: Path, head: np.ndarray | None) -> None:
    plot_play(tmp_path / "a.png", play_report(head), title="A play")


@pytest.mark.parametrize("count", [0, 1])
def test_a_play_of_hardly_anything(tmp_path: Path, count: int) -> None:
    plot_play(tmp_path / "a.png", play_report(None, count=count), title="A play")


def loopback(path: Path, captured: np.ndarray, transfer_samples: int = 65536) -> None:
    plot_loopback(
        path,
        source=parse_generator("tone:10e6", RATE),
        captured=captured,
        rate=RATE,
        report=play_report(None, count=len(captured)),
        transfer_samples=transfer_samples,
    )


def test_a_good_loopback_says_zero(tmp_path: Path, texts: list[str]) -> None:
    loopback(tmp_path / "a.png", tone(1 << 20))
    assert png_size(tmp_path / "a.png") == (1600, 1000)
    assert "Difference: zero in all 1,048,576 samples" in texts
    assert "Source and capture around the first DMA transfer boundary, sample 65,536" in texts
    assert {"source", "capture", "transfer boundary"} <= set(texts)


@pytest.mark.parametrize("at", [0, 65_536, 900_000, (1 << 20) - 1])
def test_one_wrong_sample_anywhere_is_said(tmp_path: Path, texts: list[str], at: int) -> None:
    captured = tone(1 << 20)
    captured[at] += 1
    loopback(tmp_path / "a.png", captured)
    assert "Difference: 1 of 1,048,576 samples differ" in texts


def test_a_capture_longer_than_its_source_differs(tmp_path: Path, texts: list[str]) -> None:
    plot_loopback(
        tmp_path / "a.png",
        source=ArraySource(np.arange(1000, dtype=np.int16), name="ramp.npy"),
        captured=np.arange(1010, dtype=np.int16),
        rate=1e6,
        report=play_report(None, count=1000),
        transfer_samples=100,
    )
    assert "Difference: 10 of 1,010 samples differ" in texts


@pytest.mark.parametrize("count", [1, 2, 100, 65_536, 65_537])
def test_captures_that_do_not_cross_a_boundary(tmp_path: Path, texts: list[str], count: int) -> None:
    loopback(tmp_path / "a.png", tone(count))
    assert ("transfer boundary" in texts) == (count > 65_536)


def test_an_empty_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArgumentError, match="no samples captured"):
        loopback(tmp_path / "a.png", tone(0))


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_another_suffix_lists_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArgumentError, match=r"\.png, \.svg, \.pdf"):
        plot_play(tmp_path / name, play_report(None), title="A play")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadArgumentError, match="cannot be written: No such file"):
        plot_play(tmp_path / "absent" / "a.png", play_report(None), title="A play")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnsupportedError, match=r"pip install 'gapless\[plot\]'"):
        plot_play(tmp_path / "a.png", play_report(None), title="A play")


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, gapless.plot, gapless.files, gapless.samples\n"
        "print([name for name in ('matplotlib', 'soundfile', 'sigmf') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pyplot_is_never_imported(tmp_path: Path) -> None:
    plot_play(tmp_path / "a.png", play_report(tone(4096)), title="A play")
    assert "matplotlib.pyplot" not in sys.modules


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_the_same_report_gives_the_same_file(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        plot_play(tmp_path / f"{name}{suffix}", play_report(tone(4096)), title="A play")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize(("frequency", "amplitude"), [(10e6, 1.0), (1.234e9, 0.5), (2e9, 0.01)])
def test_levels_are_dbfs_of_a_full_scale_sine(frequency: float, amplitude: float) -> None:
    at, level = find_peak(*spectrum_dbfs(tone(65536, f"tone:{frequency:.0f},{amplitude}"), RATE))
    assert at == pytest.approx(frequency, abs=RATE / 65536 / 10)
    assert level == pytest.approx(20 * np.log10(amplitude), abs=0.1)
