"""A board in use for tests of PYNQ's names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gapless
from gapless.compat import pynq


@contextmanager
def in_use(board: gapless.Board) -> Iterator[gapless.Board]:
    """Inside, PYNQ's names use this board; afterwards its memory is as before, and nothing was done wrong."""
    with board:
        before = {name: pool.stats().free for name, pool in board.memory.items()}
        pynq.use(board)
        try:
            yield board
        finally:
            pynq.close()
        assert {name: pool.stats().free for name, pool in board.memory.items()} == before
        assert board.findings == ()
