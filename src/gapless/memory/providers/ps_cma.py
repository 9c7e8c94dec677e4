"""Mode 1: contiguous PS memory that Linux lends, by the first way that this machine has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..pool import Pool
from .availability import Unavailable
from .dma_heap import Prover, dma_heap
from .pynq import pynq
from .u_dma_buf import u_dma_buf

if TYPE_CHECKING:
    from ...boards.spec import BoardSpec
    from ..claims import Claims


def ps_cma(
    spec: BoardSpec, *, root: Path = Path("/"), claims: Claims | None = None, prove: Prover | None = None
) -> Pool | Unavailable:
    """The pool ``ps-cma``, of u-dma-buf, dma-heap or PYNQ, or why there is none of them.

    Args:
        spec: the board; this is the same on all.
        root: where /dev, /proc and /sys are.
        claims: the registry of who has which memory.
        prove: reads bytes at a physical address by a DMA engine; see :class:`DmaHeap`.
    """
    del spec
    ways: tuple[Callable[[], Pool | Unavailable], ...] = (
        lambda: u_dma_buf(root=root, claims=claims),
        lambda: dma_heap(root=root, claims=claims, prove=prove),
        lambda: pynq(root=root, claims=claims),
    )
    refusals = []
    for way in ways:
        found = way()
        if isinstance(found, Pool):
            return found
        refusals.append(found)
    return Unavailable(
        "; ".join(refusal.reason for refusal in refusals), "; or ".join(refusal.fix for refusal in refusals)
    )
