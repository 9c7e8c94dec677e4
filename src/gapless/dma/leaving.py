"""What happens to waits on engines when a program ends."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Iterable

from .axi_dma import AxiDma

# A thread that comes back from native code while the interpreter is being torn down would take the process
# with it, so whoever still waits on a bus is sent home before. Engines, because they outlive a Board that
# nobody refers to any more but whose converter is playing.
_engines: weakref.WeakSet[AxiDma] = weakref.WeakSet()


def leave_at_exit(engines: Iterable[AxiDma]) -> None:
    """Whoever waits for one of these when the interpreter ends gets BoardClosedError."""
    _engines.update(engines)


@atexit.register
def _leave() -> None:
    for engine in list(_engines):
        engine._bus.cancel()
    if threading.active_count() > 1:
        time.sleep(0.1)
