"""The examples run as they are."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
#: Those for PYNQ are run by tests/peers/test_pynq_remote.py.
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if not path.name.startswith("pynq_"))
EXPECTED = {
    "ip_model.py": "what came back is what numpy.convolve() gives: True",
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
    result = _run(FOLDER / "rearm.py", "--clock", "virtual")
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("Python"))
    assert line.split()[-4:] == ["0", "0", "0", "us"]


def test_the_notebooks(tmp_path: Path) -> None:
    """With old names and with new ones, on one board."""
    pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    names = ("iop_shared_memory.ipynb", "iop_new_names.ipynb")
    copies = [shutil.copy(FOLDER / name, tmp_path) for name in names]
    command = [sys.executable, "-m", "gapless.cli", "pynq", "run", *copies, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    memory = [run["memory"] for run in json.loads(result.stdout)["notebooks"]]
    assert [run["after"] for run in memory] == [run["before"] for run in memory]
    assert memory[0]["before"]["ps-cma"]["buffers"]["count"] == 0
    for name, copy in zip(names, copies, strict=True):
        committed, executed = (nbformat.read(path, 4) for path in (FOLDER / name, copy))
        # What is committed is what it prints, but for pictures, and for help(), which each Python sets differently.
        for was, now in zip(committed.cells, executed.cells, strict=True):
            assert "help(" in now.source or _text(was) == _text(now), now.source
    executed = nbformat.read(copies[0], 4)
    text = "".join(map(_text, executed.cells))
    for line in (
        "[ 1  2  3  4  5  6  7  8  9 10  0  0]",
        "AddressError: 4004 bytes",
        "AddressError: no buffer",
        "Freed",
    ):
        assert line in text
    assert any("image/png" in output.get("data", {}) for cell in executed.cells for output in cell.get("outputs", ()))


def _text(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.get("outputs", ()))


def _run(example: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(example), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
