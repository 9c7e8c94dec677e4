"""An ADC recorded straight into a file, by native threads: one for the engine, one that writes."""

from __future__ import annotations

import errno
from collections.abc import Callable

import numpy as np

from .._native import Job, start_writer
from ..errors import BlockError
from ..memory import array_on
from .converter import Progress
from .receiving import Receiving
from .report import StreamReport

#: Real seconds between two looks: how fast Ctrl-C and progress are.
_LOOK = 0.05
#: Of a block's duration: how long it is away to be written, on a virtual clock.
_BUSY = 0.99


def _ending(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "disk full" if full else str(error.strerror)


class FileRecording:
    """A capture under way into a file descriptor.

    :meth:`wait` for its end, then :meth:`stop`, which is also what ends it early: everything that was received
    by then is written before. Where the file takes no more, :attr:`error` says why, and the ledger ends with the last
    whole sample that is in the file.
    """

    def __init__(self, receiving: Receiving, file: int | Callable[[], int]) -> None:
        self._receiving, self._blocks = receiving, receiving.blocks
        self._report: StreamReport | None = None
        self.error: OSError | None = None
        memory = array_on(self._blocks.buffer).view(np.uint8)
        busy = _BUSY * receiving.block_seconds
        try:
            # Last of all, when nothing else can be wrong: opening a file to write may be the end of what was in it.
            descriptor = file if isinstance(file, int) else file()
            receiving.begin()
            self._writer: Job | None = start_writer(
                receiving.bus,
                self._blocks.queue,
                memory,
                self._blocks.stride,
                self._blocks.block_bytes,
                descriptor,
                busy,
                self._blocks.buffer.access,
            )
        except BaseException:
            receiving.close()
            raise

    def wait(self, progress: Progress | None = None) -> None:
        """Until all samples asked for are in the file, or it takes no more, or the engine has failed."""
        frame_bytes = self._blocks.path.frame_bytes
        try:
            while self._writer is not None and not self._writer.wait(_LOOK):
                if progress is not None:
                    progress(self._writer.bytes, self._receiving.capture * frame_bytes)
        except BaseException:
            if self._writer is not None:
                self._writer.stop_waiting()  # the capture does not run on while its end is prepared
            raise

    def stop(self) -> StreamReport:
        """End the capture, and account for what is in the file. A second call gives the same.

        Raises the DmaError or WaitTimeoutError that the engine stopped with; what was received before is in the file.
        """
        if self._report is None:
            self._receiving.refuse_closed()
            try:
                failure = self._receiving.halt()
                self.wait()  # what was received is written first
                assert self._writer is not None
                result = self._writer.result
                if result.outcome == "io-error":
                    self.error = OSError(result.status, result.message)
                self._receiving.timeline.advance(result.bytes // self._blocks.path.frame_bytes)
                self._report = self._receiving.report(None if self.error is None else _ending(self.error))
            finally:
                self._writer = None  # it holds the blocks
                self._receiving.close()
            if failure is not None:
                raise failure
        return self._report

    @property
    def report(self) -> StreamReport:
        """What is in the file; BlockError while the capture runs."""
        if self._report is None:
            raise BlockError(f"{self._blocks.what} has not ended: call stop()")
        return self._report

    def __enter__(self) -> FileRecording:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._report is None and self._receiving.open:
            self.stop()
