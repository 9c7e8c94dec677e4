"""The virtual board: native models of memory, DMA and converters, assembled from a BoardSpec."""

from .._native import Adt7420, PythonIicTarget, PythonSpiTarget, Ssd1306
from .board import build_board, open_board
from .faults import Faults
from .models import IpModel

__all__ = ["Adt7420", "Faults", "IpModel", "PythonIicTarget", "PythonSpiTarget", "Ssd1306", "build_board", "open_board"]
