"""gapless: contiguous memory, gapless DMA streaming and a virtual board for FPGA SoC boards.

::

    import gapless

    with gapless.open("virtual:zcu111") as board:
        report = board.dac(0).play(signal, rate=2.048e9, memory="pl-ddr")
        assert report.complete
"""

from .board import Board, open
from .errors import GaplessError

__all__ = ["Board", "GaplessError", "open"]
__version__ = "0.1.0"
