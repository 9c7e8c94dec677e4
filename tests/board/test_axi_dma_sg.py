"""Scatter-gather mode of the AXI DMA model: start, tail, descriptors, packets."""

from itertools import pairwise

import numpy as np
import pytest
from axi_dma_bench import (
    BYTES,
    CMPLT,
    CURDESC,
    DMACR,
    EOF,
    ERRORS,
    HALTED,
    IDLE,
    IOC,
    LOW_BASE,
    MEMORY_BASE,
    MIB,
    SOF,
    TAILDESC,
    TAILDESC_MSB,
    Bench,
    Piece,
    loop_bench,
    settings,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

SOURCE, TARGET = MEMORY_BASE, MEMORY_BASE + 256 * MIB
TX, RX = MEMORY_BASE + 512 * MIB, MEMORY_BASE + 520 * MIB
WHOLE = SOF | EOF


def packets(lengths, at=SOURCE, stride=None):
    """One MM2S piece a packet, at a stride in memory or one behind the other."""
    pieces = []
    for nbytes in lengths:
        pieces.append(Piece(at, nbytes, WHOLE))
        at += stride or nbytes
    return pieces


def rooms(lengths, at=TARGET):
    return [Piece(at + sum(lengths[:i]), nbytes) for i, nbytes in enumerate(lengths)]


def run_both(bench, dma, tx, rx):
    """Both chains from start to Idle."""
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[-1])
    dma.mm2s.finish(timeout=0.1)
    dma.s2mm.finish()


@pytest.mark.parametrize("nbytes", [4, 64, 4096, 5000, MIB])
def test_one_descriptor_each(nbytes):
    """PG021, Scatter/Gather Mode: CURDESC, RS, TAILDESC move one packet and write both status words."""
    bench, dma = loop_bench(sg=True, data_bytes=4)
    data = bench.fill(SOURCE, nbytes)
    tx = bench.chain(TX, packets([nbytes]))
    rx = bench.chain(RX, rooms([nbytes + 256]))
    run_both(bench, dma, tx, rx)
    assert bench.bd_status(tx[0]) == CMPLT | nbytes
    assert bench.bd_status(rx[0]) == CMPLT | SOF | EOF | nbytes
    assert (bench.view(TARGET, nbytes) == data).all()
    assert not bench.view(TARGET + nbytes, 256).any()
    assert bench.findings() == []


def test_only_the_status_word_is_written():
    """PG021, Scatter Gather Descriptor: the engine updates STATUS; every other word is software's."""
    bench, dma = loop_bench(sg=True)
    bench.fill(SOURCE, 4096)
    tx = bench.chain(TX, packets([2048, 2048]))
    rx = bench.chain(RX, rooms([2048, 2048]))
    for address in tx + rx:
        words = bench.words(address, 16)
        words[4:6] = 0xDEAD_BEEF
        words[8:] = 0x5555_AAAA
    before = [bench.words(address, 16).copy() for address in tx + rx]
    run_both(bench, dma, tx, rx)
    for address, words in zip(tx + rx, before, strict=True):
        after = bench.words(address, 16)
        assert after[7] & CMPLT
        assert (np.delete(after, 7) == np.delete(words, 7)).all()


def test_tail_while_halted_starts_nothing():
    """PG021, TAILDESC: while halted a write has no effect except to reposition the pause point."""
    bench, dma = loop_bench(sg=True)
    bench.fill(SOURCE, 4096)
    tx = bench.chain(TX, packets([1024, 1024]))
    dma.mm2s.set_current(tx[0])
    dma.mm2s.set_tail(tx[1])
    bench.bus.sleep(1e-4)
    assert dma.mm2s.status & (HALTED | IDLE) == HALTED
    assert bench.bd_status(tx[0]) == 0
    assert dma.mm2s.read(TAILDESC) == tx[1] & 0xFFFF_FFFF
    assert dma.mm2s.read(TAILDESC_MSB) == tx[1] >> 32
    dma.mm2s.run()
    bench.bus.sleep(1e-4)
    assert bench.bd_status(tx[0]) == 0
    dma.mm2s.set_tail(tx[1])
    dma.mm2s.finish()
    assert bench.bd_status(tx[1]) == CMPLT | 1024


