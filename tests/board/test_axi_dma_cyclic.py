"""Cyclic mode of the AXI DMA model."""

import numpy as np
import pytest
from axi_dma_bench import (
    CMPLT,
    CYCLIC,
    DMACR,
    DMASR,
    EOF,
    ERRORS,
    HALTED,
    IDLE,
    IOC,
    MEMORY_BASE,
    MIB,
    RESET,
    RS,
    SG_INT_ERR,
    SOF,
    TAILDESC,
    Piece,
    loop_bench,
    settings,
)

SOURCE, TARGET = MEMORY_BASE, MEMORY_BASE + 256 * MIB
TX, RX = MEMORY_BASE + 512 * MIB, MEMORY_BASE + 520 * MIB
OUTSIDE = 0x50 & ~0x3F  # "some value which is not a part of the chain"
WHOLE = SOF | EOF
BLOCK = 64 * 1024


def cyclic_bench(count=3, received=64, **options):
    """A ring of MM2S packets, and a plain chain that receives ``received`` of them."""
    bench, dma = loop_bench(sg=True, **options)
    data = bench.fill(SOURCE, count * BLOCK)
    tx = bench.chain(TX, [Piece(SOURCE + i * BLOCK, BLOCK, WHOLE) for i in range(count)], ring=True)
    rx = bench.chain(RX, [Piece(TARGET + i * BLOCK, BLOCK) for i in range(received)])
    return bench, dma, data, tx, rx


def test_it_runs_until_it_is_stopped():
    """PG021, Cyclic DMA Mode: the same descriptors again and again, without a word from software."""
    bench, dma, data, tx, rx = cyclic_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    dma.s2mm.finish()
    expected = np.tile(data, 22)[: 64 * BLOCK]
    assert (bench.view(TARGET, 64 * BLOCK) == expected).all()
    assert dma.mm2s.status & (IDLE | HALTED | ERRORS) == 0
    assert all(bench.bd_status(address) == CMPLT | BLOCK for address in tx)
    dma.mm2s.write(DMACR, CYCLIC | settings())
    assert dma.mm2s.wait(HALTED) & (HALTED | IDLE | ERRORS) == HALTED
    assert bench.findings() == []


def test_receive_ring():
    """PG021, Cyclic DMA Mode: S2MM overwrites its ring; what is there are the last packets."""
    bench, dma = loop_bench(sg=True)
    data = bench.fill(SOURCE, 11 * BLOCK)
    tx = bench.chain(TX, [Piece(SOURCE + i * BLOCK, BLOCK, WHOLE) for i in range(11)])
    rx = bench.chain(RX, [Piece(TARGET + i * BLOCK, BLOCK) for i in range(4)], ring=True)
    dma.s2mm.start(rx[0], OUTSIDE, CYCLIC)
    dma.mm2s.start(tx[0], tx[-1])
    dma.mm2s.finish()
    bench.bus.sleep(1e-4)
    assert dma.s2mm.status & (IDLE | HALTED | ERRORS) == 0
    blocks = data.reshape(11, BLOCK)
    assert (bench.view(TARGET, 4 * BLOCK).reshape(4, BLOCK) == blocks[[8, 9, 10, 7]]).all()
    assert all(bench.bd_status(address) == CMPLT | SOF | EOF | BLOCK for address in rx)


@pytest.mark.parametrize("tail", [0x40, TX + 3 * 64, 0x7F_FFFF_FFC0])
def test_any_outside_tail_will_do(tail):
    """PG021, Cyclic DMA Mode: the tail register only triggers the engine."""
    _, dma, _, tx, rx = cyclic_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tail, CYCLIC)
    dma.s2mm.finish()
    assert dma.mm2s.status & (IDLE | HALTED | ERRORS) == 0


def test_lower_half_of_the_tail_is_enough():
    """Facts, register map: the LSB write starts the fetch; cyclic mode does not care for the rest."""
    _, dma, _, tx, rx = cyclic_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.set_current(tx[0])
    dma.mm2s.run(CYCLIC)
    dma.mm2s.write(TAILDESC, OUTSIDE + 0x40)
    dma.s2mm.finish()


def test_completed_is_ignored_from_the_first():
    """PG021, DMACR bit 4: in cyclic mode the engine ignores the Completed bit: even of a ring used before."""
    bench, dma, data, tx, rx = cyclic_bench()
    for address in tx:
        bench.words(address, 8)[7] = CMPLT | BLOCK
    dma.s2mm.start(rx[0], rx[5])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    dma.s2mm.finish()
    assert (bench.view(TARGET, 3 * BLOCK) == data).all()


def test_ring_without_cyclic_goes_stale():
    """PG021, STATUS bit 31: without cyclic, the ring's second round fetches a completed descriptor: SGIntErr."""
    bench, dma, _, tx, rx = cyclic_bench(count=8)
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE)
    assert dma.mm2s.wait(HALTED) & (HALTED | ERRORS) == HALTED | SG_INT_ERR
    # Nothing is sent twice.
    bench.bus.sleep(1e-4)
    assert sum(bool(bench.bd_status(address) & CMPLT) for address in rx) <= 8


