"""Filling the blocks of an output stream: from a source, or from arrays of any length."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SignalError
from ..memory import in_place
from ..samples import Source, to_int16
from .converter import Progress
from .output import OutputStream


def feed_source(
    stream: OutputStream,
    source: Source,
    total: int,
    *,
    producer_rate: float | None = None,
    progress: Progress | None = None,
) -> None:
    """Submit the first ``total`` samples (frames) of ``source``, again and again where it is shorter.

    With several channels the samples of ``source`` are those of the frames, one after the other.
    ``producer_rate``: pretend that whoever makes the samples makes no more than so many a second of bus time.
    """
    done = 0
    while done < total:
        block = stream.acquire()
        count = min(len(block), total - done)
        with in_place(block[:count]) as samples:
            _fill(source, samples.reshape(-1), done * stream.channels)
        if producer_rate is not None:
            stream.bus.sleep(count / producer_rate)
        stream.submit(block, count)
        done += count
        if progress is not None:
            progress(done * stream.frame_bytes, total * stream.frame_bytes)


def _fill(source: Source, out: NDArray[np.int16], start: int) -> None:
    while len(out):
        at = start if source.length is None else start % source.length
        count = len(out) if source.length is None else min(len(out), source.length - at)
        source.fill(out[:count], at)
        out, start = out[count:], start + count


def feed_arrays(stream: OutputStream, arrays: Iterable[ArrayLike]) -> None:
    """Submit arrays of any length one after the other: int16 or floats in [-1, 1], shape (n,), or (n, channels).

    SignalError for what is no such array; what came before it was submitted, but for the last part of a block.
    """
    block, filled = None, 0
    for array in arrays:
        samples = _frames(array, stream.channels)
        while len(samples):
            if block is None:
                block, filled = stream.acquire(), 0
            count = min(len(block) - filled, len(samples))
            block.write(samples[:count], filled * stream.channels)
            samples, filled = samples[count:], filled + count
            if filled == len(block):
                stream.submit(block)
                block = None
    if block is not None and filled:
        stream.submit(block, filled)


def _frames(array: ArrayLike, channels: int) -> NDArray[np.int16]:
    given = np.asarray(array)
    if given.ndim == 0 or (given.size == 0 and given.ndim <= 2):
        raise SignalError(f"an array of shape {given.shape} in a stream: it needs at least one sample")
    if channels == 1:
        return to_int16(given, name="an array of the stream")
    if given.ndim != 2 or given.shape[1] != channels:
        raise SignalError(
            f"an array of shape {given.shape} in a stream of {channels} channels: it needs (n, {channels})"
        )
    return to_int16(given.reshape(-1), name="an array of the stream").reshape(-1, channels)