def test_tail_msb_written_while_halted_counts():
    """PG021, TAILDESC_MSB: a write while halted repositions the pause point; the LSB write then starts."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([1024, 1024, 1024]))
    dma.mm2s.set_current(tx[0])
    dma.mm2s.write(TAILDESC_MSB, tx[1] >> 32)
    dma.mm2s.run()
    dma.mm2s.write(TAILDESC, tx[1] & 0xFFFF_FFFF)
    dma.mm2s.finish()
    assert [bench.bd_status(address) for address in tx] == [CMPLT | 1024, CMPLT | 1024, 0]


@pytest.mark.parametrize("clock", [100e6, 300e6, 500e6])
@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("order", ["msb first", "lsb first"])
def test_both_orders_of_the_tail(order, count, clock):
    """Facts, register map: the LSB write starts; drivers that write 0x10, then 0x14, work on wide cores too."""
    bench, dma = loop_bench(sg=True, clock=clock)
    data = bench.fill(SOURCE, 1024 * count)
    tx = bench.chain(TX, packets([1024] * count))
    rx = bench.chain(RX, rooms([1024] * count))
    halves = [(TAILDESC_MSB, 32), (TAILDESC, 0)]
    for channel, tail in ((dma.s2mm, rx[-1]), (dma.mm2s, tx[-1])):
        channel.set_current(RX if channel is dma.s2mm else TX)
        channel.run()
        for offset, shift in halves if order == "msb first" else halves[::-1]:
            channel.write(offset, tail >> shift & 0xFFFF_FFFF)
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(TARGET, 1024 * count) == data).all()
    # Not one descriptor too many: what follows the tail is untouched.
    assert bench.bd_status(tx[-1] + 64) == 0
    assert bench.findings() == []


def test_lsb_write_alone_starts_once_the_msb_is_right():
    """Facts, register map: the LSB write starts or extends the fetch."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([1024] * 3))
    dma.mm2s.start(tx[0], tx[0])
    dma.mm2s.finish()
    dma.mm2s.write(TAILDESC, tx[2] & 0xFFFF_FFFF)
    assert not dma.mm2s.status & IDLE
    dma.mm2s.finish()
    assert bench.bd_status(tx[2]) == CMPLT | 1024


def test_msb_write_alone_starts_nothing():
    """Facts, register map: the LSB write starts the fetch."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([1024]))
    dma.mm2s.set_current(tx[0])
    dma.mm2s.run()
    dma.mm2s.write(TAILDESC_MSB, tx[0] >> 32)
    bench.bus.sleep(1e-5)
    assert bench.bd_status(tx[0]) == 0


def test_narrow_core():
    """Facts, register map: a 32-bit core starts on 0x10 and ignores every upper word, of descriptors too."""
    bench, dma = loop_bench(sg=True, low=True)
    data = bench.fill(LOW_BASE, 8192)
    tx = bench.chain(LOW_BASE + 64 * MIB, packets([4096, 4096], at=LOW_BASE))
    rx = bench.chain(LOW_BASE + 65 * MIB, rooms([4096, 4096], at=LOW_BASE + MIB))
    for address in tx + rx:
        bench.words(address, 4)[1::2] = 0xBAD0_BAD0
    dma.s2mm.start(rx[0], rx[1])
    dma.mm2s.start(tx[0], tx[1])
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(LOW_BASE + MIB, 8192) == data).all()
    assert dma.mm2s.current == tx[1]
    assert bench.bd_status(tx[1]) == CMPLT | 4096


def test_curdesc_is_read_only_while_running():
    """PG021, CURDESC: it can only be written while the engine is halted."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([1024]))
    other = bench.chain(TX + MIB, packets([2048]))
    dma.mm2s.set_current(tx[0])
    dma.mm2s.run()
    dma.mm2s.set_current(other[0])
    assert dma.mm2s.current == tx[0]
    dma.mm2s.set_tail(tx[0])
    dma.mm2s.finish()
    dma.mm2s.set_current(other[0])
    assert dma.mm2s.current == tx[0]
    assert bench.bd_status(other[0]) == 0
    # Halted again, it can be written, and is where the next start fetches.
    dma.mm2s.write(DMACR, settings())
    assert dma.mm2s.wait(HALTED) & HALTED
    dma.mm2s.start(other[0], other[0])
    dma.mm2s.finish()
    assert bench.bd_status(other[0]) == CMPLT | 2048


