"""The register bus of a real board, on plain memory and with interrupts from a fake UIO device."""

import gc
import os
import threading
import time
import weakref

import numpy as np
import pytest
from fake_uio import FakeUio
from hypothesis import given
from hypothesis import strategies as st

from gapless._native import Bus, MmioBus
from gapless.errors import BoardClosedError, BusAccessError

BASE = 0xA000_0000
LINE, OTHER = 5, 6
SOON = 10.0  # a wait that should end by itself takes far less


def registers(size: int = 0x1000) -> np.ndarray:
    return np.zeros(size, np.uint8)


@pytest.fixture
def memory() -> np.ndarray:
    return registers()


@pytest.fixture
def bus(memory: np.ndarray) -> MmioBus:
    bus = MmioBus()
    bus.add_window(BASE, memory)
    return bus


@pytest.fixture
def uio(bus: MmioBus):
    with FakeUio() as device:
        bus.add_uio_line(LINE, device.fileno())
        yield device


def later(seconds: float, action, *args) -> threading.Timer:
    timer = threading.Timer(seconds, action, args)
    timer.start()
    return timer


# ---- registers -------------------------------------------------------------------------------------


@given(st.dictionaries(st.integers(0, 0x3FF), st.integers(0, 0xFFFF_FFFF)))
def test_every_register_is_at_its_address(written):
    bus, low, high = MmioBus(), registers(), registers()
    bus.add_window(BASE, low)
    bus.add_window(0xF_FFFF_0000, high)
    for word, value in written.items():
        bus.write32(BASE + 4 * word, value)
        bus.write32(0xF_FFFF_0000 + 4 * word, value ^ 0xFFFF_FFFF)
    expected = np.zeros(0x400, np.uint32)
    for word, value in written.items():
        expected[word] = value
        assert bus.read32(BASE + 4 * word) == value
        assert bus.read32(0xF_FFFF_0000 + 4 * word) == value ^ 0xFFFF_FFFF
    assert np.array_equal(low.view(np.uint32), expected)


def test_it_is_a_bus(bus):
    assert isinstance(bus, Bus)


@pytest.mark.parametrize("address", [0, BASE - 4, BASE + 0x1000, (1 << 64) - 4])
def test_an_address_in_no_window_is_a_bus_error_that_names_the_windows(bus, address):
    bus.add_window(BASE + 0x1_0000, registers(0x2000))
    for access in (lambda: bus.read32(address), lambda: bus.write32(address, 1)):
        with pytest.raises(BusAccessError, match=r"0xA0000000 to 0xA0000FFF, 0xA0010000 to 0xA0011FFF"):
            access()


def test_a_bus_without_windows_says_so():
    with pytest.raises(BusAccessError, match="there is no register window"):
        MmioBus().read32(0)


@pytest.mark.parametrize("odd", [1, 2, 3])
def test_a_misaligned_address_is_a_bus_error(bus, odd):
    with pytest.raises(BusAccessError, match="not a multiple of 4"):
        bus.read32(BASE + odd)


@pytest.mark.parametrize("base", [BASE, BASE + 0xFFC, BASE - 0xFFC])
def test_windows_do_not_overlap(bus, base):
    with pytest.raises(ValueError, match="overlaps"):
        bus.add_window(base, registers())


def test_windows_side_by_side_do_not_overlap(bus):
    bus.add_window(BASE - 0x1000, registers())
    bus.add_window(BASE + 0x1000, registers())


@pytest.mark.parametrize(("base", "window"), [(BASE + 2, 8), (BASE, 6), (BASE, 0), ((1 << 64) - 4, 8)])
def test_a_window_is_whole_registers(base, window):
    with pytest.raises(ValueError, match="window"):
        MmioBus().add_window(base, registers(8)[:window])


def test_the_memory_lives_as_long_as_the_bus():
    class Memory(np.ndarray):  # can be referred to weakly
        pass

    memory = registers().view(Memory)
    gone = weakref.ref(memory)
    bus = MmioBus()
    bus.add_window(BASE, memory)
    del memory
    gc.collect()
    bus.write32(BASE, 7)
    assert bus.read32(BASE) == 7
    del bus
    gc.collect()
    assert gone() is None


# ---- time ------------------------------------------------------------------------------------------


def test_time_is_real_and_starts_at_zero():
    bus = MmioBus()
    before = bus.time()
    assert 0 <= before < 1
    bus.sleep(0.02)
    assert 0.02 <= bus.time() - before < SOON


# ---- interrupts ------------------------------------------------------------------------------------


def test_a_polled_line_is_up_while_a_bit_of_its_mask_is_set(bus, memory):
    bus.add_polled_line(LINE, BASE + 4, 0x7000)
    word = memory.view(np.uint32)
    word[1] = ~np.uint32(0x7000)
    assert not bus.wait_interrupt(LINE, 0.001)
    for bit in (0x1000, 0x2000, 0x4000):
        word[1] = bit
        assert bus.wait_interrupt(LINE, 0)
        assert bus.wait_interrupt(LINE, 0)  # it is one of level


def test_a_polled_line_that_rises_ends_a_wait(bus, memory):
    bus.add_polled_line(LINE, BASE + 4, 1)
    later(0.02, memory.__setitem__, 4, 1)
    before = time.monotonic()
    assert bus.wait_interrupt(LINE, SOON)
    assert time.monotonic() - before < SOON / 2


