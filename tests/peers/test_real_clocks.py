"""The clocks that PYNQ's names read on a virtual board are those of the real design it was opened with."""

from __future__ import annotations

import pytest

from gapless.boards.handoff import Design
from gapless.boards.handoff.board_spec import board_spec
from gapless.compat import pynq
from gapless.virtual import build_board

from .real_handoffs import HANDOFFS, folder


@pytest.mark.parametrize("name", HANDOFFS)
def test_frequencies(name):
    design = Design.load(folder() / name)
    enabled = [clock for clock in design.clocks if clock.enabled]
    assert enabled
    with build_board(board_spec(design)) as board:
        pynq.use(board)
        try:
            for clock in enabled:
                assert pynq.Clocks.get_pl_clk(clock.index) * 1e6 == pytest.approx(clock.frequency, rel=1e-5)
            assert pynq.Clocks.cpu_mhz == pytest.approx(650 if design.device == "xc7z020" else 1200, rel=3e-2)
        finally:
            pynq.close()