def test_tail_extended_while_running():
    """Facts, buffer descriptors: another TAILDESC write while running extends the chain: no restart."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 8 * MIB)
    tx = bench.chain(TX, packets([MIB] * 8))
    rx = bench.chain(RX, rooms([MIB] * 8))
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[1])
    for tail in tx[2:]:
        bench.bus.sleep(40e-6)
        assert not dma.mm2s.status & IDLE
        dma.mm2s.set_tail(tail)
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(TARGET, 8 * MIB) == data).all()
    assert [bench.bd_status(address) for address in tx] == [CMPLT | MIB] * 8


def test_extension_leaves_no_gap():
    """Facts, buffer descriptors: a chain extended in time takes as long as one that was whole from the start."""

    def duration(extended):
        bench, dma = loop_bench(sg=True)
        tx = bench.chain(TX, packets([MIB] * 6))
        rx = bench.chain(RX, rooms([6 * MIB] * 6))
        dma.s2mm.start(rx[0], rx[-1])
        dma.mm2s.start(tx[0], tx[1] if extended else tx[-1])
        start = bench.bus.time()
        bench.bus.sleep(60e-6)
        dma.mm2s.set_tail(tx[-1])
        while not dma.mm2s.status & IDLE:
            bench.bus.sleep(1e-9)
        return bench.bus.time() - start

    assert duration(extended=True) == pytest.approx(duration(extended=False), abs=250e-9)


def test_same_tail_again_while_running():
    """PG021, TAILDESC: while not idle a write only repositions the pause point; the same one changes nothing."""
    bench, dma = loop_bench(sg=True, depth=4 * MIB)
    tx = bench.chain(TX, packets([MIB, MIB]))
    dma.mm2s.start(tx[0], tx[1])
    for _ in range(5):
        bench.bus.sleep(18e-6)
        assert not dma.mm2s.status & IDLE
        dma.mm2s.set_tail(tx[1])
    status = dma.mm2s.finish()
    assert not status & ERRORS
    assert dma.mm2s.current == tx[1]
    assert bench.bd_status(tx[1] + 64) == 0


def test_tail_after_idle_resumes_at_the_next():
    """Facts, buffer descriptors: a TAILDESC write after Idle resumes from the next descriptor of the chain."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 6 * 4096)
    tx = bench.chain(TX, packets([4096] * 6))
    rx = bench.chain(RX, rooms([4096] * 6))
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[0])
    for i in (0, 1, 3, 5):
        if i:
            dma.mm2s.set_tail(tx[i])
        dma.mm2s.finish()
        bench.bus.sleep(1e-5)
        done = [bool(bench.bd_status(address) & CMPLT) for address in tx]
        assert done == [True] * (i + 1) + [False] * (5 - i)
        assert dma.mm2s.current == tx[i]
    dma.s2mm.finish()
    assert (bench.view(TARGET, 6 * 4096) == data).all()


