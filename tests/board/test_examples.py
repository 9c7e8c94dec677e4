"""The examples run as they are."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
EXPECTED = {
    "loopback.py": "the capture equals the source: True",
    "memory.py": "a slice knows its own address: 0x8_E000_07D0",
    "own_driver.py": "converted: 1000000 samples; 0 findings",
    "rearm.py": "native loop, direct mode     0                0         0 us",
    "streaming.py": "what came back is what was sent: True",
    "waveforms.py": "then the beginning of one more: True",
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path) -> None:
    result = _run(example)
    assert result.returncode == 0, result.stdout + result.stderr
    assert EXPECTED[example.name] in result.stdout


def test_the_python_driver_is_late_only_where_its_time_counts() -> None:
    # The exit status of the measured clock says that it was late: test_example().
    result = _run(EXAMPLES[0].parent / "rearm.py", "--clock", "virtual")
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("Python"))
    assert line.split()[-4:] == ["0", "0", "0", "us"]


def _run(example: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(example), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
