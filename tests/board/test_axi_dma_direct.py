"""Direct register mode of the AXI DMA model: transfers, lengths, addresses."""

import numpy as np
import pytest
from axi_dma_bench import (
    ADDRESS,
    ADDRESS_MSB,
    DMA_INT_ERR,
    DMACR,
    ERR,
    ERRORS,
    HALTED,
    IDLE,
    IOC,
    LENGTH,
    LOW_BASE,
    MEMORY_BASE,
    MIB,
    RS,
    Bench,
    loop_bench,
    settings,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

SOURCE, TARGET = MEMORY_BASE, MEMORY_BASE + 256 * MIB


def send(bench, dma, nbytes, room=None):
    """Start both channels, one transfer each; both run to their end."""
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, room or nbytes)
    dma.mm2s.transfer(SOURCE, nbytes)
    dma.mm2s.finish(timeout=0.1)
    dma.s2mm.finish()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_halted_and_idle(name):
    """PG021, DMASR bits 1:0: Idle is 0 while halted and before the first transfer, 1 after it."""
    _, dma = loop_bench(sg=False)
    channel, other = (dma.mm2s, dma.s2mm) if name == "mm2s" else (dma.s2mm, dma.mm2s)
    other.run()
    assert channel.status & (HALTED | IDLE) == HALTED
    channel.run()
    assert channel.status & (HALTED | IDLE) == 0
    dma.channel("s2mm").transfer(TARGET, MIB)
    assert dma.s2mm.status & (HALTED | IDLE) == 0
    dma.channel("mm2s").transfer(SOURCE, MIB)
    assert channel.status & (HALTED | IDLE) == 0
    channel.wait(IDLE)
    assert channel.status & (HALTED | IDLE) == IDLE
    channel.write(DMACR, settings())
    assert channel.wait(HALTED, 10e-6) & (HALTED | IDLE) == HALTED


def test_idle_falls_with_the_next_transfer():
    """PG021, DMASR bit 1: in direct mode Idle says that the current transfer has completed."""
    bench, dma = loop_bench(sg=False)
    send(bench, dma, 4096)
    dma.s2mm.transfer(TARGET, MIB)
    dma.mm2s.transfer(SOURCE, MIB)
    assert not dma.mm2s.status & IDLE
    assert not dma.s2mm.status & IDLE
    dma.mm2s.finish()
    dma.s2mm.finish()


def test_idle_means_that_every_byte_is_there():
    """PG021, DMASR bit 1: when S2MM says Idle, the buffer is complete, and not before its last byte."""
    bench, dma = loop_bench(sg=False)
    data = bench.fill(SOURCE, MIB)
    assert data[-1] != 0
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, MIB)
    dma.mm2s.transfer(SOURCE, MIB)
    last = bench.view(TARGET + MIB - 1, 1)
    while not dma.s2mm.status & IDLE:
        assert bench.bus.time() < 1e-2
    assert last[0] == data[-1]
    assert (bench.view(TARGET, MIB) == data).all()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_length_zero_does_nothing(name):
    """Facts, register map: a write of 0 to LENGTH does nothing."""
    bench, dma = loop_bench(sg=False)
    channel = dma.channel(name)
    channel.run(IOC | ERR)
    channel.transfer(SOURCE, 0)
    bench.bus.sleep(1e-4)
    assert channel.status & 0xFFFF == 0
    assert not channel.interrupted()


def test_length_zero_after_a_transfer_leaves_idle():
    """Facts, register map: a write of 0 starts nothing, so the last transfer stays the last."""
    bench, dma = loop_bench(sg=False)
    send(bench, dma, 4096)
    dma.mm2s.write(LENGTH, 0)
    assert dma.mm2s.status & IDLE


