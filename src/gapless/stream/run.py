"""A signal that lies in memory, through an engine to the end."""

from __future__ import annotations

import numpy as np

from ..dma import Cyclic, DescriptorRing, Moved, cut_runs, split_runs
from ..errors import WaitTimeoutError
from ..memory import Buffer
from ..units import MIB, format_time
from .converter import Progress
from .layout import Layout
from .path import SAMPLE_BYTES
from .playing import Playing

#: Bytes that are played between two looks at a cyclic play: some milliseconds of real time.
_LOOK_BYTES = 64 * MIB


def run_once(
    playing: Playing, buffer: Buffer, layout: Layout, software_delay: float, progress: Progress | None
) -> Moved:
    """Move what ``layout`` says of ``buffer``, with scatter-gather or in direct mode."""
    pieces, rest = layout.pieces(playing.dma.spec, buffer.runs)
    total = layout.total * SAMPLE_BYTES
    transfer = playing.dma.mm2s.begin(
        pieces,
        [buffer],
        repeat=layout.repeat,
        rest=rest,
        timeout=playing.timeout(int(pieces[:, 1].max())) + software_delay,
        software_delay=software_delay,
        pool=playing.descriptor_pool,
    )
    return transfer.wait(None if progress is None else lambda nbytes: progress(nbytes, total))


def run_cyclic(playing: Playing, buffer: Buffer, layout: Layout, progress: Progress | None) -> Moved:
    """Let the ring that plays ``buffer`` go round until at least ``layout.total`` samples were played."""
    dma, path = playing.dma, playing.path
    period = layout.stored * SAMPLE_BYTES
    pieces = split_runs(dma.spec, cut_runs(buffer.runs, period), even=True)
    # The engine completes the descriptor it is in: stop it in the middle of the last one.
    stop_at = layout.total * SAMPLE_BYTES - int(pieces[-1, 1]) // 2
    with DescriptorRing(playing.descriptor_pool, dma.spec, len(pieces)) as ring:
        ring.link(pieces)
        with dma.mm2s.start_cyclic(ring, [buffer]) as cyclic:
            _wait_until_entered(playing, stop_at, cyclic, progress)
    playing.drain()
    played = path.monitor.samples * path.frame_bytes
    periods, begun = divmod(played, period)
    done = periods * len(pieces) + int(np.searchsorted(np.cumsum(pieces[:, 1]), begun, side="right"))
    if progress is not None:
        progress(played, played)
    return Moved(done, played)


def _wait_until_entered(playing: Playing, nbytes: int, cyclic: Cyclic, progress: Progress | None) -> None:
    """Wait until that much has entered the FIFO: how far the engine is."""
    bus, monitor, speed = playing.bus, playing.path.monitor, playing.bytes_per_second
    engine = playing.dma.spec.data_width * playing.dma.spec.clock
    patience = playing.timeout(monitor.fifo_depth)
    entered, changed = -1, bus.time()
    while True:
        now = bus.time()
        level = monitor.fifo_level
        before, entered = entered, monitor.samples * playing.path.frame_bytes + level
        left = nbytes - entered
        if left <= 0:
            return
        if entered != before:
            changed = now
        elif now - changed > patience:
            cyclic.check()
            raise WaitTimeoutError(
                f"{playing.spec.name}: nothing has entered the FIFO for {format_time(patience)}, after {entered} "
                "bytes: the stream has stood still; the channel was stopped"
            )
        # Until the FIFO is full the engine may be as fast as its own data path; then the DAC holds it back.
        # Never so long that Ctrl-C and progress would have to wait.
        room = monitor.fifo_depth - level
        longest = max((left - room) / speed, min(left, room) / engine)
        if bus.wait_interrupt(playing.dma.mm2s.interrupt, min(longest, _LOOK_BYTES / speed)):
            cyclic.check()
        if progress is not None:
            progress(entered, nbytes)
