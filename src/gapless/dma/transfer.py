"""A plan under way on one DMA channel."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._native import Job, LoopOptions, LoopResult, Scheduling
from ..errors import BusAccessError, DmaError, JobCancelledError, WaitTimeoutError
from ..memory import Buffer
from ..units import format_address, format_time
from .decode import error_for_status
from .registers import LENGTH_MASK, DescriptorStatus, Status
from .ring import DescriptorRing
from .work import Work

if TYPE_CHECKING:
    from .channel import Channel

#: Real seconds between two looks at a job: how fast Ctrl-C and progress are.
_LOOK = 0.05


@dataclass(frozen=True)
class Moved:
    """What a transfer moved: ``pieces`` (transfers or descriptors) and ``nbytes`` in them."""

    pieces: int
    nbytes: int


def _abandon(jobs: list[Job], holds: ExitStack, waiting: list[int]) -> None:
    for job in jobs:
        job.cancel()
    if not waiting:  # else that thread, when it sees the end, lets go
        jobs.clear()
        holds.close()


class Transfer:
    """Pieces being moved by a native loop, one after the other, until :meth:`wait` returns.

    The buffers are held (they cannot be freed) until the engine has let go of them. Any thread may call
    any method.

    Attributes:
        rearm_longest: bus seconds from a completion to the start of the next piece, the longest so far (direct
            mode); known when it has ended.
        refused: what the system refused of the scheduling asked for; known when it has ended.
    """

    def __init__(
        self,
        channel: Channel,
        work: Work,
        options: LoopOptions,
        timeout: float,
        buffers: Sequence[Buffer],
        ring: DescriptorRing | None,
        scheduling: Scheduling | None = None,
    ) -> None:
        self._channel, self._options, self._timeout, self._ring = channel, options, timeout, ring
        self._scheduling = scheduling or Scheduling()
        self._work, self._moved = work, Moved(0, 0)
        self.rearm_longest = 0.0
        self.refused = ""
        self._error: Exception | None = None
        self._lock = channel._lock
        self._jobs: list[Job] = []  # one, or none once it has ended
        self._holds = ExitStack()
        # For who forgets the transfer, or leaves the interpreter: the native thread must not go on.
        self._waiting: list[int] = []  # threads
        self._finalizer = weakref.finalize(self, _abandon, self._jobs, self._holds, self._waiting)
        try:
            if ring is not None:
                self._holds.callback(ring.free)
                self._holds.enter_context(ring.buffer.in_use_by(channel.name))
            for buffer in buffers:
                self._holds.enter_context(buffer.in_use_by(channel.name))
            self._jobs.append(self._start_job())
        except BaseException:
            self._finalizer()
            raise

    def _start_job(self) -> Job:
        return self._channel._start_job(self._work.native, self._options, self._ring, self._scheduling)

    @property
    def done(self) -> bool:
        """True when nothing is under way any more."""
        with self._lock:
            return all(job.ended for job in self._jobs)

    def settle(self) -> bool:
        """If it has ended, let go of the buffers and say so; :meth:`wait` then returns, or raises, at once.

        For who looks now and then and does something else meanwhile. Unlike a wait it holds the others on the
        board's clock back all the time.
        """
        with self._lock:
            if self._jobs and self._jobs[0].ended:
                self._settle(self._jobs[0].result)
            return not self._jobs

    def wait(self, progress: Callable[[int], None] | None = None) -> Moved:
        """Wait until everything was moved, or TLAST came before a piece was full (a receive channel).

        ``progress`` is called about twenty times a second, and at the end, with the bytes moved so far.

        Raises the DmaError the engine reported, WaitTimeoutError when one piece took too long, or
        JobCancelledError when somebody cancelled it; the channel is stopped then and the buffers are
        free again. Ctrl-C stops the channel, too.
        """
        self._waiting.append(threading.get_ident())
        try:
            while not self._look():
                if progress is not None:
                    progress(self._bytes())
            if progress is not None and self._error is None:
                progress(self._moved.nbytes)
        except BaseException:
            self.cancel()
            raise
        finally:
            self._waiting.remove(threading.get_ident())
        if self._error is not None:
            raise self._error
        return self._moved

    def cancel(self) -> None:
        """Stop the channel and let go of the buffers. Harmless when it has ended."""
        with self._lock:
            if self._jobs:
                self._jobs[0].cancel()
                self._settle(self._jobs[0].result)

    @contextmanager
    def suspended(self) -> Iterator[bool]:
        """For AxiDma.recover(), which has to take the engine away: inside, the engine rests; then it goes on.

        It is stopped at the end of the piece under way. Gives False when it had to stop inside one, because
        the stream stood still: that piece is moved again from its start.
        """
        with self._lock:
            if self._jobs:
                self._jobs[0].cancel()
                if self._jobs[0].result.outcome != "cancelled":  # it had ended by itself
                    self._settle(self._jobs[0].result)
            if not self._jobs:
                yield True
                return
            result = self._jobs[0].result
            halted = self._channel._halt(self._timeout)
            finished = self._finished_since(result)
            clean = halted and (
                bool(finished) if self._ring is None else self._ring.complete(self._channel.current_descriptor)
            )
            self._count(result.transfers + len(finished), result.bytes + sum(finished))
            try:
                yield clean
                self._work = self._work.after(result.transfers + len(finished))
                if not self._work.finished:
                    self._jobs[0] = self._start_job()
            except BaseException:
                self._error = JobCancelledError(f"{self._channel.name}: the engine could not be started again")
                self._release()
                raise
            if self._work.finished:
                self._release()

    # ---- what has become of it

    def _look(self) -> bool:
        # The job is in this frame only: it holds the ring's memory, and tracebacks hold frames.
        job = next(iter(self._jobs), None)
        if job is not None and job.wait(_LOOK):
            with self._lock:
                if job in self._jobs:  # else it was suspended, and goes on as another job
                    self._settle(job.result)
        return not self._jobs

    def _bytes(self) -> int:
        with self._lock:
            return self._moved.nbytes + sum(job.bytes for job in self._jobs)

    def _count(self, pieces: int, nbytes: int) -> None:
        self._moved = Moved(self._moved.pieces + pieces, self._moved.nbytes + nbytes)

    def _finished_since(self, result: LoopResult) -> list[int]:
        """Bytes of the pieces that the engine completed after the loop looked last."""
        if self._ring is None:
            return [self._channel._direct_length()] if self._channel.status & Status.IOC else []
        words = self._ring.descriptors["status"]
        finished: list[int] = []
        for index in range(result.transfers, min(self._work.size, result.transfers + self._ring.count)):
            word = int(words[index % self._ring.count])
            if not word & DescriptorStatus.COMPLETE:
                break
            finished.append(word & LENGTH_MASK)
        return finished

    def _settle(self, result: LoopResult) -> None:
        """The loop has ended, and does not go on."""
        self._count(result.transfers, result.bytes)
        self.rearm_longest = max(self.rearm_longest, result.rearm_longest)
        try:
            if result.outcome != "done":
                self._error = self._why(result)
            elif result.transfers < self._work.size:
                self._channel._quiet()  # TLAST came early: descriptors are left
        finally:
            self._release()
            self._work.end(result.transfers)

    def _release(self) -> None:
        self.refused = next((job.refused for job in self._jobs), "")
        self._jobs.clear()
        self._channel._ended(self)
        self._finalizer.detach()
        self._holds.close()

    def _why(self, result: LoopResult) -> Exception:
        if result.outcome == "dma-error":
            return self._dma_error(result)
        name, pieces = self._channel.name, self._moved.pieces
        # A piece that was cancelled may take its time; one that timed out had it.
        after = self._channel._quiet(min(1.0, self._timeout) if result.outcome == "cancelled" else 0.1)
        if result.outcome == "timeout":
            what = "piece" if self._ring is None else "descriptor"
            return WaitTimeoutError(
                f"{name}: no completion within {format_time(self._timeout)} of the {what} at "
                f"{format_address(result.address)} ({pieces} done before, {self._work.size - result.transfers} left, "
                f"DMASR 0x{result.status:08X}): the stream has stood still; {after}"
            )
        if result.outcome == "bus-fault":
            return BusAccessError(f"{name}: {result.message}")
        return JobCancelledError(f"{name}: the transfer was cancelled after {pieces} pieces")

    def _dma_error(self, result: LoopResult) -> DmaError:
        if self._ring is None:
            error = error_for_status(self._channel.name, result.status, result.address)
        elif result.status & (Status.INTERNAL_ERROR | Status.SLAVE_ERROR | Status.DECODE_ERROR):
            # The descriptor says where the data was to go or to come from.
            error = error_for_status(
                self._channel.name, result.status, self._ring.buffer_of(result.address), descriptor=result.address
            )
        else:
            error = error_for_status(self._channel.name, result.status, self._channel.current_descriptor)
        return error or DmaError(f"{self._channel.name}: DMASR 0x{result.status:08X}", status=result.status)
