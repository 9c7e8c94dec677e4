"""Registers of the AXI DMA model: what exists in which build, reset values, what can be written."""

import pytest
from axi_dma_bench import (
    ADDRESS,
    ADDRESS_MSB,
    CR_RESET,
    CURDESC,
    CURDESC_MSB,
    DLY,
    DMA_BASE,
    DMACR,
    DMASR,
    ERR,
    HALTED,
    IDLE,
    IOC,
    LENGTH,
    LOW_BASE,
    MEMORY_BASE,
    RESET,
    RS,
    SG_INCLUDED,
    TAILDESC,
    TAILDESC_MSB,
    Bench,
    Piece,
    loop_bench,
)

from gapless.errors import BusAccessError

CHANNELS = ["mm2s", "s2mm"]
BUILDS = [False, True]


@pytest.mark.parametrize("sg", BUILDS, ids=["direct", "sg"])
@pytest.mark.parametrize("name", CHANNELS)
def test_reset_values(sg, name):
    """PG021, MM2S_DMACR/S2MM_DMACR and DMASR default values: CR 0x00010002, SR Halted and SGIncld.

    IRQThresholdSts (default 0x01) is applicable only when Scatter Gather is included.
    """
    _, dma = loop_bench(sg=sg)
    channel = dma.channel(name)
    assert channel.control == CR_RESET
    assert channel.status & 0x0000_FFFF == HALTED | (SG_INCLUDED if sg else 0)
    assert channel.status >> 24 == 0
    if sg:
        assert channel.threshold_status == 1


@pytest.mark.parametrize("sg", BUILDS, ids=["direct", "sg"])
@pytest.mark.parametrize("name", CHANNELS)
def test_control_bits(sg, name):
    """PG021, DMACR: bit 1 reads 1; reserved bits 11:5 and 15 have no effect and read 0; the enables are kept."""
    _, dma = loop_bench(sg=sg)
    channel = dma.channel(name)
    channel.write(DMACR, 0x0001_8FE0 | IOC | DLY | ERR)
    assert channel.control == CR_RESET | IOC | DLY | ERR
    channel.write(DMACR, 0x0001_0000)
    assert channel.control == CR_RESET


@pytest.mark.parametrize("name", CHANNELS)
def test_counts_are_kept(name):
    """PG021, DMACR bits 31:16: IRQThreshold and IRQDelay are R/W."""
    _, dma = loop_bench(sg=True)
    channel = dma.channel(name)
    channel.write(DMACR, 0xA55A_0000)
    assert channel.control == 0xA55A_0002


@pytest.mark.parametrize("name", CHANNELS)
def test_sg_build_registers(name):
    """Facts, register map: CURDESC and TAILDESC are scatter-gather only; address and LENGTH are direct mode."""
    _, dma = loop_bench(sg=True)
    channel = dma.channel(name)
    for offset, value in [(CURDESC, 0x1234_5640), (CURDESC_MSB, 0x89), (TAILDESC_MSB, 0x89), (TAILDESC, 0x7654_3240)]:
        channel.write(offset, value)
        assert channel.read(offset) == value
    for offset in (ADDRESS, ADDRESS_MSB, LENGTH):
        channel.write(offset, 0x40)
        assert channel.read(offset) == 0
    assert channel.status & HALTED


@pytest.mark.parametrize("name", CHANNELS)
def test_direct_build_registers(name):
    """PG021, Direct Register Mode Register Address Map: 08h-14h and 38h-44h are reserved."""
    _, dma = loop_bench(sg=False)
    channel = dma.channel(name)
    for offset, value in [(ADDRESS, 0x1234_5640), (ADDRESS_MSB, 0x89)]:
        channel.write(offset, value)
        assert channel.read(offset) == value
    for offset in (CURDESC, CURDESC_MSB, TAILDESC, TAILDESC_MSB):
        channel.write(offset, 0x40)
        assert channel.read(offset) == 0


@pytest.mark.parametrize("sg", BUILDS, ids=["direct", "sg"])
@pytest.mark.parametrize("name", CHANNELS)
def test_msb_registers_need_wide_addresses(sg, name):
    """Facts, register map: the _MSB registers exist only with an address width above 32 bits."""
    _, dma = loop_bench(sg=sg, low=True)
    channel = dma.channel(name)
    for offset in (CURDESC_MSB, TAILDESC_MSB, ADDRESS_MSB):
        channel.write(offset, 0x12)
        assert channel.read(offset) == 0


