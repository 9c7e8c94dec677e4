"""Assembly of soft processors and peripherals on a virtual board."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from .._native import Parts, Peripheral
from ..boards import BoardSpec, IopSpec, PeripheralSpec
from ..errors import BadArgumentError, UnknownNameError
from .iop import VirtualIop


def add_peripherals(parts: Parts, peripherals: Iterable[PeripheralSpec]) -> dict[str, Peripheral]:
    """Put them on the host's bus; they are returned by name."""
    with _refusals():
        return {
            part.name: parts.add_peripheral(part.base, part.kind, dict(part.parameters), _line(part.interrupt))
            for part in peripherals
        }


def connect_controllers(parts: Parts, spec: BoardSpec, host: Mapping[str, Peripheral]) -> None:
    """Lead interrupt lines to the interrupt controllers on the host's bus; ``host`` has what is there."""
    for (name, number), line in spec.interrupt_inputs.items():
        if name not in host:
            raise UnknownNameError(f"interrupt controller on board {spec.name}", name, host)
        with _refusals():
            parts.connect_line(host[name], number, line)


def add_iops(parts: Parts, spec: BoardSpec, host: Mapping[str, Peripheral]) -> dict[int, VirtualIop]:
    """The soft processors, by their index; ``host`` has what is on the host's bus."""
    with _refusals():
        return {iop.index: _add(parts, iop, host[spec.ps_gpio.name]) for iop in spec.iops if spec.ps_gpio}


def _add(parts: Parts, iop: IopSpec, gpio: Peripheral) -> VirtualIop:
    number = parts.add_iop(
        iop.base,
        iop.name,
        sorted(iop.units),
        iop.clock,
        iop.size,
        iop.window.base,
        iop.window.size,
        iop.window.physical,
        iop.memory_cycles,
        iop.peripheral_cycles,
    )
    made = {
        part.name: parts.add_iop_peripheral(number, part.base, part.kind, dict(part.parameters))
        for part in iop.peripherals
    }
    kinds = {part.kind: made[part.name] for part in iop.peripherals}
    parts.connect_iop_reset(number, gpio, iop.reset_pin)
    if (caller := kinds.get("host-interrupt")) is not None:
        parts.connect_iop_caller(number, caller, gpio, iop.acknowledge_pin, _line(iop.interrupt))
    if (controller := kinds.get("axi-intc")) is not None:
        parts.connect_iop_controller(number, controller)
        for part in iop.peripherals:
            if part.interrupt is not None:
                parts.connect_interrupt(controller, part.interrupt, made[part.name])
    return VirtualIop(parts, number, iop.name, made)


def _line(interrupt: int | None) -> int:
    return -1 if interrupt is None else interrupt


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadArgumentError(str(error)) from None
