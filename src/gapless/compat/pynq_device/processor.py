"""The processor that PYNQ takes itself to be on: the board's."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ...board import Board
from ..pynq.device import Device


def machine_of(board: Board) -> str:
    """What Linux calls it: "armv7l" or "aarch64"."""
    return platform.machine() if board.probe is None else Device(board).arch


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
