"""gapless record and gapless play --stream as commands: stopped by signals, by a full disk, fed too slowly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full_disk import file_limit, small_disk
from numpy.typing import NDArray

import gapless
from gapless.cli import main

pytest.importorskip("soundfile")
pytest.importorskip("sigmf")

GAPLESS = [sys.executable, "-m", "gapless.cli"]
#: Real seconds that a command may take to end when it was told to.
PATIENCE = 20.0
#: Hours of a capture in blocks so small that little is written meanwhile.
LONG = ["--samples", "1e9", "--rate", "1e5", "--block", "64"]

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def counter(count: int) -> NDArray[np.int16]:
    return np.arange(count, dtype=np.uint64).astype(np.uint16).view(np.int16)


def read_back(name: str) -> NDArray[np.int16]:
    """All that is in the file, read by others."""
    if name.endswith(".npy"):
        return np.asarray(np.load(name))
    if name.endswith(".wav"):
        with wave.open(name, "rb") as file:
            return np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.fromfile(name.replace(".sigmf-meta", ".sigmf-data"), "<i2")


def data_file(name: str) -> Path:
    return Path(name.replace(".sigmf-meta", ".sigmf-data"))


def ledger_name(name: str) -> str:
    return name if name.endswith(".sigmf-meta") else f"{name}.ledger.json"


def saved_ledger(name: str) -> dict[str, Any]:
    record = json.loads(Path(ledger_name(name)).read_text())
    return record["global"]["gapless:ledger"] if name.endswith(".sigmf-meta") else record  # type: ignore[no-any-return]


def run(capsys: Capture, *args: object, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*map(str, args), "--json"]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)  # type: ignore[no-any-return]


# ---- a recording that is told to stop


@contextlib.contextmanager
def recording(*args: str, ignoring: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A command that cannot write more than 100 MB, and does not outlive the test."""

    # As a shell starts a job with "&": what ignores SIGINT stays so in what it becomes.
    script = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"] if ignoring else []
    with file_limit(100_000_000):
        process = subprocess.Popen(
            [*script, *GAPLESS, "record", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, nbytes: int, process: subprocess.Popen[str]) -> None:
    """Until the file has more than so many bytes."""
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_size <= nbytes:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)


def check_interrupted(name: str, process: subprocess.Popen[str], capsys: Capture, *, json_asked: bool = True) -> None:
    """Everything that is to be right when a recording of LONG was told to stop."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    samples = read_back(name)
    assert np.array_equal(samples, counter(len(samples)))
    told = f"{len(samples):,} of 1,000,000,000"
    assert err == f"gapless: interrupted after {told} samples: {name} has these, {ledger_name(name)} says so\n"
    ledger = saved_ledger(name)
    assert (ledger["samples"], ledger["gap_count"], ledger["ended"]) == (len(samples), 0, "interrupted")
    if json_asked:
        document = json.loads(out)
        assert out == json.dumps(document, indent=2) + "\n"
        told_json = (document["samples_recorded"], document["samples_requested"], document["ended"])
        assert told_json == (len(samples), 10**9, "interrupted")
        assert document["gap_count"] == 0
    else:
        assert f"\nsamples  {told}\n" in out
        assert out.endswith("no gap in what was recorded\n")
    found = run(capsys, "verify", name)
    assert (found["samples"], found["findings"], found["disagreements"]) == (len(samples), [], [])
    assert found["ledger"]["ended"] == "interrupted"


@pytest.mark.parametrize(
    ("name", "sent", "nbytes", "engine"),
    [
        ("c.raw", [signal.SIGINT], 0, "sg"),
        ("c.npy", [signal.SIGTERM], 200, "direct"),
        ("c.wav", [signal.SIGINT], 10_000, "direct"),
        ("c.sigmf-meta", [signal.SIGTERM], 30_000, "sg"),
        ("c.npy", [signal.SIGINT, signal.SIGINT], 100_000, "sg"),
        ("c.raw", [signal.SIGTERM, signal.SIGINT, signal.SIGTERM], 200_000, "direct"),
    ],
)
def test_a_recording_that_is_told_to_stop(
    name: str, sent: list[signal.Signals], nbytes: int, engine: str, capsys: Capture
) -> None:
    with recording(name, *LONG, "--engine", engine, "--json") as process:
        wait_for(data_file(name), nbytes, process)
        for number in sent:
            process.send_signal(number)
        check_interrupted(name, process, capsys)
    # The next one replaces it.
    run(capsys, "record", name, "--samples", 100, "--rate", "1e5")
    assert np.array_equal(read_back(name), counter(100))
    assert saved_ledger(name)["ended"] == "complete"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_also_one_that_a_script_put_into_the_background(number: signal.Signals, capsys: Capture) -> None:
    with recording("c.raw", *LONG, ignoring=True) as process:
        wait_for(Path("c.raw"), 50_000, process)
        process.send_signal(number)
        check_interrupted("c.raw", process, capsys, json_asked=False)


def test_stopped_over_an_older_capture(capsys: Capture) -> None:
    run(capsys, "record", "c.npy", "--samples", "1e6")
    with recording("c.npy", *LONG, "--json") as process:
        deadline = time.monotonic() + 60
        while saved_ledger("c.npy")["ended"] != "unfinished":  # what is there while it runs
            assert time.monotonic() < deadline
        wait_for(Path("c.npy"), 1000, process)
        process.send_signal(signal.SIGINT)
        check_interrupted("c.npy", process, capsys)


#: Sends the signals when a function is called, before it does anything.
_AT = """
import os, signal, sys
import {module} as module
from gapless.cli import main

