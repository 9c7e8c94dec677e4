"""Driver of the AXI DMA (PG021 v7.1): an instance with its two channels, reset and recovery."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from .._native import Bus
from ..boards import DmaSpec
from ..errors import UnsupportedError, WaitTimeoutError
from ..units import format_time
from .channel import Channel
from .cyclic import Cyclic
from .decode import has_error
from .registers import Control, Offset


@dataclass(frozen=True)
class Recovery:
    """What :meth:`AxiDma.recover` did.

    Attributes:
        reset: the instance was reset (a reset takes both channels; only it clears an error).
        other_restored: the other channel was moving data, was taken through the reset and goes on.
        text: the same in words.
    """

    reset: bool
    other_restored: bool
    text: str


class AxiDma:
    """One AXI DMA instance.

    Args:
        bus: the register bus it is on (the native one: streaming loops run on it without the interpreter).
        spec: how the instance was built; see :class:`~gapless.boards.DmaSpec`.
        starting: called before it starts to move anything, with itself.
    """

    def __init__(self, bus: Bus, spec: DmaSpec, starting: Callable[[AxiDma], object] = lambda _: None) -> None:
        self._bus, self.spec, self._starting = bus, spec, starting
        self._closed = False
        # One for both channels: a reset takes both. Never held while a transfer is waited for.
        self._lock = threading.RLock()
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
        self._cancel_all()
        self._soft_reset(timeout)

    def recover(self, channel: Channel, timeout: float = 0.01) -> Recovery:
        """Bring ``channel`` back to where a transfer can start; one that is under way is cancelled.

        Without an error no reset is needed: the channel is stopped, the other is not touched. An error
        can only be cleared by a reset, and a reset takes both channels (PG021, DMACR bit 2); if the
        other one is moving data it is stopped at the end of a piece, and started again with what was
        left. Its stream pauses for that time. Where its stream stands still the piece it is in cannot be
        ended: a transmit channel sends that one again from its start, a receive channel loses what it
        had received of it, and the text says so. A cyclic ring starts again from its first descriptor.
        """
        with self._lock:
            if channel._transfer is not None:
                channel._transfer.cancel()
            if not has_error(channel.status) and channel._halt(0.1):
                return Recovery(False, False, f"{channel.name}: stopped; no reset was needed")
            return self._reset_for(channel, timeout)

    def _reset_for(self, channel: Channel, timeout: float = 0.01) -> Recovery:
        text = f"{channel.name}: the instance was reset, which takes both channels"
        restored = False
        with ExitStack() as stack:
            for other in self._channels():
                transfer = other._transfer
                if other is channel or transfer is None:
                    continue
                clean = stack.enter_context(transfer.suspended())
                if other._transfer is None:  # it had ended by itself
                    continue
                restored = True
                text += f"; {other.name} was moving data, was stopped "
                if isinstance(transfer, Cyclic):
                    text += "and starts its ring again with the first descriptor"
                elif clean:
                    text += "at the end of a piece and goes on: its stream paused meanwhile"
                elif other.receive:
                    text += "and goes on: what the piece it was in had received is lost"
                else:
                    text += "and goes on with the piece it was in, which is sent again from its start"
            self._soft_reset(timeout)
        return Recovery(True, restored, text)

    def _cancel_all(self) -> None:
        with self._lock, ExitStack() as stack:
            for channel in self._channels():
                if channel._transfer is not None:
                    stack.callback(channel._transfer.cancel)

    def _close(self) -> None:
        self._closed = True
        self._cancel_all()

    def _soft_reset(self, timeout: float) -> None:
        control = self.spec.base + Offset.DMACR
        self._bus.write32(control, Control.RESET)
        self._poll(
            lambda: not self._bus.read32(control) & Control.RESET,
            timeout,
            f"{self.spec.name}: the reset to end",
        )

    def _poll(self, ready: Callable[[], bool], timeout: float, what: str) -> None:
        # The time is taken before the look: another thread that shares the bus may move it in between.
        now = self._bus.time()
        deadline = now + timeout
        pause = 1e-6
        while not ready():
            if now >= deadline:
                raise WaitTimeoutError(f"waited {format_time(timeout)} for {what}")
            self._bus.sleep(pause)
            pause = min(2 * pause, 1e-4)
            now = self._bus.time()

    def _channels(self) -> list[Channel]:
        return [channel for channel in (self._mm2s, self._s2mm) if channel is not None]

    def _built(self, channel: Channel | None, name: str) -> Channel:
        if channel is None:
            raise UnsupportedError(f"{self.spec.name} was built without its {name} channel")
        return channel
