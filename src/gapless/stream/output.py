"""Endless output: blocks filled by the user, one after the other, while a DAC plays."""

from __future__ import annotations

import math
from collections import deque

from .._native import Bus, Scheduling
from ..dma import Transfer
from ..errors import BadArgumentError, BlockError, JobCancelledError, SignalError, WaitTimeoutError
from ..memory import Buffer
from ..units import format_time
from .blocks import Blocks, check_patience
from .layout import whole_number
from .ledger import Counters
from .playing import Playing
from .report import PlayReport


class OutputStream:
    """A DAC that plays blocks as they come: ``with board.dac(0).stream(rate=...) as stream``.

    :meth:`acquire` a block, fill it, :meth:`submit` it. The engine starts when all blocks are filled, so that it
    begins with everything there is to live on; :meth:`start` starts it earlier. Leaving the ``with`` block plays what
    was submitted to its end, and makes :attr:`report`; an exception in it stops at once.

    One thread uses a stream. What comes late is played late, and the ledger has the gap.
    """

    def __init__(self, playing: Playing, blocks: Blocks, software_delay: float, scheduling: Scheduling) -> None:
        self._playing, self._blocks = playing, blocks
        self._software_delay, self._scheduling = software_delay, scheduling
        self._block_seconds = blocks.shape.samples / playing.rate
        self._free = deque(range(blocks.shape.count))
        self._transfer: Transfer | None = None
        self._acquired = self._samples = 0
        self._ended: str | None = None  # no block can be submitted any more, because
        self._report: PlayReport | None = None

    @property
    def bus(self) -> Bus:
        """The bus whose time it plays in."""
        return self._playing.bus

    @property
    def channels(self) -> int:
        """Samples in a frame."""
        return self._playing.path.channels

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of each channel."""
        return self._playing.path.frame_bytes

    # ---- blocks

    def acquire(self, timeout: float = math.inf) -> Buffer:
        """A block to fill: int16, shape (block_samples,), or (block_samples, channels) with more than one.

        Its contents are undefined. Waits while the engine has all blocks: WaitTimeoutError after ``timeout`` seconds
        of bus time, or the error that the engine stopped with.
        """
        self._refuse_ended()
        check_patience(timeout)
        if not self._free:
            self._wait_for_one(timeout)
        block = self._blocks.lend(self._free.popleft(), self._blocks.shape.samples, self._acquired)
        self._acquired += 1
        return block

    def submit(self, block: Buffer, samples: int | None = None) -> None:
        """Hand a filled block to the engine: all of it, or its first ``samples`` (frames).

        Blocks are played in the order in which they are submitted. Afterwards every use of the array raises
        BlockError: the memory is the engine's. Only the last block may end inside a word of the converter.
        """
        self._refuse_ended()
        shape, beat = self._blocks.shape, self._playing.spec.samples_per_beat
        count = shape.samples if samples is None else whole_number(samples, "samples")
        if count > shape.samples:
            raise BadArgumentError(f"samples={count}: a block of this stream has {shape.samples}")
        number = self._blocks.take_back(block, "submitted", "acquire() gives the next block")
        self._blocks.queue.give(number, count * self._blocks.path.frame_bytes)
        self._samples += count
        if count % beat:
            self._ended = f"the block before, of {count} samples, ends inside a {beat}-sample word: it is the last"
        if not self._free and not self._blocks.lent:
            self.start()

    def start(self) -> None:
        """Start the engine with what was submitted so far. It does so by itself when every block was."""
        if self._transfer is None:
            self._playing.begin()
            self._transfer = self._playing.dma.mm2s.stream(
                self._blocks.queue,
                self._blocks.shape.count,
                self._blocks.buffer,
                timeout=self._playing.timeout(self._blocks.block_bytes) + self._software_delay,
                software_delay=self._software_delay,
                pool=self._playing.descriptor_pool,
                scheduling=self._scheduling,
            )

    # ---- the end

    def finish(self) -> PlayReport:
        """Play what was submitted to its end, and say what was played. A second call gives the same."""
        if self._report is None:
            self._refuse_closed()
            if not self._samples:
                self.cancel()
                raise SignalError(f"{self._blocks.what}: nothing was submitted, so there is nothing to play")
            try:
                self._blocks.queue.close()
                self.start()
                assert self._transfer is not None
                moved = self._transfer.wait()
                self._report = self._playing.report(
                    memory=self._blocks.buffer.pool.name,
                    requested=self._samples,
                    moved=moved,
                    queue=self._blocks.shape.as_queue(self._transfer.refused),
                    counters=Counters(*self._blocks.queue.marks),
                )
            finally:
                self._close("has ended")
        return self._report

    def cancel(self) -> None:
        """Stop at once. Harmless when it has ended."""
        try:
            if self._transfer is not None:
                self._transfer.cancel()
        finally:
            self._close("was cancelled")

    @property
    def report(self) -> PlayReport:
        """What was played; BlockError while it plays."""
        if self._report is None:
            raise BlockError(f"{self._blocks.what} has not ended: leave the with block, or call finish()")
        return self._report

    def __enter__(self) -> OutputStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is None and self._report is None and self._playing.open:
            self.finish()
        else:
            self.cancel()

    # ---- inside

    def _wait_for_one(self, timeout: float) -> None:
        if self._blocks.lent == self._blocks.shape.count:
            raise BlockError(f"{self._blocks.what}: all {self._blocks.lent} blocks are yours: submit one first")
        self.start()
        state, block, _, _ = self._blocks.take(timeout, self._block_seconds)
        if state == "ended":
            self._fail()
        if state == "nothing":
            raise WaitTimeoutError(
                f"{self._blocks.what}: the engine had all blocks for {format_time(timeout)}; none was played"
            )
        self._free.append(block)

    def _fail(self) -> None:
        assert self._transfer is not None
        try:
            self._transfer.wait()
        finally:
            self._close("has failed")
        raise JobCancelledError(f"{self._blocks.what} was stopped")

    def _close(self, why: str) -> None:
        if self._ended is None or self._playing.open:
            self._ended = f"the stream {why}"
        try:
            self._playing.close()
        finally:
            self._blocks.close(why)

    def _refuse_ended(self) -> None:
        if self._ended is not None:
            raise BlockError(f"{self._blocks.what}: {self._ended}")

    def _refuse_closed(self) -> None:
        if not self._playing.open:
            self._refuse_ended()
