"""Errors of the AXI DMA model: what raises them, what they leave behind, how they end."""

import numpy as np
import pytest
from axi_dma_bench import (
    BD_DEC_ERR,
    BD_ERRORS,
    BD_INT_ERR,
    BD_SLV_ERR,
    CMPLT,
    CR_RESET,
    CURDESC,
    DMA_BASE,
    DMA_DEC_ERR,
    DMA_INT_ERR,
    DMA_SLV_ERR,
    DMACR,
    DMASR,
    EOF,
    ERR,
    ERRORS,
    HALTED,
    IDLE,
    IOC,
    MEMORY_BASE,
    MIB,
    RESET,
    RS,
    SG_DEC_ERR,
    SG_INT_ERR,
    SG_SLV_ERR,
    SOF,
    UNMAPPED,
    Bench,
    Piece,
    loop_bench,
)

SOURCE, TARGET = MEMORY_BASE, MEMORY_BASE + 256 * MIB
TX, RX = MEMORY_BASE + 512 * MIB, MEMORY_BASE + 520 * MIB
FAULTY = MEMORY_BASE + 128 * MIB  # a slave that answers SLVERR
WHOLE = SOF | EOF
CHANNELS = ["mm2s", "s2mm"]

DIRECT = {"decode": (UNMAPPED, DMA_DEC_ERR), "slave": (FAULTY, DMA_SLV_ERR)}
# what is wrong -> DMASR bit, error bit in the descriptor
SG = {
    "zero length": (DMA_INT_ERR, BD_INT_ERR),
    "buffer slave": (DMA_SLV_ERR, BD_SLV_ERR),
    "buffer decode": (DMA_DEC_ERR, BD_DEC_ERR),
    "stale": (SG_INT_ERR, 0),
    "descriptor slave": (SG_SLV_ERR, 0),
    "descriptor decode": (SG_DEC_ERR, 0),
}


def break_direct(name, address):
    """A channel with a transfer that fails; data is there for S2MM."""
    bench, dma = loop_bench(sg=False)
    bench.machine.add_slave_error(FAULTY, MIB)
    if name == "s2mm":
        dma.mm2s.run()
        dma.mm2s.transfer(SOURCE, 4096)
    dma.channel(name).run(IOC | ERR)
    dma.channel(name).transfer(address, 4096)
    return bench, dma


def bad_descriptor(bench, what, at, good):
    """Write the wrong descriptor at ``at``; where a pointer to it must point."""
    piece = {
        "zero length": Piece(good, 0, WHOLE),
        "buffer slave": Piece(FAULTY, 1024, WHOLE),
        "buffer decode": Piece(UNMAPPED, 1024, WHOLE),
    }.get(what, Piece(good, 1024, WHOLE))
    if what == "descriptor decode":
        return UNMAPPED
    if what == "descriptor slave":
        at = FAULTY
    bench.chain(at, [piece])
    if what == "stale":
        bench.words(at, 8)[7] = CMPLT | 1024
    return at


def break_sg(name, what):
    """A channel with a good descriptor followed by one that fails; (bench, dma, good, bad)."""
    bench, dma = loop_bench(sg=True)
    bench.machine.add_slave_error(FAULTY, MIB)
    bench.fill(SOURCE, 1 * MIB)
    first = TX if name == "mm2s" else RX
    buffer = SOURCE if name == "mm2s" else TARGET
    bench.chain(first, [Piece(buffer, 1024, WHOLE)])
    bad = bad_descriptor(bench, what, first + 64, buffer + 4096)
    bench.words(first, 2)[:] = [bad & 0xFFFF_FFFF, bad >> 32]
    if name == "s2mm":
        tx = bench.chain(TX, [Piece(SOURCE, 1024, WHOLE)] * 4)
        dma.mm2s.start(tx[0], tx[-1])
    dma.channel(name).start(first, bad, IOC | ERR)
    return bench, dma, first, bad


def expect_error(channel, bit):
    """PG021, DMASR: RS cleared, Halted, Err_Irq, one error bit."""
    status = channel.wait(HALTED, 5e-3)
    assert status & (HALTED | IDLE | ERRORS | ERR) == HALTED | bit | ERR
    assert channel.control & (RS | ERR) == ERR
    assert channel.interrupted()


@pytest.mark.parametrize("what", DIRECT)
@pytest.mark.parametrize("name", CHANNELS)
def test_direct_error(name, what):
    """PG021, DMASR bits 6:5: decode and slave errors clear RS, set Halted and Err_Irq, and leave no IOC."""
    address, bit = DIRECT[what]
    _, dma = break_direct(name, address)
    expect_error(dma.channel(name), bit)
    assert not dma.channel(name).status & IOC


