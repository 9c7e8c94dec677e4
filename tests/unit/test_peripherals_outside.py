"""What the reset line of a peripheral does not reach, case by case; test_peripherals_reset.py has the rest."""

from __future__ import annotations

from gapless._native import Adt7420, PeripheralBench, PythonIicTarget, PythonSpiTarget

CYCLE = 10_000


def test_outputs_go_back_and_inputs_stay():
    bench = PeripheralBench("axi-gpio", {"width": 8, "data": 0x5, "tristate": 0xF})
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