def test_length_while_halted_does_nothing():
    """PG021, DMASR bit 0, note: when halted, writing LENGTH has no effect; nor is it remembered for RS."""
    bench, dma = loop_bench(sg=False)
    bench.fill(SOURCE, 4096)
    dma.s2mm.run()
    dma.s2mm.transfer(TARGET, 4096)
    dma.mm2s.transfer(SOURCE, 4096)
    bench.bus.sleep(1e-4)
    assert dma.mm2s.status & 0xFFFF == HALTED
    dma.mm2s.run()
    bench.bus.sleep(1e-4)
    assert dma.mm2s.status & 0xFFFF == 0
    assert not bench.view(TARGET, 4096).any()
    dma.mm2s.write(LENGTH, 4096)
    dma.mm2s.finish()
    dma.s2mm.finish()


def test_s2mm_length_while_halted_does_nothing():
    """PG021, DMASR bit 0, note: the same for the receiving channel."""
    bench, dma = loop_bench(sg=False)
    bench.fill(SOURCE, 4096)
    dma.s2mm.transfer(TARGET, 4096)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 4096)
    dma.mm2s.finish()
    bench.bus.sleep(1e-4)
    assert not dma.s2mm.status & IDLE
    assert not bench.view(TARGET, 4096).any()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_stop_in_flight(name):
    """PG021, DMACR bit 0: stopping ends what is in flight, then Halted is 1; nothing moves afterwards."""
    bench, dma = loop_bench(sg=False)
    bench.fill(SOURCE, 16 * MIB)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, 16 * MIB)
    dma.mm2s.transfer(SOURCE, 16 * MIB)
    bench.bus.sleep(50e-6)
    channel = dma.channel(name)
    channel.write(DMACR, settings())
    assert not channel.control & RS
    status = channel.wait(HALTED, 20e-3)
    assert status & (HALTED | IDLE | ERRORS) == HALTED
    bench.bus.sleep(1e-4)
    moved = bench.view(TARGET, 16 * MIB).copy()
    bench.bus.sleep(5e-3)
    assert (bench.view(TARGET, 16 * MIB) == moved).all()
    assert channel.status & (HALTED | IDLE | ERRORS) == HALTED


def test_stop_while_waiting_for_a_packet():
    """PG021, DMACR bit 0: an armed S2MM that gets no data can be stopped; its command is flushed."""
    bench, dma = loop_bench(sg=False)
    dma.s2mm.run(IOC)
    dma.s2mm.transfer(TARGET, 4096)
    bench.bus.sleep(1e-5)
    dma.s2mm.write(DMACR, settings() | IOC)
    assert dma.s2mm.wait(HALTED, 1e-4) & (HALTED | IDLE) == HALTED
    assert not dma.s2mm.status & (IOC | ERRORS)


def test_run_again_after_a_stop():
    """PG021, DMACR bit 0: a channel stopped and set running takes a new transfer."""
    bench, dma = loop_bench(sg=False)
    data = bench.fill(SOURCE, 8192)
    send(bench, dma, 4096)
    for channel in (dma.mm2s, dma.s2mm):
        channel.write(DMACR, settings())
        assert channel.wait(HALTED, 1e-5) & HALTED
    send(bench, dma, 8192)
    assert (bench.view(TARGET, 8192) == data).all()


@pytest.mark.parametrize("width", [8, 9, 14, 20, 23, 26])
def test_longest_transfer(width):
    """PG021, LENGTH: the field is as wide as the build's parameter, 8 to 26 bits; all ones is the longest."""
    bench, dma = loop_bench(sg=False, length_width=width, data_bytes=4, dre=True)
    nbytes = (1 << width) - 1
    data = bench.fill(SOURCE, nbytes)
    send(bench, dma, nbytes)
    assert dma.s2mm.read(LENGTH) == nbytes
    assert (bench.view(TARGET, nbytes) == data).all()
    assert bench.view(TARGET + nbytes, 1)[0] == 0
    assert bench.findings() == []


@pytest.mark.parametrize("width", [8, 14, 23, 26])
def test_length_is_truncated_silently(width):
    """Facts, length field: a value wider than the field is truncated by the hardware; the model names it."""
    bench, dma = loop_bench(sg=False, length_width=width, data_bytes=4)
    data = bench.fill(SOURCE, 256)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, 128)
    dma.mm2s.transfer(SOURCE, (1 << width) + 64)
    dma.mm2s.finish()
    status = dma.s2mm.finish()
    assert not status & ERRORS
    assert dma.s2mm.read(LENGTH) == 64
    assert (bench.view(TARGET, 64) == data[:64]).all()
    assert not bench.view(TARGET + 64, 64).any()
    (finding,) = bench.findings()
    assert "length" in finding.lower()


