"""The names of PYNQ that notebooks use, on the memory, IOPs and engines of gapless.

Import it under its own name (``from gapless.compat.pynq import Xlnk``), or run unmodified code, which says ``import
pynq``, with ``gapless pynq run``. There is one board in use: :func:`use` chooses it.
"""

from .bitstream import Bitstream
from .board_in_use import DEFAULT_BOARD, board_in_use, close, use
from .buffer import PynqBuffer, allocate
from .device import Device
from .gpio import GPIO
from .hierarchy import DefaultHierarchy
from .interrupt import Interrupt
from .ip import DefaultIP, UnsupportedConfiguration
from .mmio import MMIO
from .overlay import Overlay
from .pl import PL
from .ps import Clocks
from .registers import Register, RegisterMap
from .xlnk import Xlnk

#: The version whose names these are in the main: some programs choose by it.
__version__ = "3.1.2"

__all__ = [
    "DEFAULT_BOARD",
    "GPIO",
    "MMIO",
    "PL",
    "Bitstream",
    "Clocks",
    "DefaultHierarchy",
    "DefaultIP",
    "Device",
    "Interrupt",
    "Overlay",
    "PynqBuffer",
    "Register",
    "RegisterMap",
    "UnsupportedConfiguration",
    "Xlnk",
    "allocate",
    "board_in_use",
    "close",
    "use",
]
