"""A DAC while it plays: taken, watched, counted, and made into a report at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .._native import Bus
from ..boards import ConverterSpec
from ..dma import AxiDma, Moved
from ..errors import UnsupportedError, WaitTimeoutError
from ..memory import Pool
from ..units import format_time
from .converter import Converter, timeout_for
from .frames import Rejoin
from .ledger import Counters
from .path import Path
from .report import PlayReport, Queue


class Playing:
    """The converters of ``path`` are ours until :meth:`close`, which every way out calls.

    Args:
        converter: the DAC that was asked.
        engine: its name in reports.
        rate: samples per second.
        sha256, head: what to see of the samples converted (virtual boards): their hash, and this many of the first.
    """

    def __init__(
        self,
        converter: Converter,
        path: Path,
        engine: str,
        dma: AxiDma,
        rate: float,
        *,
        sha256: bool = False,
        head: int = 0,
    ) -> None:
        self._began = time.perf_counter()
        self.spec: ConverterSpec = converter.spec
        self.bus: Bus = converter.bench.bus
        self.descriptor_pool: Pool = converter.bench.descriptor_pool
        self.path, self.engine, self.dma, self.rate = path, engine, dma, rate
        self._bench = converter.bench
        self._digest: Callable[[], str] | None = None
        self._head: Callable[[], NDArray[np.int16]] | None = None
        with ExitStack() as stack:
            stack.enter_context(converter.taken(path))
            self._watch(stack, sha256, head)
            self._stack = stack.pop_all()
        self.open = True

    @property
    def bytes_per_second(self) -> float:
        """Of the stream."""
        return self.rate * self.path.frame_bytes

    @property
    def fifo_seconds(self) -> float:
        """How long the FIFO lasts."""
        return self.path.monitor.fifo_depth / self.bytes_per_second

    def timeout(self, nbytes: int) -> float:
        """Seconds of bus time to wait for a piece of so many bytes."""
        return timeout_for(nbytes / self.bytes_per_second)

    def begin(self) -> None:
        """Count from here on."""
        self.path.monitor.start(self.rate)
        self._stack.callback(self.path.monitor.stop)

    def drain(self) -> None:
        """Wait until the DAC has converted what is in its FIFO."""
        longest = 2 * self.fifo_seconds + 1e-3
        # The time is taken before the look: another thread that shares the bus may move it in between.
        now = self.bus.time()
        deadline = now + longest
        while level := self.path.monitor.fifo_level:
            if now > deadline:
                raise WaitTimeoutError(
                    f"{self.spec.name}: {level} bytes are still in the FIFO after {format_time(longest)}"
                )
            self.bus.sleep(level / self.bytes_per_second + 1e-7)
            now = self.bus.time()

    def report(
        self,
        *,
        memory: str,
        requested: int | None,
        moved: Moved,
        queue: Queue | None = None,
        counters: Counters | None = None,
    ) -> PlayReport:
        """Wait for the last sample, and account for all; ``requested`` None: what was played."""
        self.drain()
        monitor = self.path.monitor
        ledger = replace(monitor.ledger(), counters=counters)
        if self._bench.probe is not None:
            for index in self.path.indices:
                self._bench.probe.flush(index)
        return PlayReport(
            board=self._bench.name,
            engine=self.engine,
            memory=memory,
            rate=float(self.rate),
            samples_requested=ledger.samples if requested is None else requested,
            samples_played=ledger.samples,
            ledger=ledger,
            transfers=moved.pieces,
            descriptors=moved.pieces if self.dma.spec.sg else 0,
            fifo_depth_bytes=monitor.fifo_depth,
            fifo_low_water_bytes=monitor.fifo_low_water,
            wall_seconds=time.perf_counter() - self._began,
            channels=self.path.channels,
            queue=queue,
            played_sha256=self._digest() if self._digest else None,
            head=self._head() if self._head else None,
        )

    def close(self) -> None:
        """Give the converters back. A second call does nothing."""
        self.open = False
        self._stack.close()

    def __enter__(self) -> Playing:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _watch(self, stack: ExitStack, sha256: bool, head: int) -> None:
        if not sha256 and not head:
            return
        probe = self._bench.probe
        if probe is None:
            raise UnsupportedError("only a virtual board can tell which samples a DAC converted (sha256, head)")
        import hashlib

        digest = hashlib.sha256()
        kept, most = bytearray(), self.path.frame_bytes * head

        def see(data: memoryview) -> None:
            if sha256:
                digest.update(data)
            if len(kept) < most:
                kept.extend(data[: most - len(kept)])

        rejoin = Rejoin(self.path.channels, see)
        for channel, index in enumerate(self.path.indices):
            probe.tap(index, rejoin.channel(channel))
            stack.callback(probe.tap, index, None)
        shape = (-1,) if self.path.channels == 1 else (-1, self.path.channels)
        if sha256:
            self._digest = digest.hexdigest
        if head:
            self._head = lambda: np.frombuffer(bytes(kept), dtype="<i2").astype(np.int16).reshape(shape)
