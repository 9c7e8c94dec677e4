"""What is at a physical address, read by an engine: the proof that memory is where it is said to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .._native import MmioBus
from ..boards import BoardSpec
from ..dma import Zdma
from ..errors import UnsupportedError
from ..memory import Pool


class ZdmaProof:
    """Reads bytes at a physical address by a ZDMA channel, into memory whose address is known.

    Args:
        bus: the board's.
        spec: the board; its channels.
        reserve: as for :class:`~gapless.dma.Zdma`.
    """

    def __init__(self, bus: MmioBus, spec: BoardSpec, reserve: Callable[[str], Callable[[], None] | None]) -> None:
        self._zdma = Zdma(bus, spec.zdmas, reserve=reserve)

    def __call__(self, memory: Mapping[str, Pool], address: int, nbytes: int) -> bytes:
        """The ``nbytes`` bytes at ``address``; UnsupportedError where ``memory`` has no room to read them into."""
        for pool in memory.values():
            if not pool.stats().free:
                continue
            with pool.allocate(nbytes, np.uint8, contiguous=True) as seen:
                self._zdma.first_free().fetch(address, seen)
                return seen.read().tobytes()
        raise UnsupportedError(
            "there is no other memory that an engine could copy it to, to show where it is: set huge pages aside "
            "(echo 1 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)"
        )
