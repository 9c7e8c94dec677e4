"""AxiGPIO: the pins of an AXI GPIO (PG144)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import BadArgumentError, PynqError, RegisterOffsetError
from ..interrupt import Interrupt, finish
from ..ip import DefaultIP

_STRIDE, _TRISTATE, _PINS = 8, 4, 32  # of a channel: bytes to the next, offset of its tristate register, most pins
_GIER, _ISR, _IER = 0x11C, 0x120, 0x128


class Wires:
    """Some pins of a channel, from ``start`` to ``stop`` - 1; the lowest is bit 0 of what is read and written."""

    def __init__(self, channel: GpioChannel, start: int, stop: int) -> None:
        self._channel, self._start, self._count = channel, start, stop - start
        self._mask = (1 << self._count) - 1


class Input(Wires):
    """Pins that are read."""

    def read(self) -> int:
        """Their levels."""
        return self._channel.read() >> self._start & self._mask

    async def wait_for_value_async(self, value: int, timeout: float | None = None) -> None:
        """Wait until ``read()`` gives ``value``.

        Args:
            value: of the pins.
            timeout: seconds of the board's time from one change of a pin to the next; None: as long as that takes.

        Raises PynqError where the design does not wire the interrupt, WaitTimeoutError when no pin changed.
        """
        while self.read() != value:
            await self._channel.wait_for_interrupt_async(timeout)

    def wait_for_value(self, value: int, timeout: float | None = None) -> None:
        """As :meth:`wait_for_value_async`, for programs without coroutines."""
        finish(self.wait_for_value_async(value, timeout))


class Output(Wires):
    """Pins that are driven."""

    def read(self) -> int:
        """What was written last through this object."""
        return self._channel.written >> self._start & self._mask

    def write(self, val: int) -> None:
        """Drive them; BadArgumentError when ``val`` has more bits than there are pins."""
        if not 0 <= val <= self._mask:
            raise BadArgumentError(f"{val} too large for {self._count} bits")
        self._channel.write(val << self._start, self._mask << self._start)

    def on(self) -> None:
        """Drive all of them high."""
        self.write(self._mask)

    def off(self) -> None:
        """Drive all of them low."""
        self.write(0)

    def toggle(self) -> None:
        """Drive each to the other level."""
        self.write(~Output.read(self) & self._mask)


class InOut(Input, Output):
    """Pins that are inputs from when they are read, and outputs from when they are written."""

    def read(self) -> int:
        """Make them inputs, and give their levels."""
        self._channel.trimask |= self._mask << self._start
        return Input.read(self)

    def write(self, val: int) -> None:
        """Drive them, and make them outputs."""
        Output.write(self, val)
        # After the level: it must not be the wrong one for a moment.
        self._channel.trimask &= ~(self._mask << self._start)


_DIRECTIONS: Mapping[Any, type[Wires]] = {
    **{"in": Input, "out": Output, "inout": InOut},
    **{kind: kind for kind in (Input, Output, InOut)},
}


class GpioChannel:
    """One of the two channels; its pins are items: ``channel[0].read()``, ``channel[0:4].on()``.

    Attributes:
        slicetype: what its items are: ``AxiGPIO.Input``, ``Output`` or ``InOut``.
        length: how many pins it has.
        written: what its data register was given last.
    """

    def __init__(self, parent: AxiGPIO, number: int) -> None:
        self._parent, self._offset, self._event = parent, _STRIDE * number, 1 << number
        self._waiting = 0
        self.slicetype: type[Wires] = InOut
        self.length, self.written = _PINS, 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            if index.step not in (None, 1):
                raise RegisterOffsetError(f"step {index.step}: Steps other than 1 not supported")
            start, stop, _ = index.indices(self.length)
        else:
            start, stop = index, index + 1
        if not 0 <= start < stop <= self.length:
            raise RegisterOffsetError(f"pins {index}: the channel has {self.length}, counted from 0")
        return self.slicetype(self, start, stop)

    def write(self, val: int, mask: int) -> None:
        """Write the bits of ``mask`` in the data register to ``val``; PynqError where the channel is an input."""
        if self.slicetype is Input:
            raise PynqError("You cannot write to an Input")
        self.written = (self.written & ~mask) | (val & mask)
        self._parent.write(self._offset, self.written)

    def read(self) -> int:
        """The levels of all pins; PynqError where the channel is an output."""
        if self.slicetype is Output:
            raise PynqError("You cannot read from an output")
        return self._parent.read(self._offset)

    @property
    def trimask(self) -> int:
        """A bit for each pin, 1 where it is an input: the tristate register."""
        return self._parent.read(self._offset + _TRISTATE)

    @trimask.setter
    def trimask(self, value: int) -> None:
        self._parent.write(self._offset + _TRISTATE, value & 0xFFFF_FFFF)

    async def wait_for_interrupt_async(self, timeout: float | None = None) -> None:
        """Wait until a pin that is an input has changed; arguments and errors as for ``wait_for_value_async``."""
        parent = self._parent
        if parent.interrupt is None:
            raise PynqError("Interrupts not available for this IP")
        parent.write(_IER, parent.read(_IER) | self._event)
        self._waiting += 1
        try:
            await parent.interrupt.wait(timeout)
            if parent.read(_ISR) & self._event:
                parent.write(_ISR, self._event)
        finally:
            self._waiting -= 1
            if not self._waiting:
                parent.write(_IER, parent.read(_IER) & ~self._event)

    def setlength(self, length: int) -> None:
        """Say how many pins it has, 1 to 32."""
        if not 1 <= length <= _PINS:
            raise BadArgumentError(f"length {length}: a channel has 1 to {_PINS} pins")
        self.length = length

    def setdirection(self, direction: Any) -> None:
        """Make all pins inputs ("in"), outputs ("out"), or what they are used as ("inout").

        PYNQ leaves the pins of a core that could have both as they were: an output then drives nothing.
        """
        if direction not in _DIRECTIONS:
            raise BadArgumentError(
                f"direction {direction!r} should be one of AxiGPIO.{{Input,Output,InOut}} or the string 'in', 'out' or "
                "'inout'"
            )
        self.slicetype = _DIRECTIONS[direction]
        if self.slicetype is not InOut:
            self.trimask = 0 if self.slicetype is Output else 0xFFFF_FFFF


class AxiGPIO(DefaultIP):
    """The pins of an AXI GPIO: ``channel1`` and ``channel2``; its own items are the pins of ``channel1``.

    Source of names and behaviour: PYNQ 3, ``pynq/lib/axigpio.py``.

    Attributes:
        channel1, channel2: the channels.
        interrupt: of a change of an input; None where the design does not wire it.
    """

    bindto = ("xilinx.com:ip:axi_gpio:2.0",)
    Input, Output, InOut, Channel = Input, Output, InOut, GpioChannel

    def __init__(self, description: Mapping[str, Any]) -> None:
        super().__init__(description)
        self.channel1, self.channel2 = GpioChannel(self, 0), GpioChannel(self, 1)
        wired = self._interrupts.get("ip2intc_irpt")
        self.interrupt = None if wired is None else Interrupt.of(self.device.board, wired)
        if self.interrupt is not None:
            self.write(_GIER, 1 << 31)

    @property
    def has_interrupts(self) -> bool:
        """Whether the design wires its interrupt to the processor."""
        return self.interrupt is not None

    def __getitem__(self, index: int | slice) -> Any:
        return self.channel1[index]

    def setlength(self, length: int, channel: int = 1) -> None:
        """As :meth:`GpioChannel.setlength`, of channel 1 or 2."""
        self._channel(channel).setlength(length)

    def setdirection(self, direction: Any, channel: int = 1) -> None:
        """As :meth:`GpioChannel.setdirection`, of channel 1 or 2."""
        self._channel(channel).setdirection(direction)

    def _channel(self, number: int) -> GpioChannel:
        if number not in (1, 2):
            raise BadArgumentError(f"channel {number}: there are 1 and 2")
        return self.channel1 if number == 1 else self.channel2
