"""AXI IIC (PG090) as the drivers use it, with an ADT7420 and targets written in Python."""

from __future__ import annotations

import iic_driver as iic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iic_driver import BIT, CR, EN, GIE, IER, ISR, MSMS, PIRQ, RX, SR, TX

from gapless._native import Adt7420, PeripheralBench, PythonIicTarget

SENSOR = 0x4B


class Recorder:
    """A target that writes down what happens, acknowledges ``acknowledged`` bytes, and sends 0x10, 0x11 ..."""

    def __init__(self, acknowledged=1000):
        self.events, self.acknowledged, self.sent = [], acknowledged, 0x10

    def start(self, reading):
        self.events.append("read" if reading else "write")
        return True

    def write(self, byte):
        self.events.append(byte)
        self.acknowledged -= 1
        return self.acknowledged >= 0

    def read(self):
        self.sent += 1
        return self.sent - 1

    def stop(self):
        self.events.append("stop")


def with_recorder(**arguments):
    bench, recorder = PeripheralBench("axi-iic"), Recorder(**arguments)
    bench.peripheral.attach(0x50, PythonIicTarget(recorder))
    return bench, recorder


def with_sensor(celsius=25.0):
    bench, sensor = PeripheralBench("axi-iic"), Adt7420()
    sensor.temperature = celsius
    bench.peripheral.attach(SENSOR, sensor)
    return bench


def test_registers_at_reset():
    """PG090, "Register Space": ISR 0xD0, SR 0xC0, all others 0."""
    bench = PeripheralBench("axi-iic")
    iic.begin(bench, 0x00, MSMS | EN)
    bench.write(PIRQ, 3)
    bench.write(GIE, 1 << 31)
    bench.write(iic.SOFTR, 0xA)
    assert (bench.read(ISR), bench.read(SR)) == (0xD0, 0xC0)
    others = (GIE, IER, CR, TX, RX, iic.ADR, iic.TX_OCY, iic.RX_OCY, iic.TEN_ADR, PIRQ, iic.GPO)
    assert [bench.read(offset) for offset in others] == [0] * len(others)
    assert bench.due is None


@given(st.binary(min_size=1, max_size=20))
@settings(max_examples=20)
def test_what_is_sent_arrives(data):
    bench, recorder = with_recorder()
    assert iic.send(bench, 0x50, data) == len(data)
    assert recorder.events == ["write", *data, "stop"]
    assert not bench.read(CR) & MSMS


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 40])
def test_what_is_received(count):
    bench, recorder = with_recorder()
    assert iic.receive(bench, 0x50, count) == bytes(range(0x10, 0x10 + count))
    assert recorder.events == ["read", "stop"]
    assert recorder.sent == 0x10 + count  # not one byte more than asked for


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_repeated_start_reads_a_register(count):
    bench, recorder = with_recorder()
    assert iic.send(bench, 0x50, b"\x0b", repeat=True) == 1
    assert len(iic.receive(bench, 0x50, count)) == count
    assert recorder.events == ["write", 0x0B, "read", "stop"]


def test_a_repeated_start_is_asked_for_once():
    """PG090, "Control Register", RSTA: cleared when the start is on the bus."""
    bench, _ = with_recorder()
    iic.send(bench, 0x50, b"\x01", repeat=True)
    assert bench.read(CR) & iic.RSTA
    bench.advance(50 * BIT)
    assert bench.read(CR) & iic.RSTA
    bench.write(TX, 0xA0)
    assert not bench.read(CR) & iic.RSTA


def test_a_repeated_start_sends_again():
    bench, recorder = with_recorder()
    assert iic.send(bench, 0x50, b"\x01\x02", repeat=True) == 2
    assert iic.send(bench, 0x50, b"\x03") == 1
    assert recorder.events == ["write", 1, 2, "write", 3, "stop"]


def test_nobody_at_the_address():
    """PG090, "Interrupt Status Register", int(1): no acknowledge; the master stops by itself."""
    bench, recorder = with_recorder()
    assert iic.send(bench, 0x51, b"\x01\x02") == 0
    assert bench.read(ISR) & iic.ERROR
    assert not bench.read(CR) & MSMS
    for count in (1, 2):
        assert iic.receive(bench, 0x51, count) == b""
    assert iic.send(bench, 0x50, b"\x03") == 1
    assert recorder.events == ["write", 3, "stop"]


