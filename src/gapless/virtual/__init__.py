"""The virtual board: native models of memory, DMA and converters, assembled from a BoardSpec."""

from .board import build_board, open_board
from .faults import Faults

__all__ = ["Faults", "build_board", "open_board"]
