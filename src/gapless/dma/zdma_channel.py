"""One ZDMA channel: registers, start, wait, stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from ..boards import ZdmaSpec
from ..bus import RegisterBus
from ..errors import BadArgumentError, DmaError, DmaStateError, WaitTimeoutError
from ..memory import DmaBuffer, Pool
from ..units import format_address, format_size, format_time
from .zdma_errors import error_for_events
from .zdma_lists import PIECE_BYTES, Run, cut, linked_list, overlap, runs_of, total
from .zdma_registers import (
    CTRL1_AT_RESET,
    DATA_ATTR_AT_RESET,
    DESCRIPTOR_BYTES,
    DSCR_ATTR_AT_RESET,
    ENABLE,
    ERRORS,
    EVERY_EVENT,
    MAX_LENGTH,
    Control,
    Event,
    Offset,
    State,
)

#: Bytes per second that the default time-out expects at least, and seconds besides.
_SLOWEST, _SPARE = 50e6, 0.1
#: Seconds that a channel takes to stop at most: it ends the bursts it has under way.
_STOP_TIMEOUT = 0.1
#: Seconds of bus time between two looks at ISR, first and at most: an interrupt may get lost.
_FIRST_LOOK, _LAST_LOOK = 1e-3, 0.1
_TOTAL_BYTE_MASK = (1 << 32) - 1


@dataclass(frozen=True)
class Copied:
    """What a ZDMA transfer did.

    Attributes:
        bytes: moved.
        seconds: of bus time, from the start to the end seen.
        channel: the name of the channel.
        mode: ``"simple"`` (one stretch to one stretch, by registers), ``"sg"`` (lists of descriptors) or ``"fill"``.
        pieces: that the longer of the two sides was cut into.
    """

    bytes: int
    seconds: float
    channel: str
    mode: str
    pieces: int

    @property
    def rate(self) -> float:
        """Bytes per second of bus time."""
        return self.bytes / self.seconds if self.seconds > 0 else math.inf


class ZdmaChannel:
    """A channel of the PS's DMA controllers, GDMA or ADMA.

    Args:
        bus: the register bus it is on.
        spec: where it is and how wide.
        claim: called with the channel before it is used, and with the function it returns when it is free
            again; it waits until no one else uses the channel. See :class:`~gapless.dma.Zdma`.
        pool: where lists of descriptors are allocated unless another one is named.
    """

    def __init__(
        self, bus: RegisterBus, spec: ZdmaSpec, claim: Callable[[ZdmaChannel], Callable[[], None]], pool: Pool | None
    ) -> None:
        self._bus, self.spec, self._claim, self._pool = bus, spec, claim, pool
        self.name = spec.name
        self._running = False
        self._held = ExitStack()  # of a transfer that could not be stopped

    def __repr__(self) -> str:
        return f"<ZDMA channel {self.name} at {format_address(self.spec.base)}>"

    # ---- state

    @property
    def state(self) -> State:
        """STATUS, read now."""
        return State(self._read(Offset.STATUS) & 3)

    @property
    def events(self) -> Event:
        """ISR, read now."""
        return Event(self._read(Offset.ISR) & EVERY_EVENT)

    def stop(self, timeout: float = _STOP_TIMEOUT) -> None:
        """Stop whatever the channel does, also for a program that is gone, and clear what it reported.

        Returns when the channel touches no memory any more: bursts under way are ended (UG1085, "Channel
        Disabled"). WaitTimeoutError after ``timeout`` seconds of bus time.
        """
        self._write(Offset.IDS, EVERY_EVENT)
        self._write(Offset.CTRL2, 0)
        if self.state is State.PAUSED or self.events & Event.PAUSED:
            # A paused channel leaves that state when it is told to go on without being enabled.
            self._write(Offset.CTRL0, Control.OVERFETCH | Control.CONTINUE)
        deadline, pause = self._bus.time() + timeout, 1e-6
        while self.state is State.BUSY:
            if self._bus.time() >= deadline:
                raise WaitTimeoutError(
                    f"{self.name}: waited {format_time(timeout)} for the channel to stop after CTRL2.EN was "
                    f"cleared; {self._where()}"
                )
            self._bus.sleep(pause)
            pause = min(2 * pause, 1e-4)
        self._write(Offset.CTRL0, Control.OVERFETCH)
        self._write(Offset.ISR, EVERY_EVENT)
        self._running = False
        self._held.close()

    # ---- moving data

    def copy(self, src: DmaBuffer, dst: DmaBuffer, *, timeout: float | None = None, pool: Pool | None = None) -> Copied:
        """Copy ``src`` to ``dst``, and wait. Arguments, errors and result as for :meth:`~gapless.dma.Zdma.copy`."""
        source, destination = runs_of(src), runs_of(dst)
        nbytes = total(source)
        if nbytes != total(destination):
            raise BadArgumentError(
                f"{self.name}: {nbytes} bytes cannot be copied to {total(destination)} bytes: give slices of one length"
            )
        common = overlap(source, destination)
        if common is not None:
            raise BadArgumentError(
                f"{self.name}: source and destination overlap at {format_address(common)}: ZDMA keeps no order "
                "in which it moves bytes"
            )
        _check_timeout(self.name, timeout)
        with self._holding() as stack:
            stack.enter_context(src.in_use_by(self.name))
            stack.enter_context(dst.in_use_by(self.name))
            src.sync_to_device()
            dst.sync_to_device()  # a line of it that is written back later would overwrite what arrives
            self._prepare()
            if len(source) == len(destination) == 1 and nbytes <= MAX_LENGTH:
                self._describe(Offset.SRC_WORD0, source[0])
                self._describe(Offset.DST_WORD0, destination[0])
                control, pieces = Control.OVERFETCH, 1
            else:
                lists = cut(source), cut(destination)
                table = stack.enter_context(self._lists(*lists, pool or self._pool or src.pool))
                stack.enter_context(table.in_use_by(self.name))
                control, pieces = Control.OVERFETCH | Control.SCATTER_GATHER, max(map(len, lists))
            seconds = self._run(control, nbytes, timeout, source[0][0], destination[0][0])
            dst.sync_from_device()
        return Copied(nbytes, seconds, self.name, "sg" if control & Control.SCATTER_GATHER else "simple", pieces)

    def fill(self, dst: DmaBuffer, pattern: bytes, *, timeout: float | None = None) -> Copied:
        """Write ``pattern`` over and over into ``dst``, and wait (UG1085, "Simple DMA": write-only mode).

        Args:
            dst: a contiguous buffer or slice; its address is a multiple of the pattern's length.
            pattern: 1, 2, 4 or 8 bytes, or 16 on a 128-bit channel (GDMA).
            timeout: seconds of bus time in all; by default what 50 MB/s would take, and 0.1 s.

        A stretch beyond 512 MiB is written in several transfers, one after the other.
        """
        width = self.spec.bus_width // 8
        if not pattern or width % len(pattern):
            raise BadArgumentError(
                f"{self.name}: a pattern of {len(pattern)} bytes; the channel repeats its {width}-byte word, so "
                f"a pattern has {', '.join(str(1 << n) for n in range(width.bit_length()))} bytes"
            )
        pieces = cut(runs_of(dst))
        for address, _ in pieces:
            if address % len(pattern):
                raise BadArgumentError(
                    f"{self.name}: {format_address(address)} is not a multiple of the pattern's {len(pattern)} bytes"
                )
        _check_timeout(self.name, timeout)
        nbytes, seconds = total(pieces), 0.0
        with self._holding() as stack:
            stack.enter_context(dst.in_use_by(self.name))
            dst.sync_to_device()
            self._prepare()
            words = np.frombuffer(pattern * (16 // len(pattern)), dtype="<u4").tolist()
            for number, word in enumerate(words):
                self._write(Offset.WR_ONLY_WORD0 + 4 * number, word)
            for piece in pieces:
                self._describe(Offset.SRC_WORD0, piece)
                self._describe(Offset.DST_WORD0, piece)
                left = None if timeout is None else max(0.0, timeout - seconds)
                seconds += self._run(Control.OVERFETCH | Control.WRITE_ONLY, piece[1], left, None, piece[0])
            dst.sync_from_device()
        return Copied(nbytes, seconds, self.name, "fill", len(pieces))

    @contextmanager
    def _holding(self) -> Iterator[ExitStack]:
        """What is entered into the stack is left when the channel touches it no more."""
        with ExitStack() as claim:
            claim.callback(self._claim(self))
            stack = ExitStack()
            try:
                yield stack
            finally:
                if self._running:  # it would not stop: better memory that is lost than memory that changes
                    self._held.push(stack)
                else:
                    stack.close()

    def _prepare(self) -> None:
        """Bring the channel to where a transfer can start, whoever used it before."""
        if self._read(Offset.CTRL2) & ENABLE or self.state in (State.BUSY, State.PAUSED):
            self.stop()
        self._write(Offset.CTRL0, Control.OVERFETCH)
        self._write(Offset.CTRL1, CTRL1_AT_RESET)
        self._write(Offset.DATA_ATTR, DATA_ATTR_AT_RESET)
        self._write(Offset.DSCR_ATTR, DSCR_ATTR_AT_RESET)

    def _describe(self, register: Offset, piece: Run) -> None:
        self._write_wide(register, piece[0])
        self._write(register + 8, piece[1])
        self._write(register + 12, 0)

    def _lists(self, source: Sequence[Run], destination: Sequence[Run], pool: Pool) -> DmaBuffer:
        nbytes = (len(source) + len(destination)) * DESCRIPTOR_BYTES
        buffer = pool.allocate(nbytes, np.uint8, align=64)
        (address, _), *rest = runs_of(buffer)
        if rest:
            buffer.free()
            raise BadArgumentError(
                f"{self.name}: {format_size(nbytes)} of descriptors are not in one stretch in {pool.name}: name another "
                "pool for them"
            )
        second = address + len(source) * DESCRIPTOR_BYTES
        table = np.concatenate([linked_list(source, address), linked_list(destination, second)]).view(np.uint8)
        write = getattr(buffer, "write", None)  # device memory takes only whole aligned copies
        if write is None:
            np.asarray(buffer)[:] = table
        else:
            write(table)
        buffer.sync_to_device()
        self._write_wide(Offset.SRC_START, address)
        self._write_wide(Offset.DST_START, second)
        return buffer

    def _run(self, control: Control, nbytes: int, timeout: float | None, source: int | None, destination: int) -> float:
        """Start what the registers describe, wait for its end and return the seconds of bus time it took."""
        limit = _SPARE + nbytes / _SLOWEST if timeout is None else timeout
        self._write(Offset.ISR, EVERY_EVENT)
        self._write(Offset.TOTAL_BYTE, _TOTAL_BYTE_MASK)  # written ones clear
        self._read(Offset.IRQ_SRC_ACCT)  # reading clears
        self._read(Offset.IRQ_DST_ACCT)
        self._write(Offset.CTRL0, control)
        self._write(Offset.IEN, ERRORS | Event.DONE)
        began, self._running = self._bus.time(), True
        try:
            self._write(Offset.CTRL2, ENABLE)
            events = self._wait(began, limit, nbytes)
        except BaseException:
            self.stop()
            raise
        self._running = False
        seconds = self._bus.time() - began
        self._write(Offset.IDS, EVERY_EVENT)
        self._write(Offset.ISR, EVERY_EVENT)
        error = error_for_events(self.name, events, source, destination)
        if error is not None:
            self.stop()
            raise error
        moved = self._read(Offset.TOTAL_BYTE)
        if moved != nbytes & _TOTAL_BYTE_MASK:
            raise DmaError(
                f"{self.name}: done, but it counted {moved} bytes of {nbytes} (modulo 4 GiB)", status=int(events)
            )
        return seconds

    def _wait(self, began: float, limit: float, nbytes: int) -> Event:
        pause, idle = _FIRST_LOOK, 0
        while True:
            left = began + limit - self._bus.time()
            # ISR decides: an interrupt that got lost on its way is no time-out.
            self._bus.wait_interrupt(self.spec.interrupt, max(0.0, min(pause, left)))
            events = self.events
            if events & ERRORS or (events & Event.DONE and self.state is not State.BUSY):
                return events
            if events & Event.PAUSED:
                raise DmaStateError(f"{self.name}: paused, by a descriptor that is not ours; {self._where()}")
            # DMA_DONE may come right after the state, so one look is no proof.
            idle = idle + 1 if self.state is State.IDLE and not events else 0
            if idle > 1:
                raise DmaStateError(f"{self.name}: stopped by somebody else before its end; {self._where()}")
            if left <= 0:
                raise WaitTimeoutError(
                    f"{self.name}: waited {format_time(limit)} for DMA_DONE of {format_size(nbytes)}; {self._where()}"
                )
            pause = min(2 * pause, _LAST_LOOK)

    def _where(self) -> str:
        return (
            f"ISR 0x{self._read(Offset.ISR):03X}, STATUS {self.state.name}, CTRL2 0x{self._read(Offset.CTRL2):X}, "
            f"{format_size(self._read(Offset.TOTAL_BYTE))} moved"
        )

    def _read(self, offset: int) -> int:
        return self._bus.read32(self.spec.base + offset)

    def _write(self, offset: int, value: int) -> None:
        self._bus.write32(self.spec.base + offset, int(value))

    def _write_wide(self, offset: int, value: int) -> None:
        self._write(offset, value & 0xFFFF_FFFF)
        self._write(offset + 4, value >> 32)


def _check_timeout(name: str, timeout: float | None) -> None:
    if timeout is not None and not 0 < timeout < math.inf:
        raise BadArgumentError(f"{name}: timeout={timeout!r}; it is in seconds, above 0")


assert PIECE_BYTES <= MAX_LENGTH