def test_length_truncated_to_nothing():
    """Facts, length field: 2^width truncates to 0, and a write of 0 does nothing."""
    bench, dma = loop_bench(sg=False, length_width=14)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 1 << 14)
    bench.bus.sleep(1e-4)
    assert dma.mm2s.status & 0xFFFF == 0
    assert len(bench.findings()) == 1


@pytest.mark.parametrize("nbytes", [4, 60, 64, 1000, 4096, 4100, 65532])
def test_received_bytes(nbytes):
    """PG021, S2MM_LENGTH: at completion it is updated to the bytes really written, up to TLAST."""
    bench, dma = loop_bench(sg=False, data_bytes=4)
    data = bench.fill(SOURCE, nbytes)
    send(bench, dma, nbytes, room=65536 + 4096)
    assert dma.s2mm.read(LENGTH) == nbytes
    assert (bench.view(TARGET, nbytes) == data).all()
    assert not bench.view(TARGET + nbytes, 65536).any()


def test_one_packet_a_transfer():
    """PG021, Direct Register Mode: each MM2S transfer is one packet, and S2MM takes one packet a LENGTH."""
    bench, dma = loop_bench(sg=False, data_bytes=4)
    data = bench.fill(SOURCE, 3000)
    dma.s2mm.run()
    dma.mm2s.run()
    for at in (0, 1000, 2000):
        dma.mm2s.transfer(SOURCE + at, 1000)
        dma.mm2s.finish()
    for at in (0, 1000, 2000):
        dma.s2mm.transfer(TARGET + at, 4096)
        dma.s2mm.finish()
        assert dma.s2mm.read(LENGTH) == 1000
    assert (bench.view(TARGET, 3000) == data).all()
    assert not bench.view(TARGET + 3000, 4096).any()


@pytest.mark.parametrize("excess", [4, 4096, 100_000])
def test_packet_longer_than_length(excess):
    """PG021, S2MM_DMASR bit 4: a packet bigger than LENGTH is a DMAIntErr; nothing is written past the buffer."""
    bench, dma = loop_bench(sg=False, data_bytes=4)
    data = bench.fill(SOURCE, 8192 + excess)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, 8192)
    dma.mm2s.transfer(SOURCE, 8192 + excess)
    status = dma.s2mm.wait(HALTED)
    assert status & (HALTED | IDLE | ERRORS | ERR) == HALTED | DMA_INT_ERR | ERR
    assert not dma.s2mm.control & RS
    received = bench.view(TARGET, 8192)
    assert (received[:4096] == data[:4096]).all()
    assert not bench.view(TARGET + 8192, 200_000).any()


def test_buffer_across_4_gib():
    """Facts, register map: SA and SA_MSB are one address; a transfer carries into the upper word."""
    bench = Bench()
    bench.add_memory(0x1_0000_0000 - 64 * MIB, 128 * MIB)
    bench.add_memory(0x2_0000_0000 - 64 * MIB, 128 * MIB)
    dma = bench.add_dma(sg=False)
    bench.machine.connect_fifo(dma.number, dma.number, 65536)
    source, target = 0x1_0000_0000 - 8192, 0x2_0000_0000 - 64
    data = bench.fill(source, 3 * MIB)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(target, 3 * MIB)
    dma.mm2s.transfer(source, 3 * MIB)
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(target, 3 * MIB) == data).all()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_each_half_of_the_address_counts(name):
    """Facts, register map: each channel uses its own two address words, in whatever order they were written."""
    bench, dma = loop_bench(sg=False)
    bench.add_memory(0x11_0000_0000, 64 * MIB)
    data = bench.fill(0x11_0000_0000 if name == "mm2s" else SOURCE, 4096)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, 4096) if name == "mm2s" else None
    channel = dma.channel(name)
    channel.write(ADDRESS_MSB, 0x11)
    channel.write(ADDRESS, 0)
    channel.write(LENGTH, 4096)
    if name == "s2mm":
        dma.mm2s.transfer(SOURCE, 4096)
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(TARGET if name == "mm2s" else 0x11_0000_0000, 4096) == data).all()


