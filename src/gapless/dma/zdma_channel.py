"""One ZDMA channel: copies and fills, and the memory they hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from ..boards import ZdmaSpec
from ..bus import RegisterBus
from ..errors import BadArgumentError
from ..memory import Buffer, Pool, Runs
from ..units import format_address
from .zdma_engine import ZdmaEngine
from .zdma_lists import cut, linked_list, overlap, runs_of, total
from .zdma_registers import DESCRIPTOR_BYTES, MAX_LENGTH, Control, Event, Offset, State


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
        pool: called for where lists of descriptors are allocated unless another pool is named; None: where the
            source is.
    """

    def __init__(
        self,
        bus: RegisterBus,
        spec: ZdmaSpec,
        claim: Callable[[ZdmaChannel], Callable[[], None]],
        pool: Callable[[], Pool | None],
    ) -> None:
        self.spec, self.name, self._claim, self._pool = spec, spec.name, claim, pool
        self._engine = ZdmaEngine(bus, spec)
        self._held = ExitStack()  # of a transfer that could not be stopped

    def __repr__(self) -> str:
        return f"<ZDMA channel {self.name} at {format_address(self.spec.base)}>"

    @property
    def state(self) -> State:
        """STATUS, read now."""
        return self._engine.state

    @property
    def events(self) -> Event:
        """ISR, read now."""
        return self._engine.events

    def stop(self, timeout: float = 0.1) -> None:
        """Stop whatever the channel does, also for a program that is gone, and clear what it reported.

        Returns when the channel touches no memory any more: bursts under way are ended (UG1085, "Channel
        Disabled"). WaitTimeoutError after ``timeout`` seconds of bus time.
        """
        self._engine.stop(timeout)
        self._held.close()

    def copy(self, src: Buffer, dst: Buffer, *, timeout: float | None = None, pool: Pool | None = None) -> Copied:
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
        simple = len(source) == len(destination) == 1 and nbytes <= MAX_LENGTH
        lists = (source, destination) if simple else (cut(source), cut(destination))
        # Before the channel is claimed: a pool may need one itself, to find out where its memory is.
        table = None if simple else _lists(*lists, pool or self._pool() or src.pool)
        with self._holding(table) as stack:
            stack.enter_context(src.in_use_by(self.name))
            stack.enter_context(dst.in_use_by(self.name))
            src.sync_to_device()
            dst.sync_to_device()  # a line of it that is written back later would overwrite what arrives
            self._engine.prepare()
            control = Control.OVERFETCH
            if table is None:
                self._engine.describe(Offset.SRC_WORD0, source[0])
                self._engine.describe(Offset.DST_WORD0, destination[0])
            else:
                stack.enter_context(table.in_use_by(self.name))
                ((first, _),) = runs_of(table)
                self._engine.write_wide(Offset.SRC_START, first)
                self._engine.write_wide(Offset.DST_START, first + len(lists[0]) * DESCRIPTOR_BYTES)
                control |= Control.SCATTER_GATHER
            seconds = self._engine.run(control, nbytes, timeout, source[0][0], destination[0][0])
            dst.sync_from_device()
        return Copied(nbytes, seconds, self.name, "simple" if simple else "sg", max(map(len, lists)))

    def fetch(self, address: int, dst: Buffer, *, timeout: float | None = None) -> None:
        """Fill ``dst``, one run of less than 1 GiB, with what is at physical ``address``, whatever that is."""
        ((destination, nbytes),) = runs_of(dst)
        _check_timeout(self.name, timeout)
        with self._holding() as stack:
            stack.enter_context(dst.in_use_by(self.name))
            dst.sync_to_device()
            self._engine.prepare()
            self._engine.describe(Offset.SRC_WORD0, (address, nbytes))
            self._engine.describe(Offset.DST_WORD0, (destination, nbytes))
            self._engine.run(Control.OVERFETCH, nbytes, timeout, address, destination)
            dst.sync_from_device()

    def fill(self, dst: Buffer, pattern: bytes, *, timeout: float | None = None) -> Copied:
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
            self._engine.prepare()
            self._engine.write_pattern(pattern * (16 // len(pattern)))
            for piece in pieces:
                self._engine.describe(Offset.SRC_WORD0, piece)
                self._engine.describe(Offset.DST_WORD0, piece)
                left = None if timeout is None else max(0.0, timeout - seconds)
                seconds += self._engine.run(Control.OVERFETCH | Control.WRITE_ONLY, piece[1], left, None, piece[0])
            dst.sync_from_device()
        return Copied(nbytes, seconds, self.name, "fill", len(pieces))

    @contextmanager
    def _holding(self, table: Buffer | None = None) -> Iterator[ExitStack]:
        """What is entered into the stack is left when the channel touches it no more; ``table`` is in it."""
        with ExitStack() as early, ExitStack() as claim:
            if table is not None:
                early.enter_context(table)
            claim.callback(self._claim(self))
            stack = early.pop_all()
            try:
                yield stack
            finally:
                if self._engine.running:  # it would not stop: better memory that is lost than memory that changes
                    self._held.push(stack)
                else:
                    stack.close()


def _lists(source: Runs, destination: Runs, pool: Pool) -> Buffer:
    """The descriptors of both sides, one list after the other."""
    buffer = pool.allocate((len(source) + len(destination)) * DESCRIPTOR_BYTES, np.uint8, align=64, contiguous=True)
    ((address, _),) = runs_of(buffer)
    second = address + len(source) * DESCRIPTOR_BYTES
    table = np.concatenate([linked_list(source, address), linked_list(destination, second)])
    buffer.write(table.view(np.uint8))
    buffer.sync_to_device()
    return buffer


def _check_timeout(name: str, timeout: float | None) -> None:
    if timeout is not None and not 0 < timeout < math.inf:
        raise BadArgumentError(f"{name}: timeout={timeout!r}; it is in seconds, above 0")
