"""Which file goes into the PL, for a design that was asked for by any of its files."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...board import Board
from ...boards.handoff import Design
from ...boards.handoff.checked import SUFFIXES, built_in
from ...errors import BadArgumentError


@contextmanager
def file_to_load(board: Board, design: Design, given: str) -> Iterator[str]:
    """What ``board.load`` takes; it may be gone afterwards.

    A real PL takes a bitstream: the file that was given, the one beside a .hwh, or the one in an .xsa. A virtual one
    takes what describes the design, or the name of a built-in one.

    Raises BadArgumentError when a real board's design has no bitstream.
    """
    path = Path(given)
    if board.probe is not None:
        # By name, a board keeps the FIFOs that it was opened with.
        named = built_in().get(path.stem) == design.path
        described = path.exists() and path.suffix.lower() in SUFFIXES
        yield given if described else path.stem if named else str(design.path)
    elif path.suffix.lower() == ".xsa" and path.exists():
        with tempfile.TemporaryDirectory() as folder:
            yield _extracted(path, design.bitstream, Path(folder))
    elif path.exists() and path.suffix.lower() != ".hwh":
        yield given
    elif path.with_suffix(".bit").exists():
        yield str(path.with_suffix(".bit"))
    else:
        raise BadArgumentError(f"{given}: there is no bitstream {path.with_suffix('.bit').name} to load")


def _extracted(archive: Path, member: str, folder: Path) -> str:
    """A member of an .xsa, as a file in ``folder``, whatever path it has in there."""
    with zipfile.ZipFile(archive) as opened:
        if member not in opened.namelist():
            raise BadArgumentError(f"{archive} has no bitstream: export it with one (Vivado, Include bitstream)")
        found = folder / Path(member).name
        found.write_bytes(opened.read(member))
    return str(found)
