"""The AXI DMA driver on the bare engine: sizes, widths, addresses, time-outs, cancelling."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest
from driver_designs import GIB, KIB, MIB, PS_HIGH, both_ways, dma, fill, looped, noise, spec, two_dmas, used

from gapless.dma import Control, DescriptorRing, Moved, Status, split
from gapless.errors import (
    AddressError,
    AllocationError,
    BadArgumentError,
    BufferFreedError,
    BufferInFlightError,
    DmaStateError,
    JobCancelledError,
    NotContiguousError,
    UnsupportedError,
    WaitTimeoutError,
)
from gapless.virtual import build_board


def loop(board, source, sink, **options):
    """Send ``source`` through the loop into ``sink``; what each channel moved."""
    engine = board.dma("dma")
    pieces = split(engine.spec, sink.physical_address, sink.nbytes)
    receiving = engine.s2mm.begin(pieces, [sink], **options)
    sent = engine.mm2s.transfer(source, **options)
    return sent, receiving.wait()


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize(
    ("length_width", "sizes"),
    [
        (8, (1, 191, 192, 193, 20_000)),
        (14, (1, 63, 64, 65, 16319, 16320, 16321, 16383, 16384, 300_001)),
        (23, ((1 << 23) - 64, (1 << 23) - 63, (1 << 23) + 1)),
        (26, (1, 4095, 4096, 4097, 1_000_003)),
    ],
)
def test_any_size_arrives_byte_for_byte_in_both_directions(sg, length_width, sizes):
    board = looped(sg=sg, length_width=length_width)
    low, before = board.memory["low"], used(board)
    for size in sizes:
        data = noise(size, size)
        with fill(low, data) as source, low.allocate(size + 128, np.uint8) as room:
            room[:] = 0x5A
            sent, received = loop(board, source, room[:size])
            step = ((1 << length_width) - 1) // 64 * 64
            assert sent == Moved(math.ceil(size / step), size)
            assert received == sent
            assert np.array_equal(room[:size], data)
            assert (room[size:] == 0x5A).all()
    assert board.findings == ()
    assert used(board) == before


@pytest.mark.parametrize("sg", [True, False])
def test_150_mb_through_a_loop(sg):
    board = looped(depth=MIB, sg=sg)
    low = board.memory["low"]
    data = np.resize(noise(10_000_019), 150_000_000)
    source, sink = fill(low, data), low.allocate(data.shape, np.uint8)
    sent, received = loop(board, source, sink)
    assert sent == received == Moved(3, 150_000_000)
    assert np.array_equal(sink, data)


def test_scatter_gather_sends_a_buffer_as_one_packet():
    """The receiver's descriptors are of another length; TLAST comes once, at the end."""
    board = two_dmas(source={"length_width": 8}, sink={"length_width": 14})
    low = board.memory["low"]
    data = noise(150_001)
    source, sink = fill(low, data), low.allocate(200_000, np.uint8)
    receiving = board.dma("b").s2mm.begin(split(board.dma("b").spec, sink.physical_address, 200_000), [sink])
    # more descriptors than the ring has: the rest is linked while it runs, though no interrupt tells
    assert board.dma("a").mm2s.transfer(source) == Moved(math.ceil(150_001 / 192), 150_001)
    assert receiving.wait() == Moved(math.ceil(150_001 / 16320), 150_001)
    assert np.array_equal(sink[:150_001], data)
    assert board.dma("b").s2mm.status & Status.HALTED  # descriptors were left: it was stopped


@pytest.mark.parametrize(
    ("sg", "size"), [(True, 1), (True, 16319), (True, 16321), (True, 40_000), (False, 1), (False, 16319)]
)
def test_a_receive_ends_early_at_tlast(sg, size):
    board = two_dmas(sink={"length_width": 14, "sg": sg})
    low = board.memory["low"]
    source, sink = fill(low, noise(size)), low.allocate(60_000, np.uint8)
    for _ in range(3):  # and the channel can be used again
        sink[:] = 0
        clock = board.bus.time()
        receiving = board.dma("b").s2mm.begin(split(board.dma("b").spec, sink.physical_address, 60_000), [sink])
        board.dma("a").mm2s.transfer(source)
        assert receiving.wait() == Moved(math.ceil(size / 16320), size)
        assert board.bus.time() - clock < 1e-3  # it was not a time-out that ended it
        assert np.array_equal(sink[:size], source)
        assert not sink[size:].any()


