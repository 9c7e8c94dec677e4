"""The board that this program runs on: registers, interrupts and memory as Linux gives them."""

from .board import build_board, open_board
from .machine import LocalMachine, local_machine
from .uio import UDEV_RULE, Uio, UioDevice, UioMap, Window, find_uio, uio_devices

__all__ = [
    "UDEV_RULE",
    "LocalMachine",
    "Uio",
    "UioDevice",
    "UioMap",
    "Window",
    "build_board",
    "find_uio",
    "local_machine",
    "open_board",
    "uio_devices",
]
