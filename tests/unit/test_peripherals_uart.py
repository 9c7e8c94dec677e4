"""AXI UART Lite (PG142): FIFOs, baud rate, overrun, interrupt."""

from __future__ import annotations

import pytest

from gapless._native import PeripheralBench

RX, TX, STAT, CTRL = 0x0, 0x4, 0x8, 0xC
VALID, RX_FULL, TX_EMPTY, TX_FULL, ENABLED, OVERRUN = (1 << bit for bit in range(6))
RESET_TX, RESET_RX, ENABLE = 0x01, 0x02, 0x10
CYCLE = 10_000
BYTE = 160 * 54 * CYCLE  # 100 MHz / (16 * 115200) is 54.25


def test_it_comes_up_empty():
    """PG142, "Register Space": STAT_REG is 0x4 at reset."""
    assert PeripheralBench("uart-lite").read(STAT) == TX_EMPTY


@pytest.mark.parametrize(("baud", "divider"), [(115200, 54), (9600, 651), (38400, 163)])
def test_a_byte_takes_ten_bits(baud, divider):
    bench = PeripheralBench("uart-lite", {"baud": baud})
    for byte in b"ab":
        bench.write(TX, byte)
    length = 160 * divider * CYCLE
    bench.advance(length - 1)
    assert bench.peripheral.take() == b""
    bench.advance(1)
    assert bench.peripheral.take() == b"a"
    assert not bench.read(STAT) & TX_EMPTY
    bench.advance(length)
    assert bench.peripheral.take() == b"b"
    assert bench.read(STAT) & TX_EMPTY


def test_a_seventeenth_byte_is_lost():
    bench = PeripheralBench("uart-lite")
    for byte in range(17):
        assert bool(bench.read(STAT) & TX_FULL) == (byte == 16)
        bench.write(TX, byte)
    bench.advance(20 * BYTE)
    assert bench.peripheral.take() == bytes(range(16))


def test_bytes_arrive_at_the_baud_rate():
    bench = PeripheralBench("uart-lite")
    bench.peripheral.put(b"hello")
    received = b""
    for _ in range(5):
        assert bench.steady(RX)
        bench.advance(BYTE)
        assert bench.read(STAT) == TX_EMPTY | VALID
        assert not bench.steady(RX)
        received += bytes([bench.read(RX)])
        assert bench.read(STAT) == TX_EMPTY
    assert received == b"hello"
    assert bench.due is None
    assert bench.read(RX) == 0


def test_an_overrun_loses_the_newest_and_is_told_once():
    """PG142, "Status Register", bit 5: cleared by reading."""
    bench = PeripheralBench("uart-lite")
    bench.peripheral.put(bytes(range(18)))
    bench.advance(16 * BYTE)
    assert bench.read(STAT) == TX_EMPTY | VALID | RX_FULL
    bench.advance(2 * BYTE)
    assert not bench.steady(STAT)
    assert bench.read(STAT) == TX_EMPTY | VALID | RX_FULL | OVERRUN
    assert bench.steady(STAT)
    assert bench.read(STAT) == TX_EMPTY | VALID | RX_FULL
    assert [bench.read(RX) for _ in range(17)] == [*range(16), 0]


def test_the_interrupt_is_an_edge():
    """PG142, "Interrupts": a first byte has come, there are more after one was read, the last was sent."""
    bench = PeripheralBench("uart-lite")
    bench.write(CTRL, ENABLE)
    assert bench.read(STAT) == TX_EMPTY | ENABLED
    bench.peripheral.put(b"12")
    bench.advance(3 * BYTE)
    assert bench.edges == [BYTE]
    assert not bench.interrupt
    bench.read(RX), bench.read(RX)
    bench.write(TX, 1)
    bench.write(TX, 2)
    bench.advance(3 * BYTE)
    assert bench.edges == [BYTE, 3 * BYTE, 5 * BYTE]
    bench.write(CTRL, 0)
    bench.write(TX, 3)
    bench.advance(BYTE)
    assert len(bench.edges) == 3
    bench.write(TX, 4)
    bench.write(CTRL, ENABLE | RESET_TX)
    assert bench.edges[3:] == [bench.now]


def test_a_fifo_is_reset_alone():
    """PG142, "Control Register"."""
    bench = PeripheralBench("uart-lite")
    bench.peripheral.put(b"in")
    bench.advance(2 * BYTE)
    bench.write(TX, 7)
    bench.write(CTRL, RESET_RX)
    assert bench.read(STAT) == 0
    bench.write(CTRL, RESET_TX)
    assert bench.read(STAT) == TX_EMPTY
    bench.advance(2 * BYTE)
    assert bench.peripheral.take() == b""
    bench.write(TX, 8)
    bench.advance(BYTE)
    assert bench.peripheral.take() == b"\x08"
