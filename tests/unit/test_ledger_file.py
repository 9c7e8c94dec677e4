"""The ledger beside a capture: read back as it was, written even where the disk is full."""

from __future__ import annotations

import json
import os
import resource
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gapless.errors import SignalError
from gapless.files import (
    SUFFIXES,
    check_gaps,
    check_length,
    finish,
    ledger_path,
    open_source,
    read_ledger,
    reserve,
    save_samples,
)
from gapless.samples import check_counter
from gapless.stream import Counters, Gap, Ledger

pytest.importorskip("soundfile")
sigmf = pytest.importorskip("sigmf")

SAMPLES = np.arange(5000, dtype=np.int16)
LEDGER = Ledger(
    5000,
    (Gap(1000, 17, "overrun"), Gap(2000, 5, "memory stalled"), Gap(2005, 3, "overrun")),
    3,
    25,
    Counters(1, 16, 2),
    48_000.0,
    "adc",
    "interrupted",
)
#: Names of captures, one whose ledger is beside it and one whose ledger is in it.
CAPTURES = ["c.raw", "c.sigmf-meta"]


def many(count: int) -> Ledger:
    """A ledger of so many gaps, each with its cause written out."""
    gaps = tuple(Gap(1000 * n, 10, "overrun: the next transfer was started too late") for n in range(count))
    return Ledger(1_000_000, gaps, count, 10 * count, rate=1e6, direction="adc", ended="disk full")


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file becomes longer than this: the kernel itself refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_ledger_saved_with_samples_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"c{suffix}"
    assert ledger_path(path).name == ("c.sigmf-meta" if suffix == ".sigmf-meta" else f"c{suffix}.ledger.json")
    save_samples(path, SAMPLES, rate=48_000, ledger=LEDGER)
    assert read_ledger(str(path)) == LEDGER
    partial = Ledger(5000, LEDGER.gaps, 9, 40, None, 48_000.0, "adc")
    save_samples(path, SAMPLES, rate=48_000, ledger=partial)
    assert read_ledger(path) == partial
    # An old account must never be taken for that of new samples.
    save_samples(path, SAMPLES, rate=48_000)
    assert read_ledger(path) is None
    assert not path.with_name(path.name + ".ledger.json").exists()


