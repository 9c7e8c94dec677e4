"""Playing a signal on a DAC."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..dma import AxiDma, Cyclic, DescriptorRing, Moved, split
from ..errors import BadArgumentError, SignalError, UnsupportedError, WaitTimeoutError
from ..memory import DmaBuffer
from ..samples import ArraySource, Source
from ..units import MIB, format_address, format_time
from .converter import Converter, Progress
from .frames import Rejoin, frame_source
from .layout import Layout, fill, lay_out, lay_out_in_place, samples_to_play
from .path import SAMPLE_BYTES, Path
from .report import PlayReport

#: Bytes that are played between two looks at a cyclic play: some milliseconds of real time.
_LOOK_BYTES = 64 * MIB


class Dac(Converter):
    """A DAC of a board: ``board.dac(0)``."""

    def play(
        self,
        signal: Source | DmaBuffer | ArrayLike,
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
        channels: int = 1,
        force: bool = False,
        progress: Progress | None = None,
    ) -> PlayReport:
        """Play ``signal`` once, or ``repeat`` times without a gap between, and say what was played.

        Args:
            signal: int16 samples, shape (n,); or floats in [-1, 1], which are scaled; or a
                :class:`~gapless.samples.Source`; or a DmaBuffer of int16, which is played from where it
                lies, with no copy (to repeat it, its length is whole words of the converter).
            rate: samples per second.
            memory: name of the pool the signal is put in; by default the PL's DDR, or the buffer's own.
            engine: ``sg`` (scatter-gather), ``direct`` (re-armed by software), ``cyclic`` (scatter-gather
                in a ring that never ends: at least what was asked is played, in whole periods where one
                lasts more than some microseconds or fits one descriptor) or ``auto``.
            samples: how many samples of the signal to play (a generator needs it; ``repeat`` times that).
            address: physical address to put the signal at.
            sha256: hash the samples the DAC converted (virtual boards).
            head: keep this many of the first samples converted (virtual boards).
            software_delay: seconds by which the software is late at every re-arm.
            channels: 2 plays on this DAC and the one in step with it; ``signal`` is then an array or buffer of
                shape (n, 2), or a buffer of shape (2n,), and every count is one of frames, per DAC.
            force: play even what the budget says cannot be sustained; the ledger then has the gaps.
            progress: called with bytes moved and bytes in all.

        Raises:
            SignalError, UnknownNameError, RateError, AllocationError: nothing was started.
            DmaStateError: the DAC, or the one in step with it, is playing, or its engine waits for recover().
            DmaError, WaitTimeoutError: the engine failed; it was stopped.
        """
        began = time.perf_counter()
        path = self.path(channels)
        name, dma = self.choose_engine(engine, path)
        if not 0 <= software_delay < 1e3:
            raise BadArgumentError(f"software delay of {software_delay!r} s: it is from 0 to 1000 s")
        with ExitStack() as stack:
            stack.enter_context(self.taken(path))
            if isinstance(signal, DmaBuffer):
                source: Source = self._lying_there(signal, path, memory, address)
                total, buffer = samples_to_play(source, samples, repeat, path.channels), signal
                word = self.spec.samples_per_beat * path.channels
                layout = lay_out_in_place(buffer.size, total * path.channels, word, cyclic=name == "cyclic")
                block = layout.block(dma.spec)
                self.check_rate(rate, buffer.pool, dma, total, path.channels, block=block, force=force)
            else:
                if path.channels > 1:
                    source = frame_source(signal, path.channels)
                else:
                    source = cast(Source, signal) if _is_source(signal) else ArraySource(cast(ArrayLike, signal))
                total = samples_to_play(source, samples, repeat, path.channels)
                pool = self.choose_pool(memory)
                self.check_rate(rate, pool, dma, total, path.channels, force=force)
                layout = lay_out(source, total * path.channels, dma.spec, cyclic=name == "cyclic")
                buffer = stack.enter_context(self.allocate(pool, layout.stored, dma, address))
                fill(source, layout, np.asarray(buffer))
            digest, first = self._watch(stack, path, sha256, head)
            path.monitor.start(rate)
            stack.callback(path.monitor.stop)
            if name == "cyclic":
                moved = self._run_cyclic(path, dma, buffer, layout, rate, progress)
            else:
                moved = self._run(path, dma, buffer, layout, rate, software_delay, progress)
            self._drain(path, rate)
            ledger = path.monitor.ledger()
            low_water = path.monitor.fifo_low_water
            if self.bench.probe is not None:
                for index in path.indices:
                    self.bench.probe.flush(index)
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
                fifo_depth_bytes=path.monitor.fifo_depth,
                fifo_low_water_bytes=low_water,
                wall_seconds=time.perf_counter() - began,
                played_sha256=digest() if digest else None,
                head=first() if first else None,
            )

    # ---- the signal

    @staticmethod
    def _lying_there(buffer: DmaBuffer, path: Path, memory: str | None, address: int | None) -> Source:
        where = buffer.physical_address  # raises for a strided view or a freed buffer
        shapes = "(n,)" if path.channels == 1 else f"(n, {path.channels}) or ({path.channels}n,)"
        fits = buffer.ndim == 1 or (buffer.ndim == 2 and buffer.shape[1] == path.channels > 1)
        if buffer.dtype != np.int16 or not fits or not buffer.size or buffer.size % path.channels:
            raise SignalError(
                f"a buffer of {buffer.dtype} with shape {buffer.shape}: a DAC plays int16 of shape {shapes}, n >= 1; "
                "use buffer.view(np.int16).reshape(-1)"
            )
        if memory is not None and memory != buffer.pool.name:
            raise BadArgumentError(f"the buffer lies in {buffer.pool.name}; asked to play it from {memory}")
        if address is not None and address != where:
            raise BadArgumentError(
                f"the buffer lies at {format_address(where)}; asked to play it from {format_address(address)}"
            )
        return ArraySource(np.asarray(buffer).reshape(-1), name="buffer")

    # ---- what only a virtual board can see

    def _watch(
        self, stack: ExitStack, path: Path, sha256: bool, head: int
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
            if len(kept) < path.frame_bytes * head:
                kept.extend(data[: path.frame_bytes * head - len(kept)])

        rejoin = Rejoin(path.channels, see)
        for channel, index in enumerate(path.indices):
            probe.tap(index, rejoin.channel(channel))
            stack.callback(probe.tap, index, None)
        shape = (-1,) if path.channels == 1 else (-1, path.channels)
        return (
            digest.hexdigest if sha256 else None,
            (lambda: np.frombuffer(bytes(kept), dtype="<i2").astype(np.int16).reshape(shape)) if head else None,
        )

    # ---- the engine

    def _run(
        self,
        path: Path,
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
            timeout=self.piece_timeout(int(pieces[0, 1]), rate * path.channels) + software_delay,
            software_delay=software_delay,
            pool=self.bench.descriptor_pool,
        )
        return transfer.wait(None if progress is None else lambda nbytes: progress(nbytes, total))

    def _run_cyclic(
        self,
        path: Path,
        dma: AxiDma,
        buffer: DmaBuffer,
        layout: Layout,
        rate: float,
        progress: Progress | None,
    ) -> Moved:
        period = layout.stored * SAMPLE_BYTES
        pieces = split(dma.spec, buffer.physical_address, period, even=True)
        # The engine completes the descriptor it is in: stop it in the middle of the last one.
        stop_at = layout.total * SAMPLE_BYTES - int(pieces[-1, 1]) // 2
        with DescriptorRing(self.bench.descriptor_pool, dma.spec, len(pieces)) as ring:
            ring.link(pieces)
            with dma.mm2s.start_cyclic(ring, [buffer]) as cyclic:
                self._wait_until_entered(path, stop_at, rate, dma, cyclic, progress)
        self._drain(path, rate)
        played = path.monitor.samples * path.frame_bytes
        periods, begun = divmod(played, period)
        done = periods * len(pieces) + int(np.searchsorted(np.cumsum(pieces[:, 1]), begun, side="right"))
        if progress is not None:
            progress(played, played)
        return Moved(done, played)

    def _wait_until_entered(
        self, path: Path, nbytes: int, rate: float, dma: AxiDma, cyclic: Cyclic, progress: Progress | None
    ) -> None:
        """Wait until that much has entered the FIFO: how far the engine is."""
        bus, monitor, speed = self.bench.bus, path.monitor, rate * path.frame_bytes
        engine = dma.spec.data_width * dma.spec.clock
        patience = self.piece_timeout(monitor.fifo_depth, rate * path.channels)
        entered, changed = -1, bus.time()
        while True:
            now = bus.time()
            level = monitor.fifo_level
            before, entered = entered, monitor.samples * path.frame_bytes + level
            left = nbytes - entered
            if left <= 0:
                return
            if entered != before:
                changed = now
            elif now - changed > patience:
                cyclic.check()
                raise WaitTimeoutError(
                    f"{self.spec.name}: nothing has entered the FIFO for {format_time(patience)}, after {entered} "
                    "bytes: the stream has stood still; the channel was stopped"
                )
            # Until the FIFO is full the engine may be as fast as its own data path; then the DAC holds it back.
            # Never so long that Ctrl-C and progress would have to wait.
            room = monitor.fifo_depth - level
            longest = max((left - room) / speed, min(left, room) / engine)
            if bus.wait_interrupt(dma.mm2s.interrupt, min(longest, _LOOK_BYTES / speed)):
                cyclic.check()
            if progress is not None:
                progress(entered, nbytes)

    def _drain(self, path: Path, rate: float) -> None:
        """Wait until the DAC has converted what is in its FIFO."""
        bus = self.bench.bus
        speed = rate * path.frame_bytes
        longest = 2 * path.monitor.fifo_depth / speed + 1e-3
        # The time is taken before the look: another thread that shares the bus may move it in between.
        now = bus.time()
        deadline = now + longest
        while level := path.monitor.fifo_level:
            if now > deadline:
                raise WaitTimeoutError(
                    f"{self.spec.name}: {level} bytes are still in the FIFO after {format_time(longest)}"
                )
            bus.sleep(level / speed + 1e-7)
            now = bus.time()


def _is_source(signal: object) -> bool:
    return hasattr(signal, "period") and hasattr(signal, "fill")
