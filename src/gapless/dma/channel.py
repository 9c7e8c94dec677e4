"""One direction of an AXI DMA instance: direct mode, scatter-gather and cyclic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._native import BlockQueue, ChannelPort, Job, LoopOptions, Plan, Scheduling, start_direct, start_ring
from ..errors import BadArgumentError, BoardClosedError, DmaStateError, UnsupportedError, WaitTimeoutError
from ..memory import Buffer, Pool, dma_memory
from .cyclic import Cyclic
from .decode import error_for_status, has_error
from .pieces import check_span, split_runs
from .registers import INTERRUPTS, S2MM_BASE, THRESHOLD_SHIFT, Control, Offset, Status
from .ring import DescriptorRing
from .transfer import Moved, Transfer
from .work import PlanWork, QueueWork

if TYPE_CHECKING:
    from .axi_dma import AxiDma

#: Descriptors in the ring of a scatter-gather transfer: with pieces of 64 MiB it holds 32 GiB.
RING_DESCRIPTORS = 512
#: Where no interrupt tells of each descriptor, look at least this often at first (seconds).
_SHORTEST_POLL = 10e-6
_NO_PIECES = np.zeros((0, 2), dtype=np.uint64)
#: Clocks from the LENGTH write to the stream's first word (PG021, "Latency": data read to stream valid).
_DIRECT_START_CLOCKS = 6


class Channel:
    """One direction of an AXI DMA instance: ``dma.mm2s`` (memory to stream) or ``dma.s2mm``."""

    def __init__(self, dma: AxiDma, *, receive: bool, interrupt: int) -> None:
        self._dma, self._bus, self._spec = dma, dma._bus, dma.spec
        self.receive, self.interrupt = receive, interrupt
        self.name = f"{dma.spec.name} {'S2MM' if receive else 'MM2S'}"
        self._base = dma.spec.base + (S2MM_BASE if receive else 0)
        self._lock = dma._lock
        self._transfer: Transfer | Cyclic | None = None

    # ---- state

    @property
    def status(self) -> Status:
        """DMASR, read now."""
        return Status(self._read(Offset.DMASR) & 0x777B)

    @property
    def current_descriptor(self) -> int:
        """CURDESC: the descriptor the engine is at (scatter-gather instances)."""
        return self._read_wide(Offset.CURDESC)

    @property
    def busy(self) -> bool:
        """True while a transfer is under way."""
        return self._transfer is not None

    def check(self) -> None:
        """Raise the DmaError that DMASR reports, if it reports one."""
        status = self.status
        if not has_error(status):
            return
        where = self.current_descriptor if self._spec.sg else self._read_wide(Offset.ADDRESS)
        error = error_for_status(self.name, status, where)
        if error is not None:
            raise error

    def stop(self, timeout: float = 0.1) -> None:
        """Clear RS and wait until Halted: what is in flight is completed (PG021, DMACR.RS).

        WaitTimeoutError when it does not halt within ``timeout`` seconds of bus time.
        """
        control = self._read(Offset.DMACR) & ~Control.RUN & 0xFFFFFFFF
        self._write(Offset.DMACR, control)
        self._dma._poll(lambda: bool(self.status & Status.HALTED), timeout, f"{self.name}: Halted after RS was cleared")
        if control & Control.CYCLIC:  # must not change while the channel runs (PG021, DMACR bit 4)
            self._write(Offset.DMACR, control & ~Control.CYCLIC)

    # ---- moving data

    def transfer(self, array: Buffer, *, timeout: float | None = None, pool: Pool | None = None) -> Moved:
        """Move one buffer, of any size, and wait.

        A scatter-gather engine sends it as one packet, with TLAST at its end; in direct mode every piece
        of it is a packet, because such an engine sets TLAST at the end of each transfer.

        Args:
            array: a contiguous buffer or slice of one, in any dtype; in one run of physical addresses or several.
            timeout: seconds of bus time for one piece; by default what 50 MB/s would take, and 0.1 s.
            pool: where descriptors are allocated (scatter-gather); by default the buffer's own pool.

        Returns how many pieces and bytes were moved: a receive channel ends early when TLAST comes
        before a piece is full.
        """
        pieces = split_runs(self._spec, dma_memory(array).runs)
        moved = self.begin(pieces, [array], timeout=timeout, pool=pool, one_packet=True).wait()
        if self.receive:
            array.sync_from_device()
        return moved

    def begin(
        self,
        pieces: NDArray[np.uint64],
        buffers: Sequence[Buffer],
        *,
        repeat: int = 1,
        rest: NDArray[np.uint64] = _NO_PIECES,
        timeout: float | None = None,
        software_delay: float = 0.0,
        pool: Pool | None = None,
        one_packet: bool = False,
    ) -> Transfer:
        """Start to move ``pieces`` (uint64, shape (n, 2), rows (address, length)) ``repeat`` times, then ``rest``.

        A native thread re-arms the channel, or extends the ring by its tail, from the completion
        interrupt; the interpreter is not asked. ``buffers`` are held until it is done.
        ``timeout``: seconds of bus time for one piece. ``software_delay`` (seconds) makes the software late
        at every re-arm, to see what happens. Scatter-gather: a ring of at most :data:`RING_DESCRIPTORS`
        descriptors is allocated from ``pool``, by default that of the first buffer; ``one_packet``: they
        are one packet, else each is one.
        """
        for some in (pieces, rest):
            self._check_pieces(some)
        plan = Plan(np.ascontiguousarray(pieces), repeat, np.ascontiguousarray(rest), one_packet)
        if plan.size == 0:
            raise BadArgumentError(f"{self.name}: nothing to move")
        largest = max(int(some[:, 1].max()) for some in (pieces, rest) if len(some))
        limit = timeout if timeout is not None else 0.1 + largest / 50e6
        self._check_timeout(limit)
        # A descriptor that ends no packet, as any may when receiving, raises no interrupt.
        fastest = largest / (self._spec.data_width * self._spec.clock)
        poll = max(_SHORTEST_POLL, fastest) if self._spec.sg and (self.receive or one_packet) else 0.0
        options = LoopOptions(limit, software_delay, _DIRECT_START_CLOCKS / self._spec.clock, poll)
        with self._lock:
            self._ready()
            for buffer in buffers:
                buffer.sync_to_device()
            ring = None
            if self._spec.sg:
                if pool is None and not buffers:
                    raise BadArgumentError(f"{self.name}: no pool to allocate descriptors from")
                source = pool if pool is not None else buffers[0].pool
                ring = DescriptorRing(source, self._spec, min(plan.size, RING_DESCRIPTORS))
            self._transfer = transfer = Transfer(self, PlanWork(plan), options, limit, buffers, ring)
        return transfer

    def stream(
        self,
        queue: BlockQueue,
        count: int,
        buffer: Buffer,
        *,
        timeout: float,
        software_delay: float = 0.0,
        pool: Pool | None = None,
        scheduling: Scheduling | None = None,
    ) -> Transfer:
        """Start to move the blocks that ``queue`` is given, until it is closed.

        Scatter-gather: the ring of ``count`` descriptors is extended by its tail while it runs. Direct mode: a
        native thread re-arms the channel. Each block is a packet. ``buffer`` is where all the ``count`` blocks
        are, and is held until the transfer has ended; ``scheduling`` is for the native thread. The rest is as
        for :meth:`begin`.
        """
        self._check_timeout(timeout)
        options = LoopOptions(timeout, software_delay, _DIRECT_START_CLOCKS / self._spec.clock, 0.0)
        with self._lock:
            self._ready()
            ring = DescriptorRing(pool or buffer.pool, self._spec, count) if self._spec.sg else None
            work = QueueWork(queue)
            self._transfer = transfer = Transfer(self, work, options, timeout, [buffer], ring, scheduling)
        return transfer

    def start_cyclic(self, ring: DescriptorRing, buffers: Sequence[Buffer]) -> Cyclic:
        """Run a linked ring round and round until it is stopped (scatter-gather instances).

        PG021, "Cyclic DMA Mode": Cyclic BD Enable, and a tail outside the ring. Only an error raises
        the interrupt line. ``buffers`` are held until it is stopped.
        """
        if not self._spec.sg:
            raise UnsupportedError(f"{self.name}: cyclic mode needs an instance built with scatter-gather")
        with self._lock:
            self._ready()
            self._transfer = cyclic = Cyclic(self, ring, buffers)
        return cyclic

    # ---- for Transfer and Cyclic

    def _start_job(
        self, moved: Plan | BlockQueue, options: LoopOptions, ring: DescriptorRing | None, scheduling: Scheduling
    ) -> Job:
        port = ChannelPort(self._base, self.interrupt, self._spec.address_width > 32, self.receive)
        control = Control.RUN | Control.IOC_ENABLE | Control.ERROR_ENABLE | (1 << THRESHOLD_SHIFT)
        self._write(Offset.DMASR, INTERRUPTS)
        if ring is None:
            self._write(Offset.DMACR, control)
            return start_direct(self._bus, port, moved, options, scheduling)
        self._halt(0.1)
        return start_ring(
            self._bus,
            port,
            ring.bytes,
            ring.physical_address,
            moved,
            control,
            options,
            scheduling,
            ring.buffer.access,
        )

    def _start_ring(self, ring: DescriptorRing, tail: int) -> None:
        self._halt(0.1)
        self._write(Offset.DMASR, INTERRUPTS)
        self._write_wide(Offset.CURDESC, ring.physical_address)
        # Cyclic BD Enable before RS: it must not change while the channel runs (PG021, DMACR bit 4).
        control = Control.CYCLIC | Control.ERROR_ENABLE | (1 << THRESHOLD_SHIFT)
        self._write(Offset.DMACR, control)
        self._write(Offset.DMACR, control | Control.RUN)
        self._write_wide(Offset.TAILDESC, tail)

    def _end_ring(self, ring: DescriptorRing, first: int) -> None:
        """From descriptor ``first`` of a ring, which the halted channel had, to its last, and no further."""
        self._write_wide(Offset.CURDESC, ring.address_of(first))
        self._write(Offset.DMACR, Control.RUN | Control.ERROR_ENABLE | (1 << THRESHOLD_SHIFT))
        self._write_wide(Offset.TAILDESC, ring.address_of(ring.count - 1))

    def _direct_length(self) -> int:
        return self._read(Offset.LENGTH)

    def _ended(self, transfer: Transfer | Cyclic) -> None:
        if self._transfer is transfer:
            self._transfer = None

    def _halt(self, timeout: float) -> bool:
        """Stop, and say whether it did within ``timeout`` seconds."""
        if not self.status & Status.HALTED:
            try:
                self.stop(timeout)
            except WaitTimeoutError:
                return False
        return True

    def _quiet(self, timeout: float = 0.1) -> str:
        """Make sure the engine touches no memory any more, whatever state it is in; say how in words."""
        if self._halt(timeout):
            return "the channel was stopped"
        return self._dma._reset_for(self).text

    def _check_timeout(self, timeout: float) -> None:
        if not 0 < timeout < math.inf:
            raise BadArgumentError(f"{self.name}: timeout={timeout!r}; it is in seconds, above 0")

    def _check_pieces(self, pieces: NDArray[np.uint64]) -> None:
        if not len(pieces):
            return
        longest = int(pieces[:, 1].max())
        if longest > self._spec.max_length:
            raise BadArgumentError(
                f"{self.name}: a piece of {longest} bytes does not fit the {self._spec.length_width}-bit length "
                f"field (at most {self._spec.max_length}); the hardware would cut it silently"
            )
        # The worst of them for each rule stands for all; a last byte beyond 64 bits wraps.
        last = pieces[:, 0] + pieces[:, 1] - np.uint64(1)
        worst = [int(np.argmin(pieces[:, 1])), int(np.argmax(last)), int(np.argmax(last < pieces[:, 0]))]
        worst.append(int(np.argmax(pieces[:, 0] % self._spec.data_width)))
        for address, nbytes in pieces[worst].tolist():
            check_span(self._spec, address, nbytes)

    def _ready(self) -> None:
        self._dma._starting(self._dma)
        if self._dma._closed:
            raise BoardClosedError(f"{self.name}: the board was closed")
        if self._transfer is not None:
            raise DmaStateError(f"{self.name}: a transfer is under way; wait for it or cancel it first")
        status = self.status
        if has_error(status):
            error = error_for_status(self.name, status, None)
            raise DmaStateError(
                f"{self.name} is halted by an earlier error ({error}); call recover() on its DMA first",
                status=int(status),
            )

    def _read(self, offset: int) -> int:
        return self._bus.read32(self._base + offset)

    def _write(self, offset: int, value: int) -> None:
        self._bus.write32(self._base + offset, int(value))

    def _read_wide(self, offset: int) -> int:
        upper = self._read(offset + 4) if self._spec.address_width > 32 else 0
        return upper << 32 | self._read(offset)

    def _write_wide(self, offset: int, value: int) -> None:
        # The lower half goes last: it is the one that starts something.
        if self._spec.address_width > 32:
            self._write(offset + 4, value >> 32)
        self._write(offset, value & 0xFFFFFFFF)
