"""DMA and Xlnk, where programs for PYNQ 1.x and 2.0 import them from."""

from .lib.dma import DMA
from .xlnk import Xlnk

__all__ = ["DMA", "Xlnk"]
