"""Driver of the AXI DMA (PG021 v7.1): direct mode, scatter-gather and cyclic, both channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import Bus, ChannelPort, Job, LoopOptions, Plan, start_direct, start_ring
from ..boards import DmaSpec
from ..errors import BadArgumentError, DmaStateError, UnsupportedError, WaitTimeoutError
from ..memory import DmaBuffer, Pool, span
from ..units import format_time
from .decode import error_for_status, has_error
from .pieces import check_span, split
from .registers import INTERRUPTS, S2MM_BASE, THRESHOLD_SHIFT, Control, Offset, Status
from .ring import DescriptorRing
from .transfer import Moved, Transfer

#: Descriptors in the ring of a scatter-gather transfer: with pieces of 64 MiB it holds 32 GiB.
RING_DESCRIPTORS = 512
_NO_PIECES = np.zeros((0, 2), dtype=np.uint64)
#: Clocks from the LENGTH write to the stream's first word (PG021, "Latency": data read to stream valid).
_DIRECT_START_CLOCKS = 6


@dataclass(frozen=True)
class Recovery:
    """What :meth:`AxiDma.recover` did.

    Attributes:
        reset: the instance was reset (a reset takes both channels; only it clears an error).
        other_restored: the other channel was running, was taken through the reset and goes on.
        text: the same in words.
    """

    reset: bool
    other_restored: bool
    text: str


class Channel:
    """One direction of an AXI DMA instance: ``dma.mm2s`` (memory to stream) or ``dma.s2mm``."""

    def __init__(self, dma: AxiDma, *, receive: bool, interrupt: int) -> None:
        self._dma, self._bus, self._spec = dma, dma._bus, dma.spec
        self.receive, self.interrupt = receive, interrupt
        self.name = f"{dma.spec.name} {'S2MM' if receive else 'MM2S'}"
        self._base = dma.spec.base + (S2MM_BASE if receive else 0)
        self._transfer: Transfer | None = None

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
        error = error_for_status(self.name, self.status, None)
        if error is not None:
            raise error

    def stop(self, timeout: float = 0.1) -> None:
        """Clear RS and wait until Halted: what is in flight is completed (PG021, DMACR.RS).

        WaitTimeoutError when it does not halt within ``timeout`` seconds of bus time.
        """
        self._write(Offset.DMACR, self._read(Offset.DMACR) & ~(Control.RUN | Control.CYCLIC) & 0xFFFFFFFF)
        self._dma._poll(lambda: bool(self.status & Status.HALTED), timeout, f"{self.name}: Halted after RS was cleared")

    # ---- moving data

    def transfer(self, array: DmaBuffer, *, timeout: float | None = None, pool: Pool | None = None) -> Moved:
        """Move one buffer, of any size, and wait.

        Args:
            array: a contiguous DmaBuffer or slice of one, in any dtype.
            timeout: seconds of bus time for one piece; by default what 50 MB/s would take, and 0.1 s.
            pool: where descriptors are allocated (scatter-gather); by default the buffer's own pool.

        Returns how many pieces and bytes were moved; a receive channel ends early at TLAST, in the
        piece in which it comes.
        """
        return self.begin(split(self._spec, *span(array)), [array], timeout=timeout, pool=pool).wait()

    def begin(
        self,
        pieces: NDArray[np.uint64],
        buffers: Sequence[DmaBuffer],
        *,
        repeat: int = 1,
        rest: NDArray[np.uint64] = _NO_PIECES,
        timeout: float | None = None,
        software_delay: float = 0.0,
        ring: DescriptorRing | None = None,
        pool: Pool | None = None,
    ) -> Transfer:
        """Start to move ``pieces`` (uint64, shape (n, 2), rows (address, length)) ``repeat`` times, then ``rest``.

        A native thread re-arms the channel, or extends the ring by its tail, from the completion
        interrupt; the interpreter is not asked. ``buffers`` are held until it is done.
        ``software_delay`` (seconds) makes the software late at every re-arm, to see what happens.
        ``ring``: descriptors to use; by default a ring of at most :data:`RING_DESCRIPTORS` from ``pool``.
        """
        for address, nbytes in (*pieces.tolist(), *rest.tolist()):
            check_span(self._spec, address, nbytes)
            if nbytes > self._spec.max_length:
                raise BadArgumentError(
                    f"{self.name}: a piece of {nbytes} bytes does not fit the {self._spec.length_width}-bit length "
                    f"field (at most {self._spec.max_length}); the hardware would cut it silently"
                )
        plan = Plan(np.ascontiguousarray(pieces), repeat, np.ascontiguousarray(rest))
        if plan.size == 0:
            raise BadArgumentError(f"{self.name}: nothing to move")
        self._ready()
        largest = max(int(p[:, 1].max()) for p in (pieces, rest) if len(p))
        limit = timeout if timeout is not None else 0.1 + largest / 50e6
        own_ring = None
        if self._spec.sg and ring is None:
            source = pool if pool is not None else buffers[0].pool
            ring = own_ring = DescriptorRing(source, self._spec, min(plan.size, RING_DESCRIPTORS))
        options = LoopOptions(limit, software_delay, _DIRECT_START_CLOCKS / self._spec.clock)
        for buffer in buffers:
            buffer.sync_to_device()
        self._transfer = Transfer(self, plan, options, limit, buffers, ring if self._spec.sg else None, own_ring)
        return self._transfer

    def start_cyclic(self, ring: DescriptorRing) -> None:
        """Run a linked ring round and round until :meth:`stop` (scatter-gather instances).

        PG021, "Cyclic DMA Mode": Cyclic BD Enable, and a tail outside the ring. Only an error raises
        the interrupt line. The caller holds the buffers.
        """
        if not self._spec.sg:
            raise UnsupportedError(f"{self.name}: cyclic mode needs an instance built with scatter-gather")
        self._ready()
        if not self.status & Status.HALTED:
            self.stop()
        self._write_wide(Offset.CURDESC, ring.physical_address)
        threshold = 1 << THRESHOLD_SHIFT
        self._write(Offset.DMACR, Control.RUN | Control.CYCLIC | Control.ERROR_ENABLE | threshold)
        self._write_wide(Offset.TAILDESC, ring.outside)

    # ---- for Transfer

    def _start_job(self, plan: Plan, options: LoopOptions, ring: DescriptorRing | None) -> Job:
        port = ChannelPort(self._base, self.interrupt, self._spec.address_width > 32, self.receive)
        control = Control.RUN | Control.IOC_ENABLE | Control.ERROR_ENABLE | (1 << THRESHOLD_SHIFT)
        self._write(Offset.DMASR, INTERRUPTS)
        if ring is None:
            self._write(Offset.DMACR, control)
            return start_direct(self._bus, port, plan, options)
        if not self.status & Status.HALTED:
            self.stop()
        return start_ring(self._bus, port, ring.bytes, ring.physical_address, plan, control, options)

    def _direct_length(self) -> int:
        return self._read(Offset.LENGTH)

    def _ended(self, transfer: Transfer) -> None:
        if self._transfer is transfer:
            self._transfer = None

    def _quiet(self) -> None:
        """Make sure the engine touches no memory any more, whatever state it is in."""
        status = self.status
        if status & Status.HALTED:
            return
        try:
            self.stop()
        except WaitTimeoutError:
            self._dma._reset_for(self)

    def _ready(self) -> None:
        if self._transfer is not None:
            raise DmaStateError(f"{self.name}: a transfer is under way; wait for it or cancel it first")
        if has_error(self.status):
            error = error_for_status(self.name, self.status, None)
            raise DmaStateError(
                f"{self.name} is halted by an earlier error ({error}); call recover() on its DMA first",
                status=int(self.status),
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


class AxiDma:
    """One AXI DMA instance.

    Args:
        bus: the register bus it is on (the native one: streaming loops run on it without the interpreter).
        spec: how the instance was built; see :class:`~gapless.boards.DmaSpec`.
    """

    def __init__(self, bus: Bus, spec: DmaSpec) -> None:
        self._bus, self.spec = bus, spec
        self._mm2s = (
            None if spec.mm2s_interrupt is None else Channel(self, receive=False, interrupt=spec.mm2s_interrupt)
        )
        self._s2mm = None if spec.s2mm_interrupt is None else Channel(self, receive=True, interrupt=spec.s2mm_interrupt)

    def __repr__(self) -> str:
        return f"<AxiDma {self.spec.name}: {'scatter-gather' if self.spec.sg else 'direct'} mode>"

    @property
    def mm2s(self) -> Channel:
        """Memory to stream; UnsupportedError when the instance was built without."""
        return self._built(self._mm2s, "MM2S")

    @property
    def s2mm(self) -> Channel:
        """Stream to memory; UnsupportedError when the instance was built without."""
        return self._built(self._s2mm, "S2MM")

    def reset(self, timeout: float = 0.01) -> None:
        """Reset the instance, both channels of it (PG021, DMACR.Reset). Transfers under way are cancelled."""
        for channel in self._channels():
            transfer = channel._transfer
            if transfer is not None:
                transfer._end_job()
        self._soft_reset(timeout)
        for channel in self._channels():
            if channel._transfer is not None:
                channel._transfer.cancel()

    def recover(self, channel: Channel, timeout: float = 0.01) -> Recovery:
        """Bring ``channel`` back to where a transfer can start.

        Without an error no reset is needed: the channel is stopped, the other is not touched. An error
        can only be cleared by a reset, and a reset takes both channels (PG021, DMACR bit 2); if the
        other one is moving data it is stopped at the end of a piece, and started again with what was
        left. Its stream pauses for that time. On a receive channel that waits in mid-piece, what that
        piece had received is received again from the stream's present position: the text says so.
        """
        if channel._transfer is not None:
            channel._transfer.cancel()
        if not has_error(channel.status):
            channel._quiet()
            return Recovery(False, False, f"{channel.name}: stopped; no reset was needed")
        return self._reset_for(channel, timeout)

    def _reset_for(self, channel: Channel, timeout: float = 0.01) -> Recovery:
        others = [other for other in self._channels() if other is not channel and other._transfer is not None]
        for other in others:
            assert other._transfer is not None
            other._transfer.suspend()
        self._soft_reset(timeout)
        for other in others:
            assert other._transfer is not None
            other._transfer.resume()
        text = f"{channel.name}: the instance was reset, which takes both channels"
        if others:
            pause = "its stream paused meanwhile"
            if others[0].receive:
                pause += " and samples that arrived in the piece it was in may be lost"
            text += f"; {others[0].name} was moving data, was stopped and goes on: {pause}"
        return Recovery(True, bool(others), text)

    def _soft_reset(self, timeout: float) -> None:
        control = self.spec.base + Offset.DMACR
        self._bus.write32(control, Control.RESET)
        self._poll(
            lambda: not self._bus.read32(control) & Control.RESET,
            timeout,
            f"{self.spec.name}: the reset to end",
        )

    def _poll(self, ready: Any, timeout: float, what: str) -> None:
        deadline = self._bus.time() + timeout
        pause = 1e-6
        while not ready():
            if self._bus.time() >= deadline:
                raise WaitTimeoutError(f"waited {format_time(timeout)} for {what}")
            self._bus.sleep(pause)
            pause = min(2 * pause, 1e-4)

    def _channels(self) -> list[Channel]:
        return [channel for channel in (self._mm2s, self._s2mm) if channel is not None]

    def _built(self, channel: Channel | None, name: str) -> Channel:
        if channel is None:
            raise UnsupportedError(f"{self.spec.name} was built without its {name} channel")
        return channel
