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
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path) -> None:
    result = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert EXPECTED[example.name] in result.stdout