@pytest.mark.parametrize("width", [33, 40, 49, 64])
def test_msb_registers_of_wide_cores(width):
    """Facts, register map: above 32 bits the _MSB registers hold the upper address bits of that width."""
    bench = Bench()
    bench.add_memory()
    top = (1 << (width - 32)) - 1
    direct = bench.add_dma(sg=False, address_width=width)
    ring = bench.add_dma(sg=True, base=DMA_BASE + 0x1_0000, lines=(2, 3), address_width=width)
    for name in CHANNELS:
        direct.channel(name).write(ADDRESS_MSB, top)
        assert direct.channel(name).read(ADDRESS_MSB) == top
        ring.channel(name).write(CURDESC_MSB, top)
        assert ring.channel(name).read(CURDESC_MSB) == top


@pytest.mark.parametrize("name", CHANNELS)
def test_pointers_have_no_low_bits(name):
    """PG021, CURDESC and TAILDESC bits 5:0: writing has no effect and they always read as zeros."""
    _, dma = loop_bench(sg=True)
    channel = dma.channel(name)
    channel.write(CURDESC, 0x1234_567F)
    channel.write(TAILDESC, 0x1234_56BF)
    assert channel.read(CURDESC) == 0x1234_5640
    assert channel.read(TAILDESC) == 0x1234_5680


def test_channels_have_their_own_registers():
    """Facts, register map: MM2S and S2MM registers are separate."""
    _, dma = loop_bench(sg=False)
    dma.mm2s.write(ADDRESS, 0x1000)
    dma.s2mm.write(ADDRESS, 0x2000)
    dma.mm2s.write(DMACR, RS | IOC | 0x10000)
    assert (dma.mm2s.read(ADDRESS), dma.s2mm.read(ADDRESS)) == (0x1000, 0x2000)
    assert dma.s2mm.control == CR_RESET
    assert dma.s2mm.status & HALTED
    assert not dma.mm2s.status & HALTED


@pytest.mark.parametrize("sg", BUILDS, ids=["direct", "sg"])
@pytest.mark.parametrize("name", CHANNELS)
def test_status_is_read_only(sg, name):
    """PG021, DMASR: only bits 14:12 can be written, and only to clear them."""
    _, dma = loop_bench(sg=sg)
    channel = dma.channel(name)
    before = channel.status
    channel.write(DMASR, 0xFFFF_FFFF)
    assert channel.status == before
    channel.write(DMASR, 0)
    assert channel.status == before


@pytest.mark.parametrize("sg", BUILDS, ids=["direct", "sg"])
@pytest.mark.parametrize("name", CHANNELS)
def test_reset_resets_both_channels(sg, name):
    """PG021, DMACR bit 2: either channel's Reset resets the whole core, and clears itself."""
    bench, dma = loop_bench(sg=sg)
    for channel in (dma.mm2s, dma.s2mm):
        if sg:
            channel.set_current(MEMORY_BASE + 0x40)
        else:
            channel.write(ADDRESS, 0x1000)
        channel.run(IOC | ERR, 0x0703_0000)
        assert not channel.status & HALTED
    dma.channel(name).write(DMACR, RESET)
    bench.bus.sleep(1e-6)
    for channel in (dma.mm2s, dma.s2mm):
        assert channel.control == CR_RESET
        assert channel.status & 0xFFFF == HALTED | (SG_INCLUDED if sg else 0)
        assert channel.read(CURDESC if sg else ADDRESS) == 0


@pytest.mark.parametrize("name", CHANNELS)
def test_reset_wins_over_run(name):
    """PG021, DMACR bit 2: a reset sets every register to its default, RS included."""
    bench, dma = loop_bench(sg=False)
    dma.channel(name).write(DMACR, RESET | RS | IOC)
    bench.bus.sleep(1e-6)
    assert dma.channel(name).control == CR_RESET
    assert dma.channel(name).status & HALTED