def test_a_byte_that_is_not_acknowledged_ends_the_transfer():
    bench, recorder = with_recorder(acknowledged=2)
    assert iic.send(bench, 0x50, b"\x01\x02\x03\x04") == 3
    assert recorder.events == ["write", 1, 2, 3, "stop"]


def test_bytes_take_nine_bits():
    """At 100 kHz: the start one bit, the address and each byte nine, the stop one."""
    bench, _ = with_recorder()
    bench.write(CR, EN)
    iic.dynamic_send(bench, 0x50, [1, 2, 3])
    bench.advance((1 + 4 * 9 + 1) * BIT - 1)
    assert bench.read(SR) & iic.BUSY
    bench.advance(1)
    assert not bench.read(SR) & iic.BUSY


def test_fast_mode_is_four_times_as_fast():
    bench = PeripheralBench("axi-iic", {"scl": 400_000})
    bench.write(CR, EN)
    bench.write(TX, iic.START | iic.STOP | 0xA0)
    assert bench.due == 10 * BIT // 4


def test_dynamic_mode_reads_a_register_of_the_sensor():
    """PG090, "Dynamic Controller Logic Flow"."""
    bench = with_sensor()
    iic.enable_dynamic(bench)
    iic.dynamic_send(bench, SENSOR, [0x0B], stop=False)
    assert iic.dynamic_receive(bench, SENSOR, 1) == b"\xcb"


@pytest.mark.parametrize("count", [1, 2, 16, 30, 255])
def test_dynamic_mode_receives_as_many_as_asked(count):
    bench, recorder = with_recorder()
    iic.enable_dynamic(bench)
    expected = bytes(value & 0xFF for value in range(0x10, 0x10 + count))
    recorder.read = iter(expected).__next__
    assert iic.dynamic_receive(bench, 0x50, count) == expected
    assert recorder.events == ["read", "stop"]


def test_dynamic_mode_without_an_answer():
    bench = with_sensor()
    iic.enable_dynamic(bench)
    assert iic.dynamic_receive(bench, 0x20, 2) == b""
    iic.dynamic_send(bench, 0x20, [1, 2])
    iic.wait(bench, SR, iic.BUSY, level=False)
    assert bench.read(iic.TX_OCY) == 1  # both bytes are still there: software resets the FIFO
    iic.enable_dynamic(bench)
    iic.dynamic_send(bench, SENSOR, [0x0B])
    iic.wait(bench, SR, iic.BUSY, level=False)
    assert iic.dynamic_receive(bench, SENSOR, 1) == b"\xcb"


def test_dynamic_mode_without_a_count_receives_one_byte():
    bench, recorder = with_recorder()
    iic.enable_dynamic(bench)
    bench.write(TX, iic.START | 0xA1)
    bench.advance(100 * BIT)
    assert recorder.sent == 0x11
    assert recorder.events == ["read", "stop"]


def test_without_a_byte_to_send_the_transfer_is_an_address_and_a_stop():
    bench, recorder = with_recorder()
    iic.begin(bench, 0xA0, MSMS | iic.DIR_TX | EN)
    bench.write(CR, EN | iic.DIR_TX)
    iic.wait(bench, SR, iic.BUSY, level=False)
    assert recorder.events == ["write", "stop"]


def test_the_bus_waits_while_the_receive_fifo_is_filled():
    """PG090, "Receive FIFO Programmable Depth Interrupt Register": the bus is throttled from this depth on."""
    bench, recorder = with_recorder()
    bench.write(PIRQ, 3)
    iic.begin(bench, 0xA1, MSMS | EN)
    bench.advance(1000 * BIT)
    assert bench.read(iic.RX_OCY) == 3
    assert bench.read(ISR) & iic.RECEIVED
    assert recorder.sent == 0x14
    bench.read(RX)
    bench.advance(9 * BIT)
    assert recorder.sent == 0x15


def test_disabling_lets_go_of_the_bus():
    bench, recorder = with_recorder()
    iic.begin(bench, 0xA0, MSMS | iic.DIR_TX | EN)
    bench.advance(20 * BIT)
    bench.write(CR, 0)
    assert not bench.read(SR) & iic.BUSY
    assert recorder.events == ["write", "stop"]