def test_transfer_receives_too():
    board = two_dmas()
    low = board.memory["low"]
    data = noise(5000)
    source, sink = fill(low, data), low.allocate(5000, np.uint8)
    sending = board.dma("a").mm2s.begin(split(board.dma("a").spec, source.physical_address, 5000), [source])
    assert board.dma("b").s2mm.transfer(sink) == Moved(1, 5000)
    assert sending.wait() == Moved(1, 5000)
    assert np.array_equal(sink, data)


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize("offset", [0, 32, 64, 4064, 4096, 16320, 65536 - 32])
def test_buffers_that_cross_4_gib(sg, offset):
    crossing = PS_HIGH + 4 * GIB
    board = looped(sg=sg, length_width=14)
    high, size = board.memory["high"], 65536
    data = noise(size, offset)
    source = fill(high, data, address=crossing - offset, align=32) if not offset % 64 else None
    if source is None:  # a slice may start on any word of the engine
        whole = high.allocate(size + 64, np.uint8, address=crossing - offset - 32)
        source = whole[32 : 32 + size]
        source[:] = data
    assert source.physical_address == crossing - offset
    sink = high.allocate(size, np.uint8, address=crossing + GIB)
    loop(board, source, sink)
    assert np.array_equal(sink, data)
    # and the other way
    sink[:] = data[::-1]
    loop(board, sink, source)
    assert np.array_equal(source, data[::-1])
    assert board.findings == ()


@pytest.mark.parametrize("sg", [True, False])
def test_a_32_bit_engine_refuses_what_it_cannot_reach_by_name(sg):
    board = looped(sg=sg, address_width=32)
    low, high = board.memory["low"], board.memory["high"]
    beyond = high.allocate(4096, np.uint8)
    with pytest.raises(
        AddressError,
        match=r"dma: the buffer at 0x8_0000_0000 .* 32-bit addresses; allocate it with below=0x1_0000_0000",
    ):
        board.dma("dma").mm2s.transfer(beyond)
    with pytest.raises(AddressError, match="32-bit"):
        board.dma("dma").s2mm.begin(np.array([[0xFFFF_FF00, 0x200]], np.uint64), [], pool=low)
    source, sink = fill(low, noise(100_000)), low.allocate(100_000, np.uint8)
    loop(board, source, sink)
    assert np.array_equal(sink, source)
    if sg:
        with pytest.raises(AllocationError, match="below 0x1_0000_0000 in high"):
            board.dma("dma").mm2s.transfer(source, pool=high)
        assert not board.dma("dma").mm2s.busy


def test_a_piece_beyond_a_shorter_one_is_checked_too():
    board = looped(address_width=32)
    pieces = np.array([[0xFFFF_F000, 0x2000], [0xFFFF_FF00, 0x10]], np.uint64)
    with pytest.raises(AddressError, match="0xFFFF_F000 ends at 0x1_0000_1000"):
        board.dma("dma").mm2s.begin(pieces, [], pool=board.memory["low"])
    with pytest.raises(AddressError, match="asked to move 0 bytes"):
        board.dma("dma").mm2s.begin(np.array([[0, 32], [64, 0]], np.uint64), [], pool=board.memory["low"])
    with pytest.raises(AddressError, match="not aligned"):
        board.dma("dma").mm2s.begin(np.array([[0, 32], [16, 32]], np.uint64), [], pool=board.memory["low"])


@pytest.mark.parametrize("sg", [True, False])
def test_a_piece_longer_than_the_length_field_is_refused(sg):
    board = looped(sg=sg, length_width=14)
    with pytest.raises(BadArgumentError, match=r"16384 bytes does not fit the 14-bit length field \(at most 16383\)"):
        board.dma("dma").mm2s.begin(np.array([[0, 16384]], np.uint64), [], pool=board.memory["low"])
    with pytest.raises(BadArgumentError, match="nothing to move"):
        board.dma("dma").mm2s.begin(np.zeros((0, 2), np.uint64), [], pool=board.memory["low"])


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf])
def test_a_timeout_that_cannot_be_is_refused(timeout):
    board = looped()
    with board.memory["low"].allocate(64, np.uint8) as buffer, pytest.raises(BadArgumentError, match="timeout="):
        board.dma("dma").mm2s.transfer(buffer, timeout=timeout)


def test_arrays_that_have_no_one_address_are_refused_by_name():
    board = looped()
    buffer = board.memory["low"].allocate((64, 64), np.uint16)
    send = board.dma("dma").mm2s.transfer
    with pytest.raises(NotContiguousError, match="strides"):
        send(buffer[:, ::2])
    with pytest.raises(NotContiguousError):
        send(buffer.T)
    with pytest.raises(BadArgumentError, match="not in DMA memory"):
        send(np.zeros(10))
    with pytest.raises(BadArgumentError, match="not in DMA memory"):
        send(buffer + 1)
    with pytest.raises(AddressError, match="not aligned"):
        send(buffer.reshape(-1)[1:])
    with pytest.raises(AddressError, match="0 bytes"):
        send(buffer[:0])
    buffer.free()
    with pytest.raises(BufferFreedError):
        send(buffer)
    assert board.findings == ()


