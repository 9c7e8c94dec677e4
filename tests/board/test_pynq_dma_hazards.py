"""Where PYNQ's DMA driver falls short: each test says what that does, and shows what happens here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from driver_designs import noise, two_dmas
from pynq_board import engines, in_use

import gapless
from gapless.compat.pynq import allocate
from gapless.compat.pynq.lib import DMA
from gapless.errors import (
    AddressError,
    BadArgumentError,
    BufferFreedError,
    BufferInFlightError,
    DmaSlaveError,
    NotContiguousError,
    PynqError,
    WaitTimeoutError,
)


class Loop:
    """Engine ``a`` sends, engine ``b`` receives; and a buffer for each."""

    def __init__(self, board: gapless.Board) -> None:
        self.board, self.faults, low = board, board.probe.faults, board.memory["low"]
        one, other = (DMA(engines(board.spec)[name]) for name in "ab")
        self.a, self.send, self.receive = one, one.sendchannel, other.recvchannel
        self.source, self.sink = allocate(4096, "u1", low), allocate(4096, "u1", low)
        self.source[:], self.sink[:] = noise(4096), 0

    def works(self) -> None:
        self.sink[:] = 0
        self.receive.transfer(self.sink)
        self.send.transfer(self.source)
        self.send.wait()
        self.receive.wait()
        assert np.array_equal(self.source, self.sink)


@pytest.fixture(params=["direct", "scatter-gather"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    options = {"sg": request.param == "scatter-gather"}
    with in_use(two_dmas(source=options, sink=options)) as board:
        found = Loop(board)
        yield found
        found.source.freebuffer()
        found.sink.freebuffer()


def fail(loop: Loop) -> None:
    """An error of the engine, that nobody has waited for."""
    loop.faults.slave_error(loop.source.physical_address, 64)
    loop.send.transfer(loop.source)
    loop.board.bus.sleep(1e-3)
    loop.faults.clear_slave_errors()


def test_an_error_before_the_wait_is_told(loop: Loop) -> None:
    """PYNQ: ``wait()`` says "DMA channel not started"."""
    fail(loop)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^DMA Slave Error .*a MM2S at 0x") as failed:
            loop.send.wait()
        assert isinstance(failed.value.__cause__, DmaSlaveError)
        assert failed.value.__cause__.address == loop.source.physical_address
    assert (loop.send.error, loop.send.running, loop.send.idle) == (True, False, True)
    loop.send.start()
    loop.works()


def test_an_error_is_told_to_who_goes_on_without_a_wait(loop: Loop) -> None:
    """PYNQ: "DMA channel not started"."""
    fail(loop)
    with pytest.raises(PynqError, match=r"^DMA channel not started: .* failed: DMA Slave Error .*start\(\)"):
        loop.send.transfer(loop.source)
    loop.send.stop()
    loop.send.start()
    loop.works()


def test_start_after_an_error_ends(loop: Loop) -> None:
    """PYNQ: ``start()`` spins for ever, since only a reset clears an error; ``stop()`` does not help."""
    for _ in range(3):
        fail(loop)
        loop.send.start()
        assert not loop.send.error
        loop.works()


def test_a_wait_in_coroutines_tells_errors(loop: Loop) -> None:
    """PYNQ: ``wait_async()`` waits for an interrupt for ever."""
    fail(loop)
    with pytest.raises(PynqError, match="DMA Slave Error"):
        asyncio.run(loop.send.wait_async())
    loop.send.start()


def test_a_loop_on_idle_ends_after_an_error(loop: Loop) -> None:
    """PYNQ: ``while not channel.idle: pass`` goes on for ever."""
    loop.faults.slave_error(loop.source.physical_address, 64)
    loop.send.transfer(loop.source)
    while not loop.send.idle:
        pass
    assert loop.send.error
    loop.faults.clear_slave_errors()
    loop.send.start()


def test_a_wait_has_a_timeout(loop: Loop) -> None:
    """PYNQ: ``wait()`` spins for ever when the stream stands still."""
    loop.receive.transfer(loop.sink)
    begun = loop.board.bus.time()
    with pytest.raises(TimeoutError, match=r"b S2MM: not done after 10 ms, DMASR 0x.*goes on: wait\(\) again"):
        loop.receive.wait(timeout=0.01)
    assert loop.board.bus.time() - begun == pytest.approx(0.01, rel=0.1)
    with pytest.raises(WaitTimeoutError):
        asyncio.run(loop.receive.wait_async(timeout=0.001))
    assert loop.receive.running
    loop.send.transfer(loop.source)  # it was not too late
    loop.receive.wait()
    assert np.array_equal(loop.source, loop.sink)


def test_stop_ends_what_stands_still(loop: Loop) -> None:
    """PYNQ: ``stop()`` spins for ever where the engine cannot end what it has begun."""
    for _ in range(2):
        loop.receive.transfer(loop.sink)
        loop.receive.stop()
        assert (loop.receive.idle, loop.receive.running) == (True, False)
        assert not loop.sink.in_flight
        if not loop.board.dma("b").spec.sg:  # the next transfer starts an engine with scatter-gather
            with pytest.raises(PynqError, match=r"^DMA channel not started: .* was stopped"):
                loop.receive.transfer(loop.sink)
            loop.receive.start()
        loop.works()


def test_a_second_transfer_is_refused_clearly(loop: Loop) -> None:
    """PYNQ: "DMA channel not idle"; of a scatter-gather engine "DMA channel not halted"."""
    loop.receive.transfer(loop.sink)
    with pytest.raises(RuntimeError, match=r"^DMA channel not idle: b S2MM has a transfer under way; wait\(\) or stop"):
        loop.receive.transfer(loop.sink)
    other = DMA(engines(loop.board.spec)["b"])  # another object for the same engine
    with pytest.raises(RuntimeError, match=r"^DMA channel not idle: b S2MM"):
        other.recvchannel.transfer(loop.sink)
    loop.send.transfer(loop.source)
    loop.receive.wait()
    assert np.array_equal(loop.source, loop.sink)


def test_freeing_in_flight_is_refused(loop: Loop) -> None:
    """PYNQ: allowed, and the engine writes to memory that is somebody else's by then."""
    loop.receive.transfer(loop.sink)
    for free in (loop.sink.freebuffer, loop.sink.close, loop.sink.free):
        with pytest.raises(BufferInFlightError, match="b S2MM uses it"):
            free()
    loop.send.transfer(loop.source)
    loop.receive.wait()
    assert np.array_equal(loop.source, loop.sink)