def test_narrow_core_has_no_upper_words():
    """Facts, register map: a 32-bit core has no _MSB registers; a write to where they would be does nothing."""
    bench, dma = loop_bench(sg=False, low=True)
    data = bench.fill(LOW_BASE, 4096)
    for channel, address in ((dma.s2mm, LOW_BASE + MIB), (dma.mm2s, LOW_BASE)):
        channel.run()
        channel.write(ADDRESS, address)
        channel.write(ADDRESS_MSB, 0x10)
        channel.write(LENGTH, 4096)
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(LOW_BASE + MIB, 4096) == data).all()


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_misaligned_without_dre_is_named(name):
    """Facts, alignment: without the DRE the result of an unaligned address is undefined: software must know."""
    bench, dma = loop_bench(sg=False, data_bytes=8)
    dma.channel(name).run()
    dma.channel(name).transfer(SOURCE + 8, 64)
    bench.bus.sleep(1e-5)
    assert bench.findings() == []
    dma.channel(name).run()
    if name == "s2mm":  # it is still armed
        bench, dma = loop_bench(sg=False, data_bytes=8)
        dma.s2mm.run()
    dma.channel(name).transfer(SOURCE + 4, 64)
    bench.bus.sleep(1e-5)
    (finding,) = bench.findings()
    assert "align" in finding.lower()


@pytest.mark.parametrize("data_bytes", [4, 8])
def test_every_offset_with_dre(data_bytes):
    """Facts, alignment: with the DRE any byte address is a good one, on both channels."""
    bench, dma = loop_bench(sg=False, data_bytes=data_bytes, dre=True)
    data = bench.fill(SOURCE, 4096)
    dma.s2mm.run()
    dma.mm2s.run()
    for offset in range(data_bytes):
        for other in range(data_bytes):
            bench.view(TARGET, 1024)[:] = 0xEE
            dma.s2mm.transfer(TARGET + 8 + other, 512)
            dma.mm2s.transfer(SOURCE + offset, 301)
            dma.mm2s.finish()
            dma.s2mm.finish()
            received = bench.view(TARGET, 1024)
            assert (received[: 8 + other] == 0xEE).all()
            assert (received[8 + other : 309 + other] == data[offset : offset + 301]).all()
            assert (received[309 + other :] == 0xEE).all()
    assert bench.findings() == []


SIZES = st.one_of(
    st.integers(1, 300),
    st.integers(1, 3 * MIB),
    st.builds(lambda n, d: max(1, n * 4096 + d), st.integers(0, 300), st.integers(-2, 2)),
)


@pytest.mark.parametrize("depth", [64, 4096, 65536])
@given(transfers=st.lists(st.tuples(SIZES, st.integers(0, 200), st.integers(0, 200)), min_size=1, max_size=4))
@hypothesis_settings(max_examples=15, deadline=None)
def test_data_integrity(depth, transfers):
    """PG021, Direct Register Mode: what MM2S sends is what S2MM stores, byte for byte, through any FIFO."""
    bench, dma = loop_bench(sg=False, data_bytes=8, dre=True, depth=depth)
    dma.s2mm.run()
    dma.mm2s.run()
    for seed, (nbytes, from_offset, to_offset) in enumerate(transfers):
        data = bench.fill(SOURCE + from_offset, nbytes, seed)
        room = bench.view(TARGET, to_offset + nbytes + 64)
        room[:] = 0xA5
        dma.s2mm.transfer(TARGET + to_offset, nbytes + 32)
        dma.mm2s.transfer(SOURCE + from_offset, nbytes)
        dma.mm2s.finish()
        dma.s2mm.finish()
        assert dma.s2mm.read(LENGTH) == nbytes
        assert np.array_equal(room[to_offset : to_offset + nbytes], data)
        assert (room[:to_offset] == 0xA5).all()
        assert (room[to_offset + nbytes :] == 0xA5).all()
    assert bench.findings() == []