def test_sigmf_declares_its_extension_and_validates(tmp_path: Path) -> None:
    path = tmp_path / "c.sigmf-meta"
    save_samples(path, SAMPLES, rate=48_000, ledger=LEDGER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of extensions it does not know
        sigmf.sigmffile.fromfile(str(path)).validate()
    record = json.loads(path.read_text())
    assert record["global"]["core:extensions"] == [{"name": "gapless", "version": "1.0.0", "optional": True}]
    assert record["global"]["gapless:ledger"]["ended"] == "interrupted"
    assert record["global"]["gapless:ledger"]["missing_samples"] == 25
    assert len(record["annotations"]) == 3
    assert record["annotations"][1]["gapless:gap"] == {"index": 2000, "length": 5, "cause": "memory stalled"}


@pytest.mark.parametrize("name", CAPTURES)
def test_what_is_no_ledger_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save_samples(path, SAMPLES, rate=48_000, ledger=LEDGER)
    place = ledger_path(path)
    good = place.read_text()
    for text in ("", "{", "[]", "3", "\udcff", "[" * 100_000, good.replace('"length": 17', '"length": 18')):
        place.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(SignalError, match=place.name) as error:
            read_ledger(path)
        assert "\n" not in str(error.value)
    place.unlink()
    place.mkdir()
    with pytest.raises(SignalError, match="cannot be read"):
        read_ledger(path)


# ---- a capture that ends as nobody wanted


@pytest.mark.parametrize("name", CAPTURES)
def test_until_it_is_finished_it_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    reserve(path, rate=1e6, description="sweep 3")
    (tmp_path / "c.sigmf-data").write_bytes(bytes(100))
    assert ledger_path(path).stat().st_size == 8192
    assert read_ledger(path) == Ledger(0, rate=1e6, direction="adc", ended="unfinished")
    assert finish(path, LEDGER, rate=48_000, description="sweep 3") == 3
    assert read_ledger(path) == LEDGER
    assert ledger_path(path).stat().st_size < 8192
    if name.endswith("meta"):
        assert open_source(path).length == 50


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("gaps", [0, 3, 500])
def test_a_full_disk_takes_gaps_from_the_list_and_nothing_from_the_totals(tmp_path: Path, name: str, gaps: int) -> None:
    path, ledger = tmp_path / name, many(gaps)
    reserve(path, rate=1e6, description="x" * 3000)
    with full_disk(8192):
        listed = finish(path, ledger, rate=1e6, description="x" * 3000)
    found = read_ledger(path)
    assert found is not None
    assert listed == len(found.gaps) == min(gaps, listed)
    assert (listed == gaps) == (gaps < 500)
    assert listed > 5 or gaps < 500
    assert (found.samples, found.gap_count, found.missing_samples) == (1_000_000, gaps, 10 * gaps)
    assert (found.ended, found.gaps) == ("disk full", ledger.gaps[:listed])
    assert ledger_path(path).stat().st_size <= 8192


@pytest.mark.parametrize("name", CAPTURES)
def test_a_long_list_is_kept_where_there_is_room(tmp_path: Path, name: str) -> None:
    path, ledger = tmp_path / name, many(500)
    reserve(path, rate=1e6)
    assert finish(path, ledger, rate=1e6) == 500
    assert read_ledger(path) == ledger


def test_no_room_is_only_told_when_it_is_written_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "c.raw", os.fsync
    reserve(path, rate=1e6)

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 8192:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert 5 < finish(path, many(500), rate=1e6) < 500
    assert read_ledger(path) is not None


def test_no_room_even_before_is_an_error(tmp_path: Path) -> None:
    with full_disk(4096), pytest.raises(OSError, match="File too large"):
        reserve(tmp_path / "c.raw", rate=1e6)


# ---- the capture against its ledger


def capture(*gaps: tuple[int, int], samples: int = 300_000) -> tuple[Ledger, np.ndarray]:
    counted = Ledger(
        samples, tuple(Gap(*gap, "x") for gap in gaps), len(gaps), sum(length for _, length in gaps), direction="adc"
    )
    kept = np.concatenate([np.arange(at, at + count) for at, count in counted.blocks])
    return counted, kept.astype(np.uint16).view(np.int16)


@pytest.mark.parametrize(
    "gaps",
    [
        (),
        ((100, 17),),
        ((0, 5), (1000, 65_536), (100_000, 70_000)),  # before all; a multiple of 65536; more than that
        ((100_000, 40_000), (140_000, 40_000)),  # two that are one; seen as a repeat
        ((100_000, 40_000), (140_010, 40_000)),  # close together
        ((300_000, 7),),  # at the end
    ],
)
def test_a_true_ledger_agrees(gaps: tuple[tuple[int, int], ...]) -> None:
    ledger, samples = capture(*gaps)
    assert check_length(ledger, len(samples)) == []
    assert check_gaps(ledger, samples, check_counter(samples)) == []


def test_each_difference_is_told() -> None:
    ledger, samples = capture((1000, 17), (5000, 66_000))
    findings = check_counter(samples)
    assert check_gaps(Ledger(300_000), samples, findings) == [
        "the counter has a gap of 17 before sample 1,000, its ledger has none there",
        "the counter has a gap of 464 before sample 4,983, its ledger has none there",
    ]
    other, _ = capture((1000, 18), (5001, 66_001), (6000, 4))
    assert check_gaps(other, samples, findings)[:2] == [
        "its ledger has a gap of 18 before sample 1,000, the counter goes on there 17 ahead",
        "its ledger has a gap of 66,001 before sample 4,983, the counter goes on there 464 ahead "
        "(of 65536 it shows 465)",
    ]
    # Where the list was cut, what comes after it may be as it likes.
    cut = Ledger(300_000, ledger.gaps[:1], 2, ledger.missing_samples)
    assert check_gaps(cut, samples, findings) == []
    assert check_length(ledger, 300_001) == ["the file has 300,001 samples, 1 more than its ledger counted"]
