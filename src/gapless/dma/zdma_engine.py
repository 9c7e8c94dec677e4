"""What a ZDMA channel's registers do: describe, start, wait, stop."""

from __future__ import annotations

from ..boards import ZdmaSpec
from ..bus import RegisterBus
from ..errors import DmaError, DmaStateError, WaitTimeoutError
from ..units import format_size, format_time
from .zdma_errors import error_for_events
from .zdma_lists import Run
from .zdma_registers import (
    CTRL1_AT_RESET,
    DATA_ATTR_AT_RESET,
    DSCR_ATTR_AT_RESET,
    ENABLE,
    ERRORS,
    EVERY_EVENT,
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


class ZdmaEngine:
    """The registers of one channel; who may use them, and what memory they get, is :class:`ZdmaChannel`'s."""

    def __init__(self, bus: RegisterBus, spec: ZdmaSpec) -> None:
        self._bus, self.spec, self.name = bus, spec, spec.name
        #: Started, and not known to have ended.
        self.running = False

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
        self.running = False

    def prepare(self) -> None:
        """Bring the channel to where a transfer can start, whoever used it before."""
        if self._read(Offset.CTRL2) & ENABLE or self.state in (State.BUSY, State.PAUSED):
            self.stop()
        self._write(Offset.CTRL0, Control.OVERFETCH)
        self._write(Offset.CTRL1, CTRL1_AT_RESET)
        self._write(Offset.DATA_ATTR, DATA_ATTR_AT_RESET)
        self._write(Offset.DSCR_ATTR, DSCR_ATTR_AT_RESET)

    def describe(self, register: Offset, piece: Run) -> None:
        """Put a piece into the descriptor registers of one side."""
        self.write_wide(register, piece[0])
        self._write(register + 8, piece[1])
        self._write(register + 12, 0)

    def write_wide(self, offset: int, value: int) -> None:
        """Write an address, or any 64-bit register."""
        self._write(offset, value & 0xFFFF_FFFF)
        self._write(offset + 4, value >> 32)

    def write_pattern(self, pattern: bytes) -> None:
        """What write-only mode writes: 16 bytes, of which a 64-bit channel takes the first 8."""
        for number in range(4):
            self._write(Offset.WR_ONLY_WORD0 + 4 * number, int.from_bytes(pattern[4 * number :][:4], "little"))

    def run(self, control: Control, nbytes: int, timeout: float | None, source: int | None, destination: int) -> float:
        """Start what the registers describe, wait for its end and return the seconds of bus time it took."""
        limit = _SPARE + nbytes / _SLOWEST if timeout is None else timeout
        self._write(Offset.ISR, EVERY_EVENT)
        self._write(Offset.TOTAL_BYTE, _TOTAL_BYTE_MASK)  # written ones clear
        self._read(Offset.IRQ_SRC_ACCT)  # reading clears
        self._read(Offset.IRQ_DST_ACCT)
        self._write(Offset.CTRL0, control)
        self._write(Offset.IEN, ERRORS | Event.DONE)
        began, self.running = self._bus.time(), True
        try:
            self._write(Offset.CTRL2, ENABLE)
            events = self._wait(began, limit, nbytes)
        except BaseException:
            self.stop()
            raise
        self.running = False
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
