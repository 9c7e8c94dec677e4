"""Drivers of IP, and MicroBlaze subsystems as wrappers of programs written for PYNQ import them."""

from .axigpio import AxiGPIO
from .dma import DMA
from .pmod import Pmod
from .pynqmicroblaze import PynqMicroblaze

__all__ = ["DMA", "AxiGPIO", "Pmod", "PynqMicroblaze"]
