"""The machine that this program runs on, as its device tree tells."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from pathlib import Path

from ..boards.detection import KnownBoard, recognise

_TREE = "proc/device-tree"


@dataclass(frozen=True)
class LocalMachine:
    """What was found.

    Attributes:
        compatible: of the device tree, most specific first; empty where there is no device tree.
        model: of the device tree; else what kind of machine it is.
        board: which board it is; None when it is none that gapless knows.
    """

    compatible: tuple[str, ...]
    model: str
    board: KnownBoard | None

    def __str__(self) -> str:
        return f"{self.model} ({', '.join(self.compatible) or f'no device tree in /{_TREE}'})"


def local_machine(root: Path = Path("/")) -> LocalMachine:
    """Read /proc/device-tree under ``root``."""
    compatible = _strings(root / _TREE / "compatible")
    model = " ".join(_strings(root / _TREE / "model")) or f"{platform.machine()} machine"
    board = recognise(compatible)
    # A board that only its family is known of is called what it calls itself.
    if board is not None and compatible and board.compatible != compatible[0] and not board.designs:
        board = replace(board, title=f"{board.title}: {model}")
    return LocalMachine(compatible, model, board)


def _strings(path: Path) -> tuple[str, ...]:
    try:
        return tuple(part.decode(errors="replace") for part in path.read_bytes().split(b"\0") if part)
    except OSError:
        return ()
