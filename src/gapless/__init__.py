"""gapless: contiguous memory, gapless DMA streaming and a virtual board for FPGA SoC boards."""

from .errors import GaplessError

__all__ = ["GaplessError"]
__version__ = "0.1.0"