def test_ring_used_again():
    """PG021, Descriptor Management: completed descriptors are given back, and the tail goes round and round."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([1000, 1064, 1128], stride=4096), ring=True)
    rx = bench.chain(RX, rooms([4096, 4096]), ring=True)
    dma.s2mm.set_current(rx[0])
    dma.mm2s.set_current(tx[0])
    dma.s2mm.run()
    dma.mm2s.run()
    for i in range(20):
        data = bench.fill(SOURCE + 4096 * (i % 3), 1000 + 64 * (i % 3), seed=i)
        for channel, ring in ((dma.s2mm, rx), (dma.mm2s, tx)):
            at = ring[i % len(ring)]
            bench.words(at, 8)[7] = 0
            channel.set_tail(at)
        dma.mm2s.finish()
        dma.s2mm.finish()
        assert bench.bd_status(rx[i % 2]) == CMPLT | SOF | EOF | len(data)
        assert (bench.view(TARGET + 4096 * (i % 2), len(data)) == data).all()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_idle_exactly_when_the_tail_is_done(name):
    """PG021, DMASR bit 1: Idle when the tail is reached and all queued descriptors have been processed."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([64 * 1024] * 5))
    rx = bench.chain(RX, rooms([64 * 1024] * 5))
    ring = tx if name == "mm2s" else rx
    channel = dma.channel(name)
    dma.s2mm.start(rx[0], rx[3])
    dma.mm2s.start(tx[0], tx[3])
    while True:
        idle = channel.status & IDLE
        done = bool(bench.bd_status(ring[3]) & CMPLT)
        assert bool(idle) == done
        if idle:
            break
        assert bench.bus.time() < 1e-2
    assert bench.bd_status(ring[4]) == 0


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_curdesc_follows_the_work(name):
    """PG021, CURDESC: updated to indicate the descriptor being worked on."""
    bench, dma = loop_bench(sg=True, depth=8192)
    tx = bench.chain(TX, packets([64 * 1024] * 8))
    rx = bench.chain(RX, rooms([64 * 1024] * 8))
    ring, channel = (tx, dma.mm2s) if name == "mm2s" else (rx, dma.s2mm)
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[-1])
    seen = []
    while not channel.status & IDLE:
        at = ring.index(channel.current)
        completed = sum(bool(bench.bd_status(address) & CMPLT) for address in ring)
        # The next may be begun while the last one's write-back is under way.
        assert completed - 1 <= at <= completed + 1
        seen.append(at)
        assert bench.bus.time() < 1e-2
    assert seen == sorted(seen)
    assert set(seen) == set(range(8))
    assert channel.current == ring[-1]


def test_descriptor_changed_before_the_fetch():
    """Facts, buffer descriptors: a descriptor written before the engine fetches it is seen as written."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE + 64 * MIB, MIB)
    tx = bench.chain(TX, packets([MIB] * 40))
    rx = bench.chain(RX, rooms([MIB] * 40))
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[-1])
    bench.bus.sleep(100e-6)
    assert not bench.bd_status(tx[2]) & CMPLT
    # No engine reads 30 descriptors ahead.
    bench.words(tx[35], 8)[2] = (SOURCE + 64 * MIB) & 0xFFFF_FFFF
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(TARGET + 35 * MIB, MIB) == data).all()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_descriptor_changed_after_the_fetch(name):
    """Facts, buffer descriptors: what was fetched is not looked at again; the one in progress certainly was."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 4 * MIB)
    bench.view(SOURCE + 16 * MIB, 4 * MIB)[:] = 0x11
    tx = bench.chain(TX, [Piece(SOURCE, 4 * MIB, WHOLE)])
    rx = bench.chain(RX, [Piece(TARGET, 4 * MIB)])
    dma.s2mm.start(rx[0], rx[0])
    dma.mm2s.start(tx[0], tx[0])
    bench.bus.sleep(20e-6)
    words = bench.words(tx[0] if name == "mm2s" else rx[0], 8)
    words[2] += 16 * MIB
    words[6] = 64 | WHOLE
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(TARGET, 4 * MIB) == data).all()
    assert bench.bd_status(tx[0]) & BYTES == 4 * MIB
    assert bench.bd_status(rx[0]) & BYTES == 4 * MIB


