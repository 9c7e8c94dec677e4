"""Signals of several channels, as the one sequence of samples their stream is: frame after frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SignalError
from ..samples import ArraySource


def frame_source(signal: object, channels: int) -> ArraySource:
    """The samples of ``signal``, shape (n, channels), int16 or floats in [-1, 1], in C order.

    SignalError for another shape, and for a Source: it has one channel.
    """
    if hasattr(signal, "period") and hasattr(signal, "fill"):
        raise SignalError(
            f"{getattr(signal, 'name', 'a source')} has one channel: {channels} channels are played from an array of "
            f"shape (n, {channels})"
        )
    try:
        array: NDArray[Any] = np.asarray(signal)
    except (ValueError, TypeError) as error:
        raise SignalError(f"signal: not an array of numbers: {error}") from None
    if array.ndim != 2 or array.shape[1] != channels:
        raise SignalError(
            f"signal: shape is {array.shape}; {channels} channels are played from an array of shape (n, {channels}), "
            "such as np.stack([a, b], axis=1)"
        )
    return ArraySource(array.reshape(-1), name="signal, frame by frame")


class Rejoin:
    """Frames again from what is seen of each channel by itself, in pieces of any length.

    ``see`` gets little-endian int16 bytes, frame after frame, whenever all channels have come so far.
    """

    def __init__(self, channels: int, see: Callable[[memoryview], object]) -> None:
        self._see = see
        self._seen = [bytearray() for _ in range(channels)]

    def channel(self, number: int) -> Callable[[memoryview], object]:
        """What takes the bytes of that channel."""
        if len(self._seen) == 1:
            return self._see

        def add(data: memoryview) -> None:
            self._seen[number] += data
            self._join()

        return add

    def _join(self) -> None:
        nbytes = min(len(seen) for seen in self._seen)
        if not nbytes:
            return
        channels: list[NDArray[np.int16]] = [np.frombuffer(bytes(seen[:nbytes]), np.int16) for seen in self._seen]
        for seen in self._seen:
            del seen[:nbytes]
        from ..samples import interleave

        self._see(interleave(channels).data.cast("B"))
