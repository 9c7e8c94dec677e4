"""DMA errors: each its own exception, and recovery with as little harm as the hardware allows."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from driver_designs import KIB, MIB, both_ways, fill, looped, noise, samples, two_dmas, used

from gapless import errors
from gapless.dma import Control, DescriptorRing, Status, split

DATA_ERRORS = Status.INTERNAL_ERROR | Status.SLAVE_ERROR | Status.DECODE_ERROR


def begin(channel, buffer, spec, **options):
    return channel.begin(split(spec, buffer.physical_address, buffer.nbytes), [buffer], **options)


def fail(board, channel="mm2s", kind="slave"):
    """Make ``channel`` of ``dma`` end with an error; the exception, and where it must be."""
    low, engine = board.memory["low"], board.dma("dma")
    side = getattr(engine, channel)
    if kind == "decode":
        where = 0x7_0000_0000
        run = side.begin(np.array([[where, 4096]], np.uint64), [], pool=low, timeout=0.1)
    else:
        buffer = low.allocate(64 * KIB, np.uint8)
        where = buffer.physical_address
        board.probe.faults.slave_error(where + 8192, 64)
        run = begin(side, buffer, engine.spec, timeout=0.1)
    if channel == "s2mm":  # it only looks at its memory when something comes
        source = low.allocate(64 * KIB, np.uint8)
        engine.mm2s.begin(split(engine.spec, source.physical_address, 64 * KIB), [source])
    with pytest.raises(errors.DmaError) as info:
        run.wait()
    board.probe.faults.clear_slave_errors()
    return info.value, where


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize("channel", ["mm2s", "s2mm"])
@pytest.mark.parametrize(
    ("kind", "expected", "bit", "meaning"),
    [
        (
            "slave",
            errors.DmaSlaveError,
            Status.SLAVE_ERROR,
            "DMASlvErr: the memory at the buffer address",
        ),
        ("decode", errors.DmaDecodeError, Status.DECODE_ERROR, "DMADecErr: the buffer address decodes to no memory"),
    ],
)
def test_a_data_error_says_where_and_what(sg, channel, kind, expected, bit, meaning):
    board = looped(sg=sg)
    engine = board.dma("dma")
    error, where = fail(board, channel, kind)
    assert type(error) is expected
    assert error.address == where
    assert error.status & bit
    assert f"dma {channel.upper()} at 0x" in str(error)
    assert meaning in str(error)
    assert "recover()" in str(error)
    side = getattr(engine, channel)
    assert side.status & Status.HALTED
    assert side.status & bit
    assert not side.busy
    with pytest.raises(expected):
        side.check()
    with low_buffer(board) as buffer:
        with pytest.raises(errors.DmaStateError, match=r"earlier error .*call recover\(\) on its DMA first"):
            side.transfer(buffer)
        engine.recover(side)
        side.check()
        assert not side.status & bit


def low_buffer(board):
    return board.memory["low"].allocate(4096, np.uint8)


def test_a_descriptor_in_bad_memory_is_an_sg_error_at_the_descriptor():
    for kind, make in (("slave", _bad_ring_memory), ("decode", _ring_beyond_memory), ("internal", _stale_ring)):
        board = looped()
        engine = board.dma("dma")
        expected, where = make(board, engine)
        with pytest.raises(expected) as info:
            engine.mm2s.check()
        assert info.value.address == where, kind
        assert engine.mm2s.status & Status.HALTED
        with pytest.raises(errors.DmaStateError, match=info.value.args[0].split(": ")[1]):
            engine.mm2s.transfer(low_buffer(board))
        assert engine.recover(engine.mm2s).reset


def _start(board, engine, first, tail):
    write = board.bus.write32
    for offset, value in ((0x08, first & 0xFFFFFFFF), (0x0C, first >> 32), (0x00, 0x11001), (0x14, tail >> 32)):
        write(engine.spec.base + offset, value)
    write(engine.spec.base + 0x10, tail & 0xFFFFFFFF)
    board.bus.sleep(1e-4)


def _bad_ring_memory(board, engine):
    ring = DescriptorRing(board.memory["low"], engine.spec, 2)
    board.probe.faults.slave_error(ring.physical_address, 64)
    _start(board, engine, ring.physical_address, ring.physical_address)
    return errors.SgSlaveError, ring.physical_address


def _ring_beyond_memory(board, engine):
    _start(board, engine, 0x7_0000_0040, 0x7_0000_0040)
    return errors.SgDecodeError, 0x7_0000_0040


def _stale_ring(board, engine):
    ring = DescriptorRing(board.memory["low"], engine.spec, 2)
    buffer = low_buffer(board)
    ring.link(np.array([[buffer.physical_address, 64]] * 2, np.uint64))
    ring.descriptors["status"][1] = 1 << 31
    _start(board, engine, ring.physical_address, ring.address_of(1))
    return errors.SgInternalError, ring.address_of(1)


def test_an_sg_error_in_a_transfer_is_raised_by_wait():
    board = looped(length_width=14)
    low, engine = board.memory["low"], board.dma("dma")
    before = used(board)
    buffer = low.allocate(MIB, np.uint8)
    sending = begin(engine.mm2s, buffer, engine.spec)
    board.probe.faults.slave_error(sending._ring.address_of(3), 64)
    where = sending._ring.address_of(3)
    with pytest.raises(errors.SgSlaveError, match="memory that holds the descriptor") as info:
        sending.wait()
    assert info.value.address == where
    assert not buffer.in_flight
    buffer.free()
    del sending
    assert used(board) == before


def test_a_descriptor_of_length_0_and_a_packet_too_long_are_internal_errors():
    board = looped()
    low, engine = board.memory["low"], board.dma("dma")
    buffer = low_buffer(board)
    with DescriptorRing(low, engine.spec, 1) as ring:
        ring.link(np.array([[buffer.physical_address, 64]], np.uint64))
        ring.descriptors["control"] = 3 << 26
        with engine.mm2s.start_cyclic(ring, [buffer]) as cyclic:
            board.bus.sleep(1e-5)
            with pytest.raises(errors.DmaInternalError, match="a descriptor of length 0") as info:
                cyclic.check()
            assert info.value.address == buffer.physical_address
            assert info.value.status & 1 << 28  # the descriptor's own word
    engine.recover(engine.mm2s)

    board = two_dmas(sink={"sg": False})
    low = board.memory["low"]
    source, sink = fill(low, noise(8192)), low.allocate(4096, np.uint8)
    receiving = begin(board.dma("b").s2mm, sink, board.dma("b").spec)
    begin(board.dma("a").mm2s, source, board.dma("a").spec)
    with pytest.raises(errors.DmaInternalError, match="a packet longer than the space offered") as info:
        receiving.wait()
    assert info.value.address == sink.physical_address


def test_a_cyclic_ring_that_hits_bad_memory_says_where():
    board = both_ways()
    low, engine = board.memory["low"], board.dma("dma")
    buffer = low.allocate(64 * KIB, np.uint8)
    board.dac(0).monitor.start(1e9)
    with DescriptorRing(low, engine.spec, 2) as ring:
        half = 32 * KIB
        ring.link(np.array([[buffer.physical_address, half], [buffer.physical_address + half, half]], np.uint64))
        board.probe.faults.slave_error(buffer.physical_address + half, 64)
        with engine.mm2s.start_cyclic(ring, [buffer]) as cyclic:
            assert board.bus.wait_interrupt(engine.mm2s.interrupt, 0.1)
            with pytest.raises(errors.DmaSlaveError) as info:
                cyclic.check()
    assert info.value.address == buffer.physical_address + half
    assert not buffer.in_flight


# ---- recovery


def registers(board, base):
    return [board.bus.read32(base + offset) for offset in range(0, 0x2C, 4)]


@pytest.mark.parametrize("sg", [True, False])
def test_without_an_error_nothing_is_reset_and_the_other_channel_is_untouched(sg):
    board = both_ways(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    count = 3_000_000
    data = samples(count)
    buffer, sink = fill(low, data), low.allocate(MIB, np.uint8)
    digest = hashlib.sha256()
    board.probe.tap(0, digest.update)
    board.dac(0).monitor.start(1e9)
    sending = begin(engine.mm2s, buffer, engine.spec)
    receiving = begin(engine.s2mm, sink, engine.spec, timeout=10)  # nothing comes: the ADC is not on
    board.bus.sleep(100e-6)
    job, before = sending._jobs[0], registers(board, engine.spec.base)
    recovery = engine.recover(engine.s2mm)
    assert (recovery.reset, recovery.other_restored) == (False, False)
    assert recovery.text == "dma S2MM: stopped; no reset was needed"
    assert registers(board, engine.spec.base) == before
    assert sending._jobs[0] is job  # not even asked to pause
    assert not receiving.wait.__self__._jobs
    with pytest.raises(errors.JobCancelledError):
        receiving.wait()
    assert sending.wait().nbytes == 2 * count
    board.bus.sleep(2e-3)
    board.probe.flush(0)
    assert board.dac(0).monitor.ledger().samples == count
    assert board.dac(0).monitor.ledger().complete
    assert digest.hexdigest() == hashlib.sha256(data.tobytes()).hexdigest()


@pytest.mark.parametrize("sg", [True, False])
@pytest.mark.parametrize("length_width", [14, 20, 26])
def test_with_an_error_a_sending_channel_is_taken_through_the_reset_whole(sg, length_width):
    board = both_ways(sg=sg, length_width=length_width)
    low, engine = board.memory["low"], board.dma("dma")
    count = 400_000
    data = samples(count)
    buffer, sink = fill(low, data), low.allocate(MIB, np.uint8)
    kept = bytearray()
    board.probe.tap(0, kept.extend)
    board.dac(0).monitor.start(1e9)
    board.adc(0).monitor.start(1e9, capture=100_000)
    board.probe.faults.slave_error(sink.physical_address, sink.nbytes)
    receiving = begin(engine.s2mm, sink, engine.spec)
    sending = begin(engine.mm2s, buffer, engine.spec)
    with pytest.raises(errors.DmaSlaveError):
        receiving.wait()
    board.bus.sleep(20e-6)
    assert not sending.done
    recovery = engine.recover(engine.s2mm)
    assert (recovery.reset, recovery.other_restored) == (True, True)
    assert "dma S2MM: the instance was reset, which takes both channels" in recovery.text
    assert "dma MM2S was moving data, was stopped at the end of a piece and goes on: its stream paused" in recovery.text
    moved = sending.wait()
    assert (moved.nbytes, moved.pieces) == (2 * count, len(split(engine.spec, buffer.physical_address, 2 * count)))
    board.bus.sleep(2e-3)
    board.probe.flush(0)
    assert bytes(kept) == data.tobytes()
    assert board.dac(0).monitor.samples == count
    assert not engine.s2mm.status & DATA_ERRORS
    board.probe.faults.clear_slave_errors()
    assert board.adc(0).record(1000, rate=1e9, memory="low").complete
    assert board.findings == ()


@pytest.mark.parametrize("sg", [True, False])
def test_with_an_error_a_receiving_channel_goes_on_and_the_loss_is_told(sg):
    board = both_ways(sg=sg, length_width=16, fifo=MIB)
    _low, engine = board.memory["low"], board.dma("dma")
    count = 200_000
    recording = board.adc(0).start(count, rate=1e9, memory="low", engine="sg" if sg else "direct")
    board.bus.sleep(100e-6)
    fail(board)
    recovery = engine.recover(engine.mm2s)
    assert recovery.reset
    assert recovery.other_restored
    assert "dma S2MM was moving data, was stopped" in recovery.text
    capture = recording.wait()
    got = capture.samples.astype(np.int64) % 65536
    steps = np.diff(got) % 65536
    holes = np.flatnonzero(steps != 1)
    if "what the piece it was in had received is lost" in recovery.text:
        assert not capture.complete  # TLAST came before the memory was full
        assert len(holes) <= 1
        lost = int((steps[holes] - 1).sum()) if len(holes) else 0
        # direct mode: the packet that was cut is the last
        assert len(got) + lost == count or not sg
    else:
        assert capture.complete
        assert not len(holes)
    # and both channels are as good as new
    capture = board.adc(0).record(50_000, rate=1e9, memory="low")
    assert np.array_equal(capture.samples, np.arange(50_000).astype(np.uint16).view(np.int16))
    assert board.dac(0).play(samples(10_000), rate=1e9, memory="low").complete


def test_an_error_while_both_were_idle_needs_no_restoring():
    board = looped()
    engine = board.dma("dma")
    fail(board)
    recovery = engine.recover(engine.mm2s)
    assert (recovery.reset, recovery.other_restored) == (True, False)
    assert board.bus.read32(engine.spec.base) == 0x00010002
    assert engine.recover(engine.mm2s).reset is False


def test_a_cyclic_ring_is_started_again_by_a_recovery_of_the_other():
    board = both_ways()
    low, engine = board.memory["low"], board.dma("dma")
    buffer, sink = fill(low, samples(8000)), low.allocate(4096, np.uint8)
    board.dac(0).monitor.start(1e9)
    with DescriptorRing(low, engine.spec, 1) as ring:
        ring.link(split(engine.spec, buffer.physical_address, 16_000))
        with engine.mm2s.start_cyclic(ring, [buffer]) as cyclic:
            board.bus.sleep(1e-4)
            board.adc(0).monitor.start(1e9)
            board.probe.faults.slave_error(sink.physical_address, 4096)
            with pytest.raises(errors.DmaSlaveError):
                engine.s2mm.transfer(sink)
            recovery = engine.recover(engine.s2mm)
            assert "dma MM2S was moving data, was stopped and starts its ring again" in recovery.text
            assert board.bus.read32(engine.spec.base) & Control.CYCLIC
            before = board.dac(0).monitor.samples
            board.bus.sleep(1e-3)
            assert board.dac(0).monitor.samples - before > 900_000
            cyclic.check()
    assert board.findings == ()


def test_a_timeout_that_needed_a_reset_says_so_and_restores_the_other():
    board = both_ways(length_width=16, fifo=4 * KIB)
    low, engine = board.memory["low"], board.dma("dma")
    data = samples(500_000)
    buffer, sink = fill(low, data), low.allocate(4096, np.uint8)
    kept = bytearray()
    board.probe.tap(0, kept.extend)
    board.dac(0).monitor.start(1e6)
    sending = begin(engine.mm2s, buffer, engine.spec)
    board.adc(0).monitor.start(1e9)
    board.probe.faults.stall("dma", "s2mm")
    with pytest.raises(errors.WaitTimeoutError, match=r"still; dma S2MM: the instance was reset.*dma MM2S was moving"):
        engine.s2mm.transfer(sink, timeout=1e-3)
    sending.wait()
    board.bus.sleep(1.0)
    board.probe.flush(0)
    assert bytes(kept) == data.tobytes()


def test_both_channels_in_error_keep_their_own():
    board = both_ways()
    low, engine = board.memory["low"], board.dma("dma")
    out, into = low.allocate(64 * KIB, np.uint8), low.allocate(64 * KIB, np.uint8)
    board.dac(0).monitor.start(1e9)
    board.adc(0).monitor.start(1e9)
    for buffer in (out, into):
        board.probe.faults.slave_error(buffer.physical_address, 64)
    sending, receiving = begin(engine.mm2s, out, engine.spec), begin(engine.s2mm, into, engine.spec)
    board.bus.sleep(1e-3)
    with pytest.raises(errors.DmaSlaveError, match="MM2S"):
        sending.wait()
    recovery = engine.recover(engine.mm2s)
    assert not recovery.other_restored
    with pytest.raises(errors.DmaSlaveError, match="S2MM") as info:
        receiving.wait()
    assert info.value.address == into.physical_address


@pytest.mark.parametrize("sg", [True, False])
def test_a_recovery_of_the_receiving_channel_pauses_an_output_stream(sg):
    board = both_ways(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    sink = low.allocate(4096, np.uint8)
    data = samples(80_000)
    with board.dac(0).stream(rate=1e8, memory="low", block_samples=1600, blocks=4, sha256=True, force=True) as output:
        for number, part in enumerate(data.reshape(50, 1600)):
            if number in (20, 33):
                board.adc(0).monitor.start(1e9)
                board.probe.faults.slave_error(sink.physical_address, 4096)
                with pytest.raises(errors.DmaSlaveError):
                    engine.s2mm.transfer(sink)
                recovery = engine.recover(engine.s2mm)
                assert (recovery.reset, recovery.other_restored) == (True, True)
                board.probe.faults.clear_slave_errors()
            block = output.acquire()
            block[:] = part
            output.submit(block)
    assert output.report.played_sha256 == hashlib.sha256(data.tobytes()).hexdigest()
    assert output.report.transfers == 50
    assert board.findings == ()


@pytest.mark.parametrize("sg", [True, False])
def test_a_recovery_of_the_sending_channel_pauses_an_input_stream(sg):
    board = both_ways(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    bad = low.allocate(4096, np.uint8)
    with board.adc(0).stream(rate=1e8, memory="low", block_samples=1600, blocks=4, force=True) as incoming:
        end = 0
        for number in range(50):
            if number in (20, 33):
                board.dac(0).monitor.start(1e9)
                board.probe.faults.slave_error(bad.physical_address, 4096)
                with pytest.raises(errors.DmaSlaveError):
                    engine.mm2s.transfer(bad)
                recovery = engine.recover(engine.mm2s)
                assert (recovery.reset, recovery.other_restored) == (True, True)
                board.probe.faults.clear_slave_errors()
            block = incoming.acquire()
            assert block.index == end
            assert np.array_equal(block.samples, np.arange(end, end + 1600).astype(np.uint16).view(np.int16))
            end += 1600
            incoming.release(block)
    assert incoming.report.complete
    assert board.findings == ()
