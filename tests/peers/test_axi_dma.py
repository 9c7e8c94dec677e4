"""Our AXI DMA driver on QEMU's engine, with Ethernet at the end of its streams."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from gapless._native import BlockQueue
from gapless.dma import DescriptorRing, Status
from gapless.dma.registers import Control, DescriptorStatus, Frame, Offset
from gapless.errors import WaitTimeoutError

from .ml605 import Ml605, ml605

HEADER = bytes([0xFF] * 6 + [0x52, 0x54, 0, 1, 2, 3, 8, 0])


@pytest.fixture
def peer() -> Iterator[Ml605]:
    with ml605() as machine:
        yield machine


def packet(number: int, nbytes: int) -> bytes:
    rng = np.random.default_rng(number)
    return HEADER + number.to_bytes(4, "little") + rng.bytes(nbytes - 18)


def test_packets_of_several_descriptors_leave_whole_and_in_order(peer):
    """A packet is cut into pieces at any address: TXSOF and TXEOF go to the right ones."""
    rng = np.random.default_rng(1)
    for number in range(20):
        data = packet(number, int(rng.integers(60, 1500)))
        cuts = sorted({0, len(data), *rng.integers(1, len(data), int(rng.integers(0, 12))).tolist()})
        with peer.data.allocate(16_384, np.uint8) as buffer:
            pieces, at = [], 0
            for begin, end in pairwise(cuts):
                at += int(rng.integers(0, 60))
                buffer[at : at + end - begin] = np.frombuffer(data[begin:end], np.uint8)
                pieces.append((buffer.physical_address + at, end - begin))
                at += end - begin
            rows = np.array(pieces, np.uint64)
            moved = peer.dma.mm2s.begin(rows, [buffer], pool=peer.rings, one_packet=True).wait()
        assert moved.pieces == len(pieces)
        assert peer.receive() == data


def test_a_ring_goes_round_and_its_tail_is_extended(peer):
    """1,200 packets through 512 descriptors: order, every one once, and each descriptor used again."""
    count, nbytes = 1_200, 64
    with peer.data.allocate((count, nbytes), np.uint8) as buffer:
        sent = [packet(number, nbytes) for number in range(count)]
        buffer[:] = np.frombuffer(b"".join(sent), np.uint8).reshape(count, nbytes)
        pieces = np.array([(buffer.physical_address + nbytes * n, nbytes) for n in range(count)], np.uint64)
        transfer = peer.dma.mm2s.begin(pieces, [buffer], pool=peer.rings)
        for number in range(count):
            assert peer.receive() == sent[number], number
        assert transfer.wait().pieces == count
        tails = [value for offset, value in peer.bus.writes if offset == Offset.TAILDESC]
        assert len(tails) > 2  # it was extended while it ran
        base = peer.rings.base
        assert tails[0] == base + 511 * 64
        assert tails[-1] == base + (count - 1) % 512 * 64
    assert not peer.dma.mm2s.busy


def test_blocks_of_a_stream_reach_the_wire_as_they_are_given(peer):
    """A queue of 4 blocks behind a ring of 4 descriptors, given one by one: what a player does."""
    channel, nbytes, total = peer.dma.mm2s, 128, 50
    with peer.data.allocate((4, nbytes), np.uint8) as buffer:
        queue = BlockQueue(channel._bus, buffer.physical_address, nbytes, 4, 0)
        transfer = channel.stream(queue, 4, buffer, timeout=5.0, pool=peer.rings)
        for number in range(total):
            block = number % 4
            if number >= 4:
                assert queue.take(5.0) == ("block", block, 0, number - 4)  # the engine reports no length
            buffer[block] = np.frombuffer(packet(number, nbytes), np.uint8)
            buffer[block].sync_to_device()
            queue.give(block, nbytes)
            assert peer.receive() == packet(number, nbytes)
        queue.close()
        assert transfer.wait().pieces == total
        queue.retire()


def test_a_received_packet_is_what_was_sent(peer):
    """One descriptor a packet, through the receive loop. The engine reports no length: see docs/peers.md."""
    for number in range(10):
        data = packet(100 + number, 60 + 97 * number)
        with peer.data.allocate(2048, np.uint8) as buffer:
            buffer[:] = 0
            rows = np.array([(buffer.physical_address, 2048)], np.uint64)
            transfer = peer.dma.s2mm.begin(rows, [buffer], pool=peer.rings)
            peer.send(data)
            assert transfer.wait().pieces == 1
            buffer.sync_from_device()
            assert bytes(np.asarray(buffer[: len(data)])) == data


def test_received_packets_fill_a_ring_in_order_and_one_packet_several_descriptors(peer):
    channel = peer.dma.s2mm
    piece, count = 256, 12
    with (
        peer.data.allocate((count, piece), np.uint8) as buffer,
        DescriptorRing(peer.rings, channel._spec, count) as ring,
    ):
        ring.link(np.array([(buffer.physical_address + piece * n, piece) for n in range(count)], np.uint64))
        channel._start_ring(ring, ring.address_of(count - 1))
        channel._write(Offset.DMACR, Control.RUN | Control.IOC_ENABLE | 1 << 16)
        channel._write_wide(Offset.TAILDESC, ring.address_of(count - 1))
        packets = [packet(200 + n, nbytes) for n, nbytes in enumerate((100, 600, 256, 700))]
        needed = [-(-len(data) // piece) for data in packets]
        used = 0
        for data, descriptors in zip(packets, needed, strict=True):
            peer.bus.writes.append((Offset.TAILDESC, 0))  # it has been waiting since the first
            peer.send(data)
            assert channel._bus.wait_interrupt(channel.interrupt, 5.0)
            channel._write(Offset.DMASR, 0x7000)
            channel.status  # noqa: B018  descriptors come with it
            status = ring.descriptors["status"][used : used + descriptors]
            assert all(status & DescriptorStatus.COMPLETE)
            assert not ring.descriptors["status"][used + descriptors : used + descriptors + 1].any()
            assert status[-1] & Frame.END
            buffer.sync_from_device()
            got = np.asarray(buffer[used : used + descriptors]).reshape(-1)[: len(data)]
            assert bytes(got) == data
            used += descriptors
        channel.stop()


def test_a_wire_that_is_silent_is_a_timeout_and_a_reset_brings_it_back(peer):
    data = packet(7, 300)
    with peer.data.allocate(2048, np.uint8) as buffer:
        rows = np.array([(buffer.physical_address, 2048)], np.uint64)
        with pytest.raises(
            WaitTimeoutError, match=r"dma S2MM: no completion within 50 ms of the descriptor at 0x5000_"
        ):
            peer.dma.s2mm.begin(rows, [buffer], pool=peer.rings, timeout=0.05).wait()
        peer.dma.reset()
        assert peer.dma.s2mm.status & Status.HALTED
        assert not peer.machine.read32(0x8460_0000) & Control.RESET
        transfer = peer.dma.s2mm.begin(rows, [buffer], pool=peer.rings)
        peer.send(data)
        assert transfer.wait().pieces == 1
        buffer.sync_from_device()
        assert bytes(np.asarray(buffer[:300])) == data