@pytest.mark.parametrize("what", SG)
@pytest.mark.parametrize("name", CHANNELS)
def test_sg_error(name, what):
    """PG021, DMASR bits 10:4: each of the six errors in its own bit, halting the channel."""
    bench, dma, good, bad = break_sg(name, what)
    channel = dma.channel(name)
    bit, descriptor_bit = SG[what]
    before = bench.bd_status(bad) if what in ("stale", "descriptor slave") else 0
    expect_error(channel, bit)
    # PG021, CURDESC: updated to the descriptor associated with the error.
    assert channel.current == bad
    if descriptor_bit:
        assert bench.bd_status(bad) & BD_ERRORS == descriptor_bit
    elif what != "descriptor decode":
        assert bench.bd_status(bad) == before  # halts with no update to the descriptor
    assert bench.bd_status(good) & ~(SOF | EOF) == CMPLT | 1024


@pytest.mark.parametrize("what", SG)
@pytest.mark.parametrize("name", CHANNELS)
def test_first_descriptor_wrong(name, what):
    """PG021, DMASR bits 10:4: the descriptor that CURDESC points to is checked as every other."""
    bench, dma = loop_bench(sg=True)
    bench.machine.add_slave_error(FAULTY, MIB)
    bad = bad_descriptor(bench, what, TX, SOURCE)
    if name == "s2mm":
        tx = bench.chain(RX, [Piece(SOURCE, 1024, WHOLE)])
        dma.mm2s.start(tx[0], tx[0])
    dma.channel(name).start(bad, bad, ERR)
    expect_error(dma.channel(name), SG[what][0])
    assert dma.channel(name).current == bad


@pytest.mark.parametrize("name", CHANNELS)
def test_error_bits_are_read_only(name):
    """Facts, DMASR: only Reset clears error bits; Err_Irq alone is write-1-to-clear."""
    _, dma = break_direct(name, UNMAPPED)
    channel = dma.channel(name)
    expect_error(channel, DMA_DEC_ERR)
    channel.write(DMASR, 0xFFFF_FFFF)
    assert channel.status & (HALTED | ERRORS | ERR | IOC) == HALTED | DMA_DEC_ERR
    assert not channel.interrupted()


@pytest.mark.parametrize("name", CHANNELS)
def test_run_is_refused_until_reset(name):
    """Facts, DMASR: an error is latched until a reset: the channel does not run before."""
    bench, dma = break_direct(name, UNMAPPED)
    channel = dma.channel(name)
    expect_error(channel, DMA_DEC_ERR)
    channel.write(DMASR, ERR)
    channel.run(IOC | ERR)
    channel.transfer(SOURCE, 4096)
    bench.bus.sleep(1e-4)
    assert channel.status & (HALTED | IDLE | ERRORS | IOC) == HALTED | DMA_DEC_ERR
    assert not channel.control & RS


@pytest.mark.parametrize("via", CHANNELS)
@pytest.mark.parametrize("what", SG)
def test_reset_clears_the_error(what, via):
    """PG021, DMACR bit 2: after a reset by either channel's bit all is as new, and works."""
    bench, dma, _, _ = break_sg("mm2s", what)
    expect_error(dma.mm2s, SG[what][0])
    bench.machine.clear_slave_errors()
    dma.channel(via).write(DMACR, RESET)
    bench.bus.sleep(1e-6)
    assert dma.mm2s.control == CR_RESET
    assert dma.mm2s.status & (HALTED | ERRORS | ERR) == HALTED
    assert not dma.mm2s.interrupted()
    tx = bench.chain(TX + MIB, [Piece(SOURCE, 4096, WHOLE)])
    dma.mm2s.start(tx[0], tx[0])
    dma.mm2s.finish()
    assert bench.bd_status(tx[0]) == CMPLT | 4096


@pytest.mark.parametrize("what", ["buffer decode", "descriptor decode", "stale", "zero length"])
def test_error_leaves_the_other_channel_alone(what):
    """PG021, DMASR: each channel has its own errors; the other one's transfers go on."""
    bench = Bench()
    bench.add_memory()
    first = bench.add_dma(sg=True)
    second = bench.add_dma(sg=True, base=DMA_BASE + 0x1_0000, lines=(2, 3))
    bench.machine.connect_fifo(first.number, second.number, 65536)
    bench.machine.connect_fifo(second.number, first.number, 65536)
    data = bench.fill(SOURCE, MIB)
    tx = bench.chain(TX, [Piece(SOURCE, MIB, WHOLE)])
    rx = bench.chain(RX, [Piece(TARGET, MIB)])
    second.s2mm.start(rx[0], rx[0], ERR)
    first.mm2s.start(tx[0], tx[0], ERR)
    bench.bus.sleep(5e-6)
    # the other channel of each instance fails meanwhile
    bad = bad_descriptor(bench, what, TX + MIB, SOURCE)
    first.s2mm.start(bad, bad, ERR)
    bad = bad_descriptor(bench, what, TX + 2 * MIB, SOURCE)
    second.mm2s.start(bad, bad, ERR)
    expect_error(second.mm2s, SG[what][0])
    assert first.mm2s.status & (HALTED | ERRORS | ERR) == 0
    assert second.s2mm.status & (HALTED | ERRORS | ERR) == 0
    first.mm2s.finish()
    second.s2mm.finish()
    assert (bench.view(TARGET, MIB) == data).all()


