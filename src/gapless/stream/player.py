"""Playing a signal on a DAC."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dma import AxiDma, DescriptorRing, Moved, split
from ..errors import BadArgumentError, SignalError, UnsupportedError, WaitTimeoutError
from ..memory import DmaBuffer
from ..samples import ArraySource, Source, to_int16
from ..units import format_time
from .converter import SAMPLE_BYTES, Converter, Progress
from .layout import Layout, fill, lay_out, samples_to_play
from .report import PlayReport


class Dac(Converter):
    """A DAC of a board: ``board.dac(0)``."""

    def play(
        self,
        signal: Source | DmaBuffer | NDArray[Any],
        *,
        rate: float,
        memory: str | None = None,
        engine: str = "auto",
        repeat: int = 1,
        samples: int | None = None,
        address: int | None = None,
        sha256: bool = False,
        head: int = 0,
        software_delay: float = 0.0,
        progress: Progress | None = None,
    ) -> PlayReport:
        """Play ``signal`` once, or ``repeat`` times without a gap between, and say what was played.

        Args:
            signal: int16 samples, shape (n,); or floats in [-1, 1], which are scaled; or a
                :class:`~gapless.samples.Source`; or a DmaBuffer of int16, which is played from where it
                lies, with no copy.
            rate: samples per second.
            memory: name of the pool the signal is put in; by default the PL's DDR, or the buffer's own.
            engine: ``sg`` (scatter-gather), ``direct`` (re-armed by software), ``cyclic`` (scatter-gather
                in a ring that never ends, stopped in its last period) or ``auto``.
            samples: how many samples of the signal to play (a generator needs it).
            address: physical address to put the signal at.
            sha256: hash the samples the DAC converted (virtual boards).
            head: keep this many of the first samples converted (virtual boards).
            software_delay: seconds by which the software is late at every re-arm.
            progress: called with bytes moved and bytes in all.

        Raises:
            SignalError, UnknownNameError, RateError, AllocationError: nothing was started.
            DmaError, WaitTimeoutError: the engine failed; it was stopped.
        """
        began = time.perf_counter()
        name, dma = self.choose_engine(engine)
        if not 0 <= software_delay < 1e3:
            raise BadArgumentError(f"software delay of {software_delay!r} s: it is from 0 to 1000 s")
        with ExitStack() as stack:
            if isinstance(signal, DmaBuffer):
                buffer, layout, total = self._in_place(signal, memory, address, samples, repeat)
                self.check_rate(rate, buffer.pool, dma)
            else:
                source = (
                    signal
                    if not isinstance(signal, (np.ndarray, list, tuple))
                    else ArraySource(to_int16(np.asarray(signal)))
                )
                total = samples_to_play(source, samples, repeat)
                pool = self.choose_pool(memory)
                self.check_rate(rate, pool, dma)
                layout = lay_out(source, total, dma.spec)
                buffer = stack.enter_context(
                    pool.allocate(layout.stored, np.int16, align=64, address=address, below=1 << dma.spec.address_width)
                )
                fill(source, layout, np.asarray(buffer))
            digest, first = self._watch(stack, sha256, head)
            # Which hash it is does not depend on what was played before: the monitor starts anew.
            self.monitor.start(rate)
            stack.callback(self.monitor.stop)
            if name == "cyclic":
                moved = self._run_cyclic(dma, buffer, layout, total, rate)
            else:
                moved = self._run(dma, buffer, layout, rate, software_delay, progress)
            self._drain(rate)
            ledger = self.monitor.ledger()
            low_water = self.monitor.fifo_low_water
            if self.bench.probe is not None:
                self.bench.probe.flush(self.spec.index)
            return PlayReport(
                board=self.bench.name,
                engine=name,
                memory=buffer.pool.name,
                rate=float(rate),
                samples_requested=total,
                samples_played=ledger.samples,
                ledger=ledger,
                transfers=moved.pieces,
                descriptors=moved.pieces if dma.spec.sg else 0,
                fifo_depth_bytes=self.monitor.fifo_depth,
                fifo_low_water_bytes=low_water,
                wall_seconds=time.perf_counter() - began,
                played_sha256=digest() if digest else None,
                head=first() if first else None,
            )

    # ---- the signal

    def _in_place(
        self, buffer: DmaBuffer, memory: str | None, address: int | None, samples: int | None, repeat: int
    ) -> tuple[DmaBuffer, Layout, int]:
        if buffer.dtype != np.int16 or buffer.ndim != 1:
            raise SignalError(
                f"a buffer of {buffer.dtype} with shape {buffer.shape}: a DAC plays int16 of shape (n,); "
                "use buffer.view(np.int16).reshape(-1)"
            )
        where = buffer.physical_address  # raises for a strided view or a freed buffer
        if memory is not None and memory != buffer.pool.name:
            raise BadArgumentError(f"the buffer lies in {buffer.pool.name}; asked to play it from {memory}")
        if address is not None and address != where:
            raise BadArgumentError(f"the buffer lies at 0x{where:_X}; asked to play it from 0x{address:_X}")
        length = len(buffer)
        total = samples_to_play(ArraySource(np.asarray(buffer)), samples, repeat)
        return (
            buffer,
            Layout(min(length, total), total // min(length, total), total % min(length, total)),
            total,
        )

    # ---- what only a virtual board can see

    def _watch(
        self, stack: ExitStack, sha256: bool, head: int
    ) -> tuple[Callable[[], str] | None, Callable[[], NDArray[np.int16]] | None]:
        if not sha256 and not head:
            return None, None
        probe = self.bench.probe
        if probe is None:
            raise UnsupportedError("only a virtual board can tell which samples a DAC converted (sha256, head)")
        digest = hashlib.sha256()
        kept = bytearray()

        def see(data: memoryview) -> None:
            if sha256:
                digest.update(data)
            if len(kept) < SAMPLE_BYTES * head:
                kept.extend(data[: SAMPLE_BYTES * head - len(kept)])

        probe.tap(self.spec.index, see)
        stack.callback(probe.tap, self.spec.index, None)
        return (
            digest.hexdigest if sha256 else None,
            (lambda: np.frombuffer(bytes(kept), dtype="<i2").astype(np.int16)) if head else None,
        )

    # ---- the engine

    def _run(
        self,
        dma: AxiDma,
        buffer: DmaBuffer,
        layout: Layout,
        rate: float,
        software_delay: float,
        progress: Progress | None,
    ) -> Moved:
        pieces, rest = layout.pieces(dma.spec, buffer.physical_address)
        total = layout.total * SAMPLE_BYTES
        transfer = dma.mm2s.begin(
            pieces,
            [buffer],
            repeat=layout.repeat,
            rest=rest,
            timeout=self.piece_timeout(int(pieces[0, 1]), rate) + software_delay,
            software_delay=software_delay,
            pool=self.bench.descriptor_pool,
        )
        return transfer.wait(None if progress is None else lambda nbytes: progress(nbytes, total))

    def _run_cyclic(self, dma: AxiDma, buffer: DmaBuffer, layout: Layout, total: int, rate: float) -> Moved:
        pieces = split(dma.spec, buffer.physical_address, layout.stored * SAMPLE_BYTES)
        bus = self.bench.bus
        with (
            DescriptorRing(self.bench.descriptor_pool, dma.spec, len(pieces)) as ring,
            ring.buffer.in_use_by(dma.mm2s.name),
            buffer.in_use_by(dma.mm2s.name),
        ):
            ring.link(pieces)
            dma.mm2s.start_cyclic(ring)
            try:
                # The engine completes the descriptor it is in: stop it in the middle of the last one. It is
                # ahead of the converter by what the FIFO holds.
                ahead = self.monitor.fifo_depth + int(pieces[-1, 1]) // 2
                if bus.wait_interrupt(dma.mm2s.interrupt, max(0.0, (total - ahead / SAMPLE_BYTES) / rate)):
                    dma.mm2s.check()
            finally:
                dma.mm2s.stop(self.piece_timeout(int(pieces[0, 1]), rate))
        self._drain(rate)
        return Moved(-(-self.monitor.samples * SAMPLE_BYTES // int(pieces[0, 1])), total * SAMPLE_BYTES)

    def _drain(self, rate: float) -> None:
        """Wait until the DAC has converted what is in its FIFO."""
        bus = self.bench.bus
        longest = 2 * self.monitor.fifo_depth / (rate * SAMPLE_BYTES) + 1e-3
        deadline = bus.time() + longest
        while level := self.monitor.fifo_level:
            if bus.time() > deadline:
                raise WaitTimeoutError(
                    f"{self.spec.name}: {level} bytes are still in the FIFO after {format_time(longest)}"
                )
            bus.sleep(level / (rate * SAMPLE_BYTES) + 1e-7)
