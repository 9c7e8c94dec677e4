"""Polled transfers with AXI IIC, register by register as PG090 and Xilinx's low-level driver have it."""

from __future__ import annotations

GIE, ISR, IER, SOFTR, CR, SR, TX, RX = 0x1C, 0x20, 0x28, 0x40, 0x100, 0x104, 0x108, 0x10C
ADR, TX_OCY, RX_OCY, TEN_ADR, PIRQ, GPO, TIMING = 0x110, 0x114, 0x118, 0x11C, 0x120, 0x124, 0x128
EN, TX_RESET, MSMS, DIR_TX, NO_ACK, RSTA = (1 << bit for bit in range(6))
BUSY, TX_FULL, RX_FULL, RX_EMPTY, TX_EMPTY = 0x04, 0x10, 0x20, 0x40, 0x80
LOST, ERROR, WANTS_BYTE, RECEIVED, NOT_BUSY = 0x01, 0x02, 0x04, 0x08, 0x10
START, STOP = 0x100, 0x200
BIT = 10_000_000  # picoseconds, at 100 kHz


class TimedOutError(Exception):
    """The core did not get there."""


def wait(bench, offset, mask, level=True):
    """Poll until a bit of ``mask`` is ``level``; the register's value."""
    for _ in range(2000):
        value = bench.read(offset)
        if bool(value & mask) == level:
            return value
        bench.advance(BIT // 10)
    raise TimedOutError(f"register 0x{offset:X} is 0x{value:X}")


def clear(bench, events):
    bench.write(ISR, bench.read(ISR) & events)


def begin(bench, word, control):
    bench.write(TX, word)
    clear(bench, WANTS_BYTE | ERROR | LOST)
    bench.write(CR, control)
    wait(bench, SR, BUSY)
    clear(bench, NOT_BUSY)


def send(bench, address, data, repeat=False):
    """Bytes that were sent. With ``repeat`` the bus is kept for a repeated start."""
    wait(bench, SR, BUSY if not bench.read(CR) & RSTA else 0, level=False)
    if bench.read(CR) & RSTA:
        bench.write(TX, address << 1)
    else:
        begin(bench, address << 1, MSMS | DIR_TX | EN)
    for index, byte in enumerate(data):
        if wait(bench, ISR, ERROR | LOST | NOT_BUSY | WANTS_BYTE) & (ERROR | LOST | NOT_BUSY):
            wait(bench, SR, BUSY, level=False)
            return index
        last = index == len(data) - 1
        if last and not repeat:
            bench.write(CR, EN | DIR_TX)  # the stop follows the next byte
        bench.write(TX, byte)
        if last and repeat:
            clear(bench, WANTS_BYTE)
            wait(bench, ISR, WANTS_BYTE)
            bench.write(CR, RSTA | EN | DIR_TX | MSMS)
        clear(bench, WANTS_BYTE)
    if not repeat:
        wait(bench, ISR, NOT_BUSY)
        wait(bench, SR, BUSY, level=False)
    return len(data)


def receive(bench, address, count):
    """The bytes, as many as came; then the bus is free and the device disabled."""
    clear(bench, RECEIVED | ERROR | LOST)
    bench.write(PIRQ, 0)
    no_ack = NO_ACK if count == 1 else 0
    if bench.read(CR) & RSTA:
        bench.write(CR, (bench.read(CR) & ~DIR_TX) | no_ack)
        bench.write(TX, address << 1 | 1)
    else:
        begin(bench, address << 1 | 1, MSMS | EN | no_ack)
    data = []
    while len(data) < count:
        left = count - len(data)
        ends = LOST | NOT_BUSY | (ERROR if left > 1 else 0)
        if not wait(bench, ISR, RECEIVED | ends) & RECEIVED:
            break
        if left == 1:
            bench.write(CR, EN)
        elif left == 2:
            bench.write(CR, bench.read(CR) | NO_ACK)
        data.append(bench.read(RX))
        clear(bench, RECEIVED | ERROR | LOST)
    wait(bench, ISR, NOT_BUSY)
    bench.write(CR, 0)
    wait(bench, SR, BUSY, level=False)
    return bytes(data)


def enable_dynamic(bench):
    bench.write(PIRQ, 0xF)
    bench.write(CR, TX_RESET)
    bench.write(CR, EN)
    assert bench.read(SR) & (TX_EMPTY | RX_EMPTY | BUSY) == TX_EMPTY | RX_EMPTY


def dynamic_receive(bench, address, count):
    clear(bench, WANTS_BYTE | ERROR | LOST)
    bench.write(TX, START | address << 1 | 1)
    wait(bench, SR, BUSY)
    clear(bench, NOT_BUSY)
    bench.write(TX, STOP | count)
    data = []
    while len(data) < count:
        ends = LOST | NOT_BUSY | (ERROR if count - len(data) > 1 else 0)
        for _ in range(2000):
            events = bench.read(ISR)
            if not bench.read(SR) & RX_EMPTY or events & ends:
                break
            bench.advance(BIT // 10)
        else:
            raise TimedOutError(f"{len(data)} of {count} bytes")
        if bench.read(SR) & RX_EMPTY:
            break
        data.append(bench.read(RX))
    wait(bench, SR, BUSY, level=False)
    return bytes(data)


def dynamic_send(bench, address, data, stop=True):
    """The words of a transfer at once; more than 16 wait for room."""
    words = [START | address << 1, *data]
    if stop:
        words[-1] |= STOP
    for word in words:
        wait(bench, SR, TX_FULL, level=False)
        bench.write(TX, word)
