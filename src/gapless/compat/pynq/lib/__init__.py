"""MicroBlaze subsystems, as wrappers of programs written for PYNQ import them."""

from .pmod import Pmod
from .pynqmicroblaze import PynqMicroblaze

__all__ = ["Pmod", "PynqMicroblaze"]
