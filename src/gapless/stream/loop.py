"""A waveform that a DAC plays round and round, until another one takes its place."""

from __future__ import annotations

from contextlib import ExitStack

from numpy.typing import ArrayLike

from ..dma import Cyclic, DescriptorRing, Moved, split_runs
from ..errors import BlockError
from ..memory import Buffer, Pool
from ..samples import ArraySource
from .converter import allocate, timeout_for
from .layout import fill, lay_out
from .playing import Playing
from .report import PlayReport


class _Waveform:
    """Samples in memory, as many whole periods as make whole words, and the ring that plays them."""

    def __init__(self, signal: ArrayLike, playing: Playing, pool: Pool) -> None:
        source = ArraySource(signal, name="waveform")
        spec = playing.dma.spec
        layout = lay_out(source, source.length, spec, cyclic=True)
        self.seconds = layout.stored / playing.rate
        with ExitStack() as undo:
            self.buffer: Buffer = allocate(pool, layout.stored, playing.dma)
            undo.callback(self.buffer.free)
            fill(source, layout, self.buffer)
            pieces = split_runs(spec, self.buffer.runs, even=True)
            self.ring = DescriptorRing(playing.descriptor_pool, spec, len(pieces))
            undo.callback(self.ring.free)
            self.ring.link(pieces)
            undo.pop_all()

    def free(self) -> None:
        self.ring.free()
        self.buffer.free()


class Loop:
    """A DAC that repeats a waveform: ``with board.dac(0).loop(waveform, rate=...) as loop``.

    The engine runs in cyclic mode, which needs no software. :meth:`switch` changes the waveform at the end of a
    period; leaving the ``with`` block stops at the end of one, and makes :attr:`report`. Every waveform is played in
    whole periods, at least one of them.
    """

    def __init__(self, playing: Playing, signal: ArrayLike, pool: Pool) -> None:
        self._playing, self._pool = playing, pool
        self._report: PlayReport | None = None
        self._played = Moved(1, 0)
        self._waveforms: list[_Waveform] = []  # the last is the one played, or to be played
        self._stack = ExitStack()
        with ExitStack() as stack:
            stack.callback(playing.close)
            stack.callback(self._free)
            first = self._prepare(signal)
            self._waveforms.append(first)
            playing.begin()
            self._cyclic: Cyclic = playing.dma.mm2s.start_cyclic(first.ring, [first.buffer])
            stack.callback(self._cyclic.cancel)
            self._stack = stack.pop_all()

    def switch(self, signal: ArrayLike) -> None:
        """Go on with another waveform (int16, or floats in [-1, 1], shape (n,)); returns when it is being played.

        The one before ends with a whole period, and the first sample of this follows it.
        """
        self._refuse_ended()
        waveform, before = self._prepare(signal), self._waveforms[-1]
        # What is in the FIFO, the period under way and one more that was fetched already, and the first of this.
        lasts = self._playing.fifo_seconds + 2 * before.seconds + waveform.seconds
        self._waveforms.append(waveform)
        self._cyclic.switch(waveform.ring, [waveform.buffer], timeout_for(lasts))
        self._free(but=1)
        self._played = Moved(self._played.pieces + 1, 0)

    def check(self) -> None:
        """Raise the DmaError that the engine stopped with, if it did."""
        self._cyclic.check()

    def stop(self) -> PlayReport:
        """Stop at the end of a period, and say what was played. A second call gives the same."""
        if self._report is None:
            self._refuse_ended()
            try:
                self._cyclic.finish(timeout_for(self._playing.fifo_seconds + 2 * self._waveforms[-1].seconds))
                report = self._playing.report(memory=self._pool.name, requested=None, moved=self._played)
                self._report = report
            finally:
                self._stack.close()
        return self._report

    def cancel(self) -> None:
        """Stop wherever the engine is. Harmless when it has ended."""
        self._stack.close()

    @property
    def report(self) -> PlayReport:
        """What was played; ``transfers`` counts the waveforms. BlockError while it plays."""
        if self._report is None:
            raise BlockError(f"{self._playing.spec.name}'s loop has not ended: leave the with block, or call stop()")
        return self._report

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is None and self._playing.open:
            self.stop()
        else:
            self.cancel()

    def _free(self, but: int = 0) -> None:
        while len(self._waveforms) > but:
            self._waveforms.pop(0).free()

    def _prepare(self, signal: ArrayLike) -> _Waveform:
        return _Waveform(signal, self._playing, self._pool)

    def _refuse_ended(self) -> None:
        if not self._playing.open:
            raise BlockError(f"{self._playing.spec.name}'s loop has ended")