@pytest.mark.parametrize("threshold", [1, 2, 5])
def test_interrupt_every_threshold_packets(threshold):
    """Facts, buffer descriptors: in cyclic mode IOC fires every IRQThreshold packets, for as long as it runs."""
    bench, dma, _, tx, rx = cyclic_bench(received=64)
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC | IOC, settings(threshold))
    times = []
    for _ in range(8):
        assert dma.mm2s.interrupted(1e-2)
        times.append(bench.bus.time())
        dma.mm2s.write(DMASR, IOC)
    periods = np.diff(times)[1:]  # the FIFO fills during the first
    one = 2 * BLOCK / 19.2e9  # each block is read and written, through one port
    assert periods == pytest.approx(np.full(len(periods), threshold * one), rel=0.02)


def test_changed_descriptor_is_seen_in_a_later_round():
    """Facts, buffer descriptors: descriptors are fetched again each round, so a change is seen by and by."""
    bench, dma, data, tx, rx = cyclic_bench(count=12)
    bench.view(SOURCE + 64 * MIB, BLOCK)[:] = 0x99
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    while not bench.bd_status(tx[3]) & CMPLT:
        bench.bus.sleep(1e-6)
    assert not bench.bd_status(tx[5]) & CMPLT
    bench.words(tx[11], 8)[2] = (SOURCE + 64 * MIB) & 0xFFFF_FFFF
    bench.words(tx[0], 8)[2] = (SOURCE + 64 * MIB) & 0xFFFF_FFFF
    dma.s2mm.finish()
    blocks = bench.view(TARGET, 36 * BLOCK).reshape(36, BLOCK)
    assert (blocks[0] == data[:BLOCK]).all()
    for changed in (11, 12, 23, 24, 35):
        assert (blocks[changed] == 0x99).all()
    assert (blocks[13] == data[BLOCK : 2 * BLOCK]).all()


def test_one_descriptor_ring():
    """PG021, Cyclic DMA Mode: the last points back to the first; the shortest ring points to itself."""
    bench, dma, data, tx, rx = cyclic_bench(count=1)
    dma.s2mm.start(rx[0], rx[9])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    dma.s2mm.finish()
    assert (bench.view(TARGET, 10 * BLOCK) == np.tile(data, 10)).all()


def test_reset_ends_it():
    """PG021, Cyclic DMA Mode: it runs until it is stopped or reset."""
    bench, dma, _, tx, rx = cyclic_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    bench.bus.sleep(20e-6)
    dma.mm2s.write(DMACR, RESET)
    bench.bus.sleep(1e-6)
    assert dma.mm2s.status & HALTED
    assert not dma.mm2s.control & (RS | CYCLIC)
    statuses = [bench.bd_status(address) for address in rx]
    bench.bus.sleep(1e-3)
    assert [bench.bd_status(address) for address in rx] == statuses


def test_stopped_and_started_again():
    """PG021, Cyclic DMA Mode and CURDESC: after a stop the ring starts where CURDESC is set to."""
    bench, dma, data, tx, rx = cyclic_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    bench.bus.sleep(20e-6)
    dma.mm2s.write(DMACR, CYCLIC | settings())
    assert dma.mm2s.wait(HALTED) & HALTED
    bench.bus.sleep(1e-4)
    used = sum(bool(bench.bd_status(address) & CMPLT) for address in rx)
    assert 0 < used < 64
    dma.mm2s.start(tx[2], OUTSIDE, CYCLIC)
    dma.s2mm.finish()
    blocks = bench.view(TARGET, 64 * BLOCK).reshape(64, BLOCK)
    assert (blocks[used] == data[2 * BLOCK :]).all()
    assert (blocks[used + 1] == data[:BLOCK]).all()


def test_changed_while_running_is_named():
    """PG021, DMACR bit 4: set or cleared only when idle or not running; else unpredictable, so a finding."""
    bench, dma, _, tx, rx = cyclic_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], OUTSIDE, CYCLIC)
    bench.bus.sleep(5e-6)
    assert bench.findings() == []
    dma.mm2s.run(IOC | CYCLIC)  # the other bits may change
    assert bench.findings() == []
    dma.mm2s.run(IOC)
    (finding,) = bench.findings()
    assert "cyclic" in finding.lower()


def test_changed_while_idle_is_fine():
    """PG021, DMACR bit 4: the bit may be changed when the DMA is idle or halted."""
    bench, dma, _, tx, rx = cyclic_bench()
    dma.mm2s.write(DMACR, CYCLIC | settings())
    assert dma.mm2s.control & CYCLIC
    dma.mm2s.write(DMACR, settings())
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[1])
    dma.mm2s.finish()
    dma.mm2s.run(CYCLIC)
    assert dma.mm2s.control & CYCLIC
    assert bench.findings() == []
