"""What the tests of carve-outs and of the PL's memory share: the machine's pools."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from gapless.boards.spec import BoardSpec, MemoryKind
from gapless.boards.zcu111 import zcu111
from gapless.memory import RangePool
from gapless.memory.providers.devmem import carve_out, pl_memory


def spec() -> BoardSpec:
    """A board of which nothing is known but its low and high DDR: the device tree has the rest."""
    board = zcu111()
    return replace(board, memories=tuple(part for part in board.memories if part.kind is MemoryKind.PS))


def carve_out_pool() -> RangePool:
    """Mode 5 of this machine."""
    pool = carve_out(spec())
    assert isinstance(pool, RangePool), pool
    return pool


def pl_pool() -> RangePool:
    """Modes 2 and 3 of this machine: a range of the carve-out stands in for PL memory (zcu102.dts)."""
    pool = pl_memory(spec())
    assert isinstance(pool, RangePool), pool
    return pool


def in_child(work: Callable[[], None]) -> tuple[int, str]:
    """Run ``work`` in a child of this process: its exit status (-number of a signal), and what it wrote to 1."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.dup2(writing, 1)
            work()
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said
