"""Soft processors, as PYNQ's designs build them.

Source: PYNQ's base designs: in one hierarchy a MicroBlaze, a BRAM controller through which the host sees its local
memory, a processor system reset held by a slice of the PS's GPIO, an AXI GPIO called "intr" that sets a flip-flop
(dff_en_reset_vector), which interrupts the host, and another slice that clears it. The MicroBlaze's options: UG984.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...iop_spec import IopSpec, PeripheralSpec, WindowSpec
from ..design import AddressRange, Block, Design, GpioPin
from ..numbers import number
from .lines import Lines
from .peripherals import peripheral

_MOST_PROGRAM = 128 << 10
_FLAGS = {
    "C_USE_BARREL": "barrel-shifter",
    "C_USE_DIV": "divider",
    "C_USE_PCMP_INSTR": "pattern-compare",
    "C_USE_MSR_INSTR": "msr-instructions",
    "C_ILL_OPCODE_EXCEPTION": "illegal-opcode-exception",
    "C_UNALIGNED_EXCEPTIONS": "unaligned-exceptions",
    "C_M_AXI_D_BUS_EXCEPTION": "bus-exceptions",
    "C_M_AXI_I_BUS_EXCEPTION": "bus-exceptions",
    "C_DIV_ZERO_EXCEPTION": "divide-exception",
}
_MULTIPLIERS = {1: "multiplier", 2: "multiplier64"}
_NOT_MODELLED = {"C_USE_FPU": "FPU", "C_USE_MMU": "MMU", "C_USE_ICACHE": "cache", "C_USE_DCACHE": "cache"}
_NOTHING = WindowSpec(0, 0)


class _Found(NamedTuple):
    processor: Block
    memory: Block
    where: AddressRange
    reset: GpioPin
    acknowledge: GpioPin
    line: int | None


def iops(design: Design, lines: Lines) -> tuple[IopSpec, ...]:
    """The soft processors that the host can load and start, counted from 1 by the address of their memory."""
    found = sorted((item for item in _all(design, lines)), key=lambda item: item.where.base)
    return tuple(_iop(design, number, item) for number, item in enumerate(found, 1))


def programs(design: Design) -> tuple[str, ...]:
    """The memories of the design that are a soft processor's local one."""
    return tuple(item.memory.name for item in _all(design, Lines(design)))


def _all(design: Design, lines: Lines) -> Iterator[_Found]:
    for block in design.of_kind("microblaze"):
        inside = [other for other in design.blocks.values() if other.name.startswith(f"{block.hierarchy}/")]
        memories = [other for other in inside if other.kind == "axi_bram_ctrl" and len(other.ranges) == 1]
        latches = [other for other in inside if other.kind == "dff_en_reset_vector"]
        resets = [other for other in inside if other.kind == "proc_sys_reset"]
        reset, acknowledge = (_driven(design, blocks) for blocks in (resets, latches))
        if not block.hierarchy or len(memories) != 1 or reset is None or acknowledge is None:
            continue
        (where,) = memories[0].ranges
        if where.size > _MOST_PROGRAM:
            continue
        called = (lines.of_pin(f"{latch.name}/q") for latch in latches)
        line = next((number for number in called if number is not None), None)
        yield _Found(block, memories[0], where, reset, acknowledge, line)


def _driven(design: Design, blocks: list[Block]) -> GpioPin | None:
    """The slice of the PS's GPIO that drives one of these blocks."""
    names = {block.name for block in blocks}
    return next(
        (pin for pin in design.gpio.values() if any(to.rpartition("/")[0] in names for to in pin.pins)),
        None,
    )


def _iop(design: Design, index: int, found: _Found) -> IopSpec:
    block = found.processor
    parts, missing = _peripherals(design, found)
    options = {name: number(block.parameters.get(name, "0"), f"{name} of {block.name}") for name in _NOT_MODELLED}
    missing += tuple(dict.fromkeys(what for name, what in _NOT_MODELLED.items() if options[name]))
    return IopSpec(
        block.hierarchy,
        index,
        found.where.base,
        _window(design, block),
        found.reset.index,
        found.acknowledge.index,
        found.line,
        size=found.where.size,
        clock=_clock(block),
        units=_units(block),
        peripherals=parts,
        unmodelled=missing,
    )


def _clock(block: Block) -> float:
    return block.clocks.get("Clk") or float(
        number(block.parameters.get("C_FREQ", "100000000"), f"C_FREQ of {block.name}")
    )


def _units(block: Block) -> frozenset[str]:
    def value(name: str) -> int:
        return number(block.parameters.get(name, "0"), f"{name} of {block.name}")

    units = {unit for name, unit in _FLAGS.items() if value(name)}
    if (multiplier := value("C_USE_HW_MUL")) in _MULTIPLIERS:
        units.add(_MULTIPLIERS[multiplier])
    return frozenset(units)


def _window(design: Design, block: Block) -> WindowSpec:
    """The largest part of the PS's memory that it sees: itself, or through PYNQ's address_remap.

    That block passes on the low bits of an address (its source in PYNQ, boards/ip/address_remap).
    """
    windows = [_NOTHING]
    for item in block.memory_map:
        if item.memory_type != "memory":
            continue
        if item.block == design.ps:
            windows.append(_aligned(item.base, item.size, item.base))
        elif design.blocks[item.block].kind == "address_remap":
            behind = [to for to in design.blocks[item.block].memory_map if to.block == design.ps]
            if behind:
                first, last = min(to.base for to in behind), max(to.high for to in behind)
                windows.append(_aligned(item.base, min(item.size, last + 1 - first), first))
    return max(windows, key=lambda window: window.size)


def _aligned(base: int, size: int, physical: int) -> WindowSpec:
    """As much of a range as is a power of two, at multiples of it."""
    most = 1 << (size.bit_length() - 1)
    while most > 1 and (base % most or physical % most):
        most >>= 1
    return WindowSpec(base, most, physical)


def _peripherals(design: Design, found: _Found) -> tuple[tuple[PeripheralSpec, ...], tuple[str, ...]]:
    block, prefix = found.processor, f"{found.processor.hierarchy}/"
    seen = [item for item in block.memory_map if item.memory_type == "register"]
    controllers = [item.block for item in seen if design.blocks[item.block].kind == "axi_intc"]
    pins = design.controller_inputs.get(controllers[0], ()) if controllers else ()
    inputs = {pin.rpartition("/")[0]: index for index, pin in reversed(list(enumerate(pins))) if pin}
    parts, missing = [], []
    for item in sorted(seen, key=lambda item: item.base):
        other = design.blocks[item.block]
        name = other.name.removeprefix(prefix)
        if name == "intr" and other.kind == "axi_gpio":
            parts.append(PeripheralSpec(name, "host-interrupt", item.base))
        elif (part := peripheral(name, other, item.base, inputs.get(other.name))) is not None:
            parts.append(part)
        else:
            missing.append(f"{name} ({other.kind})")
    return tuple(parts), tuple(missing)
