"""The reset line of peripherals: afterwards each is as a new one, but for what is outside of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import PeripheralBench

CYCLE = 10_000


def set_gpio(bench, value):
    bench.peripheral.set_input(value & 0xFF, channel=value >> 8 & 1)


def set_capture(bench, value):
    bench.peripheral.set_capture(bool(value & 1), value >> 1 & 1)


def set_line(bench, value):
    bench.peripheral.set_input(value & 31, bool(value & 0x100))


def send_bytes(bench, value):
    bench.peripheral.put(bytes([value & 0xFF]) * (value >> 8 & 31))


def set_pin(bench, value):
    bench.peripheral.set_input(value % bench.peripheral.pin_count, bool(value & 0x100))


def nothing(bench, value):
    pass


class Kind(NamedTuple):
    parameters: dict[str, float]
    registers: tuple[int, ...]
    #: What gets it going: (register, value).
    useful: tuple[tuple[int, int], ...] = ()
    #: Does something to it from outside, by a number, and these numbers undo it.
    outside: Callable[[PeripheralBench, int], None] = nothing
    quiet: tuple[int, ...] = ()


def registers(*ranges):
    return tuple(offset for first, end in ranges for offset in range(first, end, 4))


PS_GPIO = registers((0x00, 0x20), (0x40, 0x78), (0x200, 0x228), (0x280, 0x2A8))
PINS = ((0x284, 0xFFFF_FFFF), (0x288, 0xFFFF_FFFF), (0x204, 0xFFFF_FFFF), (0x208, 0xFFFF_FFFF))
KINDS = {
    "axi-gpio": Kind(
        {"width": 8, "data": 0x5, "tristate": 0xF, "width2": 3},
        registers((0, 0x10), (0x11C, 0x12C)),
        ((0x11C, 1 << 31), (0x128, 3)),
        set_gpio,
        (0, 0x100),
    ),
    "axi-timer": Kind(
        {},
        registers((0, 0x20)),
        ((0x0, 0xD2), (0x10, 0x1D0), (0x0, 0x286), (0x10, 0x286), (0x0, 0x89), (0x10, 0x99), (0x4, 5), (0x14, 2)),
        set_capture,
        (0, 2),
    ),
    "axi-intc": Kind({"edges": 0xFFFF}, registers((0, 0x20)), ((0x08, ~0), (0x1C, 3)), set_line, tuple(range(32))),
    "uart-lite": Kind({"baud": 1e6}, registers((0, 0x10)), ((0xC, 0x10), (0x4, 1)), send_bytes),
    "axi-iic": Kind(
        {"scl": 1e6},
        registers((0x1C, 0x2C), (0x40, 0x44), (0x100, 0x148)),
        ((0x100, 1), (0x100, 5), (0x108, 0x120), (0x108, 0x202), (0x1C, 1 << 31), (0x28, 0xFF)),
    ),
    "quad-spi": Kind(
        {"ratio": 2},
        registers((0x1C, 0x2C), (0x40, 0x44), (0x60, 0x7C)),
        ((0x60, 6), (0x60, 0x86), (0x68, 1), (0x1C, 1 << 31), (0x28, 0x3FFF)),
    ),
    "pin-switch": Kind({}, registers((0, 0x40))),
    "xadc": Kind({}, registers((0, 0x40))),
    "ps-gpio-7000": Kind({}, PS_GPIO, PINS, set_pin, tuple(range(118))),
    "ps-gpio-mp": Kind({}, PS_GPIO, PINS, set_pin, tuple(range(174))),
}  # fmt: skip
REGISTERS = range(0, 0x300, 4)
CYCLES = st.sampled_from([0, 0, 1, 7, 300, 1500])
WORDS = st.integers(0, 0xFFFF_FFFF)


def steps(kind):
    """Programs for it: each step is a register, or None for outside, a value, and cycles that pass then."""
    free = st.tuples(st.sampled_from(kind.registers), WORDS)
    useful = st.sampled_from([(offset, value & 0xFFFF_FFFF) for offset, value in kind.useful or ((0, 1),)])
    outside = st.tuples(st.none(), WORDS)
    return st.lists(st.tuples(st.one_of(free, useful, outside), CYCLES), max_size=40)


def run(bench, kind, program):
    """What a program sees in a register after each of its steps and in all at its end, and the interrupts.

    Not in all of them each time, for a read may change what happens next.
    """
    seen = []
    begun = len(bench.edges)
    for (offset, value), cycles in program:
        if offset is None:
            kind.outside(bench, value)
        else:
            bench.write(offset, value)
        bench.advance(cycles * CYCLE)
        seen.append(bench.read(kind.registers[value % len(kind.registers)]))
    ends = bench.interrupt, bench.due
    return seen, [bench.read(register) for register in REGISTERS], bench.edges[begun:], ends


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_after_reset_it_does_what_a_new_one_does(name, data):
    kind = KINDS[name]
    used, new = (PeripheralBench(name, kind.parameters) for _ in range(2))
    run(used, kind, data.draw(steps(kind)))
    for value in kind.quiet:
        kind.outside(used, value)
    if name == "uart-lite":  # what is on its way still arrives
        used.advance(40 * 31 * 1000 * CYCLE)
    used.reset()
    new.advance(used.now)
    assert used.due == new.due
    assert used.interrupt == new.interrupt
    after = data.draw(steps(kind))
    assert run(used, kind, after) == run(new, kind, after)
