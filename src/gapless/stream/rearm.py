"""How long this machine's software takes to start the next transfer in direct mode."""

from __future__ import annotations

import numpy as np

from ..dma import split_runs
from .converter import allocate
from .player import Dac

_RUNS, _TRANSFERS, _BYTES = 15, 100, 1 << 16


def measure_rearm(dac: Dac) -> float:
    """Seconds of bus time from a completion until the native loop writes the next LENGTH.

    ``dac`` is played on: give it one of a virtual board with ``clock=measured``, on which that time is the CPU time
    that the loop takes on this machine and what its register accesses cost. The longest of 100 transfers counts,
    since one that is late is a gap; the median of 15 such runs is returned, since on a shared machine one
    of them is interrupted now and then.
    """
    _, dma = dac.choose_engine("direct")
    longest = []
    with allocate(dac.bench.default_pool(), _BYTES // 2, dma) as buffer:
        pieces = split_runs(dma.spec, buffer.runs)
        for _ in range(_RUNS):
            with dac.taken():
                dac.monitor.start(1e9)
                try:
                    transfer = dma.mm2s.begin(pieces, [buffer], repeat=_TRANSFERS)
                    transfer.wait()
                finally:
                    dac.monitor.stop()
            longest.append(transfer.rearm_longest)
    return float(np.median(longest))
