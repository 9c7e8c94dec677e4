"""Soft processors of a design, and peripherals, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import BadArgumentError, UnknownNameError
from ..units import format_address, format_size
from .ps_gpio import PS_GPIO
from .unique import unique

#: What a MicroBlaze may be built with besides its base instruction set (UG984, "MicroBlaze Architecture").
UNITS = frozenset(
    {
        "multiplier",
        "multiplier64",
        "barrel-shifter",
        "divider",
        "pattern-compare",
        "msr-instructions",
        "illegal-opcode-exception",
        "unaligned-exceptions",
        "bus-exceptions",
        "divide-exception",
    }
)
_PINS = max(layout.emio_pins for layout in PS_GPIO.values())


@dataclass(frozen=True)
class PeripheralSpec:
    """A peripheral with registers at ``base``, on the processor's bus or on that of an IOP.

    ``kind`` is "axi-gpio", "axi-timer", "axi-intc", "uart-lite", "axi-iic", "quad-spi", "pin-switch", "xadc",
    "host-interrupt"; of the PS "ps-gpio-7000", "ps-gpio-mp", "slcr", "crl-apb" or "crf-apb". ``parameters`` are those
    the core was built with, or first values of registers.
    ``interrupt`` is the line that its interrupt output drives: of the processor, or the input of the IOP's
    interrupt controller.
    """

    name: str
    kind: str
    base: int
    interrupt: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)


def ps_gpio(kind: str) -> PeripheralSpec:
    """The PS's own GPIO, by its kind."""
    return PeripheralSpec("ps_gpio", kind, PS_GPIO[kind].base)


@dataclass(frozen=True)
class WindowSpec:
    """Physical memory from ``physical`` on, as a processor in the PL sees it: ``size`` bytes from ``base`` on.

    One of 0 bytes (at 0) is that of a processor that sees none of the board's memory.
    """

    base: int
    size: int
    physical: int = 0

    def __post_init__(self) -> None:
        """BadArgumentError for a window that programs, which put it together by OR, could not use."""
        if not self.size and not self.base and not self.physical:
            return
        if self.size < 1 or self.size & (self.size - 1) or self.base % self.size or self.physical % self.size:
            raise BadArgumentError(
                f"a window of {format_size(self.size)} at {format_address(self.base)} onto "
                f"{format_address(self.physical)}: its size is a power of two, and both are multiples of it"
            )

    def holds(self, physical: int, nbytes: int) -> bool:
        """Whether all of a range of physical addresses is in it."""
        return self.physical <= physical and physical + nbytes <= self.physical + self.size

    def address(self, physical: int) -> int:
        """What the processor calls a physical address in it."""
        return self.base + physical - self.physical


@dataclass(frozen=True)
class IopSpec:
    """A soft processor in the PL (MicroBlaze) whose local memory the host shares.

    ``base`` and ``size`` (bytes): where the host sees that memory. ``reset_pin`` and ``acknowledge_pin`` are pins of
    the PS's GPIO, numbered from the first that leads to the PL (EMIO); ``interrupt``: the line on which it calls the
    host. ``window``: the memory of the board, as it sees it. ``units``: the options that it was built with, of
    :data:`UNITS`. ``memory_cycles`` and ``peripheral_cycles``: how long an access through the window and one of a
    peripheral take. ``unmodelled``: what else the design has on its bus, or in it, and gapless has no model of.
    """

    name: str
    index: int
    base: int
    window: WindowSpec
    reset_pin: int
    acknowledge_pin: int
    interrupt: int | None = None
    size: int = 64 << 10
    clock: float = 100e6
    units: frozenset[str] = frozenset()
    peripherals: tuple[PeripheralSpec, ...] = ()
    memory_cycles: int = 20
    peripheral_cycles: int = 8
    unmodelled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """BadArgumentError for what cannot be built."""
        if not 4096 <= self.size <= 1 << 17 or self.size & (self.size - 1):
            raise BadArgumentError(
                f"{self.name}: local memory of {self.size} bytes; it is a power of two, 4 to 128 KiB"
            )
        if not all(0 <= pin < _PINS for pin in (self.reset_pin, self.acknowledge_pin)):
            raise BadArgumentError(
                f"{self.name}: pins {self.reset_pin} and {self.acknowledge_pin} of the PS's GPIO; {_PINS} at most lead "
                "to the PL, from 0 on"
            )
        if unknown := self.units - UNITS:
            raise UnknownNameError(f"unit of {self.name}", min(unknown), sorted(UNITS))
        unique(self.name, "the peripheral", (part.name for part in self.peripherals))
        unique(self.name, "the registers at", (format_address(part.base) for part in self.peripherals))
