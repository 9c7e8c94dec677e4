"""The machine that this program runs on, as its device tree tells."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from pathlib import Path

from ..boards.detection import KnownBoard, recognise
from ..memory.providers.device_tree import TREE, strings


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
        return f"{self.model} ({', '.join(self.compatible) or f'no device tree in /{TREE}'})"


def local_machine(root: Path = Path("/")) -> LocalMachine:
    """Read /proc/device-tree under ``root``."""
    compatible = strings(root / TREE, "compatible")
    model = " ".join(strings(root / TREE, "model")) or f"{platform.machine()} machine"
    board = recognise((*compatible, *strings(root / TREE / "chosen", "pynq_board")))
    # A board that only its family is known of is called what it calls itself.
    if board is not None and compatible and board.compatible != compatible[0] and not board.designs:
        board = replace(board, title=f"{board.title}: {model}")
    return LocalMachine(compatible, model, board)
