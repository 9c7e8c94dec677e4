"""A design that goes with its bitstream, and with the board it is opened for."""

from __future__ import annotations

from pathlib import Path

from ...errors import BadArgumentError
from ..bitstream import Bitstream
from .design import Design

#: What a design is opened from.
SUFFIXES = (".hwh", ".bit", ".xsa")
_FOLDER = Path(__file__).parent / "designs"


def built_in() -> dict[str, Path]:
    """The hand-offs of our own making, by the name of the design."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.hwh"))}


def names_file(text: str) -> bool:
    """Whether ``text`` is the path of a design, and not a name."""
    return Path(text).suffix.lower() in SUFFIXES


def load_checked(path: Path, *, device: str | None = None, board: str = "") -> Design:
    """Read the design at ``path``; a .bit is looked at as well, if it is there.

    ``device``: that of ``board``, where the design is to run.

    Raises BadArgumentError as :meth:`Design.load`, and when bitstream, hand-off and board are not of one device.
    """
    design = Design.load(path)
    if path.suffix.lower() == ".bit" and path.is_file():
        bitstream = Bitstream.load(path)
        if design.device and not bitstream.fits(design.device):
            raise BadArgumentError(
                f"{path} is for {bitstream.part}, but {path.with_suffix('.hwh').name} beside it for {design.part}: "
                "they are of two designs; copy both from one build"
            )
    if device is not None and design.device and design.device != device:
        raise BadArgumentError(
            f"{path} is for {design.part}; {board} has {device}: build the design for that, or, for a board that is "
            f"made for the design, gapless.open('virtual:{path}')"
        )
    return design
