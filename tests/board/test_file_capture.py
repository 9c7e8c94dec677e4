"""Captures straight into files. What a file must be is told by numpy, wave, soundfile and sigmf, not by gapless."""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full_disk import file_limit, small_disk
from numpy.typing import NDArray

import gapless
from gapless.cli import main
from gapless.errors import (
    AllocationError,
    BadArgumentError,
    DmaSlaveError,
    DmaStateError,
    FileWriteError,
    GaplessError,
    RateError,
    SignalError,
    UnknownNameError,
)
from gapless.files import record

soundfile = pytest.importorskip("soundfile")
sigmf = pytest.importorskip("sigmf")

FORMATS = [".raw", ".npy", ".wav", ".sigmf-meta"]
ENGINES = ["sg", "direct"]
BLOCK = 4096
RATE = 1e8
RING = {"block_samples": BLOCK, "blocks": 4}


def counter(count: int) -> NDArray[np.int16]:
    return np.arange(count, dtype=np.uint64).astype(np.uint16).view(np.int16)


def read_back(path: Path, rate: float = RATE) -> NDArray[np.int16]:
    """All that is in the file, by those who say how such a file is read; there is nothing else in it."""
    if path.suffix == ".raw":
        return np.fromfile(path, "<i2")
    if path.suffix == ".npy":
        samples = np.load(path, allow_pickle=False)
        assert samples.dtype == np.dtype("<i2")
        assert path.stat().st_size == 128 + 2 * len(samples)
        return np.asarray(samples)
    if path.suffix == ".wav":
        with wave.open(str(path), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, rate)
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert np.array_equal(soundfile.read(path, dtype="int16")[0], samples)
        assert path.stat().st_size == 44 + 2 * len(samples)
        return samples
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the extension that it does not know
        recording = sigmf.sigmffile.fromfile(str(path), skip_checksum=True)
        recording.validate()
        assert recording.get_global_info()["core:sample_rate"] == rate
        samples = np.fromfile(path.with_suffix(".sigmf-data"), "<i2")
        if len(samples):
            assert np.array_equal(np.ravel(recording.read_samples()) * 32768, samples)
    return samples


def saved_ledger(path: Path) -> dict[str, Any]:
    """The ledger with the capture, as JSON has it."""
    if path.suffix != ".sigmf-meta":
        return json.loads(path.with_name(path.name + ".ledger.json").read_text())  # type: ignore[no-any-return]
    record = json.loads(path.read_text())
    gaps = [annotation["gapless:gap"] for annotation in record["annotations"]]
    return {**record["global"]["gapless:ledger"], "gaps": gaps}


def with_gaps(ledger: dict[str, Any]) -> NDArray[np.int16]:
    """A counter without what the ledger says is missing."""
    kept, at = [], 0
    for gap in ledger["gaps"]:
        kept.append(np.arange(at, gap["index"]))
        at = gap["index"] + gap["length"]
    kept.append(np.arange(at, ledger["samples"] + ledger["missing_samples"]))
    return np.concatenate(kept).astype(np.uint16).view(np.int16)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() if path.is_file() else b"" for path in sorted(folder.iterdir())}


@contextmanager
def opened(options: str = "") -> Iterator[gapless.Board]:
    with gapless.open(f"virtual:zcu111{options}") as board:
        board.probe.connect(0, "counter")
        yield board


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with opened() as board:
        yield board


