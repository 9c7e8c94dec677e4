"""Being told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """SIGINT and SIGTERM raise KeyboardInterrupt wherever they come, until they are :meth:`held`."""

    def __init__(self) -> None:
        self._asked = self._held = False

    def hold(self) -> None:
        """From now on only :meth:`check` raises: what is begun, or ended, in between is never left half done."""
        self._held = True

    def check(self, *_: object) -> None:
        """Raise KeyboardInterrupt if it was told to stop."""
        if self._asked:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if not self._held:
            raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """SIGINT and SIGTERM raise KeyboardInterrupt inside, so that what was begun can be brought to a good end.

    Also where SIGINT is ignored, as in a job that a script started with ``&``: who sends it means it.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # handlers are the main thread's
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop._handle) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
