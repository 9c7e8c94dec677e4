"""What docs/models.md shows works as it says."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from driver_designs import noise
from ip_designs import BASE, LINE, alone, sent_and_received, streaming

from gapless.virtual import models

CONTROL, GLOBAL_ENABLE, ENABLE, STATUS = 0x00, 0x04, 0x08, 0x0C


@pytest.fixture(scope="module")
def shown():
    """The names that the page's programs define."""
    page = Path(__file__).parents[2] / "docs" / "models.md"
    programs = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    with mock.patch.dict(models._bound):
        for program in programs:
            exec(program, names)
    return names


def test_the_doubler(shown):
    packet = noise(4000)
    with streaming(shown["Doubler"]) as board, sent_and_received(board, [packet], [len(packet)]) as (sink,):
        assert np.array_equal(sink, packet * np.uint8(2))
        assert board.bus.wait_interrupt(LINE, 0.0)
        board.bus.write32(BASE + STATUS, 1)
        assert not board.bus.wait_interrupt(LINE, 0.0)


def test_the_core_of_hls(shown):
    with alone(shown["Core"]) as board:
        bus = board.bus
        assert bus.read32(BASE + CONTROL) == 4  # idle
        bus.write32(BASE + CONTROL, 1)
        assert bus.read32(BASE + CONTROL) == 1
        bus.sleep(1e-3)
        assert bus.read32(BASE + CONTROL) == 2 | 4 | 8
        assert bus.read32(BASE + CONTROL) == 4
        assert not bus.wait_interrupt(LINE, 0.0)
        bus.write32(BASE + GLOBAL_ENABLE, 1)
        bus.write32(BASE + ENABLE, 1)
        began = bus.time()
        bus.write32(BASE + CONTROL, 1)
        assert bus.wait_interrupt(LINE, 1.0)
        assert bus.time() - began == pytest.approx(1e-3)
        assert bus.read32(BASE + STATUS) == 1
        bus.write32(BASE + STATUS, 1)
        assert not bus.wait_interrupt(LINE, 0.0)