def test_a_buffer_that_nobody_refers_to_stays_while_it_is_used(loop: Loop) -> None:
    """PYNQ: with the last reference to the channel its buffer goes, and the engine writes to it all the same."""
    low = loop.board.memory["low"]
    before = low.stats().free
    DMA(engines(loop.board.spec)["b"]).recvchannel.transfer(allocate(4096, "u1", low))
    assert low.stats().free < before
    loop.send.transfer(loop.source)
    loop.send.wait()
    loop.board.bus.sleep(1e-3)
    loop.works()  # which a transfer under way would not let it
    loop.source.free()
    assert low.stats().free > before


@pytest.mark.parametrize(("start", "nbytes"), [(0, 4097), (4095, 2), (4096, 0), (5000, 0), (-1, 0), (0, -5)])
def test_more_than_the_buffer_has(loop: Loop, start: int, nbytes: int) -> None:
    """PYNQ: the engine goes on into the buffer behind it."""
    for channel in (loop.receive, loop.send):
        with pytest.raises(BadArgumentError, match="the array has 4096"):
            channel.transfer(loop.sink, start, nbytes)
        assert channel.idle


def test_a_strided_view_is_refused(loop: Loop) -> None:
    """PYNQ: ``buf[::2]`` sends the first half of ``buf``."""
    for view in (loop.source[::2], loop.source[::-1], loop.source.reshape(64, 64)[:, :8]):
        with pytest.raises(NotContiguousError, match="not one stretch"):
            loop.send.transfer(view)
        with pytest.raises(NotContiguousError):
            loop.send.transfer(view, 0, 8)


def test_what_is_no_buffer_is_refused(loop: Loop) -> None:
    """PYNQ: copies and results of arithmetic keep a physical address, and the engine reads what is there."""
    wrong: list[Any] = [loop.source + 1, loop.source.copy(), loop.source.astype("i4"), np.zeros(8, "u1"), b"12345678"]
    for array in wrong:
        with pytest.raises(BadArgumentError, match="is not in DMA memory"):
            loop.send.transfer(array)


def test_a_freed_buffer_is_refused(loop: Loop) -> None:
    """PYNQ: the engine reads memory that is somebody else's."""
    buffer = allocate(64, "u1", loop.board.memory["low"])
    view = buffer[8:]
    buffer.freebuffer()
    for array in (buffer, view):
        with pytest.raises(BufferFreedError):
            loop.send.transfer(array)


def test_an_unaligned_address(loop: Loop) -> None:
    """PYNQ: RuntimeError in direct mode; a scatter-gather engine's words are taken for 6 bytes long."""
    with pytest.raises(RuntimeError, match=r"^DMA does not support unaligned transfers; .* aligned to 32 bytes"):
        loop.send.transfer(loop.source, start=4)
    loop.works()


def test_a_buffer_beyond_the_engines_addresses() -> None:
    """PYNQ: no buffer can be asked to be below 4 GiB; the address is cut off, and the engine moves what is there."""
    options = {"address_width": 32}
    with in_use(two_dmas(source=options, sink=options)) as board:
        send, high = DMA(engines(board.spec)["a"]).sendchannel, board.memory["high"]
        with (
            allocate(4096, "u1", high) as buffer,
            pytest.raises(AddressError, match="32-bit addresses; allocate it with below"),
        ):
            send.transfer(buffer)
        with allocate(4096, "u1", board.memory["low"], below=1 << 32) as buffer:
            assert buffer.physical_address + 4096 <= 1 << 32
        with pytest.raises(RuntimeError, match="BO allocation failed"):
            allocate(4096, "u1", high, below=1 << 32)


def test_a_wait_for_nothing(loop: Loop) -> None:
    """PYNQ: in direct mode it spins for ever."""
    with pytest.raises(RuntimeError, match=r"^DMA transfer not started: a MM2S has nothing to wait for"):
        loop.send.wait()


def test_memory_comes_back_whatever_happens(loop: Loop) -> None:
    low = loop.board.memory["low"]
    before = low.stats()
    fail(loop)
    loop.send.start()
    loop.receive.transfer(loop.sink)
    loop.receive.stop()
    loop.receive.start()
    loop.works()
    assert (low.stats().used, low.stats().buffers.count) == (before.used, before.buffers.count)
