"""All of PYNQ that is not PYNQ's on a board of gapless. In the process that runs the program, and only there.

=======================================  ===============================================================
what PYNQ asks                           what answers
=======================================  ===============================================================
``Device``                               :class:`.device.GaplessDevice`: PYNQ's way for new kinds of board
``os.uname()``, ``platform.machine()``   the board's processor, while ``pynq`` is imported
environment                              without PYNQ_REMOTE_DEVICES and XILINX_XRT, for other devices
``pynq.bitstream._resolve_bitstream``    takes a .bit that is missing where its .hwh is there or built in
``pynq.interrupt.get_uio_irq``           the line itself, where PYNQ looks in /proc/interrupts
``pynq.interrupt.UioController``         :class:`.interrupts.LineController`, where PYNQ opens /dev/uioN
``pynq.gpio._GPIO``                      :class:`.pins.Line`, where PYNQ opens files in /sys/class/gpio
``pynq.GPIO.get_gpio_base``, ``npins``   the PS's GPIO counted from 0, where PYNQ looks there
=======================================  ===============================================================
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...board import Board
from ...errors import UnknownNameError, UnsupportedError
from ..pynq import gpio as our_gpio
from ..pynq.board_in_use import current_board, use
from ..pynq.in_pl import find_design
from .processor import machine_of, on_processor

_OTHER_DEVICES = ("PYNQ_REMOTE_DEVICES", "XILINX_XRT")


def replace(board: Board) -> None:
    """See :func:`gapless.compat.pynq_device.install`."""
    if "pynq" in sys.modules:
        raise UnsupportedError("pynq is imported already: it has looked at the processor that it is on")
    machine = machine_of(board)
    for name in _OTHER_DEVICES:
        os.environ.pop(name, None)
    try:
        with on_processor(machine):
            pynq: Any = importlib.import_module("pynq")
    except ModuleNotFoundError as error:
        raise UnsupportedError(f"there is no module {error.name} here: pip install pynq") from error
    from .device import GaplessDevice

    if current_board() is not board:
        use(board)  # pins are those of the board in use
    GaplessDevice.found = (board, machine)
    _replace_bitstreams()
    _replace_interrupts(board)
    _replace_gpio(pynq)


def _replace_bitstreams() -> None:
    bitstream: Any = importlib.import_module("pynq.bitstream")
    from .device import GaplessDevice

    resolve = bitstream._resolve_bitstream
    extensions = bitstream.pynqutils.setup_utils.ExtensionsManager(bitstream.OVERLAYS_GROUP)
    # A built-in design is one, not another one in each of the folders that PYNQ looks in.
    elsewhere = (Path(extensions.extension_path(bitstream.OVERLAYS_GROUP)), *map(Path, extensions.paths))

    def resolve_or_describe(path: str, device: Any) -> Any:
        found = resolve(path, device)
        ours = isinstance(device, GaplessDevice) and not any(folder in Path(path).parents for folder in elsewhere)
        if found is None and ours:
            with suppress(UnknownNameError):
                find_design(device.board, path)
                return path
        return found

    bitstream._resolve_bitstream = resolve_or_describe


def _replace_interrupts(board: Board) -> None:
    interrupt: Any = importlib.import_module("pynq.interrupt")
    from .interrupts import LineController

    interrupt.get_uio_irq = lambda line: line
    interrupt.UioController = lambda line: LineController(board, line)


def _replace_gpio(pynq: Any) -> None:
    gpio: Any = importlib.import_module("pynq.gpio")
    from .pins import Line

    gpio._GPIO = Line
    pynq.GPIO.get_gpio_base = staticmethod(our_gpio.GPIO.get_gpio_base)
    pynq.GPIO.get_gpio_npins = staticmethod(our_gpio.GPIO.get_gpio_npins)
