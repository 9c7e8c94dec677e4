"""A virtual board whose time passes as on the wall while nobody touches it."""

import gc
import os
import sys
import time

import numpy as np
import pytest

import gapless

WALL = "virtual:pynq-z2?clock=wall"
PERIOD, TICKS = 0, 1  # mailbox words of the program ``ticks``


def start_ticks(board, hertz=1000):
    """The IOP, counting interrupts of its timer."""
    iop = board.iop(1)
    iop.load("ticks")
    iop.start()
    iop.mailbox[PERIOD] = 100_000_000 // hertz
    return iop


def until(condition, seconds=10):
    """Sleep until it holds; a busy machine is given time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(5e-3)
    return condition()


def test_a_program_goes_on_while_python_sleeps():
    with gapless.open(WALL) as board:
        iop = start_ticks(board)
        bench = board.probe.iop(1)
        before = bench.cycles
        # Nobody touches the bus: the bench looks at the model from outside, which a tick brings up to date.
        assert until(lambda: bench.cycles > before + 500_000)
        assert iop.mailbox[TICKS] >= 4


def test_time_is_not_ahead_of_the_wall():
    with gapless.open(WALL) as board:
        began, before = time.monotonic(), board.bus.time()
        iop = start_ticks(board)
        time.sleep(0.1)
        ticks, now = iop.mailbox[TICKS], board.bus.time()
        wall = time.monotonic() - began
    # What the accesses cost is on top.
    assert now - before < wall + 0.05
    assert ticks <= (now - before) * 1000
    assert ticks > 0


def test_a_program_that_waits_for_nobody_goes_on(firmware):
    """It never settles: the host waits a second of the board's time for it, and goes on without it."""
    with gapless.open(WALL) as board:
        iop = board.iop(1)
        iop.load(firmware("mute"))
        iop.start()
        iop.mailbox[0x3FF] = 1
        bench = board.probe.iop(1)
        assert bench.state == "running"
        before = bench.cycles
        assert until(lambda: bench.cycles > before + 1_000_000)


def test_a_longer_job_than_the_host_waits_for_ends():
    """A million words are 0.25 s of a processor that the host does not wait for."""
    count = 1 << 20
    with gapless.open(WALL) as board, board.memory["ps-cma"].allocate(count, np.uint32) as buffer:
        iop = board.iop(1)
        iop.load("tutorial")
        iop.start()
        bench = board.probe.iop(1)
        bench.lag = 1e-3
        iop.mailbox[1], iop.mailbox[2] = 5, count
        iop.mailbox[0] = iop.device_address(buffer)
        assert until(lambda: bench.instructions > 4 * count and bench.state == "settled")
        iop.wait_idle(timeout=0)
        assert np.array_equal(buffer.read(), np.arange(5, count + 5, dtype=np.uint32))


def test_without_it_nothing_moves():
    with gapless.open("virtual:pynq-z2") as board:
        iop = start_ticks(board)
        ticks, before = iop.mailbox[TICKS], board.bus.time()
        instructions = board.probe.iop(1).instructions
        time.sleep(0.02)
        assert board.bus.time() == before
        assert board.probe.iop(1).instructions == instructions
        assert iop.mailbox[TICKS] == ticks


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
@pytest.mark.parametrize("leave", ["close", "drop"])
def test_its_thread_ends_with_the_board(leave):
    def threads():
        return len(os.listdir("/proc/self/task"))

    gapless.open("virtual:pynq-z2").close()  # what the first board of a process starts
    before = threads()
    board = gapless.open(WALL)
    start_ticks(board)
    assert threads() == before + 1
    if leave == "close":
        board.close()
    else:
        del board
        gc.collect()
    assert until(lambda: threads() == before)


def test_a_player_has_no_gap():
    """Its blocks are due by the board's time, which passes while Python works only if no stream is under way."""
    with gapless.open("virtual:zcu111?clock=wall") as board:
        converted = bytearray()
        board.probe.tap(0, lambda data: converted.extend(data))
        samples = np.arange(200_000, dtype=np.int16)
        with board.dac(0).stream(rate=100e6, block_samples=10_000, blocks=4) as stream:
            for first in range(0, len(samples), 10_000):
                block = stream.acquire()
                block[:] = samples[first : first + 10_000]
                stream.submit(block)
                if first == 100_000:
                    time.sleep(0.01)
        board.probe.flush(0)
        assert stream.report.ledger.gap_count == 0
        assert np.array_equal(np.frombuffer(converted, np.int16), samples)
