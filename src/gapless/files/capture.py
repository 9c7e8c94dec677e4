"""A capture that goes into a file while it runs, with its ledger: valid however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import BadArgumentError, FileWriteError, GaplessError
from ..stream import Adc, Progress, StreamReport
from .ledger_file import finish, ledger_path, reserve
from .saving import check_destination
from .targets import Target

#: What the system says where there is no room; all else it says of a file that nobody can write.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileCapture:
    """A capture under way into ``path``: ``with record(adc, path, ...) as capture: capture.wait()``.

    Leaving the ``with`` block ends the capture, wherever it is, also by Ctrl-C: then the file holds every sample that
    was received whole, in order, and the ledger beside it (in a SigMF recording: its annotations) says how many,
    which were lost between, and why it ended. FileWriteError when the file took no more: the same holds.
    """

    def __init__(
        self, adc: Adc, path: Path, rate: float, samples: int | None, description: str, settings: dict[str, Any]
    ) -> None:
        self.path, self._rate, self._description = path, rate, description
        self._report: StreamReport | None = None
        if settings.get("channels", 1) != 1:
            raise BadArgumentError(f"{path}: channels={settings['channels']!r}: a file has the samples of one channel")
        target = Target(path, rate)
        target.check(samples)
        places = {path, target.path, ledger_path(path)}
        there = {place for place in places if place.exists()}

        def opened() -> int:
            target.open()
            # The ledger before any sample: a disk that gets full later has room for it then.
            reserve(path, rate=rate, description=description)
            return target.begin()

        try:
            target.start(adc, opened, samples, settings)
        except BaseException as error:
            target.abandon()
            for place in places - there:
                with contextlib.suppress(OSError):
                    place.unlink(missing_ok=True)
            if isinstance(error, OSError) and not isinstance(error, GaplessError):
                kind = FileWriteError if error.errno in _FULL else BadArgumentError
                raise kind(f"{path}: cannot be written: {error.strerror or error}") from error
            raise
        self._target = target

    def wait(self, progress: Progress | None = None) -> None:
        """Until all samples are in the file, or it takes no more, or the engine has failed."""
        self._target.wait(progress)

    @property
    def report(self) -> StreamReport:
        """What is in the file, once the capture has ended."""
        if self._report is None:
            raise GaplessError(f"{self.path}: the capture has not ended")
        return self._report

    def __enter__(self) -> FileCapture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = self._end()
        if failure is not None and kind is None:
            raise failure

    def _end(self) -> Exception | None:
        report, failure = self._target.stop()
        ended = report.ledger.ended
        if isinstance(failure, OSError):
            ended = "disk full" if failure.errno == errno.ENOSPC else f"file: {failure.strerror}"
        elif failure is not None:
            ended = f"failed: {failure}"
        ledger = replace(report.ledger, ended=ended)
        self._report = replace(report, ledger=ledger)
        try:
            self._target.close(ledger.samples)
            finish(self.path, ledger, rate=self._rate, description=self._description)
        except OSError as error:
            failure = error
        if not isinstance(failure, OSError):
            return failure
        asked = "" if report.samples_requested is None else f" of {report.samples_requested:,}"
        return FileWriteError(
            f"{self.path}: {failure.strerror} after {ledger.samples:,}{asked} samples: {self._target.path.name} has "
            f"these, and {ledger_path(self.path).name} says so; free some space, or record to another disk"
        )


def record(
    adc: Adc,
    path: str | os.PathLike[str],
    *,
    rate: float,
    samples: int | None = None,
    description: str = "",
    **settings: Any,
) -> FileCapture:
    """Record from ``adc`` straight into a file; the capture may be larger than any memory.

    Args:
        path: .raw, .npy, .wav, or .sigmf-meta (the .sigmf-data goes beside it). An existing file is replaced, and
            the ledger goes where :func:`ledger_path` says.
        rate: samples per second.
        samples: how many; None: until the capture is left.
        description: for SigMF; the other formats have no place for it.
        settings: as for :meth:`~gapless.stream.Adc.stream`; of one channel.

    Raises:
        BadArgumentError, UnsupportedError: the path, the rate or a setting cannot be; nothing was started.
        FileWriteError: there is no room to begin with.
    """
    return FileCapture(adc, check_destination(path, rate=rate), rate, samples, description, settings)
