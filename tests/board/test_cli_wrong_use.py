"""Wrong use: an exit status and one line, whatever was typed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gapless import errors
from gapless.cli import app, main
from gapless.stream import Dac

GAPLESS = [sys.executable, "-m", "gapless.cli"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.raw").touch()
    (tmp_path / "odd.raw").write_bytes(b"abc")
    (tmp_path / "ok.raw").write_bytes(bytes(2000))
    np.save("int32.npy", np.zeros(4, np.int32))
    np.save("nan.npy", np.array([0, 0.5, np.nan]))
    np.save("complex.npy", np.zeros(4, complex))
    (tmp_path / "broken.sigmf-meta").write_text("{")


def one_line(capsys: Capture) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("gapless: ")
    assert captured.err.count("\n") == 1, captured.err
    assert "Traceback" not in captured.err
    return captured.err


WRONG = [
    ("play", "SOURCE"),
    ("play nofile.raw", "no such file"),
    ("play empty.raw", "is empty"),
    ("play odd.raw", "odd number"),
    ("play int32.npy", "int32"),
    ("play nan.npy", "sample 2 is nan"),
    ("play complex.npy", "complex where real"),
    ("play broken.sigmf-meta", "not SigMF"),
    ("play x.mp3", "there is .raw, .npy, .wav, .sigmf-meta"),
    ("play [bold]x[/bold].raw", "[bold]x[/bold].raw: no such file"),
    ("play counter", "counter:"),
    ("play counter:", "--samples"),
    ("play bogus:", "tone:<Hz>"),
    ("play tone:x --samples 10", "not understood"),
    ("play tone:2e9 --samples 10 --rate 1e9", "half the rate"),
    ("play ok.raw --board virtual:zcu999", "virtual:zcu111"),
    ("play ok.raw --board nonsense", "virtual:zcu111"),
    ("play ok.raw --board local", "virtual:zcu111"),
    ("play ok.raw --board local --fifo-depth 64KiB", "virtual:zcu111"),
    ("play ok.raw --board virtual:zcu111?ps=1GiB", "3GiB to 32GiB"),
    ("play ok.raw --board virtual:zcu111?nonsense=1", "ps, cma, fifo"),
    ("play ok.raw --board virtual:zcu111?fifo=1e999", "not understood"),
    ("play ok.raw --board virtual://[", "no virtual board"),
    ("play ok.raw --memory dram", "ps-cma, ps-carveout, pl-ddr"),
    ("play ok.raw --memory ps-carveout", "empty on this board"),
    ("play ok.raw --engine warp", "auto, sg, direct, cyclic"),
    ("play noise: --samples 1e6 --rate 4.096e9 --memory ps-cma", "needs 8.19 GB/s, the PS port (HP0) gives 4.80 GB/s"),
    ("play noise: --samples 1e6 --rate 4.096e9 --memory ps-cma", "pl-ddr can"),
    ("play noise: --samples 1e6 --rate 7e9", "6.554 GSa/s"),
    ("play tone:1.23456789 --samples 130e6 --memory ps-cma", "asked 247.96 MiB"),
    ("play noise: --samples 0", "--samples 0"),
    ("play noise: --samples -1", "--samples -1"),
    ("play noise: --samples 1.5", "--samples 1.5"),
    ("play noise: --samples nan", "--samples nan"),
    ("play noise: --samples inf", "--samples inf"),
    ("play noise: --samples 1e30", "--samples 1e30"),
    ("play noise: --samples 10 --seconds 1", "--seconds"),
    ("play noise: --seconds 0", "--seconds 0"),
    ("play noise: --seconds nan", "--seconds nan"),
    ("play noise: --seconds 1e300", "--seconds 1e300"),
    ("play ok.raw --samples 1001", "--repeat"),
    ("play ok.raw --rate 0", "--rate 0"),
    ("play ok.raw --rate -1", "--rate -1"),
    ("play ok.raw --rate nan", "--rate nan"),
    ("play ok.raw --rate inf", "--rate inf"),
    ("play ok.raw --rate 1e30", "1e+30"),
    ("play ok.raw --rate 1e-9", "1e-09"),
    ("play ok.raw --software-delay -1ms", "-1ms"),
    ("play ok.raw --software-delay 1e400", "not understood"),
    ("play ok.raw --software-delay 1h", "1ms"),
    ("play ok.raw --fifo-depth 100", "multiple of 64"),
    ("play ok.raw --fifo-depth 65KB", "64KiB"),
    ("play ok.raw --fifo-depth -1", "-1"),
    ("play ok.raw --fifo-depth 1e999", "--fifo-depth"),
    ("play ok.raw --plot nowhere/x.png", "no folder nowhere"),
    ("play ok.raw --plot x.txt", ".png, .svg, .pdf"),
    ("play ok.raw --dac 7", "there is 0, 1"),
    ("play ok.raw --dac x", "--dac"),
    ("play ok.raw --repeat 0", "--repeat 0"),
    ("play ok.raw --address zz", "0x8_E000_0000"),
    ("play ok.raw --address 0", "outside the pool"),
    ("play ok.raw --frobnicate", "--frobnicate"),
    ("play ok.raw more", "more"),
    ("frobnicate", "frobnicate"),
    ("record out.mp3 --samples 10", ".sigmf-meta"),
    ("record out.npy", "--samples"),
    ("record out.npy --samples 10 --seconds 1", "give one of them"),
    ("record out.npy --samples 10 --block 0", "--block 0"),
    ("record out.npy --samples 10 --block 100", "a multiple of 8 samples, at most 33554400"),
    ("record out.npy --samples 10 --block 40e6", "at most 33554400"),
    ("record out.npy --samples 10 --blocks 1", "blocks=1"),
    ("record out.npy --samples 10 --blocks 1000", "to 512"),
    ("record out.wav --samples 3e9", "a .wav counts at most"),
    ("play tone:1e6 --samples 10 --block 16", "give --stream, too"),
    ("play tone:1e6 --samples 10 --producer-rate 1e6", "give --stream, too"),
    ("play tone:1e6 --samples 10 --stream --producer-rate 0", "--producer-rate 0"),
    ("play tone:1e6 --samples 10 --stream --block 0", "--block 0"),
    ("play tone:1e6 --samples 10 --stream --block 17", "a multiple of 16 samples"),
    ("play tone:1e6 --samples 10 --stream --blocks 1", "blocks=1"),
    ("play tone:1e6 --stream", "never ends"),
    ("play tone:1e6 --samples 10 --stream --engine cyclic", "use loop()"),
    ("play tone:1e6 --samples 10 --clock fast", "there is virtual, measured"),
    ("play tone:1e6 --samples 10 --slowdown 2", "clock=measured"),
    ("play tone:1e6 --samples 10 --clock measured --slowdown 0", "0.01 to 1000"),
    ("play tone:1e6 --samples 10 --clock measured --board virtual:zcu111?clock=virtual", "give one of them"),
    ("record nowhere/out.npy --samples 10", "no folder nowhere"),
    ("record out.wav --samples 10 --rate 4e9", ".wav header"),
    ("record out.npy --samples 0", "--samples 0"),
    ("record out.npy --samples 10 --adc 9", "there is 0, 1"),
    ("record out.npy --samples 10 --engine cyclic", "use sg or direct"),
    ("record out.npy --samples 10 --source dac0", "nothing plays"),
    ("record out.npy --samples 10 --source nofile.raw", "no such file"),
    ("record out.npy --samples 10 --rate 4.096e9 --memory ps-cma", "needs 8.19 GB/s"),
    ("record out.npy --samples 10 --memory ps-cma --block 8e6", "pl-ddr has"),
    ("verify nofile.npy", "no such file"),
    ("verify empty.raw", "is empty"),
    ("verify int32.npy", "int32"),
    ("verify", "FILE"),
    ("verify ok.raw --pattern prbs", "counter or none"),
    ("verify ok.raw --pattern none", "ok.raw.ledger.json"),
    ("budget", "--rate"),
    ("budget --rate x", "--rate x"),
    ("budget --rate 1e9 --channels 3", "3 channels asked"),
    ("budget --rate 1e9 --channels 0", "--channels 0"),
    ("budget --rate 1e9 --dac 0 --adc 0", "give one of them"),
    ("budget --rate 1e9 --adc 7", "there is 0, 1"),
    ("budget --rate 1e9 --adc 0 --engine cyclic", "use sg or direct"),
    ("budget --rate 1e9 --engine warp", "auto, sg, direct, cyclic"),
    ("budget --rate 1e9 --memory dram", "ps-cma, ps-carveout, pl-ddr"),
    ("budget --rate 1e9 --block 1e9", "at most 33554400 samples"),
    ("budget --rate 1e9 --block 1.5", "--block 1.5"),
    ("budget --rate 1e9 --with dac0=1e9", "there is adc0, dac1, adc1"),
    ("budget --rate 1e9 --with adc0", "--with adc0= "),
    ("budget --rate 1e9 --with adc0=9e9", "at most 4.096 GSa/s"),
    ("budget --rate 1e9 --with adc0=1e9 --with adc0=1e9", "given twice"),
    ("budget --rate 1e9 --rearm 1h", "--rearm"),
    ("budget --rate 1e9 --producer-rate 0", "--producer-rate 0"),
    ("budget --rate 1e9 --board nonsense", "virtual:zcu111"),
    ("info --board nonsense", "virtual:zcu111"),
    ("memory --board nonsense", "virtual:zcu111"),
    ("demo --plot x.txt", ".png, .svg, .pdf"),
    ("demo --plot nowhere/x.png", "no folder nowhere"),
]


@pytest.mark.parametrize(("command", "says"), WRONG, ids=[command for command, _ in WRONG])
@pytest.mark.parametrize("json", [False, True], ids=["text", "json"])
def test_wrong_use_is_status_2_and_one_line(command: str, says: str, json: bool, capsys: Capture) -> None:
    before = sorted(os.listdir())
    assert main([*command.split(" "), *(["--json"] if json else [])]) == 2
    assert says in one_line(capsys)
    assert sorted(os.listdir()) == before


def test_a_long_line_is_not_folded_in_a_pipe() -> None:
    name = "x" * 300 + "\n.raw"
    ended = subprocess.run([*GAPLESS, "play", name], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "x" * 300 in ended.stderr


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.DmaDecodeError("no memory there", address=0x40), 1),
        (errors.WaitTimeoutError("no interrupt"), 1),
        (errors.BusAccessError("nobody answers"), 1),
        (errors.AllocationError("no room"), 2),
        (errors.AddressError("taken"), 2),
        (errors.UnsupportedError("not here"), 2),
        (MemoryError(), 1),
        (OSError(28, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("two\nlines"), 1),
    ],
)
def test_what_happens_at_run_time(
    error: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def play(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Dac, "play", play)
    assert main(["play", "ok.raw"]) == status
    one_line(capsys)


def test_a_missing_extra_is_named() -> None:
    for name in ("typer", "rich"):
        code = f"import sys; sys.modules[{name!r}] = None; from gapless.cli import main; sys.exit(main(['info']))"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert ended.returncode == 2
        assert ended.stderr == f"gapless: the command line needs {name}: pip install 'gapless[cli]'\n"


def test_a_missing_matplotlib_is_told_before_playing(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["play", "ok.raw", "--plot", "x.png"]) == 2
    assert "pip install 'gapless[plot]'" in one_line(capsys)


def test_control_c_ends_with_130() -> None:
    # It would play for hours, and is interrupted when it first says how far it is.
    code = """