def test_an_instance_built_without_a_channel_or_without_sg_says_so():
    board = build_board(spec(dma("tx", s2mm=False, sg=False), dma("rx", line=1, mm2s=False)))
    with pytest.raises(UnsupportedError, match="tx was built without its S2MM channel"):
        _ = board.dma("tx").s2mm
    with pytest.raises(UnsupportedError, match="rx was built without its MM2S channel"):
        _ = board.dma("rx").mm2s
    with (
        DescriptorRing(board.memory["low"], board.dma("tx").spec, 1) as ring,
        pytest.raises(UnsupportedError, match="cyclic mode needs an instance built with scatter-gather"),
    ):
        board.dma("tx").mm2s.start_cyclic(ring, [])


# ---- time-outs


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize("channel", ["mm2s", "s2mm"])
def test_a_stalled_stream_times_out_says_so_and_leaves_the_channel_usable(sg, channel):
    board = looped(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    before = used(board)
    source, sink = fill(low, noise(20_000)), low.allocate(20_000, np.uint8)
    board.probe.faults.stall("dma", channel)
    began, clock = time.perf_counter(), board.bus.time()
    buffer = source if channel == "mm2s" else sink
    with pytest.raises(WaitTimeoutError) as info:
        getattr(engine, channel).transfer(buffer, timeout=0.25)
    assert time.perf_counter() - began < 5
    assert 0.25 <= board.bus.time() - clock < 1
    message = str(info.value)
    assert message.startswith(f"dma {channel.upper()}: no completion within 250 ms of the ")
    assert "the stream has stood still" in message
    assert "0 done before, 1 left" in message
    assert not getattr(engine, channel).busy
    assert not buffer.in_flight
    board.probe.faults.stall("dma", channel, False)
    loop(board, source, sink)
    assert np.array_equal(sink, source)
    source.free()
    sink.free()
    del info, buffer
    assert used(board) == before


@pytest.mark.parametrize("sg", [True, False])
def test_receiving_with_no_data_times_out(sg):
    board = looped(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    sink = low.allocate(200_000, np.uint8)
    for _ in range(2):
        began = time.perf_counter()
        with pytest.raises(WaitTimeoutError, match="dma S2MM: no completion within 10 s"):
            engine.s2mm.transfer(sink, timeout=10)
        assert time.perf_counter() - began < 5
        assert engine.s2mm.status & Status.HALTED
    source = fill(low, noise(200_000))
    loop(board, source, sink)
    assert np.array_equal(sink, source)
    sink.free()


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize("channel", ["mm2s", "s2mm"])
def test_a_lost_interrupt_delays_but_loses_nothing(sg, channel):
    board = looped(sg=sg, length_width=14)
    low = board.memory["low"]
    source, sink = fill(low, noise(100_000)), low.allocate(100_000, np.uint8)
    board.probe.faults.lose_interrupt("dma", channel)
    sent, received = loop(board, source, sink, timeout=0.05)
    assert sent == received == Moved(7, 100_000)
    assert np.array_equal(sink, source)


def test_the_timeout_is_for_one_piece_and_not_for_all():
    """1000 pieces of 16 KB at 1 MB/s: 16 s in all, 16 ms each."""
    board = build_board(spec(dma(length_width=14), fifos=[_fifo("dma")], bandwidth=1e6))
    low = board.memory["low"]
    source, sink = fill(low, noise(2_000_000)), low.allocate(2_000_000, np.uint8)
    sent, received = loop(board, source, sink, timeout=0.2)
    assert board.bus.time() > 2
    assert sent.nbytes == received.nbytes == 2_000_000
    assert np.array_equal(sink, source)


def _fifo(name):
    from gapless.boards import StreamFifoSpec

    return StreamFifoSpec("loop", name, name, 64 * KIB)


# ---- one at a time, buffers held


@pytest.mark.parametrize("sg", [True, False])
def test_a_second_transfer_on_a_busy_channel_is_refused_and_the_first_is_whole(sg):
    board = looped(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    source, sink = fill(low, noise(50_000)), low.allocate(50_000, np.uint8)
    receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, 50_000), [sink])
    assert engine.s2mm.busy
    with pytest.raises(DmaStateError, match="dma S2MM: a transfer is under way; wait for it or cancel it first"):
        engine.s2mm.transfer(sink)
    for buffer in (sink, sink[100:]):
        assert buffer.in_flight
    with pytest.raises(BufferInFlightError, match="while dma S2MM uses it"):
        sink.free()
    engine.mm2s.transfer(source)
    assert not receiving.done or receiving.wait()
    receiving.wait()
    assert np.array_equal(sink, source)
    sink.free()


def test_a_refused_transfer_leaves_no_ring_behind():
    board = looped()
    low, engine = board.memory["low"], board.dma("dma")
    sink = low.allocate(100, np.uint8)
    receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, 100), [sink])
    before = used(board)
    for _ in range(3):
        with pytest.raises(DmaStateError):
            engine.s2mm.transfer(sink)
    assert used(board) == before
    receiving.cancel()


