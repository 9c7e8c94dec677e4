"""What the README shows is what happens."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_python_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert "[0 1 2 3 4]" in result.stdout
    assert "0x8e00007d0" in result.stdout


def _shown(command: str) -> list[str]:
    """The lines the README shows below a command."""
    lines = README.splitlines()
    start = lines.index(f"    $ {command}")
    shown = []
    for line in lines[start + 1 :]:
        if line.startswith("    $") or (line and not line.startswith("    ")):
            break
        shown.append(line.removeprefix("    "))
    return shown


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("gapless play signal.raw --rate 2.048e9 --engine direct --fifo-depth 65536 --software-delay 1ms", 3),
        ("gapless play signal.raw --rate 4.096e9 --memory ps-cma", 2),
        ("gapless play signal.raw --memory ps-cma", 2),
        ("gapless budget --rate 1.5e9 --dac 1 --memory ps-cma --with adc1=1e9", 3),
    ],
)
def test_commands(command: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "signal.raw").write_bytes(bytes(300_000_000))
    args = [sys.executable, "-m", "gapless.cli", *shlex.split(command)[1:]]
    result = subprocess.run(args, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == status

    def stable(lines: list[str]) -> list[str]:
        return [line for line in lines if line.strip() and not line.startswith("time ")]

    assert stable((result.stdout + result.stderr).splitlines()) == stable(_shown(command))