import os, signal, sys
from gapless.cli import main
from gapless.cli.progress import ProgressBar
ProgressBar.__call__ = lambda *_: os.kill(os.getpid(), signal.SIGINT)
sys.exit(main(["play", "counter:", "--samples", "1e15", "--json"]))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "gapless: interrupted\n")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    ended = subprocess.run(
        ["sh", "-c", '"$@" | true', "sh", *GAPLESS, "info"], capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""


def test_what_the_board_finds_wrong_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    from gapless.board import Board, Finding

    found = (Finding(0.0, "freed-in-flight", "the buffer was freed", 0x1000),)
    monkeypatch.setattr(Board, "findings", property(lambda _: found))
    assert main(["play", "ok.raw", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "gapless: warning: freed-in-flight at 0x1000: the buffer was freed\n"
    assert json.loads(captured.out)["gap_count"] == 0


@pytest.mark.parametrize(
    "command", [[], ["play"], ["record"], ["verify"], ["budget"], ["info"], ["memory"], ["load"], ["demo"]]
)
def test_help(command: list[str], capsys: Capture) -> None:
    assert main([*command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Usage: gapless" in text
    assert "--help" in text
    if command:
        assert "--json" in text
        assert "Example" in text


def test_every_option_is_explained() -> None:
    import typer.main

    for name, command in typer.main.get_command(app.make_app()).commands.items():  # type: ignore[attr-defined]
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_no_command_shows_what_there_is(capsys: Capture) -> None:
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: Capture) -> None:
    import gapless

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gapless {gapless.__version__}\n"