@pytest.mark.parametrize("sg", [True, False])
def test_cancel_stops_the_channel_frees_the_buffers_and_wait_says_so(sg):
    board = looped(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    sink = low.allocate(100_000, np.uint8)
    receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, 100_000), [sink])
    receiving.cancel()
    receiving.cancel()
    assert receiving.done
    assert engine.s2mm.status & Status.HALTED
    for _ in range(2):
        with pytest.raises(JobCancelledError, match="cancelled after 0 pieces"):
            receiving.wait()
    source = fill(low, noise(100_000))
    loop(board, source, sink)
    assert np.array_equal(sink, source)
    sink.free()
    assert board.findings == ()


def test_cancel_from_another_thread_ends_a_wait():
    board = both_ways()
    low, engine = board.memory["low"], board.dma("dma")
    block = low.allocate(64 * MIB - 64, np.uint8)
    board.dac(0).monitor.start(1e9)
    # minutes of real time, if nobody cancels
    pieces = split(engine.spec, block.physical_address, block.nbytes)
    sending = engine.mm2s.begin(pieces, [block], repeat=1_000_000)
    caught = []

    def wait():
        try:
            sending.wait()
        except JobCancelledError as error:
            caught.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    assert sending._bytes() > 0
    sending.cancel()
    waiting.join(5)
    assert not waiting.is_alive()
    assert len(caught) == 1
    assert not engine.mm2s.busy
    block.free()


def test_reset_cancels_both_channels():
    board = looped()
    low, engine = board.memory["low"], board.dma("dma")
    source, sink = fill(low, noise(1000)), low.allocate(1000, np.uint8)
    receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, 1000), [sink])
    engine.reset()
    with pytest.raises(JobCancelledError):
        receiving.wait()
    base = engine.spec.base
    assert board.bus.read32(base) == board.bus.read32(base + 0x30) == 0x00010002
    loop(board, source, sink)
    assert np.array_equal(sink, source)


def test_progress_goes_up_to_the_end():
    board = looped(length_width=14)
    low, engine = board.memory["low"], board.dma("dma")
    size = 10_000_000
    source, sink = fill(low, noise(size)), low.allocate(size, np.uint8)
    receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, size), [sink])
    sending = engine.mm2s.begin(split(engine.spec, source.physical_address, size), [source])
    seen = []
    sending.wait(seen.append)
    receiving.wait(seen.append if seen[-1] < 0 else lambda n: None)
    assert seen == sorted(seen)
    assert seen[-1] == size
    assert np.array_equal(sink, source)


# ---- cyclic


def test_cyclic_runs_until_it_is_stopped_and_never_changes_its_bit_while_running():
    board = both_ways()
    low, engine = board.memory["low"], board.dma("dma")
    buffer = fill(low, noise(6400))
    before = used(board)
    with DescriptorRing(low, engine.spec, 2) as ring:
        ring.link(np.array([[buffer.physical_address, 3200], [buffer.physical_address + 3200, 3200]], np.uint64))
        board.dac(0).monitor.start(1e9)
        with engine.mm2s.start_cyclic(ring, [buffer]) as cyclic:
            with pytest.raises(DmaStateError, match="a transfer is under way"):
                engine.mm2s.transfer(buffer)
            with pytest.raises(DmaStateError):
                engine.mm2s.start_cyclic(ring, [buffer])
            with pytest.raises(BufferInFlightError):
                buffer.free()
            with pytest.raises(BufferInFlightError):
                ring.free()
            control = board.bus.read32(engine.spec.base)
            assert control & Control.CYCLIC
            assert control & Control.RUN
            board.bus.sleep(100e-6)
            cyclic.check()
            assert not engine.mm2s.status & (Status.HALTED | Status.IDLE)
            assert board.dac(0).monitor.samples > 50_000
        assert engine.mm2s.status & Status.HALTED
        assert not board.bus.read32(engine.spec.base) & Control.CYCLIC
    assert used(board) == before
    assert board.findings == ()
    board.bus.sleep(1e-3)
    engine.mm2s.transfer(buffer)
    assert board.findings == ()