def test_the_transmit_fifo_is_full_at_16_and_can_be_reset():
    bench = PeripheralBench("axi-iic")
    for _ in range(17):
        bench.write(TX, 0)
    assert bench.read(SR) & iic.TX_FULL
    assert bench.read(iic.TX_OCY) == 15
    bench.write(ISR, 0x80)
    assert bench.read(ISR) == 0x50  # no longer half empty
    bench.write(CR, iic.TX_RESET)
    assert bench.read(SR) == 0xC0
    assert bench.read(ISR) == 0xD0


def test_events_toggle_and_levels_come_back():
    """PG090, "Interrupt Status Register"."""
    bench = PeripheralBench("axi-iic")
    bench.write(ISR, iic.LOST | iic.NOT_BUSY)
    assert bench.read(ISR) == 0xD0 | iic.LOST
    bench.write(IER, iic.LOST)
    assert not bench.interrupt
    bench.write(GIE, 1 << 31)
    assert bench.interrupt
    bench.write(ISR, iic.LOST)
    assert not bench.interrupt


@given(st.integers(-(1 << 15), (1 << 15) - 1))
@settings(max_examples=30)
def test_the_sensor_gives_16_bits_when_configured(code):
    """ADT7420 data sheet, "Temperature Value Registers": two's complement, 1/128 of a degree."""
    bench = with_sensor(code / 128)
    iic.send(bench, SENSOR, b"\x03\x80")
    iic.send(bench, SENSOR, b"\x00", repeat=True)
    assert iic.receive(bench, SENSOR, 2) == (code & 0xFFFF).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("celsius", "value", "flags"), [(25.0, 400, 0), (-0.0625, -1, 1), (64.5, 1032, 2), (150.0, 2400, 6), (9.9, 158, 1)]
)
def test_the_sensor_gives_13_bits_and_flags_at_first(celsius, value, flags):
    bench = with_sensor(celsius)
    iic.send(bench, SENSOR, b"\x00", repeat=True)
    word = int.from_bytes(iic.receive(bench, SENSOR, 2), "big", signed=True)
    assert (word >> 3, word & 7) == (value, flags)


def test_the_sensor_is_read_again_without_saying_where():
    """ADT7420 data sheet, "Temperature Value Registers": the pointer counts within a transaction, and is as written."""
    bench = with_sensor(30.0)
    for _ in range(3):
        assert iic.receive(bench, SENSOR, 2) == b"\x0f\x00"
    iic.send(bench, SENSOR, b"\x0b")
    for _ in range(2):
        assert iic.receive(bench, SENSOR, 1) == b"\xcb"


def test_the_sensors_registers():
    bench = with_sensor()
    iic.send(bench, SENSOR, b"\x04\x01\x02")
    iic.send(bench, SENSOR, b"\x02", repeat=True)
    assert iic.receive(bench, SENSOR, 10) == bytes([0x20, 0, 1, 2, 5, 0, 0x49, 0x80, 5, 0xCB])
    iic.send(bench, SENSOR, b"\x0b\x00")  # not writable
    iic.send(bench, SENSOR, b"\x2f")
    iic.send(bench, SENSOR, b"\x04", repeat=True)
    assert iic.receive(bench, SENSOR, 8) == bytes([0x20, 0, 5, 0, 0x49, 0x80, 5, 0xCB])


def test_the_temperature_is_limited_to_what_it_can_say():
    sensor = Adt7420()
    assert sensor.temperature == 25.0
    sensor.temperature = 1e9
    assert sensor.temperature == 255.9921875
    sensor.temperature = float("nan")
    assert sensor.temperature == 0


def test_an_address_has_seven_bits_and_a_target_can_be_detached():
    bench = with_sensor()
    with pytest.raises(ValueError, match="7 bits"):
        bench.peripheral.attach(0x80, Adt7420())
    bench.peripheral.attach(SENSOR, None)
    assert iic.send(bench, SENSOR, b"\x00") == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_target_that_raises_does_not_acknowledge():
    bench = PeripheralBench("axi-iic")
    bench.peripheral.attach(0x50, PythonIicTarget(object()))
    assert iic.send(bench, 0x50, b"\x01") == 0
