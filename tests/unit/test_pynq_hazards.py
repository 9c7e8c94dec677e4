"""Each hazard in docs/pynq.md names the test that shows it."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "pynq.md"


def rows() -> list[list[str]]:
    """The table's rows, as cells."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Hazards")[2].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def test_every_hazard_has_a_test() -> None:
    found: dict[str, list[str]] = {}
    files = ("board/test_pynq_*.py", "board/test_iop.py", "unit/test_xlnk.py")
    for path in (path for pattern in files for path in TESTS.glob(pattern)):
        for name in re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            found.setdefault(name, []).append(path.name)
    assert len(rows()) > 30
    for hazard, pynq, here, test in rows():
        assert hazard, pynq
        assert here
        assert len(found.get(test.strip("`"), ())) == 1, f"{hazard}: {test} is in {found.get(test.strip('`'))}"
