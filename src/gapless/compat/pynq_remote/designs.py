"""Which design a client loads: it sends the bitstream and its name, not what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ...board import Board
from ...boards.bitstream import Bitstream
from ...boards.designs import DESIGNS
from ...boards.handoff import Design
from ...boards.handoff.checked import built_in
from ...errors import BadArgumentError, UnknownNameError


class Designs:
    """The designs that clients of a virtual board may load besides those that are built in.

    Args:
        paths: a .hwh, a .bit with a .hwh beside it, an .xsa, or a folder with any of these.

    Raises BadArgumentError for one that is no design.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._by_name: dict[str, Path] = {}
        self._by_contents: dict[bytes, Path] = {}
        self._contents: dict[str, bytes] = {}
        for path in paths:
            for file in _files(path):
                self._add(file)

    def find(self, board: Board, name: str, bitstream: bytes) -> Path:
        """What ``board.load`` is given for a bitstream that a client sent under ``name``: a file, or a built-in's name.

        What was sent decides, where the .bit is known here; else the name.

        Raises:
            UnknownNameError: there is no such design.
            BadArgumentError: the .bit of that name has other contents, so the design would be an old one.
        """
        digest = _digest(bitstream)
        if digest in self._by_contents:
            return self._by_contents[digest]
        stem = Path(name).stem
        if stem in self._contents:
            raise BadArgumentError(
                f"{name} is not the {stem}.bit beside {self._by_name[stem]}: give --design the one that was sent"
            )
        if stem in self._by_name:
            return self._by_name[stem]
        handoff = board.spec.handoff
        if handoff is not None and handoff.stem == stem and handoff not in built_in().values():
            return handoff
        names = dict.fromkeys((*DESIGNS.get(board.spec.name, ()), *built_in()))
        if stem not in names:
            raise UnknownNameError("design for this server", stem, (*self._by_name, *names, "what --design gives it"))
        return Path(stem)

    def _add(self, path: Path) -> None:
        Design.load(path)  # what it is not is said now
        self._by_name[path.stem] = path
        bit = path.with_suffix(".bit")
        if path.suffix != ".xsa" and bit.is_file():
            self._contents[path.stem] = digest = _digest(Bitstream.load(bit).payload("little"))
            self._by_contents[digest] = path


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in (".hwh", ".xsa"))
    if not found:
        raise BadArgumentError(f"{path} has no .hwh and no .xsa in it")
    return found


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