def test_packet_from_several_descriptors():
    """PG021, Scatter/Gather Mode: TXSOF on the first, TXEOF on the last; on the stream it is one packet."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 64 * 60)
    pieces = [Piece(SOURCE, 640, SOF), Piece(SOURCE + 640, 64), Piece(SOURCE + 704, 3136, EOF)]
    tx = bench.chain(TX, pieces)
    rx = bench.chain(RX, rooms([65536, 65536]))
    dma.s2mm.start(rx[0], rx[1])
    dma.mm2s.start(tx[0], tx[2])
    dma.mm2s.finish()
    bench.bus.sleep(1e-5)
    assert [bench.bd_status(address) for address in tx] == [CMPLT | piece.nbytes for piece in pieces]
    assert bench.bd_status(rx[0]) == CMPLT | SOF | EOF | 3840
    assert bench.bd_status(rx[1]) == 0
    assert not dma.s2mm.status & IDLE
    assert (bench.view(TARGET, 3840) == data).all()


def test_packet_into_several_descriptors():
    """PG021, Scatter/Gather Mode: a packet longer than its descriptor goes on in the next; RXSOF first, RXEOF last."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 10_048)
    tx = bench.chain(TX, packets([10_048]))
    rx = bench.chain(RX, rooms([4096, 64, 4096, 65536]))
    run_both(bench, dma, tx, rx)
    statuses = [bench.bd_status(address) for address in rx]
    assert statuses == [CMPLT | SOF | 4096, CMPLT | 64, CMPLT | 4096, CMPLT | EOF | 1792]
    assert (bench.view(TARGET, 10_048) == data).all()


def test_packet_that_fills_its_descriptor():
    """PG021, S2MM_STATUS: a packet as long as the buffer has RXSOF and RXEOF in one descriptor, none to spare."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([8192, 8192]))
    rx = bench.chain(RX, rooms([8192, 4096, 4096]))
    run_both(bench, dma, tx, rx)
    statuses = [bench.bd_status(address) for address in rx]
    assert statuses == [CMPLT | SOF | EOF | 8192, CMPLT | SOF | 4096, CMPLT | EOF | 4096]


def test_short_packets():
    """PG021, S2MM_STATUS: an early TLAST closes the descriptor; the next packet starts in the next one."""
    bench, dma = loop_bench(sg=True, data_bytes=4)
    lengths = [4, 100, 4096, 1500, 8]
    data = bench.fill(SOURCE, sum(lengths))
    tx = bench.chain(TX, packets(lengths))
    rx = bench.chain(RX, rooms([8192] * len(lengths)))
    run_both(bench, dma, tx, rx)
    at = 0
    for i, nbytes in enumerate(lengths):
        assert bench.bd_status(rx[i]) == CMPLT | SOF | EOF | nbytes
        assert (bench.view(TARGET + 8192 * i, nbytes) == data[at : at + nbytes]).all()
        assert not bench.view(TARGET + 8192 * i + nbytes, 8192 - nbytes).any()
        at += nbytes


def test_sof_and_eof_of_a_receive_descriptor_are_ignored():
    """Facts, buffer descriptors: RXSOF and RXEOF in CONTROL mean nothing on input."""
    bench, dma = loop_bench(sg=True)
    tx = bench.chain(TX, packets([1024, 1024]))
    rx = bench.chain(RX, [Piece(TARGET, 4096, WHOLE), Piece(TARGET + 4096, 4096, EOF)])
    run_both(bench, dma, tx, rx)
    assert [bench.bd_status(address) for address in rx] == [CMPLT | SOF | EOF | 1024] * 2


def test_packet_larger_than_the_chain_waits_for_more():
    """Facts, buffer descriptors: at the tail the engine pauses; an extended tail takes the packet's rest."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 8192)
    tx = bench.chain(TX, packets([8192]))
    rx = bench.chain(RX, rooms([4096, 4096]))
    dma.s2mm.start(rx[0], rx[0])
    dma.mm2s.start(tx[0], tx[0])
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert bench.bd_status(rx[0]) == CMPLT | SOF | 4096
    dma.s2mm.set_tail(rx[1])
    dma.s2mm.finish()
    assert bench.bd_status(rx[1]) == CMPLT | EOF | 4096
    assert (bench.view(TARGET, 8192) == data).all()


