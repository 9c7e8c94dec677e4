"""AXI GPIO (PG144), the latch that interrupts the host, the PS's GPIO, plain registers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless._native import PeripheralBench

DATA, TRI, DATA2, TRI2, GIER, ISR, IER = 0x0, 0x4, 0x8, 0xC, 0x11C, 0x120, 0x128
ALL = 0xFFFF_FFFF
words = st.integers(0, ALL)


@given(words, words, words)
def test_outputs_are_what_was_written_and_inputs_what_comes_in(data, tristate, pins):
    """PG144, "AXI GPIO Data Register" and "AXI GPIO 3-State Control Register"."""
    bench = PeripheralBench("axi-gpio")
    assert bench.read(TRI) == ALL
    bench.write(DATA, data)
    bench.peripheral.set_input(pins)
    assert bench.read(DATA) == pins
    assert bench.peripheral.output() == 0
    bench.write(TRI, tristate)
    assert bench.read(DATA) == (pins & tristate) | (data & ~tristate)
    assert bench.peripheral.output() == data & ~tristate


def test_the_channels_are_two():
    bench = PeripheralBench("axi-gpio", {"width": 4, "width2": 8, "tristate": 0, "data": 0x5, "tristate2": 0xF0})
    assert bench.peripheral.output(0) == 0x5
    for offset in (DATA, TRI2, DATA2, TRI):
        bench.write(offset, ALL)
    assert [bench.read(offset) for offset in (TRI, TRI2)] == [0xF, 0xFF]
    bench.write(TRI2, 0)
    assert bench.peripheral.output(1) == 0xFF
    assert bench.peripheral.output(0) == 0
    with pytest.raises(IndexError):
        bench.peripheral.output(2)


def test_a_channel_that_is_not_there():
    bench = PeripheralBench("axi-gpio")
    bench.write(DATA2, ALL)
    bench.write(TRI2, ALL)
    assert bench.read(DATA2) == bench.read(TRI2) == 0


def test_directions_that_were_built_in():
    bench = PeripheralBench("axi-gpio", {"width": 2, "all_outputs": 1, "width2": 2, "all_inputs2": 1})
    bench.write(TRI, ALL)
    bench.write(TRI2, 0)
    assert (bench.read(TRI), bench.read(TRI2)) == (0, 3)


def test_a_change_of_an_input_is_an_interrupt():
    """PG144, "Interrupts": both edges, inputs only; ISR toggles when 1 is written."""
    bench = PeripheralBench("axi-gpio", {"width": 4, "width2": 4})
    bench.write(TRI, 0b1110)
    bench.write(IER, 0b01)
    bench.write(GIER, 1 << 31)
    bench.peripheral.set_input(0b0001)
    assert bench.read(ISR) == 0
    bench.peripheral.set_input(0b0101)
    assert bench.read(ISR) == 0b01
    assert bench.interrupt
    bench.write(ISR, 0b01)
    assert not bench.interrupt
    bench.peripheral.set_input(0b0101)
    assert bench.read(ISR) == 0
    bench.peripheral.set_input(0b0001)
    assert bench.interrupt
    bench.write(GIER, 0)
    assert not bench.interrupt
    bench.peripheral.set_input(1, channel=1)
    assert bench.read(ISR) == 0b11
    assert bench.read(GIER) == 0
    assert bench.read(IER) == 1


def test_the_latch_keeps_a_level_until_it_is_acknowledged():
    bench = PeripheralBench("host-interrupt")
    bench.write(DATA, 1)
    bench.write(DATA, 0)
    assert bench.interrupt
    bench.peripheral.set_acknowledge(True)
    assert not bench.interrupt
    bench.write(DATA, 1)  # while it is acknowledged
    bench.write(DATA, 0)
    bench.peripheral.set_acknowledge(False)
    assert not bench.interrupt
    bench.peripheral.set_acknowledge(True)
    bench.write(DATA, 1)
    assert not bench.interrupt
    bench.peripheral.set_acknowledge(False)  # and the pin is still high
    assert bench.interrupt
    assert bench.read(DATA) == 1
    assert bench.read(TRI) == 0


PS = {"ps-gpio-7000": ([32, 22, 32, 32], 54), "ps-gpio-mp": ([26, 26, 26, 32, 32, 32], 78)}
DIRM, OEN = 0x204, 0x208


class PsBench:
    """A bench with the banks it is to have."""

    def __init__(self, kind):
        self.bench = PeripheralBench(kind)
        self.widths, self.emio = PS[kind]


@pytest.fixture(params=PS)
def zynq(request):
    return PsBench(request.param)


def test_banks_have_their_widths(zynq):
    """UG585 and UG1085, "General Purpose I/O": the banks and how wide they are."""
    bench = zynq.bench
    assert bench.peripheral.pin_count == sum(zynq.widths)
    assert bench.peripheral.first_emio_pin == zynq.emio
    for bank, width in enumerate([*zynq.widths, 0]):
        mask = (1 << width) - 1
        for offset in (0x40 + 4 * bank, DIRM + 0x40 * bank, OEN + 0x40 * bank):
            bench.write(offset, ALL)
            assert bench.read(offset) == mask


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)), max_size=6))
def test_masked_writes_change_only_what_is_not_masked(writes):
    """MASK_DATA_n: bits 31:16 are 1 where bits 15:0 are not to be written."""
    bench, expected = PeripheralBench("ps-gpio-mp"), 0
    for half, mask, value in writes:
        bench.write(8 * 3 + 4 * half, mask << 16 | value)
        change = (~mask & 0xFFFF) << 16 * half
        expected = (expected & ~change) | (value << 16 * half & change)
        assert bench.read(0x40 + 4 * 3) == expected
        assert bench.read(8 * 3) == expected & 0xFFFF
        assert bench.read(8 * 3 + 4) == expected >> 16


def test_an_emio_output_needs_its_direction_and_a_mio_output_its_enable_too(zynq):
    """UG585, "EMIO Signals": the outputs have no high impedance."""
    bench = zynq.bench
    for bank in range(len(zynq.widths)):
        first = sum(zynq.widths[:bank])
        emio = first >= zynq.emio
        pin = first + 5
        bench.write(0x40 + 4 * bank, 1 << 5)
        assert not bench.peripheral.output(pin)
        bench.write(DIRM + 0x40 * bank, 1 << 5)
        assert bench.peripheral.output(pin) == emio
        bench.write(OEN + 0x40 * bank, 1 << 5)
        assert bench.peripheral.output(pin)
        assert bench.read(0x60 + 4 * bank) == 1 << 5
        assert [each for each in range(sum(zynq.widths)) if bench.peripheral.output(each)] == [pin]
        bench.write(0x40 + 4 * bank, 0)


def test_inputs_are_read_from_their_own_register(zynq):
    bench = zynq.bench
    bench.peripheral.set_input(zynq.emio + 33, True)
    bank = zynq.widths.index(32, 2 if len(zynq.widths) == 4 else 3) + 1
    assert bench.read(0x60 + 4 * bank) == 1 << 1
    assert bench.read(0x40 + 4 * bank) == 0
    bench.peripheral.set_input(zynq.emio + 33, False)
    assert bench.read(0x60 + 4 * bank) == 0
    with pytest.raises(IndexError):
        bench.peripheral.set_input(sum(zynq.widths), True)
    with pytest.raises(IndexError):
        bench.peripheral.output(sum(zynq.widths))


def test_interrupt_registers_of_the_ps_hold_what_is_written():
    bench = PeripheralBench("ps-gpio-7000")
    assert bench.read(0x21C + 0x40) == 0x003F_FFFF
    bench.write(0x214, 0xFF)
    bench.write(0x210, 0x0F)
    assert bench.read(0x20C) == 0xF0
    assert bench.read(0x218) == 0


def test_plain_registers():
    switch = PeripheralBench("pin-switch", {"words": 8})
    for word in range(9):
        switch.write(4 * word, word + 1)
    assert [switch.read(4 * word) for word in range(9)] == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    xadc = PeripheralBench("xadc")
    xadc.peripheral.set(0x240 // 4, 0x8000)
    xadc.write(0x240, 1)
    assert xadc.read(0x240) == 0x8000
    with pytest.raises(IndexError):
        xadc.peripheral.set(256, 0)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("axi-uart", {}, r"no peripheral 'axi-uart'; there are axi-gpio, .*uart-lite"),
        ("axi-gpio", {"widht": 4}, r"axi-gpio has no parameter 'widht'; it has width, "),
        ("ps-gpio-mp", {"banks": 4}, "it has none"),
        ("axi-gpio", {"width": 33}, "width is 33; it is a whole number from 1 to 32"),
        ("axi-timer", {"clock": 1e8 + 0.5}, "clock is 100000000.5"),
        ("uart-lite", {"baud": float("nan")}, "baud is nan"),
    ],
)
def test_what_cannot_be_made(kind, parameters, message):
    with pytest.raises(ValueError, match=message):
        PeripheralBench(kind, parameters)
