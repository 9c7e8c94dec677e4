"""Recording from an ADC."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..dma import AxiDma, Transfer, piece_bytes, split
from ..errors import BadArgumentError
from ..memory import DmaBuffer
from .converter import SAMPLE_BYTES, Converter, Progress
from .report import Capture


class Recording:
    """A capture under way: :meth:`wait` for it, or :meth:`cancel` it."""

    def __init__(
        self,
        transfer: Transfer,
        buffer: DmaBuffer,
        finish: Callable[[Transfer, Progress | None], Capture],
        stop: Callable[[], None],
    ) -> None:
        self._transfer, self._buffer, self._finish, self._stop = transfer, buffer, finish, stop

    def wait(self, progress: Progress | None = None) -> Capture:
        """Wait until all samples are in memory; raises what the engine reported."""
        return self._finish(self._transfer, progress)

    def cancel(self) -> None:
        """Stop recording and free the memory."""
        self._transfer.cancel()
        self._stop()
        self._buffer.free()


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
        progress: Progress | None = None,
    ) -> Capture:
        """Record ``samples`` samples and wait for them; see :meth:`start`."""
        recording = self.start(
            samples, rate=rate, memory=memory, engine=engine, address=address, software_delay=software_delay
        )
        return recording.wait(progress)

    def start(
        self,
        samples: int,
        *,
        rate: float,
        memory: str | None = None,
        engine: str = "auto",
        address: int | None = None,
        software_delay: float = 0.0,
    ) -> Recording:
        """Begin to record; returns at once.

        Args:
            samples: how many samples to record.
            rate: samples per second.
            memory: name of the pool to record into; by default the PL's DDR.
            engine: ``sg``, ``direct`` or ``auto``.
            address: physical address to record to.
            software_delay: seconds by which the software is late at every re-arm.

        With scatter-gather TLAST comes at the end of the capture; in direct mode at the end of every
        transfer, because an engine in direct mode takes no packet longer than its transfer.
        """
        began = time.perf_counter()
        name, dma = self.choose_engine(engine)
        if name == "cyclic":
            raise BadArgumentError("engine cyclic records for ever; use sg or direct")
        if isinstance(samples, bool) or samples != int(samples) or samples < 1:
            raise BadArgumentError(f"samples={samples!r}: a capture has a whole number of samples, at least 1")
        if not 0 <= software_delay < 1e3:
            raise BadArgumentError(f"software delay of {software_delay!r} s: it is from 0 to 1000 s")
        samples = int(samples)
        pool = self.choose_pool(memory)
        self.check_rate(rate, pool, dma)
        buffer = pool.allocate(samples, np.int16, align=64, address=address, below=1 << dma.spec.address_width)
        try:
            transfer = self._arm(dma, buffer, samples, rate, software_delay)
        except BaseException:
            buffer.free()
            raise

        def finish(transfer: Transfer, progress: Progress | None) -> Capture:
            total = samples * SAMPLE_BYTES
            try:
                moved = transfer.wait(None if progress is None else lambda nbytes: progress(nbytes, total))
                ledger = self.monitor.ledger()
            except BaseException:
                self.monitor.stop()
                buffer.free()
                raise
            self.monitor.stop()
            buffer.sync_from_device()
            return Capture(
                board=self.bench.name,
                engine=name,
                memory=pool.name,
                rate=float(rate),
                samples_requested=samples,
                samples=buffer[: moved.nbytes // SAMPLE_BYTES] if moved.nbytes < total else buffer,
                ledger=ledger,
                transfers=moved.pieces,
                descriptors=moved.pieces if dma.spec.sg else 0,
                wall_seconds=time.perf_counter() - began,
            )

        return Recording(transfer, buffer, finish, self.monitor.stop)

    def _arm(self, dma: AxiDma, buffer: DmaBuffer, samples: int, rate: float, software_delay: float) -> Transfer:
        pieces = split(dma.spec, buffer.physical_address, samples * SAMPLE_BYTES)
        packet = 0 if dma.spec.sg else piece_bytes(dma.spec) // SAMPLE_BYTES
        # The converter starts before the engine: its FIFO holds what comes in the meantime.
        self.monitor.start(rate, capture=samples, packet=packet)
        try:
            return dma.s2mm.begin(
                pieces,
                [buffer],
                timeout=self.piece_timeout(int(pieces[0, 1]), rate) + software_delay + 1.0,
                software_delay=software_delay,
                pool=self.bench.descriptor_pool,
            )
        except BaseException:
            self.monitor.stop()
            raise
