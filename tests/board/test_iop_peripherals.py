"""Programs on a soft processor, its peripherals, and what is attached to these, together."""

import numpy as np
import pytest

import gapless
from gapless.virtual import Adt7420, PythonIicTarget, PythonSpiTarget, Ssd1306
from microblaze_asm import image

SENSOR = 0x4B
#: Mailbox words of firmware/test/sensor.c and display.c.
DEVICE, FIRST, COUNT, VALUE, RESULT = range(5)
COMMAND = 0x3FF
PAGE, COLUMN, BYTES, PICTURE = 0, 1, 2, 16
BEGIN, DRAW = 1, 2


@pytest.fixture
def board():
    with gapless.open("virtual:pynq-z2") as opened:
        yield opened
        assert not opened.findings


def run(board, program, number=1):
    """The processor with the program, waiting for something."""
    iop = board.iop(number)
    iop.load(program)
    iop.start()
    assert board.probe.iop(number).state == "settled"
    return iop


def read_device(iop, address, register, count):
    """What the program ``sensor`` reads; None when nobody acknowledges."""
    for index, word in ((DEVICE, address), (FIRST, register), (COUNT, count)):
        iop.mailbox[index] = word
    iop.command(1, timeout=0.01)
    return None if iop.mailbox[RESULT] else iop.mailbox[VALUE]


class TestIic:
    def test_a_temperature(self, board, firmware):
        sensor = Adt7420()
        board.probe.iop(1).peripheral("iic").attach(SENSOR, sensor)
        iop = run(board, firmware("sensor"))
        for celsius in (25.0, -10.5, 100.0625):
            sensor.temperature = celsius
            value = read_device(iop, SENSOR, 0, 2)
            assert (value - 0x10000 if value >= 0x8000 else value) >> 3 == celsius * 16
        assert read_device(iop, SENSOR, 0x0B, 1) == 0xCB

    def test_a_host_that_does_not_wait_finds_it_read(self, board, firmware):
        """The program waits for the bus, which is at work: it has not settled when the command is written."""
        sensor = Adt7420()
        board.probe.iop(1).peripheral("iic").attach(SENSOR, sensor)
        iop = run(board, firmware("sensor"))
        sensor.temperature = 25.0
        iop.mailbox.write(DEVICE, [SENSOR, 0, 2])
        iop.mailbox[COMMAND] = 1
        assert board.probe.iop(1).state == "settled"
        assert (iop.mailbox[COMMAND], iop.mailbox[VALUE] >> 3) == (0, 25 * 16)

    def test_an_address_where_nobody_is(self, board, firmware):
        iop = run(board, firmware("sensor"))
        assert read_device(iop, SENSOR, 0, 2) is None
        board.probe.iop(1).peripheral("iic").attach(SENSOR, Adt7420())
        assert read_device(iop, SENSOR, 0, 2) is not None
        assert read_device(iop, SENSOR - 1, 0, 2) is None

    def test_a_read_takes_as_long_as_its_bits(self, board, firmware):
        """Three bytes sent with their addresses, two received, two starts and a stop, of 10 us a bit."""
        board.probe.iop(1).peripheral("iic").attach(SENSOR, Adt7420())
        iop = run(board, firmware("sensor"))
        before = board.bus.time()
        read_device(iop, SENSOR, 0, 2)
        assert 480e-6 <= board.bus.time() - before < 500e-6

    def test_a_device_written_in_python(self, board, firmware):
        class Memory:
            """256 bytes; the first one written is where."""

            def __init__(self):
                self.bytes = bytearray(range(256))
                self.where = 0
                self.transfers = []

            def start(self, reading):
                self.transfers.append("read" if reading else "write")
                return True

            def write(self, byte):
                self.where = byte
                return True

            def read(self):
                byte = self.bytes[self.where]
                self.where = (self.where + 1) % 256
                return byte

            def stop(self):
                self.transfers.append("stop")

        memory = Memory()
        board.probe.iop(1).peripheral("iic").attach(0x50, PythonIicTarget(memory))
        iop = run(board, firmware("sensor"))
        assert read_device(iop, 0x50, 0xFE, 4) == 0xFEFF_0001
        memory.bytes[9] = 0xAA
        assert read_device(iop, 0x50, 9, 1) == 0xAA
        assert memory.transfers == ["write", "read", "stop"] * 2

    def test_two_processors_have_their_own(self, board, firmware):
        sensors = {1: Adt7420(), 2: Adt7420()}
        display = Ssd1306()
        for number, sensor in sensors.items():
            board.probe.iop(number).peripheral("iic").attach(SENSOR, sensor)
            sensor.temperature = 10 * number
        board.probe.iop(2).peripheral("spi").attach(display)
        board.probe.iop(2).peripheral("gpio").connect_data_line(4, display)
        iops = {number: run(board, firmware("sensor"), number) for number in sensors}
        for number in (1, 2, 1):
            assert read_device(iops[number], SENSOR, 0, 2) == 1280 * number
        run(board, firmware("display"), 2).command(BEGIN)
        sensors[1].temperature = 50
        assert read_device(iops[1], SENSOR, 0, 2) == 6400
        assert not display.pixels().any()


