"""Soft processors on this machine: their local memory, the pins that hold them in reset, their interrupts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from .._native import MmioBus
from ..boards import BoardSpec, IopSpec, PeripheralSpec
from ..errors import GaplessError, UnsupportedError
from ..iop import Pin, RegisterPin
from .engines import IOP, Engines
from .gpio import LinePin, find_pin
from .registers import Needed, Registers
from .uio import Window


class Iops:
    """The soft processors of a design, as far as this machine gives a way to them.

    Args:
        bus: gets their local memory and interrupt lines.
        spec: the board.
        registers: maps what has to be mapped.
        root: where /dev is.
        given: windows that are mapped already, by base.

    Attributes:
        specs: those of the board, without the interrupts that nobody tells of.
        missing: why the others cannot be used, by index.
        interrupts: how the interrupt of each is told of, by name.
    """

    def __init__(
        self, bus: MmioBus, spec: BoardSpec, registers: Registers, root: Path, given: Mapping[int, Window]
    ) -> None:
        self._bus, self._spec, self._registers, self._root, self._given = bus, spec, registers, root, given
        self._pins: dict[int, LinePin | RegisterPin] = {}
        self._mapped: set[int] = set()
        self.missing: dict[int, str] = {}
        self.interrupts: dict[str, str] = {}
        self.specs = tuple(map(self._present, spec.iops))

    def holds(self) -> dict[int, Callable[[], None]]:
        """What holds each of them in reset, by its base."""
        return {iop.base: partial(self._hold, iop.reset_pin) for iop in self._usable()}

    def pins(self, engines: Engines) -> Callable[[int], Pin]:
        """The pins of the board; driving a reset line takes its processor for this program."""
        owners = {iop.reset_pin: iop for iop in self._usable()}

        def pin(number: int) -> Pin:
            owner = owners.get(number)
            return self._pins[number] if owner is None else _ResetPin(self._pins[number], owner, engines)

        return pin

    def close(self) -> None:
        """Let others have the lines; they keep their levels."""
        for pin in self._pins.values():
            _release(pin)

    def _usable(self) -> list[IopSpec]:
        return [iop for iop in self.specs if iop.index not in self.missing]

    def _hold(self, number: int) -> None:
        self._pins[number].set(True)
        _release(self._pins[number])

    def _present(self, iop: IopSpec) -> IopSpec:
        try:
            for number in (iop.reset_pin, iop.acknowledge_pin):
                if number not in self._pins:
                    self._pins[number] = self._pin(number)
            self._map(Needed(iop.name, iop.base, iop.size))
        except GaplessError as error:
            self.missing[iop.index] = str(error)
            self.interrupts[iop.name] = f"not there: {error}"
            return iop
        return self._with_interrupt(iop)

    def _pin(self, number: int) -> LinePin | RegisterPin:
        gpio = self._spec.ps_gpio
        assert gpio is not None  # a BoardSpec with IOPs has one
        try:
            line = find_pin(self._root, gpio, number)
            why = f"no /dev/gpiochip* is the PS's GPIO (CONFIG_GPIO_ZYNQ; {gpio.name} in the device tree)"
        except UnsupportedError as error:
            line, why = None, str(error)
        return self._register_pin(gpio, number, why) if line is None else line

    def _register_pin(self, gpio: PeripheralSpec, number: int, why: str) -> RegisterPin:
        try:
            self._map(Needed(gpio.name, gpio.base))
        except GaplessError as error:
            raise UnsupportedError(f"no way to the pin that holds it in reset: {why}, and {error}") from None
        return RegisterPin(self._bus, gpio, number)

    def _map(self, needed: Needed) -> None:
        if needed.base not in self._mapped:
            self._bus.add_window(*(self._given.get(needed.base) or self._registers.map(needed)))
            self._mapped.add(needed.base)

    def _with_interrupt(self, iop: IopSpec) -> IopSpec:
        """Only a UIO device of its name tells of it: nothing that the host could poll shows the line."""
        if iop.interrupt is None:
            return iop
        device = self._registers.named(iop.name)
        try:
            if device is None:
                reason = f"no UIO device for {iop.name}"
            elif (uio := self._registers.open(device)).has_interrupt:
                self._bus.add_uio_line(iop.interrupt, uio.fileno())
                self.interrupts[iop.name] = str(device)
                return iop
            else:
                reason = f"{device} has no interrupt"
        except GaplessError as error:
            reason = str(error)
        self.interrupts[iop.name] = f"none ({reason})"
        return replace(iop, interrupt=None)


class _ResetPin:
    """A reset line that takes its processor for this program before it is driven."""

    def __init__(self, pin: Pin, iop: IopSpec, engines: Engines) -> None:
        self._pin, self._iop, self._engines = pin, iop, engines

    def set(self, level: bool) -> None:
        self._engines.take(IOP, self._iop.base, self._iop.name)
        self._pin.set(level)


def _release(pin: LinePin | RegisterPin) -> None:
    if isinstance(pin, LinePin):
        pin.close()
