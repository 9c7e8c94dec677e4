"""Boards of gapless for the ``pynq`` package itself (3.0.1 to 4.0.0, from PyPI): ``gapless pynq run --real``.

PYNQ's own overlays, drivers and MMIO run unchanged, on a subclass of its ``Device``. What PYNQ asks Linux for, and
has no such class for, is replaced in the process that runs the program: :mod:`.replacements` lists all of it.

Importing this package imports no PYNQ; :func:`install` does.
"""

from __future__ import annotations

from ...board import Board


def install(board: Board) -> None:
    """Import ``pynq`` and have its programs, in this process, use ``board``.

    Before ``pynq`` is imported by anybody else, since it looks at the processor it is on when it is imported.

    Raises:
        UnsupportedError: pynq is not installed, or cannot be imported; or it has been imported already.
    """
    from .replacements import replace

    replace(board)
