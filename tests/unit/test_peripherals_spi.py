"""AXI Quad SPI (PG153) in standard mode, with an SSD1306 and targets written in Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import PeripheralBench, PythonSpiTarget, Ssd1306

DGIER, IPISR, IPIER, SRR, CR, SR, DTR, DRR = 0x1C, 0x20, 0x28, 0x40, 0x60, 0x64, 0x68, 0x6C
SSR, TX_OCY, RX_OCY = 0x70, 0x74, 0x78
LOOP, SPE, MASTER, CPOL, CPHA, TX_RESET, RX_RESET, MANUAL, INHIBIT, LSB = (1 << bit for bit in range(10))
RX_EMPTY, RX_FULL, TX_EMPTY, TX_FULL = 1, 2, 4, 8
BYTE = 8 * 16 * 10_000  # picoseconds


class Inverter:
    def __init__(self):
        self.bytes = []

    def exchange(self, byte):
        self.bytes.append(byte)
        return byte ^ 0xFF


def master(bench, control=0):
    """As PYNQ's spi_open() does it."""
    bench.write(SRR, 0xA)
    bench.write(CR, (bench.read(CR) | MASTER | SPE | MANUAL | control) & ~INHIBIT)


def transfer(bench, data, select=0):
    bench.write(SSR, 0xFFFF_FFFF ^ 1 << select)
    for byte in data:
        bench.write(DTR, byte)
    while not bench.read(SR) & TX_EMPTY:
        bench.advance(BYTE)
    answer = bytes(bench.read(DRR) for _ in data)
    bench.write(SSR, 0xFFFF_FFFF)
    return answer


def test_registers_at_reset():
    """PG153, "Register Space"."""
    bench = PeripheralBench("quad-spi", {"slaves": 3})
    master(bench)
    bench.write(SSR, 0)
    bench.write(DTR, 1)
    bench.write(SRR, 0xA)
    values = {CR: 0x180, SR: 0xA5, SSR: 7, TX_OCY: 0, RX_OCY: 0, DGIER: 0, IPISR: 0, IPIER: 0}
    assert {offset: bench.read(offset) for offset in values} == values
    assert bench.due is None


@given(st.binary(min_size=1, max_size=16), st.booleans())
@settings(max_examples=25)
def test_bytes_go_both_ways(data, lsb_first):
    bench, target = PeripheralBench("quad-spi"), Inverter()
    bench.peripheral.attach(PythonSpiTarget(target))
    master(bench, LSB if lsb_first else 0)
    assert transfer(bench, data) == bytes(byte ^ 0xFF for byte in data)
    assert target.bytes == [int(f"{byte:08b}"[::-1], 2) if lsb_first else byte for byte in data]


def test_only_the_selected_target_takes_part():
    bench, targets = PeripheralBench("quad-spi", {"slaves": 2}), [Inverter(), Inverter()]
    for line, target in enumerate(targets):
        bench.peripheral.attach(PythonSpiTarget(target), line)
    master(bench)
    assert transfer(bench, b"\x01", select=1) == b"\xfe"
    assert [target.bytes for target in targets] == [[], [1]]
    assert transfer(bench, b"\x02", select=7) == b"\x00"
    with pytest.raises(IndexError, match="slave select"):
        bench.peripheral.attach(None, 2)


@pytest.mark.parametrize("ratio", [2, 16, 512])
def test_a_bit_takes_ratio_cycles(ratio):
    bench = PeripheralBench("quad-spi", {"ratio": ratio})
    master(bench, LOOP)
    for byte in b"abc":
        bench.write(DTR, byte)
    bench.advance(3 * 8 * ratio * 10_000 - 1)
    assert bench.read(RX_OCY) == 1
    assert not bench.read(SR) & TX_EMPTY
    bench.advance(1)
    assert bench.read(SR) & TX_EMPTY
    assert bytes(bench.read(DRR) for _ in range(3)) == b"abc"


