"""Several channels in one stream of samples, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError, SignalError
from . import variants
from .arguments import Array, check_apart, check_input, check_output

CHANNELS = (2, 4, 8)

Channels = NDArray[np.int16] | Sequence[NDArray[np.int16]]


def interleave(channels: Channels, out: NDArray[np.int16] | None = None) -> NDArray[np.int16]:
    """One stream in which samples alternate: channel 0, channel 1, .., channel 0, ..

    Args:
        channels: 2, 4 or 8 int16 arrays of shape (n,), or one of shape (channels, n).
        out: int16, shape (channels * n,), contiguous, apart from the channels; made when None.

    Returns:
        ``out``.

    Raises:
        SignalError: the channels are of another number, dtype or shape, or not equally long.
        BadArgumentError: ``out`` cannot be written as it is.
    """
    given = [check_input(channel, np.int16, f"channel {i}") for i, channel in enumerate(channels)]
    if len(given) not in CHANNELS:
        raise SignalError(f"interleave: {len(given)} channels given: 2, 4 or 8 can be interleaved")
    lengths = [len(channel) for channel in given]
    if len(set(lengths)) != 1:
        raise SignalError(
            f"interleave: channels are {', '.join(map(str, lengths))} samples long: make them equally long"
        )
    length = sum(lengths)
    out = np.empty(length, dtype=np.int16) if out is None else check_output(out, np.int16, length)
    check_apart([out], given)
    variants.BEST.interleave(out, given)
    return out


def deinterleave(stream: NDArray[np.int16], channels: int, out: Channels | None = None) -> Channels:
    """The channels of a stream in which their samples alternate: what :func:`interleave` makes.

    Args:
        stream: int16, shape (channels * n,).
        channels: 2, 4 or 8.
        out: int16, shape (channels, n) with contiguous rows, or as many arrays of shape (n,), contiguous, all
            apart from each other and from the stream; made, as one array, when None.

    Returns:
        ``out``.

    Raises:
        SignalError: the stream is of another dtype or shape, or is not a whole number of frames.
        BadArgumentError: another number of channels, or ``out`` cannot be written as it is.
    """
    if channels not in CHANNELS:
        raise BadArgumentError(f"deinterleave: {channels} channels asked: 2, 4 or 8 can be taken apart")
    stream = check_input(stream, np.int16, "stream")
    frames, rest = divmod(len(stream), channels)
    if rest:
        raise SignalError(
            f"stream: {len(stream)} samples are {frames} frames of {channels} channels and {rest} samples more: "
            "cut it at a whole frame"
        )
    if out is None:
        out = np.empty((channels, frames), dtype=np.int16)
    if len(out) != channels:
        raise BadArgumentError(f"out: {len(out)} channels given for {channels} in the stream")
    rows: list[Array] = [check_output(row, np.int16, frames, f"out, channel {i}") for i, row in enumerate(out)]
    check_apart(rows, [stream])
    variants.BEST.deinterleave(rows, stream)
    return out
