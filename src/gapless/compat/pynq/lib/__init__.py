"""Drivers of IP, and MicroBlaze subsystems as wrappers of programs written for PYNQ import them."""

from .axigpio import AxiGPIO
from .dma import DMA
from .pmod import Pmod
from .pynqmicroblaze import MicroblazeHierarchy, MicroblazeLibrary, MicroblazeRPC, PynqMicroblaze
from .rgbled import RGBLED

__all__ = [
    "DMA",
    "RGBLED",
    "AxiGPIO",
    "MicroblazeHierarchy",
    "MicroblazeLibrary",
    "MicroblazeRPC",
    "Pmod",
    "PynqMicroblaze",
]
