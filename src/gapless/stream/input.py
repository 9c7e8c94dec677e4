"""Endless input: blocks as an ADC fills them, each with its place on the ADC's own time line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import BlockError, GaplessError, WaitTimeoutError
from ..memory import Buffer
from ..units import format_time
from .blocks import check_patience
from .ledger import Gap
from .receiving import Receiving
from .report import StreamReport


@dataclass(frozen=True)
class Block:
    """Received samples.

    Attributes:
        samples: int16, shape (n,), or (n, channels) with more than one; DMA memory, the engine's again after release.
        index: of the first on the ADC's own count since the capture began, in which lost samples count.
        gaps: samples that were lost between the first and the last of these.
    """

    samples: Buffer
    index: int
    gaps: tuple[Gap, ...] = ()

    def copy(self) -> NDArray[np.int16]:
        """The samples in memory of their own."""
        return self.samples.read()


class InputStream:
    """An ADC that is recorded block by block: ``with board.adc(0).stream(rate=...) as stream: for block in stream``.

    The loop gets each block once, and gives it back when it asks for the next: ``block.copy()`` what is to last.
    :meth:`acquire` and :meth:`release` do the same by hand, with several blocks at a time. A consumer that is too
    slow leaves the engine without a block: the FIFO runs over, and the samples that are lost then are a gap in the
    ledger and in ``block.gaps``; nothing that was received is ever overwritten, and the capture goes on.
    """

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._blocks, self._timeline = receiving.blocks, receiving.timeline
        self._report: StreamReport | None = None
        receiving.begin()

    def acquire(self, timeout: float = math.inf) -> Block | None:
        """The next block; None when the capture is complete.

        WaitTimeoutError after ``timeout`` seconds of bus time, or the error that the engine stopped with.
        """
        self._receiving.refuse_closed()
        check_patience(timeout)
        if self._blocks.lent == self._blocks.shape.count:
            raise BlockError(f"{self._blocks.what}: all {self._blocks.lent} blocks are yours: release one first")
        state, number, nbytes, use = self._blocks.take(timeout, self._receiving.block_seconds)
        if state == "ended":
            self._receiving.wait()
            return None
        if state == "nothing":
            raise WaitTimeoutError(f"{self._blocks.what}: no block was filled within {format_time(timeout)}")
        samples = nbytes // self._blocks.path.frame_bytes
        index, gaps = self._timeline.advance(samples)
        lent = self._blocks.lend(number, samples, use)
        lent.sync_from_device()
        return Block(lent, index, gaps)

    def release(self, block: Block) -> None:
        """Give a block back to the engine. Every later use of its samples raises BlockError."""
        number = self._blocks.take_back(block.samples, "released", "acquire() gives the next block")
        self._blocks.queue.give(number, self._blocks.block_bytes)

    def __iter__(self) -> Iterator[Block]:
        while (block := self.acquire()) is not None:
            yield block
            if self._receiving.open and not block.samples.freed:
                self.release(block)

    def stop(self) -> StreamReport:
        """End the capture, and account for what was handed out. A second call gives the same.

        Raises the DmaError or WaitTimeoutError that the engine stopped with, if nobody was told before.
        """
        if self._report is None:
            self._receiving.refuse_closed()
            try:
                failure = self._receiving.halt()
                self._report = self._receiving.report(None if failure is None else f"failed: {failure}")
            finally:
                self._receiving.close()
            if failure is not None:
                raise failure
        return self._report

    @property
    def report(self) -> StreamReport:
        """What was received; BlockError while the capture runs."""
        if self._report is None:
            raise BlockError(f"{self._blocks.what} has not ended: leave the with block, or call stop()")
        return self._report

    def __enter__(self) -> InputStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if not self._receiving.open:
            return
        try:
            self.stop()
        except GaplessError:
            if kind is None:  # what is on its way out is what went wrong first
                raise