def test_descriptors_across_4_gib():
    """PG021, NXTDESC_MSB and CURDESC_MSB: a chain that goes on in the next 4 GiB."""
    bench = Bench()
    bench.add_memory(0x1_0000_0000 - 64 * MIB, 128 * MIB)
    bench.add_memory(0x7_0000_0000 - 64 * MIB, 128 * MIB)
    dma = bench.add_dma(sg=True)
    bench.machine.connect_fifo(dma.number, dma.number, 65536)
    source, target = 0x1_0000_0000 + MIB, 0x7_0000_0000 + MIB
    data = bench.fill(source, 3 * 4096)
    tx = bench.chain(0x7_0000_0000 - 128, packets([4096] * 4, at=source))
    rx = bench.chain(0x1_0000_0000 - 128, rooms([4096, 4096, 4096], at=target))
    dma.s2mm.start(rx[0], rx[2])
    dma.mm2s.start(tx[0], tx[2])
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(target, 3 * 4096) == data).all()
    assert dma.mm2s.current == tx[2] == 0x7_0000_0000
    assert dma.s2mm.current == rx[2] == 0x1_0000_0000
    assert not bench.bd_status(tx[3])


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_all_of_the_tail_address_counts(name):
    """PG021, TAILDESC_MSB: descriptors whose lower words are the same are not the same descriptor."""
    bench, dma = loop_bench(sg=True)
    bench.add_memory(MEMORY_BASE + (1 << 32))
    ours, theirs = (TX, RX) if name == "mm2s" else (RX, TX)
    buffer = SOURCE if name == "mm2s" else TARGET
    for at in (ours, ours + (1 << 32)):
        bench.chain(at, [Piece(buffer, 1024, WHOLE)])
    bench.words(ours, 2)[:] = [ours & 0xFFFF_FFFF, (ours + (1 << 32)) >> 32]
    other = bench.chain(theirs, [Piece(TARGET if name == "mm2s" else SOURCE, 1024, WHOLE)] * 2)
    dma.channel("s2mm" if name == "mm2s" else "mm2s").start(other[0], other[1])
    dma.channel(name).start(ours, ours + (1 << 32))
    dma.channel(name).finish()
    assert bench.bd_status(ours) & CMPLT
    assert bench.bd_status(ours + (1 << 32)) & CMPLT
    assert dma.channel(name).current == ours + (1 << 32)


def test_buffers_across_4_gib():
    """PG021, BUFFER_ADDRESS_MSB: a descriptor's buffer that goes on in the next 4 GiB."""
    bench = Bench()
    bench.add_memory(0x1_0000_0000 - 64 * MIB, 128 * MIB)
    bench.add_memory(0x7_0000_0000 - 64 * MIB, 128 * MIB)
    dma = bench.add_dma(sg=True)
    bench.machine.connect_fifo(dma.number, dma.number, 65536)
    source, target = 0x1_0000_0000 - 6144, 0x7_0000_0000 - 64
    data = bench.fill(source, 12_288)
    tx = bench.chain(0x1_0200_0000, packets([8192, 4096], at=source))
    rx = bench.chain(0x7_0200_0000, rooms([12_288, 12_288], at=target))
    bench.words(rx[1], 4)[2:4] = [(target + 8192) & 0xFFFF_FFFF, (target + 8192) >> 32]
    dma.s2mm.start(rx[0], rx[1])
    dma.mm2s.start(tx[0], tx[1])
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(target, 12_288) == data).all()


