"""AXI Interrupt Controller (PG099), against a reference and with a timer in front of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import PeripheralBench

ISR, IPR, IER, IAR, SIE, CIE, IVR, MER = range(0x00, 0x20, 4)
ME, HIE = 1, 2
ALL = 0xFFFF_FFFF


class Reference:
    """PG099, "Register Space", in the order of its registers."""

    def __init__(self, inputs, edges):
        self.mask, self.edges = (1 << inputs) - 1, edges
        self.status = self.latched = self.enable = self.master = self.levels = 0

    def write(self, offset, value):
        bits = value & self.mask
        if offset == ISR and not self.master & HIE:
            self.status = bits
        elif offset == IER:
            self.enable = bits
        elif offset == IAR:
            self.latched &= ~bits
            self.status &= ~bits
        elif offset == SIE:
            self.enable |= bits
        elif offset == CIE:
            self.enable &= ~bits
        elif offset == MER:
            self.master = (value & ME) | ((value | self.master) & HIE)
        self.settle()

    def drive(self, index, level):
        bit = 1 << index
        if level and not self.levels & bit:
            self.latched |= bit & self.edges & self.mask
        self.levels = (self.levels & ~bit) | (bit if level else 0)
        self.settle()

    def settle(self):
        self.latched |= self.levels & ~self.edges & self.mask
        if self.master & HIE:
            self.status = self.latched

    def registers(self):
        pending = self.status & self.enable
        vector = next((index for index in range(32) if pending >> index & 1), ALL)
        return {ISR: self.status, IPR: pending, IER: self.enable, IVR: vector, MER: self.master}

    def output(self):
        return bool(self.master & ME and self.status & self.enable)


operations = st.one_of(
    st.tuples(st.just("drive"), st.integers(0, 7), st.booleans()),
    st.tuples(st.just("write"), st.sampled_from([ISR, IPR, IER, IAR, SIE, CIE, IVR]), st.integers(0, 0x1FF)),
    st.tuples(st.just("write"), st.just(MER), st.integers(0, 3)),
)


@given(st.integers(1, 8), st.integers(0, 0xFF), st.lists(operations, max_size=40))
@settings(max_examples=150)
def test_it_does_what_the_reference_does(inputs, edges, operations):
    bench = PeripheralBench("axi-intc", {"inputs": inputs, "edges": edges})
    reference = Reference(inputs, edges)
    for name, where, value in operations:
        if name == "drive":
            bench.peripheral.set_input(where, value)
            reference.drive(where, value)
        else:
            bench.write(where, value)
            reference.write(where, value)
        assert {offset: bench.read(offset) for offset in (ISR, IPR, IER, IVR, MER)} == reference.registers()
        assert bench.interrupt == reference.output()


def test_a_level_that_stays_comes_back_after_its_acknowledge_and_an_edge_does_not():
    """PG099, "Interrupt Acknowledge Register"."""
    bench = PeripheralBench("axi-intc", {"inputs": 2, "edges": 0b10})
    bench.write(IER, 0b11)
    bench.write(MER, ME | HIE)
    for line in (0, 1):
        bench.peripheral.set_input(line, True)
    assert bench.read(IVR) == 0
    bench.write(IAR, 0b11)
    assert bench.read(ISR) == 0b01
    bench.peripheral.set_input(0, False)
    assert bench.read(ISR) == 0b01  # kept until it is acknowledged
    bench.write(IAR, 0b01)
    assert bench.read(ISR) == 0
    assert bench.read(IVR) == ALL
    assert not bench.interrupt


def test_software_makes_interrupts_only_before_the_hardware_may():
    """PG099, "Interrupt Status Register" and "Master Enable Register": HIE stays once it is set."""
    bench = PeripheralBench("axi-intc", {"inputs": 4})
    bench.write(IER, 0xF)
    bench.write(MER, ME)
    bench.write(ISR, 0b0100)
    assert bench.interrupt
    assert bench.read(IVR) == 2
    bench.peripheral.set_input(1, True)
    assert bench.read(ISR) == 0b0100
    bench.write(MER, ME | HIE)
    bench.write(MER, ME)
    assert bench.read(MER) == ME | HIE
    bench.write(ISR, 0b1000)
    assert bench.read(ISR) == 0b0010


def test_a_timer_and_its_handler():
    """A timer on input 3: the interrupt comes, is served and acknowledged, and comes again a period later."""
    timer, intc = PeripheralBench("axi-timer"), PeripheralBench("axi-intc", {"inputs": 4})
    timer.drive(intc, 3)
    intc.write(IER, 0b1000)
    intc.write(MER, ME | HIE)
    timer.write(0x4, 98)
    timer.write(0x0, 0x20)
    timer.write(0x0, 0xD2)
    for n in range(1, 4):
        assert not intc.interrupt
        timer.advance(100 * 10_000)
        assert intc.interrupt
        assert intc.read(IVR) == 3
        assert intc.edges[-1] == n * 1_000_000
        timer.write(0x0, timer.read(0x0))
        intc.write(IAR, 0b1000)


def test_an_edge_from_a_pulse_is_kept():
    """AXI UART Lite's interrupt is one cycle wide: it needs an edge input."""
    uart, intc = PeripheralBench("uart-lite"), PeripheralBench("axi-intc", {"inputs": 1, "edges": 1})
    uart.drive(intc, 0)
    intc.write(IER, 1)
    intc.write(MER, ME | HIE)
    uart.write(0xC, 0x10)
    uart.peripheral.put(b"x")
    uart.advance(10**9)
    assert intc.interrupt


def test_an_edge_before_the_hardware_may_is_not_forgotten():
    bench = PeripheralBench("axi-intc", {"inputs": 1, "edges": 1})
    bench.peripheral.set_input(0, True)
    bench.peripheral.set_input(0, False)
    assert bench.read(ISR) == 0
    bench.write(MER, HIE)
    assert bench.read(ISR) == 1


def test_an_input_that_does_not_exist():
    timer, intc = PeripheralBench("axi-timer"), PeripheralBench("axi-intc", {"inputs": 4})
    with pytest.raises(ValueError, match="no such input"):
        timer.drive(intc, 4)
    with pytest.raises(ValueError, match="axi-intc"):
        intc.drive(timer, 0)
    intc.write(IER, ALL)
    assert intc.read(IER) == 0xF