class TestSpi:
    def test_a_picture(self, board, firmware):
        display = Ssd1306()
        board.probe.iop(1).peripheral("spi").attach(display)
        board.probe.iop(1).peripheral("gpio").connect_data_line(4, display)
        iop = run(board, firmware("display"))
        iop.command(BEGIN)
        picture = np.random.default_rng(1).integers(0, 2, (32, 128), np.uint8)
        picture[:, 100:] = 0  # not drawn
        pages = np.packbits(picture.reshape(4, 8, 128), axis=1, bitorder="little")[:, 0]
        for page, row in enumerate(pages):
            for column, count in ((0, 50), (50, 50)):
                iop.mailbox.write(PAGE, [page, column, count])
                iop.mailbox.write(PICTURE, row[column : column + count])
                iop.command(DRAW)
        assert np.array_equal(display.pixels(), picture)
        iop.stop()  # the display is another chip: what it shows stays
        assert np.array_equal(display.pixels(), picture)
        assert not display.data

    def test_a_device_written_in_python(self, board, firmware):
        class Listener:
            def __init__(self):
                self.heard = []

            def exchange(self, byte):
                self.heard.append(byte)
                return 0

        listener = Listener()
        board.probe.iop(1).peripheral("spi").attach(PythonSpiTarget(listener))
        iop = run(board, firmware("display"))
        iop.command(BEGIN)
        assert listener.heard == [0xA1, 0xC8, 0x20, 0x02, 0xAF]


class TestInterrupts:
    def test_bytes_are_sent_back(self, board, firmware):
        uart = board.probe.iop(1).peripheral("uart")
        iop = run(board, firmware("talk"))
        text = b"The quick brown fox jumps over the lazy dog"  # more than the FIFO holds
        uart.put(text)
        board.bus.sleep((len(text) + 3) * 10 / 115200)
        assert uart.take() == bytes(byte ^ 0x20 for byte in text)
        received, interrupts = iop.mailbox.read(0, 2)
        assert received == len(text)
        assert interrupts >= len(text)  # for each byte, and when the last was sent
        uart.put(b"x")
        board.bus.sleep(1e-6)
        assert iop.mailbox[0] == len(text)  # it is on its way
        board.bus.sleep(1e-3)
        assert uart.take() == b"X"

    @pytest.mark.parametrize("levels", [0b0000, 0b1010, 0b1111])
    def test_outputs_follow_inputs(self, board, firmware, levels):
        gpio = board.probe.iop(1).peripheral("gpio")
        iop = run(board, firmware("pins"))
        assert gpio.output() == 0
        for pins in (0b0110, levels, 0b0110):
            gpio.set_input(pins << 4)
            board.bus.sleep(10e-6)
            assert gpio.output() == ~pins & 0xF
            assert iop.mailbox[1] == pins
        assert iop.mailbox[0] == 3
        gpio.set_input(0b0110 << 4 | 0xF)  # pins that are outputs
        board.bus.sleep(10e-6)
        assert iop.mailbox[0] == 3

    def test_reset_ends_them(self, board, firmware):
        gpio = board.probe.iop(1).peripheral("gpio")
        iop = run(board, firmware("pins"))
        gpio.set_input(0x10)
        board.bus.sleep(10e-6)
        assert gpio.output() == 0xE
        iop.stop()
        assert gpio.output() == 0
        gpio.set_input(0x20)
        iop.load("tutorial")
        iop.start()
        gpio.set_input(0x30)
        board.bus.sleep(10e-6)
        assert gpio.output() == 0
        assert board.probe.iop(1).state == "settled"


# Waits for word 0, the load register of the first counter; then counts so many of its intervals as word 1 says, and
# gives the cycles that it took by the second, which runs freely, in word 2.
DELAY = """
        li    r20, 0xF000           # mailbox
        li    r5, 0x41C00000        # timer
wait:   lwi   r6, r20, 0
        beqi  r6, wait
        swi   r6, r5, 0x04          # TLR0
        addik r7, r0, 0x20          # LOAD
        swi   r7, r5, 0x00
        swi   r7, r5, 0x10
        addik r7, r0, 0x12          # down, reload
        swi   r7, r5, 0x00
        addik r7, r0, 0x400         # ENALL: both begin
        swi   r7, r5, 0x10
        addik r7, r0, 0x592         # and what follows is not to stop them
        lwi   r8, r20, 0x04
poll:   lwi   r9, r5, 0x00
        andi  r9, r9, 0x100         # T0INT
        beqi  r9, poll
        swi   r7, r5, 0x00
        addik r8, r8, -1
        bnei  r8, poll
        lwi   r9, r5, 0x18          # TCR1
        swi   r9, r20, 0x08
        swi   r0, r20, 0x00
        bri   wait
"""


class TestTimer:
    @pytest.mark.parametrize("interval", [1000, 1003, 99_999])
    def test_a_polled_delay_is_exact(self, board, interval):
        """PG079, "Generate Mode": TLR + 2 cycles. The loop that looks, and what comes after it, take less than 40."""

        def measure(count):
            iop = run(board, image(DELAY))
            iop.mailbox[1] = count
            iop.mailbox[0] = interval - 2
            iop.wait_word(0, (0,))
            return iop.mailbox[2]

        for count in (1, 10, 500):
            assert 0 <= measure(count) - count * interval < 40

    def test_watching_does_not_change_what_is_measured(self, board):
        taken = []
        for watched in (False, True):
            iop = run(board, image(DELAY))
            if watched:
                board.probe.iop(1).observe("everything")
            iop.mailbox[1] = 3
            iop.mailbox[0] = 4321
            iop.wait_word(0, (0,))
            taken.append(iop.mailbox[2])
        assert taken[0] == taken[1]