def test_descriptors_anywhere():
    """PG021, NXTDESC: the chain goes where the pointers go, not where the memory goes on."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 8 * 1024)
    tx = bench.chain(TX, packets([1024] * 8), stride=0x8_0040)
    order = np.random.default_rng(3).permutation(8)
    for here, there in pairwise(order):
        bench.words(tx[here], 2)[:] = [tx[there] & 0xFFFF_FFFF, tx[there] >> 32]
    rx = bench.chain(RX, rooms([1024] * 8))
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[order[0]], tx[order[-1]])
    dma.mm2s.finish()
    dma.s2mm.finish()
    expected = np.concatenate([data[1024 * i : 1024 * i + 1024] for i in order])
    assert (bench.view(TARGET, 8192) == expected).all()


def test_stop_and_start_again():
    """PG021, DMACR bit 0: the descriptor in flight is finished, Halted follows; a new start is a fresh one."""
    bench, dma = loop_bench(sg=True, depth=64 * MIB)
    tx = bench.chain(TX, packets([MIB] * 30))
    dma.mm2s.start(tx[0], tx[-1])
    bench.bus.sleep(200e-6)
    dma.mm2s.write(DMACR, settings())
    assert dma.mm2s.wait(HALTED) & (HALTED | IDLE | ERRORS) == HALTED
    bench.bus.sleep(1e-4)
    statuses = [bench.bd_status(address) for address in tx]
    count = sum(bool(status) for status in statuses)
    assert 2 <= count < 10
    assert statuses == [CMPLT | MIB] * count + [0] * (30 - count)
    dma.mm2s.set_tail(tx[-1])
    bench.bus.sleep(1e-4)
    assert [bench.bd_status(address) for address in tx] == statuses
    dma.mm2s.start(tx[count], tx[count + 2])
    dma.mm2s.finish()
    assert sum(bool(bench.bd_status(address)) for address in tx) == count + 3


def test_stop_while_waiting_for_a_packet():
    """PG021, DMACR bit 0: an S2MM chain without data can be stopped; its descriptors stay as they were."""
    bench, dma = loop_bench(sg=True)
    rx = bench.chain(RX, rooms([4096] * 3))
    dma.s2mm.start(rx[0], rx[-1])
    bench.bus.sleep(1e-5)
    dma.s2mm.write(DMACR, settings())
    assert dma.s2mm.wait(HALTED, 1e-4) & HALTED
    assert not any(bench.bd_status(address) for address in rx)


@pytest.mark.parametrize("width", [8, 14, 26])
def test_widest_descriptor(width):
    """PG021, CONTROL: the usable width of the buffer length is the build's parameter."""
    bench, dma = loop_bench(sg=True, length_width=width, data_bytes=4, dre=True)
    nbytes = (1 << width) - 1
    data = bench.fill(SOURCE, nbytes)
    tx, rx = bench.chain(TX, packets([nbytes])), bench.chain(RX, rooms([nbytes]))
    run_both(bench, dma, tx, rx)
    assert bench.bd_status(tx[0]) == CMPLT | nbytes
    assert bench.bd_status(rx[0]) == CMPLT | SOF | EOF | nbytes
    assert (bench.view(TARGET, nbytes) == data).all()
    assert bench.findings() == []


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_descriptor_length_is_truncated_silently(name):
    """Facts, length field: a value wider than the field is truncated, in a descriptor too; the model names it."""
    bench, dma = loop_bench(sg=True, length_width=14)
    data = bench.fill(SOURCE, 128)
    tx = bench.chain(TX, packets([(1 << 14) + 128 if name == "mm2s" else 128]))
    rx = bench.chain(RX, rooms([1024 if name == "mm2s" else (1 << 14) + 128]))
    run_both(bench, dma, tx, rx)
    assert bench.bd_status(tx[0]) == CMPLT | 128
    assert bench.bd_status(rx[0]) == CMPLT | SOF | EOF | 128
    assert (bench.view(TARGET, 128) == data).all()
    (finding,) = bench.findings()
    assert "length" in finding.lower()


