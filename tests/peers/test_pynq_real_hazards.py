"""That PYNQ does what the table of hazards in docs/pynq.md says it does: its column "PYNQ", with the package itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pynq_venvs import VERSIONS, Venv, venv

PROGRAM = Path(__file__).with_name("pynq_hazards.py")
EXPECTED = """\
arithmetic: PynqBuffer True
strided view: True
bytes beyond the range: 0
wait without a transfer: for ever
no sender: for ever
second transfer: RuntimeError: DMA channel not idle
length field: ValueError: Transfer size is 8388608 bytes, which exceeds the maximum DMA buffer size 8388607.
beyond the buffer: 7 7
error, wait: True
error, wait: RuntimeError: DMA channel not started
error, idle: for ever
error, start: for ever
error, wait_async: True
4 bytes: ZeroDivisionError: division by zero
short packet: for ever
cyclic: True False
"""


@pytest.fixture(scope="module")
def pynq(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    return venv(VERSIONS[-1], tmp_path_factory.mktemp("site"))


def test_pynqs_hazards(pynq: Venv, tmp_path: Path) -> None:
    result = pynq.script(PROGRAM, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == EXPECTED
