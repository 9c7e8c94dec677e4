"""The commands on the virtual board, as issue 2 wants to see them, at a smaller size."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gapless
from gapless.cli import demo, main
from gapless.memory import Pool
from gapless.stream import Counters, Gap, Ledger

Capture = pytest.CaptureFixture[str]

PLAY_KEYS = [
    "board",
    "engine",
    "memory",
    "rate_sa_per_s",
    "samples_requested",
    "samples_played",
    "gap_count",
    "missing_samples",
    "gaps",
    "transfers",
    "descriptors",
    "fifo_depth_bytes",
    "fifo_low_water_bytes",
    "signal_seconds",
    "wall_seconds",
]
RATE = 2.048e9
SAMPLES = 70_000_000  # 140,000,000 bytes: three transfers


@pytest.fixture(scope="module")
def signal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signal") / "F.raw"
    np.random.default_rng(1).integers(-32768, 32768, SAMPLES, dtype=np.int16).astype("<i2").tofile(path)
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: Capture, *args: object, status: int = 0) -> dict[str, Any]:
    assert main([*map(str, args), "--json"]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert captured.out == json.dumps(document, indent=2) + "\n"
    return document  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "where",
    [
        ("--memory", "pl-ddr", "--engine", "sg"),
        ("--memory", "pl-ddr", "--engine", "direct"),
        ("--board", "virtual:zcu111?ps=32GiB", "--memory", "ps-carveout", "--engine", "sg"),
        ("--board", "virtual:zcu111?ps=32GiB", "--memory", "ps-carveout", "--address", "0x8_FC00_0000"),
    ],
    ids=["sg", "direct", "carve-out", "across 4 GiB"],
)
def test_a_file_is_played_without_a_gap(signal: Path, where: tuple[str, ...], capsys: Capture) -> None:
    report = run(capsys, "play", signal, "--rate", RATE, *where, "--sha256")
    assert list(report) == [*PLAY_KEYS, "played_sha256"]
    assert report["gap_count"] == report["missing_samples"] == 0
    assert report["gaps"] == []
    assert report["samples_played"] == report["samples_requested"] == SAMPLES
    assert report["played_sha256"] == hashlib.sha256(signal.read_bytes()).hexdigest()
    assert report["transfers"] == 3
    assert report["descriptors"] == (0 if report["engine"] == "direct" else 3)


def test_late_software_makes_one_gap_a_transfer(signal: Path, capsys: Capture) -> None:
    late = ("--rate", RATE, "--fifo-depth", "65536", "--software-delay", "1ms")
    report = run(capsys, "play", signal, "--engine", "direct", *late, status=3)
    assert list(report) == PLAY_KEYS
    assert report["board"] == "virtual:zcu111?fifo=65536"
    assert report["fifo_depth_bytes"] == 65536
    assert report["gap_count"] == len(report["gaps"]) == report["transfers"] - 1 == 2
    expected = RATE * 1e-3 - 65536 / 2
    assert all(abs(gap["length"] - expected) <= 16 for gap in report["gaps"])
    assert report["missing_samples"] == sum(gap["length"] for gap in report["gaps"])
    assert list(report["gaps"][0]) == ["index", "length", "cause"]
    assert run(capsys, "play", signal, "--engine", "sg", *late)["gap_count"] == 0


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_the_same_command_twice_gives_the_same_json(engine: str, capsys: Capture) -> None:
    command = ("play", "noise:", "--samples", "70e6", "--engine", engine, "--rate", RATE, "--sha256")
    first, second = run(capsys, *command), run(capsys, *command)
    del first["wall_seconds"], second["wall_seconds"]
    assert json.dumps(first) == json.dumps(second)


def test_seconds_of_a_generator_longer_than_the_memory(capsys: Capture) -> None:
    report = run(capsys, "play", "counter:", "--seconds", 2, "--rate", RATE)
    assert report["samples_played"] == round(2 * RATE)
    assert report["signal_seconds"] == 2
    assert report["gap_count"] == 0


def test_repetitions_and_another_dac(capsys: Capture) -> None:
    np.save("s.npy", np.linspace(-1, 1, 1001))
    report = run(capsys, "play", "s.npy", "--repeat", 1000, "--dac", 1, "--memory", "ps-cma")
    assert report["samples_played"] == 1_001_000
    assert report["memory"] == "ps-cma"
    assert report["rate_sa_per_s"] == 1.024e9


def test_play_in_words(capsys: Capture) -> None:
    assert main(["play", "noise:", "--samples", "1e6"]) == 0
    out = capsys.readouterr().out
    assert "samples  1,000,000 of 1,000,000" in out
    assert out.endswith("no gap: every sample was converted on time\n")
    late = ["--engine", "direct", "--fifo-depth", "64KiB", "--software-delay", "1ms"]
    assert main(["play", "noise:", "--samples", "400e6", *late]) == 3
    out = capsys.readouterr().out
    assert "... and 13 more" in out
    assert out.endswith("23 gaps, 22,798,336 samples missing\n")


def test_a_picture_of_a_play(capsys: Capture) -> None:
    pytest.importorskip("matplotlib")
    assert main(["play", "tone:10e6", "--samples", "1e6", "--plot", "tone.png"]) == 0
    assert Path("tone.png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.endswith("picture: tone.png\n")


def test_fewer_samples_than_asked_is_status_3(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    from gapless.stream import Dac, Ledger, PlayReport

    short = PlayReport("b", "sg", "m", 1e6, 100, 90, Ledger(90), 1, 1, 64, 0, 0.0)
    monkeypatch.setattr(Dac, "play", lambda *_, **__: short)
    assert main(["play", "noise:", "--samples", "100"]) == 3
    assert "the last 10 samples never came" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".npy", ".raw", ".wav", ".sigmf-meta"])
def test_a_recorded_counter_has_no_finding_and_a_cut_is_found(suffix: str, capsys: Capture) -> None:
    if suffix in (".wav", ".sigmf-meta"):
        pytest.importorskip("soundfile")
        pytest.importorskip("sigmf")
    record = run(capsys, "record", f"c{suffix}", "--samples", "1e6")
    assert list(record) == [
        "board",
        "engine",
        "memory",
        "rate_sa_per_s",
        "samples_requested",
        "samples_recorded",
        "gap_count",
        "missing_samples",
        "gaps",
        "transfers",
        "descriptors",
        "wall_seconds",
        "queue",
        "ended",
    ]
    assert record["samples_recorded"] == 1_000_000
    assert record["ended"] == "complete"
    found = run(capsys, "verify", f"c{suffix}")
    ledger = found.pop("ledger")
    assert ledger["blocks"] == [{"index": 0, "length": 1_000_000}]
    assert (ledger["direction"], ledger["rate_sa_per_s"], ledger["ended"]) == ("adc", 1.024e9, "complete")
    assert found == {
        "file": f"c{suffix}",
        "samples": 1_000_000,
        "pattern": "counter",
        "disagreements": [],
        "findings": [],
        "finding_count": 0,
        "missing_samples": 0,
        "repeated_samples": 0,
        "out_of_order_samples": 0,
        "stopped_early": False,
    }


def test_seventeen_samples_cut_out_are_found(capsys: Capture) -> None:
    run(capsys, "record", "c.npy", "--samples", "40e6")
    samples = np.load("c.npy")
    np.save("c.npy", np.delete(samples, slice(1_234_567, 1_234_567 + 17)))
    found = run(capsys, "verify", "c.npy", status=3)
    assert found["findings"] == [{"kind": "missing", "index": 1_234_567, "length": 17}]
    assert found["disagreements"] == [
        "the file has 39,999,983 samples, 17 fewer than its ledger counted",
        "the counter has a gap of 17 before sample 1,234,567, its ledger has none there",
    ]
    assert (found["finding_count"], found["missing_samples"]) == (1, 17)
    assert main(["verify", "c.npy"]) == 3
    assert capsys.readouterr().out.endswith("1 finding: 17 samples missing\n")


def test_a_late_recorder_loses_what_its_ledger_says(capsys: Capture) -> None:
    late = ("--engine", "direct", "--software-delay", "1ms", "--fifo-depth", "64KiB", "--block", "33554400")
    record = run(capsys, "record", "c.raw", "--samples", "70e6", *late, status=3)
    assert record["gap_count"] == 2
    assert record["samples_recorded"] == 70_000_000
    found = run(capsys, "verify", "c.raw", status=3)
    assert found["finding_count"] == 2
    assert [one["kind"] for one in found["findings"]] == ["missing", "missing"]
    for gap, one in zip(record["gaps"], found["findings"], strict=True):
        assert (gap["length"] - one["length"]) % 65536 == 0
    assert found["disagreements"] == []
    assert found["ledger"]["gaps"] == record["gaps"]


@pytest.mark.parametrize("source", ["tone:1e6", "noise:3", "counter:-5", "s.npy"])
def test_what_is_recorded_is_what_is_at_the_input(source: str, capsys: Capture) -> None:
    from gapless.cli.sources import open_signal

    np.save("s.npy", np.arange(1000, dtype=np.int16))
    run(capsys, "record", "r.raw", "--samples", "100000", "--source", source, "--rate", "1e9")
    expected = np.empty(1000, np.int16)
    open_signal(source, 1e9)[0].fill(expected, 0)
    recorded = np.fromfile("r.raw", "<i2")
    assert len(recorded) == 100_000
    assert np.array_equal(recorded[:1000], expected)


def test_record_and_verify_in_words(capsys: Capture) -> None:
    assert main(["record", "c.npy", "--samples", "1000"]) == 0
    assert capsys.readouterr().out.endswith("no gap: every sample was recorded\n")
    assert main(["verify", "c.npy"]) == 0
    assert "0 findings" in capsys.readouterr().out


def test_verify_shows_the_ledger_of_any_capture(capsys: Capture) -> None:
    late = ["--engine", "direct", "--software-delay", "1ms", "--fifo-depth", "64KiB", "--rate", "1e9"]
    late += ["--block", "33554400", "--blocks", "2"]
    assert main(["record", "t.raw", "--samples", "70e6", "--source", "tone:1e6", *late]) == 3
    capsys.readouterr()
    found = run(capsys, "verify", "t.raw", "--pattern", "none", status=3)
    assert (found["findings"], found["disagreements"], found["ledger"]["gap_count"]) == ([], [], 2)
    assert main(["verify", "t.raw", "--pattern", "none"]) == 3
    out = capsys.readouterr().out
    assert out.startswith("ledger: 70,000,000 samples at 1 GSa/s, ended: complete\n")
    assert "overrun: the next transfer was started too late" in out
    assert "\n2 gaps, " in out
    Path("t.raw.ledger.json").unlink()
    assert main(["verify", "t.raw", "--pattern", "none"]) == 2
    assert "none in t.raw.ledger.json" in capsys.readouterr().err
    run(capsys, "record", "s.raw", "--samples", "1000", "--source", "tone:1e6")
    assert main(["verify", "s.raw", "--pattern", "none"]) == 0
    assert capsys.readouterr().out.endswith("s.raw: 1,000 samples, as its ledger says\n")


def test_a_ledger_that_says_something_else_is_found(capsys: Capture) -> None:
    run(capsys, "record", "c.npy", "--samples", "100000")
    wrong = Ledger(99_990, tuple(Gap(1000 * n, 1, "x") for n in range(1, 31)), 30, 30, Counters(1, 7, 2))
    Path("c.npy.ledger.json").write_text(json.dumps(wrong.document()))
    found = run(capsys, "verify", "c.npy", status=3)
    assert (found["finding_count"], len(found["disagreements"])) == (0, 31)
    assert main(["verify", "c.npy"]) == 3
    out = capsys.readouterr().out
    assert "ring: low water 1, high water 7 blocks, 2 late events" in out
    assert "c.npy: its ledger has a gap of 1 before sample 1,000, the counter goes on there without one" in out
    assert "... and 11 more" in out
    Path("c.npy.ledger.json").write_text("{}")
    assert main(["verify", "c.npy"]) == 2
    assert "c.npy.ledger.json: not a ledger: format None" in capsys.readouterr().err


def test_verify_of_something_else_stops_somewhere(capsys: Capture) -> None:
    np.save("n.npy", np.random.default_rng(1).integers(-32768, 32768, 100_000, dtype=np.int16))
    found = run(capsys, "verify", "n.npy", status=3)
    assert found["stopped_early"]
    assert found["finding_count"] == len(found["findings"]) == 10_000
    assert main(["verify", "n.npy"]) == 3
    assert "and perhaps more" in capsys.readouterr().out


def test_info(capsys: Capture) -> None:
    document = run(capsys, "info", "--board", "virtual:zcu111?fifo=64KiB")
    assert [pair["converters"] for pair in document["pairs"]] == [["dac0", "dac1"], ["adc0", "adc1"]]
    assert document["version"] == gapless.__version__
    assert document["numpy"] == np.__version__
    assert [one["name"] for one in document["converters"]] == ["dac0", "adc0", "dac1", "adc1"]
    assert document["converters"][0]["fifo_depth_bytes"] == 65536
    assert {one["mode"] for one in document["dmas"]} == {"sg", "direct"}
    assert document["ports"][0] == {"name": "HP0", "bandwidth_bytes_per_s": 4.8e9}
    assert main(["info"]) == 0
    assert "dma_dac0_direct" in capsys.readouterr().out


def test_memory(capsys: Capture) -> None:
    document = run(capsys, "memory", "--board", "virtual:zcu111?ps=32GiB")
    cma, carveout, _ = document["pools"]
    assert cma["total"] == cma["used"] + cma["free"] == 128 << 20
    assert cma["largest_free"] == 96 << 20
    assert cma["buffers"] == {"bytes": 0, "count": 0}
    assert (carveout["name"], carveout["total"], carveout["kind"]) == ("ps-carveout", 28 << 30, "ps")
    assert [region["name"] for region in document["regions"]] == ["ps-ddr-low", "ps-ddr-high", "pl-ddr"]
    assert main(["memory"]) == 0
    assert "0x10_0000_0000" in capsys.readouterr().out


def test_the_demo(capsys: Capture) -> None:
    pytest.importorskip("matplotlib")
    assert main(["demo"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[-1] == "40,000,000 samples in 2 transfers, 0 gaps: the capture equals the source"
    assert any("1,523,712 samples missing" in line for line in lines)
    assert any(line.endswith(str(Path.cwd() / "gapless-demo.png")) for line in lines)
    assert all(len(line) <= 80 for line in lines if not line.startswith("picture"))
    assert Path("gapless-demo.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_as_json_with_a_capture_that_differs(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(demo, "_SAMPLES", 100_000)
    pytest.importorskip("matplotlib")
    document = run(capsys, "demo", "--plot", "d.svg")
    assert document["capture_equals_source"]
    assert list(document["play"]) == PLAY_KEYS
    assert document["plot"] == "d.svg"

    original = demo._loop_back

    def wrong(*args: Any) -> Any:
        report, capture = original(*args)
        capture.samples[7] ^= 1
        return report, capture

    monkeypatch.setattr(demo, "_loop_back", wrong)
    assert run(capsys, "demo", status=3)["differing_samples"] == 1
    assert main(["demo"]) == 3
    assert capsys.readouterr().out.endswith("0 gaps: the capture differs from the source in 1 sample\n")


def test_the_demo_without_matplotlib(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(demo, "_SAMPLES", 100_000)
    monkeypatch.setattr("gapless.cli.values.can_plot", lambda: False)
    assert main(["demo"]) == 0
    assert "pip install 'gapless[plot]'" in capsys.readouterr().out


def test_nothing_stays_allocated(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    pools: list[Pool] = []
    original = Pool.allocate

    def allocate(self: Pool, *args: Any, **options: Any) -> Any:
        pools.append(self)
        return original(self, *args, **options)

    monkeypatch.setattr(Pool, "allocate", allocate)
    run(capsys, "play", "noise:", "--samples", "1e6")
    assert pools
    assert all(pool.stats().buffers.count == 0 for pool in pools)