def reference(sent, offered):
    """What S2MM must report: (bytes, first, last) of each descriptor used, for packets of these lengths."""
    expected, rest = [], list(offered)
    for nbytes in sent:
        left, first = nbytes, True
        while left:
            take = min(left, rest.pop(0))
            left -= take
            expected.append((take, first, left == 0))
            first = False
    return expected


@given(data=st.data())
@hypothesis_settings(max_examples=40, deadline=None)
@pytest.mark.parametrize(("data_bytes", "dre"), [(4, True), (8, True), (32, False)])
def test_random_chains(data_bytes, dre, data):
    """PG021, Scatter/Gather Mode: lengths, flags and data of random packets in random descriptors."""
    unit = 1 if dre else data_bytes
    size = st.one_of(st.integers(1, 10), st.integers(1, 5000 // unit)).map(lambda n: n * unit)
    outgoing = data.draw(st.lists(st.lists(size, min_size=1, max_size=4), min_size=1, max_size=6), "packets")
    sent = [sum(parts) for parts in outgoing]
    offered = data.draw(st.lists(size, min_size=1, max_size=8), "rooms")
    while True:  # offer until it is enough
        try:
            expected = reference(sent, offered)
            break
        except IndexError:
            offered.append(4096)
    depth = data.draw(st.sampled_from([256, 4096, 65536]), "depth")
    tail_step = data.draw(st.integers(1, 5), "tail step")

    bench, dma = loop_bench(sg=True, data_bytes=data_bytes, dre=dre, depth=depth)
    tx_pieces, contents, at = [], [], SOURCE
    for parts in outgoing:
        for i, nbytes in enumerate(parts):
            flags = (SOF if i == 0 else 0) | (EOF if i + 1 == len(parts) else 0)
            tx_pieces.append(Piece(at, nbytes, flags))
            contents.append(bench.fill(at, nbytes, seed=len(contents)))
            at += -(-nbytes // 64) * 64 + unit * (len(contents) % 3)
    tx = bench.chain(TX, tx_pieces)
    gap = 64 + unit
    targets = [TARGET + unit + sum(offered[:i]) + gap * i for i in range(len(offered))]
    if not dre:
        targets = [-(-target // data_bytes) * data_bytes for target in targets]
    bench.view(TARGET, MIB)[:] = 0x77
    rx = bench.chain(RX, [Piece(target, nbytes) for target, nbytes in zip(targets, offered, strict=True)])
    dma.s2mm.start(rx[0], rx[min(tail_step, len(expected)) - 1])
    dma.mm2s.start(tx[0], tx[-1])
    for i in range(tail_step, len(expected), tail_step):
        bench.bus.sleep(1e-6)
        dma.s2mm.set_tail(rx[min(i + tail_step, len(expected)) - 1])
    dma.mm2s.finish()
    dma.s2mm.finish()

    assert [bench.bd_status(address) for address in tx] == [CMPLT | piece.nbytes for piece in tx_pieces]
    stream = np.concatenate(contents)
    whole = bench.view(TARGET, MIB)
    image, at = np.full(MIB, 0x77, np.uint8), 0
    for address, target, (nbytes, first, last) in zip(rx, targets, expected, strict=False):
        flags = (SOF if first else 0) | (EOF if last else 0)
        assert bench.bd_status(address) == CMPLT | flags | nbytes
        image[target - TARGET : target - TARGET + nbytes] = stream[at : at + nbytes]
        at += nbytes
    assert not any(bench.bd_status(address) for address in rx[len(expected) :])
    assert np.array_equal(whole, image)
    assert dma.s2mm.status & IOC
    assert dma.mm2s.read(CURDESC) == tx[-1] & 0xFFFF_FFFF
    assert bench.findings() == []
