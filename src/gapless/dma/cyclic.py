"""A ring that an engine plays round and round."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BoardClosedError, DmaStateError
from ..memory import Buffer
from .decode import has_error
from .registers import DESCRIPTOR_BYTES
from .ring import DescriptorRing

if TYPE_CHECKING:
    from .channel import Channel


def _let_go(held: list[ExitStack], tail: Buffer) -> None:
    while held:
        held.pop().close()
    tail.free()


class Cyclic:
    """Cyclic mode under way on a channel: leaving the ``with`` block, or :meth:`cancel`, stops it.

    The engine stops at the end of the descriptor it is in. Ring and buffers are held until then.
    """

    def __init__(self, channel: Channel, ring: DescriptorRing, buffers: Sequence[Buffer]) -> None:
        self._channel, self._ring = channel, ring
        self._lock = channel._lock
        self._held: list[ExitStack] = []  # what the engine may read, the present ring's last
        # TAILDESC is an address that no descriptor has: not of this ring, nor of one that takes its place.
        self._tail: Buffer = ring.buffer.pool.allocate(
            DESCRIPTOR_BYTES, np.uint8, align=DESCRIPTOR_BYTES, below=1 << channel._spec.address_width
        )
        self._release = weakref.finalize(self, _let_go, self._held, self._tail)
        try:
            self._hold(ring, buffers)
            channel._start_ring(ring, self._tail.physical_address)
        except BaseException:
            self._release()
            raise

    @property
    def ended(self) -> bool:
        """Whether it was stopped, by whom ever, and its memory let go."""
        return not self._release.alive

    def check(self) -> None:
        """Raise the DmaError that the engine stopped with, or BoardClosedError where that stopped it."""
        if self._channel._dma._closed:
            raise BoardClosedError(f"{self._channel.name}: the board was closed")
        self._ring.check(self._channel.name)
        self._channel.check()

    def switch(self, ring: DescriptorRing, buffers: Sequence[Buffer], timeout: float) -> None:
        """Go on with ``ring``, a linked one, at the end of the present ring; returns when it plays.

        The present ring's last descriptor is made to point to the new ring: one aligned store, so that the engine
        finds the one or the other. Descriptors that it has fetched ahead, some four of them, are played before: a
        ring of one goes round a few times more. No sample is between the two. WaitTimeoutError after ``timeout``
        seconds of bus time.
        """
        with self._lock:
            self._refuse_ended()
            self._hold(ring, buffers)
            self._ring.lead_to(ring)
            # From here on the new ring is the one that stays, whatever happens.
            self._ring = ring
        self._wait_for(ring, 0, timeout)
        with self._lock:
            for holds in self._held[:-1]:  # nothing leads there any more
                holds.close()
            del self._held[:-1]

    def finish(self, timeout: float) -> None:
        """Stop at the end of the ring, rather than at that of any descriptor; WaitTimeoutError as for a switch."""
        self._refuse_ended()
        if self._ring.count > 1:
            # The engine ends the descriptor it is in: wait until that is the last.
            self._ring.forget(self._ring.count - 2)
            self._wait_for(self._ring, self._ring.count - 2, timeout)
            with self._lock:
                self._complete_period(timeout)
        else:
            with self._lock:
                self._channel._halt(timeout)  # which takes a period, and one that was fetched ahead
        self.cancel()

    def _complete_period(self, timeout: float) -> None:
        """Halt, and where that came too late for the last descriptor, play from there to the end of the ring.

        The converter lives on the FIFO meanwhile.
        """
        self._refuse_ended()
        last = self._ring.count - 1
        if not self._channel._halt(timeout):
            return  # cancel() knows what to do
        halted_at = self._ring.index_of(self._channel.current_descriptor)
        if halted_at == last:
            return
        for index in range(halted_at + 1, last + 1):
            self._ring.forget(index)
        self._channel._end_ring(self._ring, halted_at + 1)
        self._wait_for(self._ring, last, timeout)

    def _wait_for(self, ring: DescriptorRing, index: int, timeout: float) -> None:
        name = f"{self._channel.name}: descriptor {index} of the ring to be complete"
        done = ring.address_of(index)
        self._channel._dma._poll(lambda: ring.complete(done) or has_error(self._channel.status), timeout, name)
        self.check()

    def _hold(self, ring: DescriptorRing, buffers: Sequence[Buffer]) -> None:
        with ExitStack() as holds:
            for buffer in (ring.buffer, *buffers):
                holds.enter_context(buffer.in_use_by(self._channel.name))
            self._held.append(holds.pop_all())

    def _refuse_ended(self) -> None:
        if self.ended:
            raise DmaStateError(f"{self._channel.name}: the ring was stopped")

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
            self._channel._start_ring(self._ring, self._tail.physical_address)

    def __enter__(self) -> Cyclic:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()