def test_nothing_moves_while_inhibited_or_disabled():
    """PG153, "SPI Control Register", bits 1, 2 and 8; a byte that was interrupted stays in the FIFO."""
    bench = PeripheralBench("quad-spi")
    for control in (SPE | MASTER | INHIBIT, MASTER, SPE):
        bench.write(CR, control | LOOP)
        bench.write(DTR, control & 0xFF)
        bench.advance(10 * BYTE)
    assert bench.read(TX_OCY) == 2
    bench.write(CR, SPE | MASTER | LOOP)
    bench.advance(BYTE + BYTE // 2)
    bench.write(CR, SPE | MASTER | LOOP | INHIBIT)
    bench.advance(10 * BYTE)
    assert bench.read(TX_OCY) == 1
    bench.write(CR, SPE | MASTER | LOOP)
    bench.advance(2 * BYTE)
    assert bench.read(RX_OCY) == 2
    assert bytes(bench.read(DRR) for _ in range(3)) == bytes([SPE | MASTER, MASTER, SPE])


def test_fifos_fill_and_overrun():
    """PG153, "IP Interrupt Status Register": bits toggle when 1 is written."""
    bench = PeripheralBench("quad-spi")
    master(bench, LOOP | INHIBIT)
    bench.write(CR, bench.read(CR) | INHIBIT)
    for byte in range(17):
        bench.write(DTR, byte)
    assert bench.read(SR) & TX_FULL
    assert bench.read(TX_OCY) == 15
    bench.write(CR, bench.read(CR) & ~INHIBIT)
    bench.advance(16 * BYTE)
    assert bench.read(SR) & (RX_FULL | TX_EMPTY) == RX_FULL | TX_EMPTY
    events = bench.read(IPISR)
    assert events == 0x154  # not empty, half empty, receive full, transmit empty
    bench.write(IPISR, events)
    bench.write(DTR, 0xEE)
    bench.advance(BYTE)
    assert bench.read(IPISR) & 0x20  # overrun
    assert bytes(bench.read(DRR) for _ in range(16)) == bytes(range(16))
    assert bench.read(SR) & RX_EMPTY
    assert bench.steady(DRR)


def test_fifo_resets_clear_themselves():
    bench = PeripheralBench("quad-spi")
    bench.write(DTR, 1)
    bench.write(CR, TX_RESET | RX_RESET | INHIBIT)
    assert bench.read(CR) == INHIBIT
    assert bench.read(SR) & TX_EMPTY


def test_the_interrupt():
    bench = PeripheralBench("quad-spi")
    master(bench, LOOP)
    bench.write(IPIER, 0x04)
    bench.write(DGIER, 1 << 31)
    bench.write(DTR, 1)
    bench.advance(BYTE)
    assert bench.edges == [BYTE]
    bench.write(IPISR, 0x04)
    assert not bench.interrupt


class Oled:
    """A Pmod OLED: SPI, and a GPIO whose pin 2 is the data/command line."""

    def __init__(self):
        self.spi, self.gpio, self.display = PeripheralBench("quad-spi"), PeripheralBench("axi-gpio"), Ssd1306()
        self.spi.peripheral.attach(self.display)
        self.gpio.peripheral.connect_data_line(2, self.display)
        self.gpio.write(0x4, 0xFFFF_FFFB)
        master(self.spi, CPHA | CPOL)

    def command(self, *values):
        self.gpio.write(0, 0)
        transfer(self.spi, values)

    def draw(self, data):
        self.gpio.write(0, 0x4)
        for start in range(0, len(data), 16):
            transfer(self.spi, data[start : start + 16])


def panel(picture):
    """The bytes that show a picture: eight pixels below each other in each, the uppermost in bit 0."""
    return np.packbits(picture.reshape(4, 8, 128), axis=1, bitorder="little").reshape(4, 128)


@pytest.fixture
def picture():
    return np.random.default_rng(5).integers(0, 2, (32, 128), dtype=np.uint8)


@pytest.fixture
def oled():
    made = Oled()
    # As the Pmod's reference program has it: charge pump, precharge, both mappings reversed, COM pins, on.
    made.command(0x8D, 0x14, 0xD9, 0xF1, 0xA1, 0xC8, 0xDA, 0x20, 0xAF)
    return made


def test_a_picture_page_by_page(oled, picture):
    """SSD1306 data sheet, "Page addressing mode"."""
    for page, data in enumerate(panel(picture)):
        oled.command(0x22, page, 7, 0x00, 0x10)
        oled.draw(data.tobytes())
    seen = oled.display.pixels()
    assert (seen.shape, seen.dtype) == ((32, 128), np.uint8)
    np.testing.assert_array_equal(seen, picture)
    assert oled.display.pixels() is not seen


def test_a_picture_in_one_go(oled, picture):
    """SSD1306 data sheet, "Horizontal addressing mode"."""
    oled.command(0x20, 0x00, 0x21, 0, 127, 0x22, 0, 3)
    oled.draw(panel(picture).tobytes() * 2)  # the second time over the first
    np.testing.assert_array_equal(oled.display.pixels(), picture)


def test_a_window_column_by_column(oled):
    """SSD1306 data sheet, "Vertical addressing mode"."""
    oled.command(0x20, 0x01, 0x21, 10, 12, 0x22, 1, 2)
    oled.draw(bytes([0x01, 0x02, 0x04, 0x08, 0x10, 0x20]))
    rows, columns = np.nonzero(oled.display.pixels())
    assert sorted(zip(columns.tolist(), rows.tolist(), strict=True)) == [
        (10, 8), (10, 17), (11, 10), (11, 19), (12, 12), (12, 21)
    ]  # fmt: skip


def test_how_it_is_shown(oled, picture):
    for page, data in enumerate(panel(picture)):
        oled.command(0xB0 | page)
        oled.draw(data.tobytes())
    oled.command(0xA7)
    np.testing.assert_array_equal(oled.display.pixels(), 1 - picture)
    oled.command(0xA6, 0xC0)
    np.testing.assert_array_equal(oled.display.pixels(), picture[::-1])
    oled.command(0xC8, 0xA5)
    assert oled.display.pixels().all()
    oled.command(0xA4, 0x48)
    np.testing.assert_array_equal(oled.display.pixels()[:24], picture[8:])
    oled.command(0xAE)
    assert not oled.display.pixels().any()


def test_the_other_mapping_of_columns(oled):
    oled.command(0xA0, 0xB0, 0x03, 0x10)
    oled.draw(b"\x01")
    assert np.argwhere(oled.display.pixels()).tolist() == [[0, 124]]


def test_without_the_data_line_bytes_are_commands():
    oled = Oled()
    assert not oled.display.data
    oled.gpio.write(0, 0x4)
    assert oled.display.data
    oled.draw(b"\xaf\xa5")
    assert not oled.display.pixels().any()
    with pytest.raises(IndexError, match="no such pin"):
        oled.gpio.peripheral.connect_data_line(0, oled.display, channel=1)
