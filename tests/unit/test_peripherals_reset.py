"""The reset line of peripherals: afterwards each is as a new one, but for what is outside of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import Adt7420, PeripheralBench, PythonIicTarget, PythonSpiTarget

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


def test_outputs_go_back_and_inputs_stay():
    bench = PeripheralBench("axi-gpio", KINDS["axi-gpio"].parameters)
    bench.write(0x4, 0)
    bench.write(0x0, 0xFF)
    bench.peripheral.set_input(0xA)
    assert bench.peripheral.output() == 0xFF
    bench.reset()
    assert bench.peripheral.output() == 0
    assert bench.read(0x0) == 0xA


def test_a_pin_of_the_ps_is_low_again():
    bench = PeripheralBench("ps-gpio-7000")
    pin = bench.peripheral.first_emio_pin
    bench.write(0x284, 1)  # DIRM_2
    bench.write(0x048, 1)  # DATA_2
    bench.peripheral.set_input(pin + 1, True)
    assert bench.peripheral.output(pin)
    bench.reset()
    assert not bench.peripheral.output(pin)
    assert bench.read(0x068) == 2  # DATA_2_RO


def test_the_interrupt_to_the_host_is_outside_of_the_subsystem():
    bench = PeripheralBench("host-interrupt")
    bench.write(0, 1)
    bench.reset()
    assert bench.interrupt
    assert bench.read(0) == 1
    bench.write(0, 0)
    bench.reset()
    assert bench.interrupt
    bench.peripheral.set_acknowledge(True)
    assert not bench.interrupt


def test_a_level_from_outside_is_there_when_the_controller_is_enabled_again():
    bench = PeripheralBench("axi-intc")
    bench.write(0x08, 3)
    bench.write(0x1C, 3)
    bench.peripheral.set_input(1, True)
    assert bench.interrupt
    bench.reset()
    assert not bench.interrupt
    bench.write(0x08, 3)
    bench.write(0x1C, 3)
    assert bench.read(0x18) == 1


def test_a_timer_stops_and_its_input_stays_high():
    bench = PeripheralBench("axi-timer")
    bench.write(0x0, 0x0D2)
    bench.peripheral.set_capture(True)
    bench.reset()
    assert bench.due is None
    bench.write(0x0, 0x009)  # capture mode, with its input enabled
    assert bench.read(0x0) & 0x100 == 0
    bench.write(0x0, 0x089)
    bench.peripheral.set_capture(False)
    bench.peripheral.set_capture(True)
    assert bench.read(0x0) & 0x100


def test_a_timer_forgets_that_its_load_register_was_touched():
    """See test_the_first_capture_that_is_kept_needs_the_load_register_touched in test_peripherals_timer.py."""
    bench = PeripheralBench("axi-timer")
    bench.write(0x4, 0)
    bench.reset()
    bench.write(0x0, 0x089)
    bench.advance(100 * CYCLE)
    bench.peripheral.set_capture(True)
    assert bench.read(0x4) == 0


def test_a_uart_loses_its_fifos_but_not_what_is_outside():
    bench = PeripheralBench("uart-lite", {"baud": 1e6})
    byte = 160 * 6 * CYCLE  # 100 MHz / (16 * 1 MHz) is 6.25
    bench.peripheral.put(b"lost, come")
    for sent in b"sent, lost":
        bench.write(0x4, sent)
    bench.advance(5 * byte)
    bench.reset()
    assert bench.read(0x8) == 0x4  # both FIFOs empty
    assert bench.peripheral.take() == b"sent,"
    arrived = b""
    for _ in range(5):
        bench.advance(byte)
        arrived += bytes([bench.read(0x0)])
    assert arrived == b" come"
    assert bench.due is None
    assert bench.peripheral.take() == b""


class Target:
    """Remembers what happens to it."""

    def __init__(self):
        self.seen = []

    def start(self, reading):
        self.seen.append("start")
        return True

    def write(self, byte):
        self.seen.append(byte)
        return True

    def read(self):
        return 0x5A

    def stop(self):
        self.seen.append("stop")

    def exchange(self, byte):
        self.seen.append(byte)
        return byte ^ 0xFF


def test_a_transfer_on_the_iic_bus_ends_and_the_target_stays():
    bench, target = PeripheralBench("axi-iic"), Target()
    bench.peripheral.attach(0x10, PythonIicTarget(target))
    bench.write(0x100, 1)
    for word in (0x120, 1, 2, 3):  # a start, its address, and three bytes
        bench.write(0x108, word)
    bench.advance(20 * 1000 * CYCLE)  # a start and an address are 10 bits of 10 us, a byte 9
    assert target.seen == ["start", 1]
    bench.reset()
    assert target.seen == ["start", 1, "stop"]
    assert bench.due is None
    bench.advance(100_000 * CYCLE)
    assert target.seen == ["start", 1, "stop"]
    bench.write(0x100, 1)
    for word in (0x120, 0x207):  # with a stop
        bench.write(0x108, word)
    bench.advance(100_000 * CYCLE)
    assert target.seen[3:] == ["start", 7, "stop"]


def test_a_sensor_keeps_its_registers():
    """It is another chip: only the master was reset."""
    bench, sensor = PeripheralBench("axi-iic"), Adt7420()
    bench.peripheral.attach(0x4B, sensor)

    def transfer(*sent):
        bench.write(0x100, 1)
        bench.write(0x120, 0xF)  # no pause before 16 bytes are received
        for word in sent:
            bench.write(0x108, word)
        bench.advance(100_000 * CYCLE)

    transfer(0x196, 0x03, 0x280)  # 16 bits
    bench.reset()
    sensor.temperature = 25 + 1 / 128
    transfer(0x196, 0x00, 0x197, 0x202)
    assert [bench.read(0x10C), bench.read(0x10C)] == [0x0C, 0x81]


def test_a_byte_on_the_spi_bus_is_not_finished():
    bench, target = PeripheralBench("quad-spi"), Target()
    bench.peripheral.attach(PythonSpiTarget(target))
    for _ in range(2):
        bench.write(0x60, 0x6)
        bench.write(0x70, 0)
        bench.write(0x68, 0x11)
        bench.write(0x68, 0x22)
        bench.advance(8 * 16 * CYCLE)
        bench.reset()
        assert bench.due is None
        bench.advance(10_000 * CYCLE)
        assert bench.read(0x78) == 0
        assert bench.read(0x64) & 1
    assert target.seen == [0x11, 0x11]


def test_what_an_xadc_measures_stays_and_a_pin_switch_is_cleared():
    xadc, switch = PeripheralBench("xadc"), PeripheralBench("pin-switch")
    xadc.peripheral.set(3, 7)
    switch.write(0xC, 7)
    for bench in (xadc, switch):
        assert bench.read(0xC) == 7
        bench.reset()
    assert xadc.read(0xC) == 7
    assert switch.read(0xC) == 0
