"""What is at a physical address, read by an engine: the proof that memory is where it is said to be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..dma import Zdma
from ..errors import UnsupportedError
from ..memory import Pool


class ZdmaProof:
    """Reads bytes at a physical address by a ZDMA channel, into memory whose address is known.

    Args:
        zdma: the board's, whose copies go on meanwhile.
    """

    def __init__(self, zdma: Zdma) -> None:
        self._zdma = zdma

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