def test_reset_drops_what_is_in_flight():
    """PG021, DMACR bit 2: reset is accepted at any time; afterwards nothing of the old transfer moves."""
    bench, dma = loop_bench(sg=False)
    bench.fill(MEMORY_BASE, 1 << 20)
    target = MEMORY_BASE + (1 << 24)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(target, 1 << 20)
    dma.mm2s.transfer(MEMORY_BASE, 1 << 20)
    bench.bus.sleep(10e-6)
    assert not dma.mm2s.status & (IDLE | HALTED)
    dma.mm2s.write(DMACR, RESET)
    bench.bus.sleep(5e-6)
    moved = bench.view(target, 1 << 20).copy()
    assert moved.any()
    bench.bus.sleep(1e-3)
    assert (bench.view(target, 1 << 20) == moved).all()
    for channel in (dma.mm2s, dma.s2mm):
        assert channel.status == HALTED
        assert channel.control == CR_RESET


def test_reset_lowers_the_interrupt_lines():
    """PG021, DMACR bit 2: the events in DMASR are reset too, and with them the lines."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC)
    dma.mm2s.transfer(MEMORY_BASE, 64)
    assert dma.mm2s.interrupted(1e-3)
    dma.s2mm.write(DMACR, RESET)
    bench.bus.sleep(1e-6)
    assert not dma.mm2s.interrupted()
    assert not dma.mm2s.status & IOC


def test_sg_works_again_after_reset():
    """PG021, DMACR bit 2: a reset in mid-chain leaves a core that starts as a fresh one does."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(MEMORY_BASE, 1 << 20)
    ring = bench.chain(MEMORY_BASE + (1 << 26), [Piece(MEMORY_BASE, 1 << 20, SOF_EOF)] * 4)
    dma.mm2s.start(ring[0], ring[3])
    bench.bus.sleep(5e-6)
    dma.mm2s.write(DMACR, RESET)
    bench.bus.sleep(1e-6)
    # The FIFO is not part of the core: what it holds is still there, and must be drained first.
    target, rx = MEMORY_BASE + (1 << 24), MEMORY_BASE + (1 << 27)
    sent = bench.chain(MEMORY_BASE + (1 << 26), [Piece(MEMORY_BASE, 4096, SOF_EOF)])
    received = bench.chain(rx, [Piece(target, 1 << 20)])
    dma.s2mm.start(received[0], received[0])
    dma.mm2s.start(sent[0], sent[0])
    dma.mm2s.finish()
    dma.s2mm.finish()
    count = bench.bd_status(received[0]) & 0x3FF_FFFF
    assert count >= 4096
    assert (bench.view(target + count - 4096, 4096) == data[:4096]).all()


SOF_EOF = 1 << 27 | 1 << 26


@pytest.mark.parametrize("address", [0xB000_0000, DMA_BASE - 4, 0x0, 0xFFFF_FFFF_FFFF_FFFC])
def test_no_device_there(address):
    """docs: a register access that no device answers is a BusAccessError, not a zero."""
    bench, _ = loop_bench(sg=False)
    with pytest.raises(BusAccessError):
        bench.bus.read32(address)
    with pytest.raises(BusAccessError):
        bench.bus.write32(address, 0)


@pytest.mark.parametrize("offset", [1, 2, 3, 5])
def test_unaligned_access(offset):
    """AXI4-Lite registers are 32-bit words: an unaligned access is a BusAccessError."""
    bench, _ = loop_bench(sg=False)
    with pytest.raises(BusAccessError):
        bench.bus.read32(DMA_BASE + offset)
    with pytest.raises(BusAccessError):
        bench.bus.write32(DMA_BASE + offset, 0)


def test_an_access_costs_time():
    """DESIGN, the virtual board: a read costs 200 ns and a write 100 ns, and nothing else does."""
    bench, dma = loop_bench(sg=False)
    start = bench.bus.time()
    _ = dma.mm2s.status
    assert bench.bus.time() - start == pytest.approx(200e-9, abs=1e-15)
    dma.mm2s.write(ADDRESS, LOW_BASE)
    assert bench.bus.time() - start == pytest.approx(300e-9, abs=1e-15)
    bench.bus.sleep(1e-3)
    assert bench.bus.time() - start == pytest.approx(1e-3 + 300e-9, abs=1e-15)


def test_a_machine_costs_what_it_is_told():
    """DESIGN, the virtual board: the costs are the machine's parameters."""
    bench = Bench(read_cost=1e-6, write_cost=0.0)
    bench.add_memory()
    dma = bench.add_dma(sg=False)
    start = bench.bus.time()
    dma.mm2s.write(ADDRESS, 4)
    assert bench.bus.time() == start
    _ = dma.mm2s.status
    assert bench.bus.time() - start == pytest.approx(1e-6, abs=1e-15)
