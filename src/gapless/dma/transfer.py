"""A plan under way on one DMA channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._native import Job, LoopOptions, LoopResult, Plan
from ..errors import BusAccessError, DmaError, JobCancelledError, WaitTimeoutError
from ..memory import DmaBuffer
from ..units import format_address, format_time
from .decode import error_for_status
from .registers import DESCRIPTOR, LENGTH_MASK, DescriptorStatus, Status
from .ring import DescriptorRing

if TYPE_CHECKING:
    from .axi_dma import Channel

#: Real seconds between two looks at a job: how fast Ctrl-C and progress are.
_LOOK = 0.05


@dataclass(frozen=True)
class Moved:
    """What a transfer moved: ``pieces`` (transfers or descriptors) and ``nbytes`` in them."""

    pieces: int
    nbytes: int


class Transfer:
    """Pieces being moved by a native loop, one after the other, until :meth:`wait` returns.

    The buffers are held (they cannot be freed) until the engine has let go of them.
    """

    def __init__(
        self,
        channel: Channel,
        plan: Plan,
        options: LoopOptions,
        timeout: float,
        buffers: Sequence[DmaBuffer],
        ring: DescriptorRing | None,
        own_ring: DescriptorRing | None,
    ) -> None:
        self._channel, self._options, self._timeout, self._ring = channel, options, timeout, ring
        self._plan, self._moved = plan, Moved(0, 0)
        self._holds = ExitStack()
        if own_ring is not None:
            self._holds.callback(own_ring.free)
        if ring is not None:
            self._holds.enter_context(ring.buffer.in_use_by(channel.name))
        for buffer in buffers:
            self._holds.enter_context(buffer.in_use_by(channel.name))
        try:
            self._job: Job | None = channel._start_job(plan, options, ring)
        except BaseException:
            self._holds.close()
            raise

    @property
    def done(self) -> bool:
        """True when nothing is under way any more."""
        return self._job is None or self._job.ended

    def wait(self, progress: Callable[[int], None] | None = None) -> Moved:
        """Wait until everything was moved.

        ``progress`` is called about twenty times a second with the bytes moved so far.

        Raises the DmaError the engine reported, or WaitTimeoutError when one piece took too long; the
        channel is stopped then and the buffers are free again. Ctrl-C stops the channel, too.
        """
        try:
            while (job := self._job) is not None:
                if job.wait(_LOOK):
                    self._finish(job.result)
                if progress is not None:
                    progress(self._moved.nbytes + (0 if self._job is None else self._job.bytes))
        except BaseException:
            self.cancel()
            raise
        return self._moved

    def cancel(self) -> None:
        """Stop the channel and let go of the buffers. Harmless when it has ended."""
        if self._job is None:
            return
        self._end_job()
        self._job = None
        self._channel._quiet()
        self._release()

    # ---- for AxiDma.recover(), which has to take the engine away for a moment

    def suspend(self) -> None:
        """Stop at the end of the piece under way, as far as the engine allows, and remember the rest."""
        if self._job is None:
            return
        self._end_job()
        self._job.wait(0)
        result = self._job.result
        self._channel.stop()
        pieces, nbytes = result.transfers, result.bytes
        extra = self._finished_since(result)
        self._moved = Moved(self._moved.pieces + pieces + len(extra), self._moved.nbytes + nbytes + sum(extra))
        self._plan = self._plan.after(pieces + len(extra))

    def resume(self) -> None:
        """Go on with what :meth:`suspend` left."""
        if self._job is None:
            return
        if self._plan.size == 0:
            self._job = None
            self._release()
        else:
            self._job = self._channel._start_job(self._plan, self._options, self._ring)

    def _end_job(self) -> None:
        assert self._job is not None
        self._job.cancel()
        while not self._job.wait(_LOOK):
            pass  # ends at its next look at the bus

    def _finished_since(self, result: LoopResult) -> list[int]:
        """Bytes of the pieces that the engine completed after the loop looked last."""
        if result.outcome != "cancelled" or self._plan.size == result.transfers:
            return []
        if self._ring is None:
            status = self._channel.status
            return [self._channel._direct_length()] if status & Status.IOC else []
        words = self._ring.descriptors
        finished: list[int] = []
        for index in range(result.transfers, min(self._plan.size, result.transfers + self._ring.count)):
            word = int(words["status"][index % self._ring.count])
            if not word & DescriptorStatus.COMPLETE:
                break
            finished.append(word & LENGTH_MASK)
        return finished

    def _finish(self, result: LoopResult) -> None:
        self._job = None
        self._moved = Moved(self._moved.pieces + result.transfers, self._moved.nbytes + result.bytes)
        if result.outcome == "done":
            self._channel._ended(self)
            self._release()
            return
        try:
            raise self._error(result)
        finally:
            self._channel._quiet()
            self._release()

    def _release(self) -> None:
        self._channel._ended(self)
        self._holds.close()

    def _error(self, result: LoopResult) -> Exception:
        name = self._channel.name
        if result.outcome == "dma-error":
            return self._dma_error(result)
        if result.outcome == "timeout":
            return WaitTimeoutError(
                f"{name}: no completion within {format_time(self._timeout)} of the piece at "
                f"{format_address(result.address)} ({self._moved.pieces} pieces done, DMASR 0x{result.status:08X}): "
                "the stream has stood still, or no interrupt came; the channel was stopped"
            )
        if result.outcome == "bus-fault":
            return BusAccessError(f"{name}: {result.message}")
        return JobCancelledError(f"{name}: the transfer was cancelled after {self._moved.pieces} pieces")

    def _dma_error(self, result: LoopResult) -> DmaError:
        address = result.address
        if self._ring is not None:
            data_error = result.status & (Status.INTERNAL_ERROR | Status.SLAVE_ERROR | Status.DECODE_ERROR)
            if data_error:
                # The descriptor says where the data was to go or to come from.
                index = (result.address - self._ring.physical_address) // DESCRIPTOR.itemsize
                address = int(self._ring.descriptors["buffer"][index])
            else:
                address = self._channel.current_descriptor
        error = error_for_status(self._channel.name, result.status, address)
        return error or DmaError(f"{self._channel.name}: DMASR 0x{result.status:08X}", status=result.status)
