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
        memory: the board's pools, as far as they are known when it is called.
    """

    def __init__(
        self,
        bus: MmioBus,
        spec: BoardSpec,
        reserve: Callable[[str], Callable[[], None] | None],
        memory: Mapping[str, Pool],
    ) -> None:
        self._zdma, self._memory = Zdma(bus, spec.zdmas, reserve=reserve), memory

    def __call__(self, address: int, nbytes: int) -> bytes:
        """The ``nbytes`` bytes at ``address``; UnsupportedError where no other memory is there to read them into."""
        for pool in self._memory.values():
            if pool.name == "ps-cma" or not pool.stats().free:
                continue
            with pool.allocate(nbytes, np.uint8, contiguous=True) as seen:
                self._zdma.first_free().fetch(address, seen)
                return seen.read().tobytes()
        raise UnsupportedError(
            "no memory but ps-cma, so an engine cannot show where that is: set huge pages aside "
            "(echo 1 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)"
        )
