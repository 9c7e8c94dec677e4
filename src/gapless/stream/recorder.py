"""Recording from an ADC."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .._native import Scheduling
from ..dma import AxiDma, Transfer, piece_bytes, split_runs
from ..errors import BadArgumentError
from ..memory import Buffer
from .blocks import BLOCK_SAMPLES, BLOCKS, Blocks, BlockShape
from .converter import Converter, Progress, allocate, check_delay, scheduling, timeout_for
from .layout import whole_number
from .path import Path

if TYPE_CHECKING:  # loaded when they are used
    from .file_recording import FileRecording
    from .input import InputStream
    from .receiving import Receiving
    from .report import Capture


class Recording:
    """A capture under way: :meth:`wait` for it, or :meth:`cancel` it (the end of a ``with`` block does, too)."""

    def __init__(
        self, adc: Adc, path: Path, transfer: Transfer, buffer: Buffer, report: Callable[..., Capture]
    ) -> None:
        self._adc, self._path, self._transfer, self._buffer, self._report = adc, path, transfer, buffer, report
        self._capture: Capture | None = None
        self._over = False

    def wait(self, progress: Progress | None = None) -> Capture:
        """Wait until all samples are in memory; raises what the engine reported. A second call gives the same."""
        if self._capture is not None:
            return self._capture
        total = self._buffer.nbytes
        try:
            moved = self._transfer.wait(None if progress is None else lambda nbytes: progress(nbytes, total))
            ledger = self._path.monitor.ledger()
            self._buffer.sync_from_device()
            # Shorter when TLAST came early: a recovery took some of the stream.
            samples = self._buffer if moved.nbytes == total else self._buffer[: moved.nbytes // self._path.frame_bytes]
            capture = self._report(samples=samples, ledger=ledger, transfers=moved.pieces)
        except BaseException:
            self.cancel()
            raise
        self._end()
        self._capture = capture
        return capture

    def cancel(self) -> None:
        """Stop recording and free the memory. Harmless when it has ended."""
        if not self._over:
            with ExitStack() as stack:
                stack.callback(self._buffer.free)
                stack.callback(self._end)
                stack.callback(self._transfer.cancel)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            try:
                self._path.monitor.stop()
            finally:
                self._adc.give_back(self._path)

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()


class Adc(Converter):
    """An ADC of a board: ``board.adc(0)``."""

    def record(
        self,
        samples: int,
        *,
        rate: float,
        memory: str | None = None,
        engine: str = "auto",
        address: int | None = None,
        software_delay: float = 0.0,
        timeout: float = 1.0,
        channels: int = 1,
        force: bool = False,
        progress: Progress | None = None,
    ) -> Capture:
        """Record ``samples`` samples and wait for them; see :meth:`start`."""
        return self.start(
            samples,
            rate=rate,
            memory=memory,
            engine=engine,
            address=address,
            software_delay=software_delay,
            timeout=timeout,
            channels=channels,
            force=force,
        ).wait(progress)

    def start(
        self,
        samples: int,
        *,
        rate: float,
        memory: str | None = None,
        engine: str = "auto",
        address: int | None = None,
        software_delay: float = 0.0,
        timeout: float = 1.0,
        channels: int = 1,
        force: bool = False,
    ) -> Recording:
        """Begin to record; returns at once. The ADC is taken until the recording was waited for, or cancelled.

        Args:
            samples: how many samples to record.
            rate: samples per second.
            memory: name of the pool to record into; by default the PL's DDR.
            engine: ``sg``, ``direct`` or ``auto``.
            address: physical address to record to.
            software_delay: seconds by which the software is late at every re-arm.
            timeout: seconds of bus time to wait for the first sample, or whenever none comes.
            channels: 2 records from this ADC and the one in step with it: ``samples`` from each, shape (samples, 2).
            force: record even what the budget says cannot be sustained; the ledger then has the gaps.

        With scatter-gather TLAST comes at the end of the capture; in direct mode at the end of every
        transfer, because an engine in direct mode takes no packet longer than its transfer.
        """
        began = time.perf_counter()
        path = self.path(channels)
        name, dma = self.choose_engine(engine, path)
        if name == "cyclic":
            raise BadArgumentError("engine cyclic records for ever; use sg or direct")
        samples = whole_number(samples, "samples")
        if not 0 <= software_delay < 1e3:
            raise BadArgumentError(f"software delay of {software_delay!r} s: it is from 0 to 1000 s")
        pool = self.choose_pool(memory)
        self.check_rate(rate, pool, dma, samples, path.channels, force=force)
        with ExitStack() as undo:
            self.take(path)
            undo.callback(self.give_back, path)
            shape = samples if path.channels == 1 else (samples, path.channels)
            buffer = allocate(pool, shape, dma, address)
            undo.callback(buffer.free)
            transfer = self._arm(path, dma, buffer, rate, software_delay, timeout)
            undo.pop_all()

        def report(**found: Any) -> Capture:
            from .report import Capture

            return Capture(
                board=self.bench.name,
                engine=name,
                memory=pool.name,
                rate=float(rate),
                samples_requested=samples,
                descriptors=found["transfers"] if dma.spec.sg else 0,
                wall_seconds=time.perf_counter() - began,
                **found,
            )

        return Recording(self, path, transfer, buffer, report)

    def stream(
        self,
        *,
        rate: float,
        samples: int | None = None,
        block_samples: int = BLOCK_SAMPLES,
        blocks: int = BLOCKS,
        memory: str | None = None,
        engine: str = "auto",
        address: int | None = None,
        channels: int = 1,
        software_delay: float = 0.0,
        timeout: float = 1.0,
        realtime: int = 0,
        cpu: int | None = None,
        force: bool = False,
    ) -> InputStream:
        """Record block by block; see :class:`InputStream`. It begins at once.

        Args:
            rate: samples per second, of each channel.
            samples: stop after so many; None: go on until the stream is left.
            block_samples: samples (frames) in a block: whole words of the converter, one transfer at most.
            blocks: how many there are; all but those being looked at are there for the engine to fill.
            realtime, cpu: as for :meth:`Dac.stream`.

        The rest is as for :meth:`start`. BadArgumentError says what a block can be.
        """
        from .input import InputStream

        settings = (rate, samples, block_samples, blocks, memory, engine, address, channels, software_delay, timeout)
        return InputStream(self._receive(*settings, scheduling(realtime, cpu), force))

    def record_to(
        self,
        file: int | Callable[[], int],
        *,
        rate: float,
        samples: int | None = None,
        block_samples: int = BLOCK_SAMPLES,
        blocks: int = BLOCKS,
        memory: str | None = None,
        engine: str = "auto",
        address: int | None = None,
        channels: int = 1,
        software_delay: float = 0.0,
        timeout: float = 1.0,
        realtime: int = 0,
        cpu: int | None = None,
        force: bool = False,
    ) -> FileRecording:
        """Record into an open file descriptor, from where it stands: little-endian int16, frame after frame.

        ``file`` may be a function that opens it: called when all the rest is known to be right. A native thread
        writes; see :class:`FileRecording`. The rest is as for :meth:`stream`.
        :func:`gapless.files.record` makes a file of a known format of it, with its ledger.
        """
        from .file_recording import FileRecording

        if not callable(file) and (isinstance(file, bool) or not isinstance(file, int) or file < 0):
            raise BadArgumentError(f"file={file!r}: it is an open file descriptor, such as open(...).fileno()")
        settings = (rate, samples, block_samples, blocks, memory, engine, address, channels, software_delay, timeout)
        return FileRecording(self._receive(*settings, scheduling(realtime, cpu), force), file)

    def _receive(
        self,
        rate: float,
        samples: int | None,
        block_samples: int,
        blocks: int,
        memory: str | None,
        engine: str,
        address: int | None,
        channels: int,
        software_delay: float,
        timeout: float,
        native_thread: Scheduling,
        force: bool,
    ) -> Receiving:
        from .receiving import Receiving

        path = self.path(channels)
        name, dma = self._choose(engine, path)
        check_delay(software_delay)
        capture = 0 if samples is None else whole_number(samples, "samples")
        shape = BlockShape.of(block_samples, blocks, path, dma, self.spec.samples_per_beat)
        pool = self.choose_pool(memory)
        block_bytes = shape.samples * path.frame_bytes
        total = capture or 2 * shape.samples  # or more, without an end
        self.check_rate(rate, pool, dma, total, path.channels, block=block_bytes, packets=True, force=force)
        limit = -(-capture // shape.samples)
        what = f"{self.spec.name}'s stream"
        ring = Blocks(what, self.bench.bus, pool, path, dma, shape, address=address, limit=limit)
        return Receiving(
            self,
            path,
            name,
            dma,
            rate,
            ring,
            capture=capture,
            timeout=timeout_for(shape.samples / rate) + software_delay + timeout,
            software_delay=software_delay,
            scheduling=native_thread,
        )

    def _choose(self, engine: str, path: Path) -> tuple[str, AxiDma]:
        name, dma = self.choose_engine(engine, path)
        if name == "cyclic":
            raise BadArgumentError("engine cyclic records for ever into the same memory; use sg or direct")
        return name, dma

    def _arm(
        self, path: Path, dma: AxiDma, buffer: Buffer, rate: float, software_delay: float, timeout: float
    ) -> Transfer:
        pieces = split_runs(dma.spec, buffer.runs)
        packet = 0 if dma.spec.sg else piece_bytes(dma.spec) // path.frame_bytes
        path.monitor.prepare(rate, capture=len(buffer), packet=packet)
        transfer = dma.s2mm.begin(
            pieces,
            [buffer],
            timeout=timeout_for(int(pieces[:, 1].max()) / (rate * path.frame_bytes)) + software_delay + timeout,
            software_delay=software_delay,
            pool=self.bench.descriptor_pool,
        )
        try:
            # Last of all: however slow the software, the first sample finds the engine waiting.
            path.monitor.go()
        except BaseException:
            transfer.cancel()
            raise
        return transfer
