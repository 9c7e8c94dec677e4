"""What is in the PL of a board: which design, and what PYNQ's names say of it."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from ...board import Board
from ...boards import BoardSpec
from ...boards.handoff import Design
from ...boards.handoff.checked import SUFFIXES, built_in
from ...errors import UnknownNameError, UnsupportedError
from .dictionaries import Dictionaries


@dataclass
class Loaded:
    """What was downloaded last. ``design`` and its dictionaries are None and empty for a bitstream without hand-off.

    ``spec``: the board's from then on, which another one takes the place of when another design is loaded.
    """

    spec: BoardSpec
    bitfile_name: str
    timestamp: str
    design: Design | None
    dictionaries: Dictionaries


#: By board; it stays when the overlay is gone, as the PL does.
_loaded: weakref.WeakKeyDictionary[Board, Loaded] = weakref.WeakKeyDictionary()


def loaded(board: Board) -> Loaded | None:
    """What was downloaded last through PYNQ's names, or None; also when something was loaded without them since."""
    last = _loaded.get(board)
    return last if last is not None and last.spec is board.spec else None


def downloaded(board: Board, bitfile_name: str, design: Design | None) -> Loaded:
    """Note that this was downloaded now."""
    found = Dictionaries() if design is None else Dictionaries.of(design)
    now = datetime.now()
    timestamp = f"{now.year}/{now.month}/{now.day} {now.hour}:{now.minute}:{now.second} +{now.microsecond}"
    _loaded[board] = made = Loaded(board.spec, bitfile_name, timestamp, design, found)
    return made


def forget(board: Board) -> None:
    """From now on nothing counts as downloaded."""
    _loaded.pop(board, None)


def design_of(board: Board) -> Design:
    """The design in the PL: that of the last download, or the one that the board was opened with.

    UnsupportedError when the board was described without a hand-off.
    """
    last = loaded(board)
    if last is not None and last.design is not None:
        return last.design
    if board.spec.handoff is None:
        raise UnsupportedError(
            f"{board.uri} knows nothing that is in the PL: design {board.spec.design or 'unknown'}; open it with the "
            ".hwh of its design, or give its BoardSpec the hand-off"
        )
    return read(board.spec.handoff)


def dictionaries_of(board: Board) -> Dictionaries:
    """PYNQ's dictionaries of the design in the PL; errors as of :func:`design_of`."""
    last = loaded(board)
    return Dictionaries.of(design_of(board)) if last is None or last.design is None else last.dictionaries


def find_design(board: Board, bitfile_name: str) -> Design:
    """The design of a .bit, .hwh or .xsa, or a built-in one by its name, whatever folder it is said to be in.

    Raises:
        UnknownNameError: there is neither such a file nor such a design.
        BadArgumentError: the hand-off cannot be read, see :meth:`Design.load`.
    """
    path = Path(bitfile_name)
    beside = path.with_suffix(".hwh")
    if (path.suffix.lower() in SUFFIXES and path.suffix != ".bit" and path.exists()) or beside.exists():
        return read(path if path.suffix.lower() in SUFFIXES else beside)
    mine = board.spec.handoff
    if mine is not None and mine.stem == path.stem:
        return read(mine)
    known = {name: file for name, file in built_in().items() if read(file).device == _device(board)}
    if path.stem in known:
        return read(known[path.stem])
    if path.exists():
        return read(path)  # which says that the .hwh is missing
    possible = {*known, *(() if mine is None else (mine.stem,))}
    raise UnknownNameError(f"file {path} and no design of {board.spec.title} called", path.stem, sorted(possible))


def same(one: Design, other: Design) -> bool:
    """Whether two hand-offs say the same, wherever they are."""
    return one is other or one == replace(other, path=one.path, bitstream=one.bitstream)


def read(path: Path) -> Design:
    """:meth:`Design.load`, once for each file as it is now."""
    try:
        seen = os.stat(path if path.exists() else path.with_suffix(".hwh"))
    except OSError:
        return Design.load(path)  # which says what is wrong
    return _read(path.absolute(), seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, modified: int, size: int) -> Design:
    return Design.load(path)


def _device(board: Board) -> str:
    return "" if board.spec.handoff is None else read(board.spec.handoff).device
