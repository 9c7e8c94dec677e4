"""An ADC while its blocks go round, whoever empties them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

from .._native import Bus, Scheduling
from ..dma import AxiDma, Transfer
from ..errors import BlockError, GaplessError, JobCancelledError
from .blocks import Blocks
from .converter import Converter
from .ledger import Counters
from .path import Path
from .report import StreamReport
from .timeline import Timeline


class Receiving:
    """The converters of ``path`` are ours until :meth:`close`; from :meth:`begin` on the engine fills ``blocks``.

    Args:
        capture: samples (frames) to record in all; 0: no end.
        timeout: seconds of bus time that one block may take.
    """

    def __init__(
        self,
        converter: Converter,
        path: Path,
        engine: str,
        dma: AxiDma,
        rate: float,
        blocks: Blocks,
        *,
        capture: int,
        timeout: float,
        software_delay: float,
        scheduling: Scheduling,
    ) -> None:
        self._began = time.perf_counter()
        self._bench = converter.bench
        self.bus: Bus = self._bench.bus
        self.blocks, self.timeline = blocks, Timeline(path.monitor)
        self.block_seconds = blocks.shape.samples / rate
        self.open = True
        self._engine, self._dma, self._rate, self.capture = engine, dma, rate, capture
        self._complete = self._failed = False
        self._path = path
        self._timeout, self._software_delay, self._scheduling = timeout, software_delay, scheduling
        self._transfer: Transfer | None = None
        with ExitStack() as stack:
            stack.callback(self.blocks.close, "has ended")
            stack.enter_context(converter.taken(path))
            self._stack = stack.pop_all()

    def begin(self) -> None:
        """Start converter and engine."""
        blocks, monitor = self.blocks, self._path.monitor
        try:
            for block in range(blocks.shape.count):
                blocks.queue.give(block, blocks.block_bytes)
            # Each block is a packet.
            monitor.prepare(self._rate, capture=self.capture, packet=blocks.shape.samples)
            self._transfer = self._dma.s2mm.stream(
                blocks.queue,
                blocks.shape.count,
                blocks.buffer,
                timeout=self._timeout,
                software_delay=self._software_delay,
                pool=self._bench.descriptor_pool,
                scheduling=self._scheduling,
            )
            # Last of all: however slow the software, the first sample finds the engine waiting.
            monitor.go()
            self._stack.callback(monitor.stop)
        except BaseException:
            self.close()
            raise

    def wait(self) -> None:
        """Until the engine has ended; raises what it ended with."""
        try:
            self._running().wait()
        except BaseException:
            self.close()
            raise

    def halt(self) -> Exception | None:
        """Stop the engine, if it has not ended by itself: then what it ended with, if that was an error."""
        transfer = self._running()
        # Its loop may be over a moment before it says so: what it ended with is known for certain afterwards only.
        transfer.cancel()
        self._path.monitor.stop()  # two in step are only the same, and a gap does not grow, while nothing passes
        try:
            transfer.wait()
        except JobCancelledError:
            return None
        except GaplessError as error:
            self._failed = True
            return error
        self._complete = self.capture > 0
        return None

    def report(self, ended: str | None = None) -> StreamReport:
        """The account of what :attr:`timeline` was told, after :meth:`halt`; ``ended``: by what else it was."""
        # The engine may have come to the end, and what it received last may not be in the account.
        whole = self._complete and self.timeline.delivered == self.capture
        if ended is None:
            ended = "complete" if whole or not (self.capture or self._failed) else "interrupted"
        ledger = self.timeline.ledger(whole=whole)
        return StreamReport(
            board=self._bench.name,
            engine=self._engine,
            memory=self.blocks.buffer.pool.name,
            rate=float(self._rate),
            channels=self._path.channels,
            samples_requested=self.capture or None,
            ledger=replace(
                ledger,
                counters=Counters(*self.blocks.queue.marks),
                rate=float(self._rate),
                direction="adc",
                ended=ended,
            ),
            queue=self.blocks.shape.as_queue(self._running().refused),
            transfers=self.blocks.queue.done,
            descriptors=self.blocks.queue.done if self._dma.spec.sg else 0,
            wall_seconds=time.perf_counter() - self._began,
        )

    def close(self) -> None:
        """Stop at once, and give everything back. A second call does nothing."""
        self.open = False
        with self._stack as stack:
            if self._transfer is not None:
                stack.callback(self._transfer.cancel)

    def _running(self) -> Transfer:
        assert self._transfer is not None  # begin() was called
        return self._transfer

    def refuse_closed(self) -> None:
        """BlockError when it has ended."""
        if not self.open:
            raise BlockError(f"{self.blocks.what} has ended")