def test_a_wait_for_a_polled_line_takes_little_of_the_processor(bus):
    bus.add_polled_line(LINE, BASE + 4, 1)
    before = time.thread_time()
    assert not bus.wait_interrupt(LINE, 0.3)
    assert time.thread_time() - before < 0.15


def test_a_uio_line_that_rises_ends_a_wait(bus, uio):
    later(0.02, uio.set, True)
    before = time.monotonic()
    assert bus.wait_interrupt(LINE, SOON)
    assert time.monotonic() - before < SOON / 2


def test_a_uio_line_that_is_up_is_seen_again_and_again(bus, uio):
    uio.set(True)
    for times in range(3):
        assert bus.wait_interrupt(LINE, SOON)
        assert uio.written == [1] * (times + 1)
    uio.set(False)  # dealt with
    assert not bus.wait_interrupt(LINE, 0.02)


def test_a_stale_count_is_no_interrupt(bus, uio):
    uio.set(True)  # counted, and masked
    uio.set(False)  # somebody dealt with it without asking the kernel
    assert uio.count == 1
    assert not bus.wait_interrupt(LINE, 0.02)
    assert not uio.masked
    uio.set(True)
    assert bus.wait_interrupt(LINE, SOON)


@given(st.lists(st.sampled_from(["rise", "fall", "wait"]), max_size=12))
def test_a_wait_tells_the_level_whatever_happened_before(steps):
    bus, level = MmioBus(), False
    with FakeUio() as uio:
        bus.add_uio_line(LINE, uio.fileno())
        for step in [*steps, "wait"]:
            if step == "wait":
                assert bus.wait_interrupt(LINE, SOON if level else 0.002) == level
            else:
                level = step == "rise"
                uio.set(level)


def test_none_of_many_interrupts_is_lost(bus, uio):
    """Each is dealt with as a driver does: the line falls, and may rise again before the next wait."""
    rises, stop = 300, threading.Event()
    served = 0

    def device() -> None:
        for _ in range(rises):
            while uio.level and not stop.is_set():
                time.sleep(0)
            uio.set(True)

    thread = threading.Thread(target=device)
    thread.start()
    try:
        while served < rises and bus.wait_interrupt(LINE, SOON):
            uio.set(False)
            served += 1
    finally:
        stop.set()
        thread.join()
    assert served == rises


def test_two_threads_may_wait_for_one_line(bus, uio):
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(bus.wait_interrupt(LINE, SOON))) for _ in range(2)]
    for thread in threads:
        thread.start()
    later(0.05, uio.set, True)
    for thread in threads:
        thread.join()
    assert found == [True, True]


def test_a_device_that_is_gone_is_a_bus_error(bus, uio):
    uio.break_off()
    with pytest.raises(BusAccessError, match="UIO device"):
        bus.wait_interrupt(LINE, SOON)


def test_a_descriptor_that_cannot_be_unmasked_is_a_bus_error(bus):
    reading, writing = os.pipe()
    bus.add_uio_line(OTHER, reading)
    os.close(reading)  # the bus has its own
    try:
        with pytest.raises(BusAccessError, match="unmasking the interrupt: Bad file descriptor"):
            bus.wait_interrupt(OTHER, SOON)
    finally:
        os.close(writing)


def test_a_closed_descriptor_is_refused(bus):
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    with pytest.raises(OSError, match="Bad file descriptor"):
        bus.add_uio_line(OTHER, reading)


def test_an_unknown_line_is_a_bus_error_that_names_those_there_are(bus, uio):
    bus.add_polled_line(OTHER, BASE, 1)
    with pytest.raises(BusAccessError, match="no interrupt line 9: there is 5, 6"):
        bus.wait_interrupt(9, 0)


def test_a_line_is_given_once(bus, uio):
    with pytest.raises(ValueError, match="line 5 is given twice"):
        bus.add_polled_line(LINE, BASE, 1)
    with pytest.raises(BusAccessError, match="no registers are mapped"):
        bus.add_polled_line(OTHER, BASE + 0x1000, 1)


# ---- the end of a bus ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uio", "polled", "sleep"])
def test_cancel_ends_a_wait_of_another_thread(bus, uio, kind):
    bus.add_polled_line(OTHER, BASE, 1)
    wait = {
        "uio": lambda: bus.wait_interrupt(LINE, 60),
        "polled": lambda: bus.wait_interrupt(OTHER, 60),
        "sleep": lambda: bus.sleep(60),
    }[kind]
    later(0.05, bus.cancel)
    before = time.monotonic()
    with pytest.raises(BoardClosedError):
        wait()
    assert time.monotonic() - before < SOON


def test_a_cancelled_bus_does_nothing_any_more(bus, memory):
    bus.add_polled_line(LINE, BASE, 1)
    memory[0] = 1
    bus.cancel()
    for call in (
        lambda: bus.read32(BASE),
        lambda: bus.write32(BASE, 0),
        lambda: bus.wait_interrupt(LINE, 0),
        lambda: bus.sleep(0),
    ):
        with pytest.raises(BoardClosedError):
            call()
    assert memory[0] == 1
