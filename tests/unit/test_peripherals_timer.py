"""AXI Timer (PG079): its periods to the cycle, its modes, its registers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import PeripheralBench

TCSR0, TLR0, TCR0, TCSR1, TLR1, TCR1 = 0x00, 0x04, 0x08, 0x10, 0x14, 0x18
MDT, UDT, GENT, CAPT, ARHT, LOAD, ENIT, ENT, TINT, PWMA, ENALL, CASC = (1 << bit for bit in range(12))
CYCLE = 10_000  # picoseconds, at 100 MHz
MAX = 0xFFFF_FFFF


def started(tlr, control, timer=0):
    bench = PeripheralBench("axi-timer")
    bench.write(TLR0 + 0x10 * timer, tlr)
    bench.write(TCSR0 + 0x10 * timer, LOAD)
    bench.write(TCSR0 + 0x10 * timer, control | ENT)
    return bench


class Counter:
    """One counter as PG079 tells it, cycle by cycle."""

    def __init__(self):
        self.control = self.load = self.value = 0
        self.rolled = self.held = False

    def tick(self):
        if self.control & LOAD or not self.control & ENT or self.held:
            return
        if self.rolled:
            self.control |= TINT
            if self.control & ARHT:
                self.restart()
            else:
                self.held = True
            return
        after = self.value + (-1 if self.control & UDT else 1)
        self.value = after & MAX
        self.rolled = after != self.value and not self.control & MDT

    def restart(self):
        self.value, self.rolled, self.held = self.load, False, False

    def write_control(self, value):
        if (self.control ^ value) & MDT:
            self.rolled = self.held = False
        self.control = (self.control & TINT & ~value) | (value & (0x2FF & ~TINT)) | (self.control & ENALL)
        if value & LOAD or (self.held and value & ARHT):
            self.restart()


class Reference:
    def __init__(self):
        self.counters = [Counter(), Counter()]
        self.cycle = 0

    def advance(self, cycle):
        for _ in range(cycle - self.cycle):
            for counter in self.counters:
                counter.tick()
        self.cycle = cycle

    def write(self, offset, value):
        counter = self.counters[offset // 0x10]
        if offset % 0x10 == 4:
            counter.load = value
            if counter.control & LOAD:
                counter.restart()
            return
        counter.write_control(value)
        for each in self.counters:
            each.control &= ~ENALL
            if value & ENALL:
                each.control |= ENALL | ENT

    def registers(self):
        return [word for each in self.counters for word in (each.control, each.load, each.value)]

    def interrupt(self):
        return any(each.control & TINT and each.control & ENIT for each in self.counters)


near_the_ends = st.one_of(st.integers(0, 4), st.integers(0, 40), st.integers(MAX - 40, MAX))
bits = st.lists(st.sampled_from([MDT, UDT, UDT, GENT, ARHT, ARHT, LOAD, ENIT, ENT, ENT, ENT, TINT, ENALL]), max_size=6)
accesses = st.one_of(
    st.tuples(st.sampled_from([TLR0, TLR1]), near_the_ends),
    st.tuples(st.sampled_from([TCSR0, TCSR1]), bits.map(lambda chosen: sum(set(chosen)))),
    st.tuples(st.none(), st.integers(0, 5).map(lambda cycles: cycles * CYCLE)),
    st.tuples(st.none(), st.integers(0, 60 * CYCLE)),
)


@given(st.lists(accesses, max_size=30))
@settings(max_examples=150)
def test_it_counts_as_the_reference_does(accesses):
    bench, reference = PeripheralBench("axi-timer"), Reference()
    for offset, value in accesses:
        if offset is None:
            bench.advance(value)
            reference.advance(bench.now // CYCLE)
        else:
            bench.write(offset, value)
            reference.write(offset, value)
        assert [bench.read(each) for each in (TCSR0, TLR0, TCR0, TCSR1, TLR1, TCR1)] == reference.registers()
        assert bench.interrupt == reference.interrupt()


@given(st.integers(0, MAX), st.booleans(), st.integers(0, 1), st.integers(1, 50))
def test_intervals_are_exact(tlr, down, timer, intervals):
    """PG079, "Register Space", TLR: TLR + 2 cycles downwards, 2^32 - 1 - TLR + 2 upwards."""
    period = tlr + 2 if down else MAX - tlr + 2
    bench = started(tlr, ARHT | ENIT | (UDT if down else 0), timer)
    tcsr = TCSR0 + 0x10 * timer
    for n in range(1, intervals + 1):
        bench.advance(period * CYCLE - 1)
        assert not bench.read(tcsr) & TINT
        bench.advance(1)
        assert bench.interrupt
        bench.write(tcsr, bench.read(tcsr))  # TINT is cleared by the 1 that was read
        assert not bench.interrupt
        assert bench.edges[-1] == n * period * CYCLE


def test_a_clock_without_a_whole_period_does_not_drift():
    bench = PeripheralBench("axi-timer", {"clock": 33_333_333})
    bench.write(TLR0, 33_333_331)
    bench.write(TCSR0, LOAD)
    bench.write(TCSR0, ENT | ENIT | ARHT | UDT)
    for second in range(1, 101):
        bench.advance(10**12)
        assert bench.edges[-1] == second * 10**12
        bench.write(TCSR0, bench.read(TCSR0))


def test_without_auto_reload_it_holds():
    """PG079, "Control/Status Register 0", ARHT: 0 holds the counter."""
    bench = started(8, UDT | ENIT)
    bench.advance(10 * CYCLE)
    assert bench.interrupt
    assert bench.due is None
    bench.write(TCSR0, ENT | UDT | ENIT | TINT)
    bench.advance(1000 * CYCLE)
    assert not bench.interrupt
    assert bench.steady(TCR0)
    bench.write(TCSR0, LOAD | UDT)
    assert bench.read(TCR0) == 8
    bench.write(TCSR0, ENT | UDT | ENIT)
    bench.advance(10 * CYCLE)
    assert bench.interrupt


def test_a_counter_stopped_between_its_end_and_its_reload_goes_on_there():
    bench = started(3, UDT | ARHT)
    bench.advance(4 * CYCLE)
    assert bench.read(TCR0) == MAX
    bench.write(TCSR0, UDT | ARHT)
    bench.advance(10 * CYCLE)
    assert not bench.read(TCSR0) & TINT
    bench.write(TCSR0, UDT | ARHT | ENT)
    bench.advance(CYCLE)
    assert bench.read(TCSR0) & TINT
    assert bench.read(TCR0) == 3


def test_turning_round_at_the_end_keeps_the_count():
    bench = started(0, UDT)
    bench.advance(CYCLE)
    bench.write(TCSR0, ENT)
    assert bench.read(TCR0) == MAX


def test_loading_stops_the_counter():
    """PG079, "Control/Status Register 0", LOAD."""
    bench = started(500, UDT)
    bench.advance(100 * CYCLE)
    assert bench.read(TCR0) == 400
    bench.write(TCSR0, LOAD | ENT | UDT)
    bench.advance(100 * CYCLE)
    assert bench.read(TCR0) == 500


def test_the_interrupt_enable_leaves_the_flag_alone():
    """PG079, "Control/Status Register 0", ENIT."""
    bench = started(0, UDT)
    bench.advance(2 * CYCLE)
    assert bench.read(TCSR0) & TINT
    assert not bench.interrupt
    bench.write(TCSR0, UDT | ENIT)
    assert bench.interrupt
    bench.write(TCSR0, UDT)
    assert not bench.interrupt
    assert bench.read(TCSR0) & TINT


def test_enable_all_starts_both_in_one_cycle():
    """PG079, "Control/Status Register 0", ENALL: it sets both ENT, and clearing it leaves them."""
    bench = PeripheralBench("axi-timer")
    bench.write(TCSR1, ENALL)
    assert bench.read(TCSR0) == bench.read(TCSR1) == ENALL | ENT
    bench.advance(7 * CYCLE)
    assert bench.read(TCR0) == bench.read(TCR1) == 7
    bench.write(TCSR0, ENT)
    assert bench.read(TCSR0) == bench.read(TCSR1) == ENT


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_capture_is_kept_until_it_is_read_unless_told_to_overwrite(overwrite):
    """PG079, "Capture Mode", and ARHT in "Control/Status Register 0"."""
    bench = started(1000, MDT | CAPT | ENIT | (ARHT if overwrite else 0))
    for cycles in (5, 7):
        bench.advance(cycles * CYCLE)
        bench.peripheral.set_capture(True)
        bench.peripheral.set_capture(False)
    assert bench.edges == [5 * CYCLE]
    assert not bench.steady(TLR0)
    assert bench.read(TLR0) == (1012 if overwrite else 1005)
    assert bench.steady(TLR0)
    bench.advance(CYCLE)
    bench.peripheral.set_capture(True)
    assert bench.read(TLR0) == 1013


def test_only_a_rising_edge_captures_and_only_when_enabled():
    bench = started(0, MDT)
    bench.advance(3 * CYCLE)
    bench.peripheral.set_capture(True)
    assert bench.read(TLR0) == 0
    bench.write(TCSR0, MDT | CAPT | ENT)  # the enabled input rises
    assert bench.read(TLR0) == 3
    bench.advance(9 * CYCLE)
    bench.peripheral.set_capture(True)
    assert bench.read(TLR0) == 3


def test_a_stopped_counter_is_captured_without_a_flag():
    bench = started(40, MDT | CAPT | ARHT)
    bench.advance(2 * CYCLE)
    bench.write(TCSR0, MDT | CAPT | ARHT)
    bench.peripheral.set_capture(True)
    assert bench.read(TLR0) == 42
    assert not bench.read(TCSR0) & TINT


def test_the_first_capture_that_is_kept_needs_the_load_register_touched():
    bench = PeripheralBench("axi-timer")
    bench.write(TCSR0, MDT | CAPT | ENT)
    bench.advance(5 * CYCLE)
    bench.peripheral.set_capture(True)
    assert bench.read(TCSR0) & TINT
    assert bench.read(TLR0) == 0
    bench.peripheral.set_capture(False)
    bench.peripheral.set_capture(True)
    assert bench.read(TLR0) == 5


def test_capture_mode_counts_past_the_end():
    bench = started(MAX - 1, MDT | CAPT)
    bench.advance(5 * CYCLE)
    assert bench.read(TCR0) == 3
    assert not bench.read(TCSR0) & TINT


@given(st.integers(3, 500), st.data())
@settings(max_examples=30)
def test_pulse_width_modulation(period, data):
    """PG079, "Pulse Width Modulation Mode": TLR0 + 2 cycles the period, TLR1 + 2 of them high."""
    high = data.draw(st.integers(2, period - 1))
    bench = PeripheralBench("axi-timer")
    for tcsr, tlr, cycles in ((TCSR0, TLR0, period), (TCSR1, TLR1, high)):
        bench.write(tlr, cycles - 2)
        bench.write(tcsr, LOAD | PWMA | GENT | UDT)
    for tcsr in (TCSR0, TCSR1):
        bench.write(tcsr, PWMA | GENT | UDT)
    bench.write(TCSR0, PWMA | GENT | UDT | ENALL)
    changes = []
    while len(changes) < 8:
        before = bench.peripheral.pwm0
        bench.advance(bench.due - bench.now)
        if bench.peripheral.pwm0 != before:
            changes.append(bench.now // CYCLE)
    assert changes == [period * n + after for n in range(1, 5) for after in (0, high)]
    assert bench.read(TCR1) == MAX - 1  # it counts on until timer 0 reloads it


def test_what_is_not_there():
    bench = PeripheralBench("axi-timer")
    bench.write(TCSR0, CASC)
    assert bench.read(TCSR0) == 0
    bench.write(TCR0, 5)
    assert bench.read(TCR0) == 0
    bench.write(0x20, MAX)
    assert bench.read(0x20) == bench.read(0x0C) == 0


def test_only_a_running_count_is_unsteady():
    bench = PeripheralBench("axi-timer")
    assert bench.steady(TCR0)
    bench.write(TCSR1, ENT)
    assert bench.steady(TCR0)
    assert not bench.steady(TCR1)
    assert bench.steady(TCSR1)
