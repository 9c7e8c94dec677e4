"""A ring that an engine plays round and round."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from ..memory import DmaBuffer
from .ring import DescriptorRing

if TYPE_CHECKING:
    from .channel import Channel


class Cyclic:
    """Cyclic mode under way on a channel: leaving the ``with`` block, or :meth:`cancel`, stops it.

    The engine stops at the end of the descriptor it is in. Ring and buffers are held until then.
    """

    def __init__(self, channel: Channel, ring: DescriptorRing, buffers: Sequence[DmaBuffer]) -> None:
        self._channel, self._ring = channel, ring
        self._lock = channel._lock
        self._holds = ExitStack()
        self._release = weakref.finalize(self, self._holds.close)
        try:
            for buffer in (ring.buffer, *buffers):
                self._holds.enter_context(buffer.in_use_by(channel.name))
            channel._start_ring(ring)
        except BaseException:
            self._release()
            raise

    def check(self) -> None:
        """Raise the DmaError that the engine stopped with, if it did."""
        self._ring.check(self._channel.name)
        self._channel.check()

    def cancel(self) -> None:
        """Stop the channel and let go of the memory. Harmless when it was stopped."""
        with self._lock:
            if not self._release.alive:
                return
            try:
                self._channel._quiet()
            finally:
                self._channel._ended(self)
                self._release()

    @contextmanager
    def suspended(self) -> Iterator[bool]:
        """For AxiDma.recover(): inside, the engine rests; then the ring starts again with its first descriptor."""
        with self._lock:
            if not self._release.alive:
                yield True
                return
            self._channel._halt(1.0)
            yield False
            self._channel._start_ring(self._ring)

    def __enter__(self) -> Cyclic:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()
