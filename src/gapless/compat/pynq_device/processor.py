"""The processor that PYNQ takes itself to be on: the board's."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ...board import Board
from ...boards.designs import DEVICES
from ...boards.handoff import Design
from ...errors import UnsupportedError

#: By the beginning of the device's name: what Linux calls the processor of a Zynq-7000, and of a Zynq UltraScale+.
_MACHINES = {"xc7z": "armv7l", "xczu": "aarch64"}


def machine_of(board: Board) -> str:
    """ "armv7l" or "aarch64". UnsupportedError when the board does not say which device it has."""
    spec = board.spec
    device = DEVICES.get(spec.name, "") if spec.handoff is None else Design.load(spec.handoff).device
    for beginning, machine in _MACHINES.items():
        if device.startswith(beginning):
            return machine
    raise UnsupportedError(f"{board.uri}: PYNQ runs on Zynq-7000 and Zynq UltraScale+, not on device {device!r}")


@contextmanager
def on_processor(machine: str) -> Iterator[None]:
    """Have ``platform.machine()`` and ``os.uname()`` say so: PYNQ 3.0.1 asks the latter, later ones the former."""
    platform.uname()  # keeps what it found
    real = os.uname()
    with (
        mock.patch.object(platform, "machine", return_value=machine),
        mock.patch.object(os, "uname", return_value=os.uname_result((*real[:4], machine))),
    ):
        yield