# ---- a capture that comes to its end


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("samples", [1, 5 * BLOCK, 6 * BLOCK + 1001], ids=["one", "whole blocks", "a part of a block"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_capture_in_each_format(board: gapless.Board, tmp_path: Path, suffix: str, samples: int, engine: str) -> None:
    path = tmp_path / f"c{suffix}"
    # What was there before is longer, and nothing of it is left.
    for old in (path, path.with_suffix(".sigmf-data"), path.with_name(path.name + ".ledger.json")):
        old.write_bytes(b"?" * 100_000)
    with record(board.adc(0), path, rate=RATE, samples=samples, engine=engine, description="d", **RING) as capture:
        with pytest.raises(GaplessError, match="has not ended"):
            _ = capture.report
        capture.wait()
    assert np.array_equal(read_back(path), counter(samples))
    ledger, blocks = saved_ledger(path), -(-samples // BLOCK)
    told = (ledger["format"], ledger["version"], ledger["direction"], ledger["rate_sa_per_s"], ledger["ended"])
    assert told == ("gapless-ledger", 1, "adc", RATE, "complete")
    assert (ledger["samples"], ledger["gap_count"], ledger["missing_samples"], ledger["gaps"]) == (samples, 0, 0, [])
    if suffix != ".sigmf-meta":
        assert ledger["blocks"] == [{"index": 0, "length": samples}]
    report = capture.report
    assert report.complete
    assert (report.samples_recorded, report.samples_requested, report.transfers) == (samples, samples, blocks)
    assert report.engine == engine


def test_progress_counts_bytes_of_the_capture(board: gapless.Board, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with record(board.adc(0), tmp_path / "c.raw", rate=RATE, samples=40_000_000) as capture:
        capture.wait(lambda done, total: seen.append((done, total)))
    assert all(total == 80_000_000 for _, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_captures_one_after_the_other_always_know_that_they_are_complete(board: gapless.Board, tmp_path: Path) -> None:
    for number in range(60):
        engine = ENGINES[number % 2]
        with record(board.adc(0), tmp_path / "c.raw", rate=RATE, samples=3000, engine=engine, **RING) as capture:
            capture.wait()
        assert capture.report.ledger.ended == "complete"
        assert (tmp_path / "c.raw").stat().st_size == 6000


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_overrun_is_in_the_ledger_where_it_is_in_the_file(tmp_path: Path, suffix: str) -> None:
    block, fifo, late, gaps = 65_536, 32_768, 1e-3, 4
    path = tmp_path / f"c{suffix}"
    with (
        opened(f"?fifo={2 * fifo}") as board,
        record(
            board.adc(0),
            path,
            rate=RATE,
            samples=(gaps + 1) * block,
            engine="direct",
            software_delay=late,
            block_samples=block,
            blocks=8,
        ) as capture,
    ):
        capture.wait()
    samples, ledger = read_back(path), saved_ledger(path)
    assert not capture.report.complete
    assert len(samples) == ledger["samples"] == (gaps + 1) * block
    # After every block the software is late; the FIFO holds the first of what comes then.
    places = [(number + 1) * block + fifo for number in range(gaps)]
    steps = np.diff(samples.view(np.uint16))
    assert (np.flatnonzero(steps != 1) + 1).tolist() == places
    assert [gap["index"] for gap in ledger["gaps"]] == [
        place + sum(gap["length"] for gap in ledger["gaps"][:number]) for number, place in enumerate(places)
    ]
    for gap, place in zip(ledger["gaps"], places, strict=True):
        assert gap["length"] % 65_536 + 1 == steps[place - 1]
        assert gap["length"] == pytest.approx(RATE * late - fifo, abs=64)
    assert (ledger["gap_count"], ledger["missing_samples"]) == (gaps, sum(gap["length"] for gap in ledger["gaps"]))
    if suffix == ".sigmf-meta":
        notes = json.loads(path.read_text())["annotations"]
        assert [note["core:sample_start"] for note in notes] == places
        assert all((note["core:sample_count"], note["core:label"]) == (0, "gap") for note in notes)
    assert main(["verify", str(path)]) == 3


# ---- wrong input

WRONG: dict[str, tuple[dict[str, Any], type[Exception] | tuple[type[Exception], ...]]] = {
    "unknown engine": ({"engine": "warp"}, UnknownNameError),
    "an engine that cannot": ({"engine": "cyclic"}, BadArgumentError),
    "unknown memory": ({"memory": "dram"}, UnknownNameError),
    "more than it converts": ({"rate": 5e9}, (RateError, BadArgumentError)),
    "more than the port": ({"rate": 4.096e9, "memory": "ps-cma"}, (RateError, BadArgumentError)),
    "no rate": ({"rate": 0.0}, BadArgumentError),
    "a block of half a word": ({"block_samples": 100}, BadArgumentError),
    "a block too long": ({"block_samples": 40_000_000}, BadArgumentError),
    "one block": ({"blocks": 1}, BadArgumentError),
    "too many blocks": ({"blocks": 1000}, BadArgumentError),
    "more than there is": ({"memory": "ps-cma", "block_samples": 8_000_000, "blocks": 8}, AllocationError),
    "no samples": ({"samples": 0}, SignalError),
    "half a sample": ({"samples": 1.5}, SignalError),
    "two channels": ({"channels": 2}, BadArgumentError),
    "a delay of less than nothing": ({"software_delay": -1.0}, BadArgumentError),
    "no such priority": ({"realtime": 100}, BadArgumentError),
    "an argument nobody knows": ({"colour": "red"}, TypeError),
}


@pytest.mark.parametrize("existing", [True, False], ids=["existing", "new"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_wrong_input_touches_nothing(board: gapless.Board, tmp_path: Path, suffix: str, existing: bool) -> None:
    path = tmp_path / f"c{suffix}"
    if existing:
        with record(board.adc(0), path, rate=RATE, samples=1000) as capture:
            capture.wait()
    before = contents(tmp_path)
    assert bool(before) == existing
    for what, (settings, error) in WRONG.items():
        with pytest.raises(error):
            record(board.adc(0), path, **{"rate": RATE, "samples": 1000, **settings})
        assert contents(tmp_path) == before, what
    with board.adc(0).stream(rate=RATE), pytest.raises(DmaStateError, match="adc0 is recording"):
        record(board.adc(0), path, rate=RATE, samples=1000)
    assert contents(tmp_path) == before
    # Nothing of all that was left behind.
    with record(board.adc(0), path, rate=RATE, samples=77) as capture:
        capture.wait()
    assert np.array_equal(read_back(path), counter(77))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("c.mp3", {}),
        ("c", {}),
        ("c.sigmf-data", {}),
        ("nowhere/c.raw", {}),
        ("folder.raw", {}),
        ("c.wav", {"rate": 4e9}),
        ("c.wav", {"rate": 1e6 + 0.5}),
        ("c.wav", {"samples": 2**31}),
        ("c.wav", {"samples": None}),
    ],
)
def test_a_path_that_cannot_be_written(
    board: gapless.Board, tmp_path: Path, name: str, settings: dict[str, Any]
) -> None:
    (tmp_path / "folder.raw").mkdir()
    (tmp_path / "c.wav").write_bytes(b"as it was")
    before = contents(tmp_path)
    with pytest.raises(BadArgumentError):
        record(board.adc(0), tmp_path / name, **{"rate": RATE, "samples": 1000, **settings})
    assert contents(tmp_path) == before


@contextmanager
def nobody() -> Iterator[None]:
    """Root may write everything: be somebody else meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("what", ["folder", "file", "hidden"])
def test_what_others_own_stays_as_it_is(board: gapless.Board, suffix: str, what: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / f"c{suffix}"
        with record(board.adc(0), path, rate=RATE, samples=1000) as capture:
            capture.wait()
        before = contents(folder)
        protected = path.with_suffix(".sigmf-data") if suffix == ".sigmf-meta" else path
        if what == "file":
            folder.chmod(0o777)
            protected.chmod(0o444)
        else:
            folder.chmod(0o555 if what == "folder" else 0o000)
        for out in (path, folder / f"new{suffix}") if what != "file" else (path,):
            with nobody(), pytest.raises(BadArgumentError, match=f"{out.name}: cannot be written: .*ermission denied"):
                record(board.adc(0), out, rate=RATE, samples=10)
        folder.chmod(0o777)
        assert contents(folder) == before
    assert board.adc(0).record(100, rate=RATE).complete  # it was given back


@pytest.mark.parametrize("suffix", [".raw", ".npy"])
def test_a_ledger_that_cannot_be_leaves_the_file(board: gapless.Board, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"c{suffix}"
    path.write_bytes(b"as it was")
    (tmp_path / f"c{suffix}.ledger.json").mkdir()
    before = contents(tmp_path)
    with pytest.raises(BadArgumentError, match="cannot be written: Is a directory"):
        record(board.adc(0), path, rate=RATE, samples=10)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("existing", [True, False], ids=["existing", "new"])
def test_no_room_to_begin_with(board: gapless.Board, tmp_path: Path, suffix: str, existing: bool) -> None:
    path = tmp_path / f"c{suffix}"
    if existing:
        with record(board.adc(0), path, rate=RATE, samples=1000) as capture:
            capture.wait()
    before = contents(tmp_path)
    with file_limit(4096), pytest.raises(FileWriteError, match="cannot be written: File too large"):
        record(board.adc(0), path, rate=RATE, samples=10)
    assert contents(tmp_path) == before


# ---- ended before its end


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("suffix", FORMATS)
def test_leaving_early_keeps_what_was_received(board: gapless.Board, tmp_path: Path, suffix: str, engine: str) -> None:
    path = tmp_path / f"c{suffix}"
    with record(board.adc(0), path, rate=RATE, samples=10**9, engine=engine, **RING) as capture:
        board.bus.sleep(20.5 * BLOCK / RATE)
    found = len(read_back(path))
    assert 18 * BLOCK <= found <= 20 * BLOCK
    assert np.array_equal(read_back(path), counter(found))
    ledger = saved_ledger(path)
    assert (ledger["samples"], ledger["gap_count"], ledger["ended"]) == (found, 0, "interrupted")
    assert (capture.report.samples_recorded, capture.report.complete) == (found, False)
    with record(board.adc(0), path, rate=RATE, samples=5, engine=engine, **RING) as capture:
        capture.wait()
    assert np.array_equal(read_back(path), counter(5))


def test_a_capture_without_end_is_complete_when_it_is_left(board: gapless.Board, tmp_path: Path) -> None:
    with record(board.adc(0), tmp_path / "c.npy", rate=RATE, **RING) as capture:
        board.bus.sleep(10.5 * BLOCK / RATE)
    ledger = saved_ledger(tmp_path / "c.npy")
    assert (ledger["samples"], ledger["ended"]) == (len(np.load(tmp_path / "c.npy")), "complete")
    assert capture.report.samples_requested is None
    assert capture.report.complete


@pytest.mark.parametrize("suffix", FORMATS)
def test_left_at_once(board: gapless.Board, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"c{suffix}"
    with record(board.adc(0), path, rate=1e3, samples=10**6, **RING):
        pass
    ledger = saved_ledger(path)
    assert (ledger["samples"], ledger["ended"]) == (0, "interrupted")
    if suffix != ".sigmf-meta":  # sigmf refuses a recording without a sample
        assert os.path.getsize(path) == {".raw": 0, ".npy": 128, ".wav": 44}[suffix]


@pytest.mark.parametrize("raised", [RuntimeError("mine"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
@pytest.mark.parametrize("where", ["inside", "progress"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_an_exception_goes_on_and_the_file_is_valid(
    board: gapless.Board, tmp_path: Path, suffix: str, where: str, raised: BaseException
) -> None:
    path = tmp_path / f"c{suffix}"

    def fail(*_: object) -> None:
        raise raised

    def run() -> None:
        with record(board.adc(0), path, rate=1e6, samples=10**9, block_samples=64, blocks=4) as capture:
            board.bus.sleep(1000 * 64 / 1e6)
            if where == "progress":
                capture.wait(fail)
            fail()

    with pytest.raises(type(raised)) as caught:
        run()
    assert caught.value is raised
    samples, ledger = read_back(path, 1e6), saved_ledger(path)
    assert len(samples) > 900 * 64
    assert np.array_equal(samples, counter(len(samples)))
    assert (ledger["samples"], ledger["ended"]) == (len(samples), "interrupted")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("suffix", FORMATS)
def test_an_engine_that_fails(board: gapless.Board, tmp_path: Path, suffix: str, engine: str) -> None:
    path, base = tmp_path / f"c{suffix}", board.memory["pl-ddr"].base
    board.probe.faults.slave_error(base + 3 * 2 * BLOCK + 4000, 1)  # in the fourth block
    with (
        pytest.raises(DmaSlaveError) as caught,
        record(board.adc(0), path, rate=RATE, samples=10**6, engine=engine, address=base, **RING) as capture,
    ):
        capture.wait()
    assert np.array_equal(read_back(path), counter(3 * BLOCK))
    ledger = saved_ledger(path)
    assert (ledger["samples"], ledger["gap_count"]) == (3 * BLOCK, 0)
    assert ledger["ended"] == f"failed: {caught.value}"
    assert capture.report.ledger.ended == ledger["ended"]
    assert main(["verify", str(path)]) == 0
    # It can be used again.
    board.probe.faults.clear_slave_errors()
    dma = board.dma("dma_adc0" if engine == "sg" else "dma_adc0_direct")
    dma.recover(dma.s2mm)
    with record(board.adc(0), path, rate=RATE, samples=5 * BLOCK, engine=engine, **RING) as capture:
        capture.wait()
    assert np.array_equal(read_back(path), counter(5 * BLOCK))


def test_an_exception_of_ones_own_is_not_replaced_by_the_engines(board: gapless.Board, tmp_path: Path) -> None:
    base = board.memory["pl-ddr"].base
    board.probe.faults.slave_error(base + 2 * BLOCK, 1)

    def run() -> None:
        with record(board.adc(0), tmp_path / "c.raw", rate=RATE, samples=10**6, address=base, **RING) as capture:
            capture.wait()
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        run()
    assert saved_ledger(tmp_path / "c.raw")["ended"].startswith("failed: ")
    assert np.array_equal(read_back(tmp_path / "c.raw"), counter(BLOCK))


# ---- a full disk


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["limit", "tmpfs"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk(
    board: gapless.Board, tmp_path: Path, suffix: str, kind: str, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(kind, tmp_path) as disk:
        path = disk.folder / f"c{suffix}"
        with (
            pytest.raises(FileWriteError) as caught,
            record(board.adc(0), path, rate=RATE, samples=2_000_000, engine=engine, **RING) as capture,
        ):
            capture.wait()
        samples, ledger = read_back(path), saved_ledger(path)
        assert disk.size - 20_000 < 2 * len(samples) < disk.size
        assert np.array_equal(samples, counter(len(samples)))
        assert (ledger["samples"], ledger["gap_count"], ledger["ended"]) == (len(samples), 0, disk.ended)
        message = str(caught.value)
        assert f"c{suffix}: {disk.reason} after {len(samples):,} of 2,000,000 samples" in message
        assert ("c.sigmf-data has these, and c.sigmf-meta says so" in message) == (suffix == ".sigmf-meta")
        assert (capture.report.samples_recorded, capture.report.complete) == (len(samples), False)
        assert main(["verify", str(path)]) == 0
        assert f"{len(samples):,} samples at 100 MSa/s, ended: {disk.ended}\n" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["limit", "tmpfs"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_after_gaps(tmp_path: Path, suffix: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    # All that is asked fits the ring: the engine comes to its end, with gaps behind what the file has.
    late = {"engine": "direct", "software_delay": 1e-3, "block_samples": 65_536, "blocks": 16}
    with small_disk(kind, tmp_path) as disk, opened("?fifo=16384") as board:
        path = disk.folder / f"c{suffix}"
        with (
            pytest.raises(FileWriteError),
            record(board.adc(0), path, rate=RATE, samples=10 * 65_536, **late) as capture,
        ):
            capture.wait()
        samples, ledger = read_back(path), saved_ledger(path)
        assert len(samples) == ledger["samples"] == capture.report.samples_recorded
        assert ledger["gap_count"] == len(ledger["gaps"]) == (len(samples) - 8192 - 1) // 65_536
        assert ledger["missing_samples"] == sum(gap["length"] for gap in ledger["gaps"])
        assert np.array_equal(samples, with_gaps(ledger))
        assert ledger["ended"] == disk.ended
        assert main(["verify", str(path), "--json"]) == 3
        found = json.loads(capsys.readouterr().out)
        assert found["disagreements"] == []
        assert found["finding_count"] == ledger["gap_count"]


def test_a_full_disk_ends_the_wait_at_once(board: gapless.Board, tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        file_limit(100_000),
        pytest.raises(FileWriteError),
        record(board.adc(0), tmp_path / "c.raw", rate=RATE, **RING) as capture,
    ):
        capture.wait()
    assert time.monotonic() - began < 60  # there is no other end to it
    assert len(read_back(tmp_path / "c.raw")) == 50_000
