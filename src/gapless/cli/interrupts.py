"""Being told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt inside, so that what was begun can be brought to a good end.

    Also where SIGINT is ignored, as in a job that a script started with ``&``: who sends it means it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers are the main thread's
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
