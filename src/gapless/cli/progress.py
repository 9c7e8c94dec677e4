"""A progress bar for what takes long."""

from __future__ import annotations

import sys
from threading import Lock, Timer
from types import TracebackType
from typing import Any

#: Seconds before there is anything to see: what is over by then needs no bar.
PATIENCE = 2.0


class ProgressBar:
    """A bar on stderr that appears after two seconds, on a terminal only, and is gone at the end.

    Call it with bytes done and bytes in all; until the first call, and after :meth:`say`, the bar only
    shows that something is going on.
    """

    def __init__(self, what: str, *, wanted: bool) -> None:
        self._what, self._done, self._total = what, 0, 0
        self._lock, self._bar, self._task = Lock(), None, None
        self._timer = Timer(PATIENCE, self._appear) if wanted and sys.stderr.isatty() else None
        if self._timer is not None:
            self._timer.daemon = True

    _bar: Any
    _task: Any

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` bytes are through."""
        self._done, self._total = done, total
        self._update()

    def say(self, what: str) -> None:
        """What comes now."""
        self._what, self._done, self._total = what, 0, 0
        self._update()

    def __enter__(self) -> ProgressBar:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def _appear(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with self._lock:
            self._task = bar.add_task(self._what, total=None)
            self._bar = bar
        self._update()
        bar.start()

    def _update(self) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.update(self._task, description=self._what, completed=self._done, total=self._total or None)