def stopping(*args, **kwargs):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    return real(*args, **kwargs)

real = module.{name}
module.{name} = stopping
sys.exit(main(sys.argv[1:]))
"""


def stopped_at(module: str, name: str, *args: str) -> subprocess.CompletedProcess[str]:
    code = _AT.format(module=module, name=name)
    return subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False, timeout=PATIENCE + 40
    )


def test_stopped_before_it_began_it_touches_nothing(capsys: Capture) -> None:
    run(capsys, "record", "c.raw", "--samples", "1000")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    ended = stopped_at("gapless.cli.record", "_connect", "record", "c.raw", *LONG, "--json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "gapless: interrupted\n")
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("gapless.cli.record", "record_file"),
        ("gapless.files.capture", "reserve"),
        ("gapless.stream.file_recording", "start_writer"),  # the engine runs by then
    ],
)
def test_stopped_while_it_begins(module: str, name: str) -> None:
    ended = stopped_at(module, name, "record", "c.raw", *LONG, "--json")
    assert ended.returncode == 130
    document, samples = json.loads(ended.stdout), read_back("c.raw")
    assert np.array_equal(samples, counter(len(samples)))
    assert document["samples_recorded"] == saved_ledger("c.raw")["samples"] == len(samples)
    assert document["ended"] == saved_ledger("c.raw")["ended"] == "interrupted"
    assert f"interrupted after {len(samples):,} of 1,000,000,000 samples: c.raw has these" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "name"), [("gapless.files.capture", "finish"), ("gapless.cli.record", "print_json")]
)
def test_told_to_stop_when_all_is_there_it_is_complete(module: str, name: str) -> None:
    ended = stopped_at(module, name, "record", "c.raw", "--samples", "1000", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["ended"] == saved_ledger("c.raw")["ended"] == "complete"
    assert np.array_equal(read_back("c.raw"), counter(1000))


# ---- a full disk, an engine that fails


@pytest.mark.parametrize("kind", ["limit", "tmpfs"])
@pytest.mark.parametrize("suffix", [".raw", ".npy", ".wav", ".sigmf-meta"])
def test_a_full_disk(suffix: str, kind: str, tmp_path: Path, capsys: Capture) -> None:
    with small_disk(kind, tmp_path) as disk:
        name = str(disk.folder / f"c{suffix}")
        ended = subprocess.run(
            [*GAPLESS, "record", name, "--samples", "1e9", "--block", "65536", "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == 1
        samples = read_back(name)
        assert disk.size - 20_000 < 2 * len(samples) < disk.size
        assert np.array_equal(samples, counter(len(samples)))
        assert ended.stderr.startswith(
            f"gapless: {name}: {disk.reason} after {len(samples):,} of 1,000,000,000 samples: {data_file(name).name} "
        )
        assert Path(ledger_name(name)).name in ended.stderr
        assert ended.stderr.count("\n") == 1
        document, ledger = json.loads(ended.stdout), saved_ledger(name)
        assert document["samples_recorded"] == ledger["samples"] == len(samples)
        assert document["ended"] == ledger["ended"] == disk.ended
        assert main(["verify", name]) == 0
        out = capsys.readouterr().out
        assert f"ended: {disk.ended}\n" in out
        assert f"{len(samples):,} samples, 0 findings" in out


def test_a_disk_with_no_room_at_all(tmp_path: Path, capsys: Capture) -> None:
    with small_disk("tmpfs", tmp_path) as disk:
        filler = disk.folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        if disk.ended != "disk full":  # not mounted: a file is as long as can be, others would have room
            assert filler.stat().st_size == disk.size
            return
        assert main(["record", str(disk.folder / "c.raw"), "--samples", "1000"]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == f"gapless: {disk.folder}/c.raw: cannot be written: No space left on device\n"
        assert sorted(path.name for path in disk.folder.iterdir()) == ["filler"]


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_an_engine_that_fails(engine: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    real = gapless.board.open

    def broken(uri: str) -> gapless.Board:
        board = real(uri)
        board.probe.faults.slave_error(board.memory["pl-ddr"].base + 2 * 2 * 4096, 1)
        return board

    monkeypatch.setattr(gapless.board, "open", broken)
    place = ["--address", "0x10_0000_0000", "--block", "4096", "--engine", engine]
    assert main(["record", "c.npy", "--samples", "1e6", "--rate", "1e8", *place, "--json"]) == 1
    captured = capsys.readouterr()
    assert np.array_equal(np.load("c.npy"), counter(2 * 4096))
    ledger = saved_ledger("c.npy")
    assert (ledger["samples"], json.loads(captured.out)["samples_recorded"]) == (8192, 8192)
    assert captured.err == f"gapless: {ledger['ended'].removeprefix('failed: ')}\n"
    assert "slave error" in captured.err.lower() or "SLVERR" in captured.err
    assert main(["verify", "c.npy"]) == 0
    assert "ended: failed: " in capsys.readouterr().out


# ---- play --stream


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_half_a_second_through_a_few_blocks_without_a_gap(engine: str, capsys: Capture) -> None:
    report = run(capsys, "play", "tone:10e6", "--seconds", 0.5, "--rate", 1.024e9, "--engine", engine, "--stream")
    assert report["samples_played"] == report["samples_requested"] == 512_000_000
    assert (report["gap_count"], report["missing_samples"], report["gaps"]) == (0, 0, [])
    assert report["engine"] == engine
    blocks = -(-512_000_000 // 2**20)
    assert (report["transfers"], report["descriptors"]) == (blocks, blocks if engine == "sg" else 0)
    queue = report["queue"]
    assert (queue["block_samples"], queue["blocks"], queue["late_events"]) == (2**20, 8, 0)
    assert 1 <= queue["queue_low_water"] <= queue["queue_high_water"] == 8


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_a_stream_plays_the_file_again_and_again(engine: str, capsys: Capture) -> None:
    samples = np.random.default_rng(7).integers(-32768, 32768, 100_003, dtype=np.int16)
    samples.astype("<i2").tofile("s.raw")
    ring = ("--block", 4096, "--blocks", 3, "--rate", 1e8)
    report = run(capsys, "play", "s.raw", "--repeat", 7, "--stream", "--engine", engine, *ring, "--sha256")
    assert report["samples_played"] == 700_021
    assert report["gap_count"] == 0
    assert report["played_sha256"] == hashlib.sha256(np.tile(samples, 7).astype("<i2").tobytes()).hexdigest()
    part = run(capsys, "play", "s.raw", "--repeat", 7, "--samples", 250_000, "--stream", *ring, "--sha256")
    expected = np.tile(samples, 7)[:250_000].astype("<i2").tobytes()
    assert part["played_sha256"] == hashlib.sha256(expected).hexdigest()


def test_a_stream_plays_what_a_generator_makes(capsys: Capture) -> None:
    report = run(capsys, "play", "counter:", "--samples", 3_000_000, "--stream", "--sha256")
    expected = counter(3_000_000).astype("<i2").tobytes()
    assert report["played_sha256"] == hashlib.sha256(expected).hexdigest()
    stored = run(capsys, "play", "tone:1e6", "--samples", 3_000_001, "--sha256")
    streamed = run(capsys, "play", "tone:1e6", "--samples", 3_000_001, "--stream", "--sha256")
    assert stored["played_sha256"] == streamed["played_sha256"]


@dataclass(frozen=True)
class Throttled:
    """Arithmetic of a ring fed too slowly: times in sample periods from the start of the engine, all blocks filled.

    ``moved``: samples that the engine moves meanwhile, where the FIFO has room: 64 bytes at 300 MHz.
    """

    block: int
    blocks: int
    fifo: int
    slower: float
    moved: float = 300e6 * 32 / 1.024e9

    def gaps(self, total: int) -> list[tuple[int, float]]:
        gaps: list[tuple[int, float]] = []
        done: list[float] = []
        producer = missing = end = 0.0  # end: of what was converted so far
        counts = [min(self.block, total - at) for at in range(0, total, self.block)]
        for number, count in enumerate(counts):
            ready = 0.0
            if number >= self.blocks:
                # It fills the block that the engine has let go of first, and then takes its time over it.
                producer = max(producer, done[number - self.blocks]) + count * self.slower
                ready = producer
            start = max(end, ready)
            if start > end:
                gaps.append((int(number * self.block + missing), start - end))
                missing += start - end
            end = start + count
            # The engine is done with a block when the last of it is in the FIFO.
            done.append(max(max(ready, done[-1] if done else 0.0) + count / self.moved, end - self.fifo))
        return gaps


@pytest.mark.parametrize("engine", ["sg", "direct"])
@pytest.mark.parametrize(
    ("throttled", "total"),
    [
        (Throttled(2**20, 8, 2**19, 2.0), 100 * 2**20),
        (Throttled(2**16, 4, 2**15, 2.0), 200 * 2**16),
        (Throttled(2**16, 2, 2**19, 2.0), 50 * 2**16 + 48_000),
        (Throttled(2**16, 16, 2**15, 1.3), 200 * 2**16),
        (Throttled(2**16, 3, 2**15, 5.0), 30 * 2**16),
    ],
    ids=["default", "small", "larger FIFO than ring", "a little slower", "far slower"],
)
def test_every_gap_of_a_slow_producer_is_where_arithmetic_says(
    throttled: Throttled, total: int, engine: str, capsys: Capture
) -> None:
    rate = 1.024e9
    report = run(
        capsys,
        *("play", "counter:", "--samples", total, "--rate", rate, "--engine", engine, "--stream", "--sha256"),
        *("--block", throttled.block, "--blocks", throttled.blocks, "--fifo-depth", 2 * throttled.fifo),
        *("--producer-rate", rate / throttled.slower),
        status=3,
    )
    expected = throttled.gaps(total)
    gaps = report["gaps"]
    assert len(expected) > 10
    assert report["gap_count"] == len(gaps) == len(expected)
    # The engine takes about a microsecond from the block it is given to the first word in the FIFO.
    late = 2e-6 * rate
    for gap, (index, length) in zip(gaps, expected, strict=True):
        assert gap["length"] == pytest.approx(length, abs=late)
        assert gap["index"] == pytest.approx(index, abs=late)
        assert gap["cause"].startswith("underrun: ")
    missing = sum(gap["length"] for gap in gaps)
    assert report["missing_samples"] == missing == pytest.approx(sum(length for _, length in expected), abs=late)
    # Late, but all of it, and in order.
    assert report["samples_played"] == report["samples_requested"] == total
    assert report["played_sha256"] == hashlib.sha256(counter(total).astype("<i2").tobytes()).hexdigest()
    assert report["queue"]["late_events"] >= len(gaps)
    assert report["queue"]["queue_low_water"] == 0


@pytest.mark.parametrize("engine", ["sg", "direct"])
@pytest.mark.parametrize("faster", [1.0, 1.001, 3.0])
def test_a_producer_as_fast_as_the_converter_makes_no_gap(faster: float, engine: str, capsys: Capture) -> None:
    rate = 1.024e9
    report = run(
        capsys,
        *("play", "noise:", "--samples", 20_000_000, "--rate", rate, "--engine", engine, "--stream"),
        *("--block", 65_536, "--blocks", 4, "--producer-rate", faster * rate),
    )
    assert (report["samples_played"], report["gap_count"]) == (20_000_000, 0)


def test_a_slow_producer_in_words(capsys: Capture) -> None:
    slow = ["--producer-rate", "512e6", "--block", "65536", "--blocks", "4"]
    assert main(["play", "noise:", "--samples", "10e6", "--stream", *slow]) == 3
    out = capsys.readouterr().out
    assert "ring     4 blocks of 65,536 samples, 0 to 4 with the engine, " in out
    assert "underrun: " in out
    assert out.endswith(" samples missing\n")


def test_software_fifteen_times_slower_than_this_keeps_up(capsys: Capture) -> None:
    samples = np.random.default_rng(3).integers(-32768, 32768, 2**19, dtype=np.int16)
    samples.astype("<i2").tofile("s.raw")
    slow = ("--clock", "measured", "--slowdown", 15)
    # The FIFO lasts 50 ms at this rate: what this machine does meanwhile does not matter.
    report = run(capsys, "play", "s.raw", "--repeat", 4, "--engine", "direct", "--rate", 10e6, *slow, "--sha256")
    assert report["board"] == "virtual:zcu111?clock=measured&slowdown=15"
    assert (report["transfers"], report["gap_count"], report["samples_played"]) == (4, 0, 2**21)
    assert report["played_sha256"] == hashlib.sha256(np.tile(samples, 4).astype("<i2").tobytes()).hexdigest()
