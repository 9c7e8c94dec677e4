"""A direction of a DMA engine with PYNQ's names: transfer() starts, wait() waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import errors
from ....bus import RegisterBus
from ....dma import AxiDma, Channel, Cyclic, DescriptorRing, Status, Transfer, split_runs
from ....dma.decode import has_error
from ....errors import BadArgumentError, DmaStateError, GaplessError, PynqError, UnsupportedError, WaitTimeoutError
from ....memory import Buffer, dma_memory
from ....units import format_time
from ..buffer import unsettled

#: Seconds that wait() waits unless it is told.
TIMEOUT = 10.0
#: A transfer has all the time there is, as PYNQ's has: a stream may come when the program is ready for it. Seconds.
_FOREVER = 86400.0
#: Between two looks, at first and at most (seconds).
_SHORTEST, _LONGEST = 1e-6, 1e-4
#: How many of the shortest looks the driver of an engine that is done may take to say so.
_DRIVER_LOOKS = 100

#: PYNQ's words for what an engine reports.
_WORDS: dict[type[GaplessError], str] = {
    errors.DmaInternalError: "DMA Internal Error",
    errors.DmaSlaveError: "DMA Slave Error (cannot access memory map interface)",
    errors.DmaDecodeError: "DMA Decode Error (invalid address)",
    errors.SgInternalError: "Scatter-Gather Internal Error (re-used completed descriptor)",
    errors.SgSlaveError: "Scatter-Gather Slave Error (cannot access memory map interface)",
    errors.SgDecodeError: "Scatter-Gather Decode Error (invalid descriptor address)",
}


class DMAChannel:
    """One direction of a :class:`~gapless.compat.pynq.lib.DMA`: ``sendchannel`` or ``recvchannel``.

    Source of names and behaviour: PYNQ 3, ``pynq/lib/dma.py``. What goes wrong is a PynqError, which is a
    RuntimeError, begins with PYNQ's words, and has the engine's own error as its ``__cause__``.

    Attributes:
        transferred: bytes of the last transfer, once it was waited for; fewer than asked when a packet was short.
        channel: the same channel as gapless has it.
    """

    def __init__(self, engine: AxiDma, channel: Channel, bus: RegisterBus) -> None:
        self._engine, self.channel, self._bus = engine, channel, bus
        self.transferred = 0
        self._transfer: Transfer | Cyclic | None = None
        self._ring: DescriptorRing | None = None  # of a cyclic transfer
        self._array: Buffer | None = None
        self._failure: GaplessError | None = None
        self._started, self._used = True, False

    # ---- state

    @property
    def running(self) -> bool:
        """True from ``start()`` to ``stop()`` or an error; of a scatter-gather engine, during a transfer."""
        failed = self.error
        self.settle()
        return self._transfer is not None if self._engine.spec.sg else self._started and not failed

    @property
    def halted(self) -> bool:
        """Not ``running``."""
        return not self.running

    @property
    def idle(self) -> bool:
        """True when no transfer is under way: ``transfer`` can be called, or says why not."""
        self.settle()
        if self._transfer is not None:
            self._bus.sleep(_SHORTEST)  # about what a look takes a board's processor: programs look again and again
        return self._transfer is None

    @property
    def error(self) -> bool:
        """True when the engine has stopped with an error."""
        return has_error(self.channel.status)

    def start(self) -> None:
        """Let transfers start. After an error this resets the engine; its other channel goes on.

        Raises WaitTimeoutError when the reset does not end.
        """
        self.settle()
        if self._failure is not None or self.error:
            self._engine.recover(self.channel)
        self._failure, self._started = None, True

    def stop(self) -> None:
        """End the transfer that is under way and let go of its buffer.

        In direct mode the next one needs ``start()``; a scatter-gather engine's next transfer starts it.

        Raises WaitTimeoutError when the engine does not stop.
        """
        transfer, self._started = self._transfer, self._engine.spec.sg
        try:
            if transfer is not None:
                transfer.cancel()
            if not self.error:
                self.channel.stop()
        finally:
            self._let_go()

    # ---- moving data

    def transfer(self, array: Any, start: int = 0, nbytes: int = 0, cyclic: bool = False) -> None:
        """Start to move an array, or a part of it; :meth:`wait` waits until it is done.

        A packet ends with it. More than ``buffer_max_size`` bytes in direct mode are several packets, which a native
        thread starts one after the other.

        Args:
            array: what ``allocate`` or ``cma_array`` gave, or a contiguous slice of it. It cannot be freed meanwhile.
            start: first byte of it to move.
            nbytes: how many; 0 for all from there on.
            cyclic: send it over and over until ``stop()`` (scatter-gather engines).

        Raises:
            PynqError: the channel was stopped ("DMA channel not started"), has failed, or has a transfer under way
                ("DMA channel not idle"); or the address is unaligned, and the engine built without realignment.
            BadArgumentError: the array is not in DMA memory, or has fewer bytes.
            NotContiguousError: it is strided. BufferFreedError: it was freed.
            AddressError: it is beyond the engine's addresses.
        """
        for channel in list(unsettled):  # another object may have used the engine before
            if isinstance(channel, DMAChannel) and channel._engine is self._engine:
                channel.settle()
        if self._failure is not None:
            raise PynqError(
                f"DMA channel not started: the transfer before this one failed: {_said(self._failure)}; start() makes "
                "it ready again"
            ) from self._failure
        if not self._started:
            raise PynqError(f"DMA channel not started: {self.channel.name} was stopped; call start()")
        if self._transfer is not None:
            raise PynqError(f"DMA channel not idle: {self.channel.name} has a transfer under way; wait() or stop()")
        part = _part(array, start, nbytes)
        spec = self._engine.spec
        if not spec.dre and any(address % spec.data_width for address, _ in part.runs):
            raise PynqError(
                f"DMA does not support unaligned transfers; Starting address must be aligned to {spec.data_width} "
                f"bytes, and is 0x{part.runs[0][0]:x}: {spec.name} was built without realignment"
            )
        pieces = split_runs(spec, part.runs)
        try:
            if cyclic:
                self._begin_cyclic(pieces, part)
            else:
                self._transfer = self.channel.begin(pieces, [part], timeout=_FOREVER, one_packet=True)
        except DmaStateError as error:
            words = "DMA channel not started" if self.error else "DMA channel not idle"
            raise PynqError(f"{words}: {error}") from error
        self._array, self.transferred, self._used = part, 0, True
        unsettled.add(self)

    def wait(self, timeout: float = TIMEOUT) -> None:
        """Wait until the transfer is done. At once if it was waited for before.

        Args:
            timeout: seconds of the board's time.

        Raises:
            PynqError: the engine reported an error; or no transfer was started.
            WaitTimeoutError: it goes on: wait again, or ``stop()``.
        """
        for _ in self._looks(timeout):
            pass
        self._finish()

    async def wait_async(self, timeout: float = TIMEOUT) -> None:
        """As :meth:`wait`; other coroutines run meanwhile, between looks of at most 0.1 ms."""
        for _ in self._looks(timeout):
            await asyncio.sleep(0)
        self._finish()

    def settle(self) -> None:
        """Let go of the buffer, if the transfer has ended; what went wrong is for :meth:`wait` to say."""
        transfer = self._transfer
        if isinstance(transfer, Cyclic) and transfer.ended:
            self._let_go()
        if not isinstance(transfer, Transfer):
            return
        looks = 0
        while not transfer.settle() and looks < _DRIVER_LOOKS and self.channel.status & (Status.IDLE | Status.HALTED):
            self._bus.sleep(_SHORTEST)
            looks += 1
        if transfer.settle():
            self._end(transfer)

    def _begin_cyclic(self, pieces: Any, part: Buffer) -> None:
        if not self._engine.spec.sg:
            raise UnsupportedError(f"{self.channel.name}: cyclic=True needs an engine built with scatter-gather")
        ring = DescriptorRing(part.pool, self._engine.spec, len(pieces))
        try:
            ring.link(pieces)
            part.sync_to_device()
            self._transfer = self.channel.start_cyclic(ring, [part])
        except BaseException:
            ring.free()
            raise
        self._ring = ring

    def _looks(self, timeout: float) -> Iterator[None]:
        """One after every look at which the transfer is not done."""
        transfer = self._transfer
        if transfer is None and self._failure is None and not self._used:
            raise PynqError(f"DMA transfer not started: {self.channel.name} has nothing to wait for")
        if isinstance(transfer, Cyclic):
            raise PynqError(f"{self.channel.name}: a cyclic transfer has no end to wait for; stop() ends it")
        now = begun = self._bus.time()
        pause = _SHORTEST
        while transfer is not None and not transfer.settle():
            if now - begun >= timeout:
                raise WaitTimeoutError(
                    f"{self.channel.name}: not done after {format_time(timeout)}, DMASR 0x{self.channel.status:08X}: "
                    f"the stream {'has not brought' if self.channel.receive else 'has not taken'} all of it; the "
                    "transfer goes on: wait() again, or stop()"
                )
            self._bus.sleep(min(pause, timeout))
            pause = min(2 * pause, _LONGEST)
            yield
            now = self._bus.time()

    def _finish(self) -> None:
        if isinstance(self._transfer, Transfer):
            self._end(self._transfer)
        if self._failure is not None:
            raise PynqError(_said(self._failure)) from self._failure

    def _let_go(self) -> None:
        ring, self._ring, self._transfer, self._array = self._ring, None, None, None
        unsettled.discard(self)
        if ring is not None:
            ring.free()

    def _end(self, transfer: Transfer) -> None:
        """It is done: what it moved, or why it did not."""
        array = self._array
        self._let_go()
        try:
            self.transferred = transfer.wait().nbytes
            if self.channel.receive and array is not None:
                array.sync_from_device()
        except GaplessError as error:
            self._failure = error


def _part(array: object, start: int, nbytes: int) -> Buffer:
    """The bytes from ``start`` on of an array that a device reaches."""
    memory = dma_memory(array)
    _ = memory.runs  # it says what is wrong with it
    count = nbytes or memory.nbytes - start
    if start < 0 or nbytes < 0 or count < 1 or start + count > memory.nbytes:
        raise BadArgumentError(
            f"{count} bytes from byte {start} on: the array has {memory.nbytes}, and what is behind it is others'"
        )
    if count == memory.nbytes:
        return memory
    flat: Any = memory.reshape(-1)
    part: Buffer = flat.view(np.uint8)[start : start + count]
    return part


def _said(error: GaplessError) -> str:
    words = _WORDS.get(type(error))
    return str(error) if words is None else f"{words}: {error}"
