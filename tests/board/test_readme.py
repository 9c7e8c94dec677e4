"""What the README and the page on streaming show is what happens."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README, STREAMING = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/streaming.md"))


def _run(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *args]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)


def test_python_runs(tmp_path: Path) -> None:
    code, processor, on_a_board = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert 'open("local")' in on_a_board  # its like runs in the guest: tests/kernel/guest/test_board.py
    result = _run(tmp_path, "-c", code + processor)
    assert result.returncode == 0, result.stderr
    assert "[0 1 2 3 4]" in result.stdout
    assert "0x8e00007d0" in result.stdout


@pytest.mark.parametrize(
    ("code", "output"), re.findall(r"```python\n(.*?)```\n(?:.*?\n)??```text\n(.*?)```", STREAMING, flags=re.DOTALL)
)
def test_python_of_the_page(code: str, output: str, tmp_path: Path) -> None:
    result = _run(tmp_path, "-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout == output


def test_each_python_of_the_page_shows_its_output() -> None:
    assert STREAMING.count("```python\n") == STREAMING.count("```text\n") == 8


def _shown(page: str, command: str) -> list[str]:
    """The lines a page shows below a command."""
    lines = page.splitlines()
    start = lines.index(f"    $ {command}")
    shown = []
    for line in lines[start + 1 :]:
        if line.startswith("    $") or (line and not line.startswith("    ")):
            break
        shown.append(line.removeprefix("    "))
    return shown


@pytest.mark.parametrize(
    ("page", "command", "status"),
    [
        (README, "gapless play signal.raw --rate 2.048e9 --engine direct --fifo-depth 65536 --software-delay 1ms", 3),
        (README, "gapless play signal.raw --rate 4.096e9 --memory ps-cma", 2),
        (README, "gapless play signal.raw --memory ps-cma", 2),
        (README, "gapless record capture.npy --samples 100e6 && gapless verify capture.npy", 0),
        (README, "gapless budget --rate 1.5e9 --dac 1 --memory ps-cma --with adc1=1e9", 3),
        (README, "gapless play tone:10e6 --seconds 20 --rate 250e6 --stream", 0),
        (README, "gapless info --board virtual:dma_loopback", 0),
        (README, "gapless play noise: --samples 16e6 --rate 1.024e9 --stream --producer-rate 512e6", 3),
        (STREAMING, "gapless play noise: --samples 17e6 --rate 1.024e9 --stream --producer-rate 512e6", 3),
        (STREAMING, "gapless record capture.npy --samples 100e6 && gapless verify capture.npy", 0),
        (STREAMING, "gapless budget --rate 1.024e9 --producer-rate 512e6", 3),
        (STREAMING, "gapless play noise: --samples 3000 --rate 2.45e9 --memory ps-cma --stream", 2),
        (STREAMING, "gapless play noise: --samples 3000 --rate 2.45e9 --memory ps-cma --stream --force", 3),
    ],
    ids=lambda value: None if isinstance(value, str) and "\n" in value else value,
)
def test_commands(page: str, command: str, status: int, tmp_path: Path) -> None:
    with (tmp_path / "signal.raw").open("wb") as signal:
        signal.truncate(300_000_000)
    for one in command.split(" && "):
        result = _run(tmp_path, "-m", "gapless.cli", *shlex.split(one)[1:])
        assert result.returncode == status
        assert _stable((result.stdout + result.stderr).splitlines()) == _stable(_shown(page, one))


def test_the_example_that_the_page_shows(tmp_path: Path) -> None:
    result = _run(tmp_path, str(ROOT / "examples" / "waveforms.py"))
    assert result.stdout.splitlines() == _stable(_shown(STREAMING, "python examples/waveforms.py"))


def _stable(lines: list[str]) -> list[str]:
    return [line for line in lines if line.strip() and not line.startswith(("time ", "gapless  "))]
