"""A register bus in Python, under drivers and native loops."""

from __future__ import annotations

import threading
import time

import pytest

from gapless._native import BlockQueue
from gapless.bus import native_bus
from gapless.errors import BoardClosedError


class Registers:
    def __init__(self):
        self.words = {}
        self.waits = []
        self.up = threading.Event()

    def read32(self, address):
        return self.words[address]

    def write32(self, address, value):
        self.words[address] = value

    def wait_interrupt(self, line, timeout):
        self.waits.append((line, timeout))
        return self.up.wait(timeout)

    def time(self):
        raise AssertionError("not asked")

    def sleep(self, seconds):
        raise AssertionError("not asked")


def test_accesses_are_its_methods():
    registers = Registers()
    bus = native_bus(registers)
    bus.write32(0xF_FFFF_FFFC, 0xFFFF_FFFF)
    assert registers.words == {0xF_FFFF_FFFC: 0xFFFF_FFFF}
    assert bus.read32(0xF_FFFF_FFFC) == 0xFFFF_FFFF


def test_what_it_raises_reaches_the_caller():
    with pytest.raises(KeyError, match="4"):
        native_bus(Registers()).read32(4)


def test_waiting_is_in_slices_and_in_real_time():
    registers = Registers()
    bus = native_bus(registers)
    began = time.monotonic()
    assert not bus.wait_interrupt(7, 0.05)
    assert 0.05 <= time.monotonic() - began < 2
    assert {line for line, _ in registers.waits} == {7}
    assert max(timeout for _, timeout in registers.waits) <= 0.0100001
    threading.Timer(0.02, registers.up.set).start()
    assert bus.wait_interrupt(7, 5)


def test_time_passes_and_sleep_takes_it():
    bus = native_bus(Registers())
    before = bus.time()
    bus.sleep(0.02)
    assert 0.02 <= bus.time() - before < 2


@pytest.mark.parametrize("wait", [lambda bus: bus.wait_interrupt(1, 60.0), lambda bus: bus.sleep(60.0)])
def test_cancel_ends_what_waits_and_what_comes_later(wait):
    bus = native_bus(Registers())
    threading.Timer(0.05, bus.cancel).start()
    with pytest.raises(BoardClosedError):
        wait(bus)
    with pytest.raises(BoardClosedError):
        bus.read32(0)


def test_signals_go_between_threads():
    bus = native_bus(Registers())
    queue = BlockQueue(bus, 0, 64, 2, 0)
    assert queue.take(0.01)[0] == "nothing"
    threading.Timer(0.02, queue.end).start()
    assert queue.take(5.0)[0] == "ended"
    queue.retire()
