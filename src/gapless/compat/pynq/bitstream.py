"""Bitstream: a file for the PL of the board in use."""

from __future__ import annotations

import os
from typing import Any

from ...boards.handoff import Design
from ...errors import BadArgumentError, PynqError
from . import in_pl
from .board_in_use import board_of
from .device import Device


class Bitstream:
    """A bitstream, which :meth:`download` loads.

    Source of names: PYNQ 3, ``pynq/bitstream.py``.

    Args:
        bitfile_name: path of a .bit, .hwh or .xsa file; on a virtual board the name of a built-in design, too.
        dtbo: not supported; None.
        partial: it is for a part of the PL.
        device: by default, the board in use.

    Attributes:
        bitfile_name: the path, absolute where there is such a file.
        timestamp: when it was downloaded; empty before.
        device: that it is for.
    """

    def __init__(self, bitfile_name: str, dtbo: str | None = None, partial: bool = False, device: Any = None) -> None:
        if not isinstance(bitfile_name, (str, os.PathLike)) or not os.path.basename(bitfile_name):
            raise BadArgumentError(f"bitfile_name {bitfile_name!r}: Bitstream name has to be a string.")
        if dtbo is not None:
            raise PynqError(f"dtbo={dtbo!r}: device-tree overlays are not loaded here; the engines need none")
        path = os.fspath(bitfile_name)
        self.bitfile_name = os.path.abspath(path) if os.path.exists(path) else path
        self.dtbo, self.partial, self.timestamp = dtbo, partial, ""
        self._board = board_of(device)
        self.device = Device(self._board)

    def download(self, parser: Any = None) -> None:
        """Load it; see ``Board.load`` for errors."""
        self._board.load(self.bitfile_name, partial=self.partial)
        if not self.partial:
            self._note(None)

    def _note(self, design: Design | None) -> None:
        self.timestamp = in_pl.downloaded(self._board, self.bitfile_name, design).timestamp
