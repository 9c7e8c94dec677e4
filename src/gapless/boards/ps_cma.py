"""The CMA area of a Linux that runs on the PS, as the virtual boards have it."""

from __future__ import annotations

from ..units import KIB, MIB
from .spec import MemoryKind, PoolSpec


def ps_cma(end: int, size: int, users: tuple[tuple[int, int], ...]) -> PoolSpec:
    """``size`` bytes that end at physical ``end``, where the kernel puts them: at the top of the low memory.

    ``users`` are (offset, size) of what other drivers of a running kernel hold of it, where it is large enough.
    """
    return PoolSpec(
        "ps-cma",
        end - size,
        size,
        MemoryKind.PS,
        granularity=4 * KIB,
        other_users=tuple((at, length) for at, length in users if at + length <= size),
        size_alignment_limit=MIB,
        about="PS memory that Linux lends: contiguous, in pages, shared with its drivers",
    )