def test_prefetch_error_lets_the_work_in_hand_finish():
    """PG021, DMASR bit 8: the engine halts gracefully: the descriptor in progress is completed first."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 4 * MIB)
    tx = bench.chain(TX, [Piece(SOURCE, 4 * MIB, WHOLE), Piece(SOURCE, 64, WHOLE)])
    bench.words(tx[1], 8)[7] = CMPLT
    rx = bench.chain(RX, [Piece(TARGET, 4 * MIB)])
    dma.s2mm.start(rx[0], rx[0])
    dma.mm2s.start(tx[0], tx[1], ERR)
    expect_error(dma.mm2s, SG_INT_ERR)
    assert bench.bd_status(tx[0]) == CMPLT | 4 * MIB
    dma.s2mm.finish()
    assert (bench.view(TARGET, 4 * MIB) == data).all()
    assert dma.mm2s.read(CURDESC) == tx[1] & 0xFFFF_FFFF


@pytest.mark.parametrize("name", CHANNELS)
def test_error_in_mid_transfer(name):
    """PG021, DMASR bit 5: a slave error later in a buffer: nothing beyond it is moved, no IOC, no Cmplt lie."""
    bench, dma = loop_bench(sg=False)
    data = bench.fill(SOURCE, MIB)
    bench.machine.add_slave_error((SOURCE if name == "mm2s" else TARGET) + 512 * 1024, 4096)
    dma.s2mm.run(IOC)
    dma.mm2s.run(IOC)
    dma.s2mm.transfer(TARGET, MIB)
    dma.mm2s.transfer(SOURCE, MIB)
    status = dma.channel(name).wait(HALTED)
    assert status & (HALTED | IDLE | ERRORS | IOC) == HALTED | DMA_SLV_ERR
    bench.bus.sleep(1e-4)
    received = bench.view(TARGET, MIB)
    assert not received[512 * 1024 :].any()
    moved = int(np.flatnonzero(received)[-1]) + 1
    assert (received[:moved] == data[:moved]).all()
    assert moved > 512 * 1024 - 16384


@pytest.mark.parametrize("name", CHANNELS)
def test_buffer_that_runs_off_the_memory(name):
    """Facts, DMASR: DMADecErr where the address decodes to nothing: after the last byte that does."""
    bench, dma = loop_bench(sg=False)
    end = MEMORY_BASE + (1 << 30)
    bench.view(end - 8192, 8192)[:] = 0x5A
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(end - 8192 if name == "s2mm" else TARGET, 65536)
    dma.mm2s.transfer(end - 8192 if name == "mm2s" else SOURCE, 65536)
    assert dma.channel(name).wait(HALTED) & ERRORS == DMA_DEC_ERR


def test_many_errors_one_after_the_other():
    """PG021, DMACR bit 2: error and reset, again and again, leave nothing behind."""
    bench, dma = loop_bench(sg=False)
    data = bench.fill(SOURCE, 4096)
    for _ in range(10):
        dma.mm2s.run(ERR)
        dma.mm2s.transfer(UNMAPPED, 4096)
        expect_error(dma.mm2s, DMA_DEC_ERR)
        dma.mm2s.write(DMACR, RESET)
        bench.bus.sleep(1e-6)
        bench.view(TARGET, 4096)[:] = 0
        dma.s2mm.run()
        dma.mm2s.run()
        dma.s2mm.transfer(TARGET, 4096)
        dma.mm2s.transfer(SOURCE, 4096)
        dma.mm2s.finish()
        dma.s2mm.finish()
        assert (bench.view(TARGET, 4096) == data).all()


def test_slave_error_ends():
    """DESIGN, the virtual board, faults: a slave error that was cleared is gone, once the core was reset."""
    bench, dma = break_direct("mm2s", FAULTY)
    expect_error(dma.mm2s, DMA_SLV_ERR)
    bench.machine.clear_slave_errors()
    dma.mm2s.write(DMACR, RESET)
    bench.bus.sleep(1e-6)
    dma.mm2s.run()
    dma.mm2s.transfer(FAULTY, 4096)
    dma.mm2s.finish()


def test_dma_outside_an_allocated_buffer_is_named():
    """DESIGN, the virtual board: wrong software is caught: each is a finding with its address."""
    bench = Bench()
    bench.add_memory(guarded=True)
    dma = bench.add_dma(sg=False)
    bench.machine.connect_fifo(dma.number, dma.number, 65536)
    bench.machine.allocated(SOURCE, 8192)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE + 4096, 4096)
    dma.mm2s.finish()
    assert bench.machine.findings() == []
    dma.mm2s.transfer(SOURCE + 4096, 4160)
    dma.mm2s.finish()
    dma.mm2s.transfer(SOURCE + MIB, 4096)
    dma.mm2s.finish()
    assert [address for _, _, _, address in bench.machine.findings()] == [SOURCE + 4096, SOURCE + MIB]
    dma.mm2s.transfer(SOURCE, 8192)
    bench.bus.sleep(100e-9)
    bench.machine.released(SOURCE, 8192)
    assert len(bench.machine.findings()) == 3
