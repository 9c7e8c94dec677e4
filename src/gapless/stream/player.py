"""Playing a signal on a DAC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BadArgumentError, SignalError
from ..memory import Buffer
from ..samples import ArraySource, Source
from ..units import format_address
from .blocks import BLOCK_SAMPLES, BLOCKS, Blocks, BlockShape
from .converter import Converter, Progress, allocate, check_delay, scheduling
from .frames import frame_source
from .layout import InPlace, fill, lay_out, lay_out_in_place, samples_to_play
from .path import Path

if TYPE_CHECKING:  # loaded when they are used
    from .loop import Loop
    from .output import OutputStream
    from .report import PlayReport


class Dac(Converter):
    """A DAC of a board: ``board.dac(0)``."""

    def play(
        self,
        signal: Source | Buffer | Iterator[ArrayLike] | ArrayLike,
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
        stream: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> PlayReport:
        """Play ``signal`` once, or ``repeat`` times without a gap between, and say what was played.

        Args:
            signal: int16 samples, shape (n,); or floats in [-1, 1], which are scaled; or a
                :class:`~gapless.samples.Source`; or a buffer of int16, which is played from where it
                lies, with no copy (to repeat it, its length is whole words of the converter); or an iterator of
                arrays, such as a generator, which is played through blocks as it comes.
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
            stream: put it through a few blocks while it plays, rather than into memory before: for what is
                larger than memory. An iterator always is.
            force: play even what the budget says cannot be sustained; the ledger then has the gaps.
            progress: called with bytes moved and bytes in all.

        Raises:
            SignalError, UnknownNameError, RateError, AllocationError: nothing was started.
            DmaStateError: the DAC, or the one in step with it, is playing, or its engine waits for recover().
            DmaError, WaitTimeoutError: the engine failed; it was stopped.
        """
        if stream or _is_iterator(signal):
            from .feeding import feed_arrays, feed_source

            with self.stream(
                rate=rate,
                memory=memory,
                engine=engine,
                address=address,
                sha256=sha256,
                head=head,
                software_delay=software_delay,
                channels=channels,
                force=force,
            ) as output:
                if _is_iterator(signal):
                    if repeat != 1 or samples is not None:
                        raise SignalError(
                            "an iterator is played to its end, once: samples= and repeat= are for a signal"
                        )
                    feed_arrays(output, cast("Iterator[ArrayLike]", signal))
                else:
                    source = _source(signal, channels)
                    total = samples_to_play(source, samples, repeat, channels)
                    feed_source(output, source, total, progress=progress)
            return output.report
        from .playing import Playing
        from .run import run_cyclic, run_once

        path = self.path(channels)
        name, dma = self.choose_engine(engine, path)
        check_delay(software_delay)
        with ExitStack() as stack:
            playing = stack.enter_context(Playing(self, path, name, dma, rate, sha256=sha256, head=head))
            if isinstance(signal, Buffer):
                self._refuse_unplayable(signal, path, memory, address)
                total, buffer = samples_to_play(InPlace(signal.size), samples, repeat, path.channels), signal
                word = self.spec.samples_per_beat * path.channels
                layout = lay_out_in_place(buffer.size, total * path.channels, word, cyclic=name == "cyclic")
                block = layout.block(dma.spec)
                self.check_rate(rate, buffer.pool, dma, total, path.channels, block=block, force=force)
            else:
                source = _source(signal, path.channels)
                total = samples_to_play(source, samples, repeat, path.channels)
                pool = self.choose_pool(memory)
                self.check_rate(rate, pool, dma, total, path.channels, force=force)
                layout = lay_out(source, total * path.channels, dma.spec, cyclic=name == "cyclic")
                buffer = stack.enter_context(allocate(pool, layout.stored, dma, address))
                fill(source, layout, buffer)
            playing.begin()
            if name == "cyclic":
                moved = run_cyclic(playing, buffer, layout, progress)
            else:
                moved = run_once(playing, buffer, layout, software_delay, progress)
            return playing.report(memory=buffer.pool.name, requested=total, moved=moved)

    def stream(
        self,
        *,
        rate: float,
        block_samples: int = BLOCK_SAMPLES,
        blocks: int = BLOCKS,
        memory: str | None = None,
        engine: str = "auto",
        address: int | None = None,
        channels: int = 1,
        software_delay: float = 0.0,
        realtime: int = 0,
        cpu: int | None = None,
        force: bool = False,
        sha256: bool = False,
        head: int = 0,
    ) -> OutputStream:
        """Play without end, block by block; see :class:`OutputStream`.

        Args:
            rate: samples per second, of each channel.
            block_samples: samples (frames) in a block: whole words of the converter, one transfer at most.
            blocks: how many there are; all but the one being filled wait for the engine.
            engine: ``sg`` (the ring is extended by its tail while it runs), ``direct`` (a native thread re-arms the
                channel) or ``auto``.
            realtime: SCHED_FIFO priority of the native thread, 1 to 99; 0: as everybody.
            cpu: the only CPU the native thread runs on. What the system refuses of these is in the report.

        The rest, and what is raised, is as for :meth:`play`. BadArgumentError says what a block can be.
        """
        from .output import OutputStream
        from .playing import Playing

        path = self.path(channels)
        name, dma = self.choose_engine(engine, path)
        if name == "cyclic":
            raise BadArgumentError("engine cyclic repeats what is in memory: use loop(), or sg or direct to stream")
        check_delay(software_delay)
        native_thread = scheduling(realtime, cpu)
        shape = BlockShape.of(block_samples, blocks, path, dma, self.spec.samples_per_beat)
        pool = self.choose_pool(memory)
        block_bytes = shape.samples * path.frame_bytes
        self.check_rate(rate, pool, dma, 2 * shape.samples, path.channels, block=block_bytes, force=force)
        with ExitStack() as undo:
            playing = undo.enter_context(Playing(self, path, name, dma, rate, sha256=sha256, head=head))
            ring = Blocks(f"{self.spec.name}'s stream", self.bench.bus, pool, path, dma, shape, address=address)
            undo.pop_all()
        return OutputStream(playing, ring, software_delay, native_thread)

    def loop(
        self,
        waveform: ArrayLike,
        *,
        rate: float,
        memory: str | None = None,
        force: bool = False,
        sha256: bool = False,
        head: int = 0,
    ) -> Loop:
        """Repeat ``waveform`` (int16 or floats in [-1, 1], shape (n,)) for ever; see :class:`Loop`.

        It needs scatter-gather, in cyclic mode. The rest, and what is raised, is as for :meth:`play`.
        """
        from .loop import Loop
        from .playing import Playing

        path = self.path()
        name, dma = self.choose_engine("cyclic", path)
        pool = self.choose_pool(memory)
        self.check_rate(rate, pool, dma, 1, force=force)
        return Loop(Playing(self, path, name, dma, rate, sha256=sha256, head=head), waveform, pool)

    @staticmethod
    def _refuse_unplayable(buffer: Buffer, path: Path, memory: str | None, address: int | None) -> None:
        where = buffer.runs[0][0]  # raises for a strided view or a freed buffer
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


def _is_iterator(signal: object) -> bool:
    """True for a generator or another iterator of arrays; a buffer, an array or a list is one signal."""
    return hasattr(signal, "__next__") and not isinstance(signal, Buffer)


def _source(signal: object, channels: int) -> Source:
    if channels > 1:
        return frame_source(signal, channels)
    if hasattr(signal, "period") and hasattr(signal, "fill"):
        return cast(Source, signal)
    return ArraySource(cast(ArrayLike, signal))
