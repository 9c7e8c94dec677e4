"""Interrupts of the AXI DMA model: events, enables, lines, the packet count and the delay timer."""

import pytest
from axi_dma_bench import (
    CMPLT,
    CR_RESET,
    DLY,
    DMA_DEC_ERR,
    DMACR,
    DMASR,
    EOF,
    ERR,
    HALTED,
    IDLE,
    IOC,
    MEMORY_BASE,
    MIB,
    RESET,
    RS,
    SOF,
    UNMAPPED,
    Bench,
    Piece,
    loop_bench,
    settings,
)

SOURCE, TARGET = MEMORY_BASE, MEMORY_BASE + 256 * MIB
TX, RX = MEMORY_BASE + 512 * MIB, MEMORY_BASE + 520 * MIB
WHOLE = SOF | EOF
EVENTS = IOC | DLY | ERR


def ring_bench(count=300, nbytes=256, **options):
    """A chain of small packets for both channels; receive is armed for all of them."""
    bench, dma = loop_bench(sg=True, depth=MIB, **options)
    tx = bench.chain(TX, [Piece(SOURCE, nbytes, WHOLE)] * count)
    rx = bench.chain(RX, [Piece(TARGET, 4096)] * count)
    return bench, dma, tx, rx


def test_complete_sets_the_event_and_the_enable_gates_the_line():
    """PG021, DMASR bit 12 and DMACR bit 12: the event is logged anyway; the enable lets it out."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 64)
    status = dma.mm2s.finish()
    assert status & EVENTS == IOC
    assert not dma.mm2s.interrupted(1e-6)
    dma.mm2s.run(DLY | ERR)
    assert not dma.mm2s.interrupted(1e-6)
    dma.mm2s.run(IOC)
    start = bench.bus.time()
    assert dma.mm2s.interrupted(1.0)
    assert bench.bus.time() == start
    dma.mm2s.run()
    assert not dma.mm2s.interrupted()
    assert dma.mm2s.status & IOC


def test_the_line_is_a_level():
    """PG021, Interrupts: the output stays high until the event is cleared, however often it is looked at."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC)
    dma.mm2s.transfer(SOURCE, 64)
    for _ in range(3):
        assert dma.mm2s.interrupted(1e-3)
        bench.bus.sleep(1e-4)
    dma.mm2s.write(DMASR, IOC)
    assert not dma.mm2s.interrupted()
    assert not dma.mm2s.status & IOC
    # The next completion raises it again.
    dma.mm2s.transfer(SOURCE, 64)
    assert dma.mm2s.interrupted(1e-3)


def test_write_one_to_clear():
    """PG021, DMASR bits 14:12: writing 1 clears that bit, writing 0 leaves it, other bits clear nothing."""
    _, dma = loop_bench(sg=False)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 64)
    dma.mm2s.finish()
    for value in (0, DLY | ERR, ~(IOC | DLY | ERR) & 0xFFFF_FFFF):
        dma.mm2s.write(DMASR, value)
        assert dma.mm2s.status & EVENTS == IOC
    dma.mm2s.write(DMASR, IOC)
    assert dma.mm2s.status & (EVENTS | IDLE) == IDLE


def test_each_event_clears_alone():
    """PG021, DMASR bits 14:12: IOC and Err are separate; clearing one leaves the line to the other."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC | ERR)
    dma.mm2s.transfer(SOURCE, 64)
    dma.mm2s.finish()
    dma.mm2s.transfer(UNMAPPED, 64)
    assert dma.mm2s.wait(HALTED) & EVENTS == IOC | ERR
    dma.mm2s.write(DMASR, IOC)
    assert dma.mm2s.status & EVENTS == ERR
    assert dma.mm2s.interrupted()
    dma.mm2s.write(DMASR, ERR)
    assert dma.mm2s.status & EVENTS == 0
    assert not dma.mm2s.interrupted()
    assert dma.mm2s.status & DMA_DEC_ERR
    bench.bus.sleep(1e-5)
    assert not dma.mm2s.interrupted()


def test_error_enable_gates_the_line():
    """PG021, DMACR bit 14: Err_Irq is set by any error; Err_IrqEn lets it out."""
    _, dma = loop_bench(sg=False)
    dma.s2mm.run(IOC | DLY)
    dma.mm2s.run()
    dma.s2mm.transfer(UNMAPPED, 64)
    dma.mm2s.transfer(SOURCE, 64)
    assert dma.s2mm.wait(HALTED) & EVENTS == ERR
    assert not dma.s2mm.interrupted(1e-6)
    dma.s2mm.write(DMACR, ERR | settings())
    assert dma.s2mm.interrupted()


def test_channels_have_their_own_lines():
    """PG021, Port Descriptions: mm2s_introut and s2mm_introut."""
    _, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC)
    dma.s2mm.run(IOC)
    dma.mm2s.transfer(SOURCE, 64)
    assert dma.mm2s.interrupted(1e-3)
    assert not dma.s2mm.interrupted(1e-3)
    dma.mm2s.write(DMASR, IOC)
    dma.s2mm.transfer(TARGET, 64)
    assert dma.s2mm.interrupted(1e-3)
    assert not dma.mm2s.interrupted()


def test_unconnected_line():
    """A DMA whose interrupts go nowhere still logs its events."""
    bench = Bench()
    bench.add_memory()
    dma = bench.add_dma(sg=False, lines=(-1, -1))
    bench.machine.connect_fifo(dma.number, dma.number, 65536)
    dma.mm2s.run(IOC)
    dma.mm2s.transfer(SOURCE, 64)
    assert dma.mm2s.finish() & IOC
    assert not any(bench.bus.wait_interrupt(line, 0.0) for line in range(64))


def test_interrupt_comes_when_the_transfer_ends():
    """PG021, DMASR bit 12: IOC is set on completion of a transfer: not a moment before Idle."""
    bench, dma = loop_bench(sg=False)
    data = bench.fill(SOURCE, MIB)
    dma.s2mm.run(IOC)
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, MIB)
    dma.mm2s.transfer(SOURCE, MIB)
    start = bench.bus.time()
    assert dma.s2mm.interrupted(1e-2)
    assert (bench.view(TARGET, MIB) == data).all()
    assert bench.bus.time() - start >= MIB / 19.2e9
    assert dma.s2mm.status & IDLE


def test_wait_times_out_in_virtual_time():
    """DESIGN, the virtual board: a wait for what never comes costs its timeout on the board's clock."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC)
    start = bench.bus.time()
    assert not dma.mm2s.interrupted(3600.0)
    assert bench.bus.time() - start == pytest.approx(3600.0, abs=1e-9)


def test_wait_that_succeeds_costs_no_more_than_needed():
    """DESIGN, the virtual board: a wait ends when the line rises."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC)
    dma.mm2s.transfer(SOURCE, 64)
    assert dma.mm2s.interrupted(3600.0)
    assert bench.bus.time() < 1e-4


def test_direct_mode_ignores_the_counts():
    """PG021, DMACR.IRQThreshold and IRQDelay: ignored in Direct Register Mode."""
    bench, dma = loop_bench(sg=False)
    dma.mm2s.run(IOC | DLY, settings(threshold=5, delay=1))
    dma.mm2s.transfer(SOURCE, 64)
    assert dma.mm2s.finish() & EVENTS == IOC
    dma.mm2s.write(DMASR, EVENTS)
    bench.bus.sleep(1e-3)
    assert dma.mm2s.status & EVENTS == 0


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_threshold_counts_packets_down(name):
    """PG021, IRQThreshold and IRQThresholdSts: the count falls with each packet; at zero IOC and a reload."""
    bench, dma, tx, rx = ring_bench()
    channel = dma.channel(name)
    dma.s2mm.start(rx[0], rx[-1], IOC, settings(3))
    dma.mm2s.start(tx[0], tx[0], IOC, settings(3))
    expected = [2, 1, 3, 2, 1, 3, 2]
    for i, left in enumerate(expected):
        if i:
            dma.mm2s.set_tail(tx[i])
        dma.mm2s.finish()
        bench.bus.sleep(20e-6)
        assert bench.bd_status(rx[i]) & CMPLT
        assert channel.threshold_status == left
        assert bool(channel.status & IOC) == (left == 3)
        assert channel.interrupted() == (left == 3)
        channel.write(DMASR, IOC)


def test_threshold_counts_packets_and_not_descriptors():
    """Facts, DMASR: IRQThreshold counts packets: descriptors that end a frame."""
    bench, dma = loop_bench(sg=True)
    parts = [Piece(SOURCE, 256, SOF), Piece(SOURCE, 256), Piece(SOURCE, 256, EOF)] * 2
    tx = bench.chain(TX, parts)
    rx = bench.chain(RX, [Piece(TARGET, 512)] * 4)
    dma.s2mm.start(rx[0], rx[-1], IOC, settings(2))
    dma.mm2s.start(tx[0], tx[4], IOC, settings(2))
    dma.mm2s.finish()
    bench.bus.sleep(1e-5)
    assert not dma.mm2s.interrupted()
    assert not dma.s2mm.interrupted()
    assert dma.mm2s.threshold_status == 1
    assert dma.s2mm.threshold_status == 1
    assert bench.bd_status(rx[2]) == CMPLT | SOF | 512
    dma.mm2s.set_tail(tx[5])
    assert dma.mm2s.interrupted(1e-3)
    assert dma.s2mm.interrupted(1e-3)


def test_default_threshold_is_every_packet():
    """PG021, IRQThreshold: the default 0x01 interrupts on every packet."""
    bench, dma, tx, rx = ring_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.set_current(tx[0])
    dma.mm2s.write(DMACR, CR_RESET | RS | IOC)
    for address in tx[:4]:
        dma.mm2s.set_tail(address)
        assert dma.mm2s.interrupted(1e-3)
        dma.mm2s.write(DMASR, IOC)
    assert bench.bus.time() < 1e-3


def test_threshold_zero_has_no_effect():
    """PG021, IRQThreshold: a write of 0x00 has no effect on it; the rest of the word is written."""
    _, dma = loop_bench(sg=True)
    dma.mm2s.write(DMACR, 0x0005_0000)
    dma.mm2s.write(DMACR, RS | IOC | 0x0700_0000)
    assert dma.mm2s.control == 0x0705_0002 | RS | IOC
    dma.mm2s.write(DMACR, RESET)


def test_a_new_threshold_reloads_the_count():
    """PG034, SG Interrupt Threshold (the same SG engine): a write to the threshold reloads the counter."""
    _, dma, tx, rx = ring_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[1], IOC, settings(4))
    dma.mm2s.finish()
    assert dma.mm2s.threshold_status == 2
    dma.mm2s.run(IOC, settings(9))
    assert dma.mm2s.threshold_status == 9
    dma.mm2s.set_tail(tx[9])
    dma.mm2s.finish()
    assert not dma.mm2s.status & IOC
    dma.mm2s.set_tail(tx[10])
    dma.mm2s.finish()
    assert dma.mm2s.status & IOC


def test_largest_threshold():
    """PG021, IRQThreshold: eight bits: 255 packets to one interrupt."""
    _, dma, tx, rx = ring_bench(count=256)
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[253], IOC, settings(255))
    dma.mm2s.finish()
    assert not dma.mm2s.status & IOC
    dma.mm2s.set_tail(tx[254])
    assert dma.mm2s.interrupted(1e-3)


def delay_interrupt(clock, delay, name="mm2s"):
    """Seconds from the start of one packet, of four that the threshold asks for, to the interrupt."""
    bench, dma, tx, rx = ring_bench(clock=clock)
    channel = dma.channel(name)
    dma.s2mm.start(rx[0], rx[-1], DLY, settings(4, delay))
    dma.mm2s.start(tx[0], tx[0], DLY, settings(4, delay))
    start = bench.bus.time()
    assert channel.interrupted(1.0)
    assert channel.status & EVENTS == DLY
    return bench.bus.time() - start


@pytest.mark.parametrize("clock", [100e6, 300e6])
@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_delay_units(name, clock):
    """PG021, IRQDelay: the timeout is 125 x IRQDelay x the period of the SG clock, from a packet's end."""
    base = delay_interrupt(clock, 1, name)
    # Beside the timer: the start, and a packet of a few beats.
    assert 125 / clock <= base + 200e-9
    assert base <= 125 / clock + 300 / clock
    for delay in (2, 10, 255):
        expected = base + (delay - 1) * 125 / clock
        assert delay_interrupt(clock, delay, name) == pytest.approx(expected, abs=1e-9)


def test_delay_event_without_enable():
    """PG021, DMACR bit 13: Dly_Irq is logged anyway; Dly_IrqEn lets it out."""
    bench, dma, tx, rx = ring_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[0], IOC | ERR, settings(4, 2))
    bench.bus.sleep(1e-4)
    assert dma.mm2s.status & EVENTS == DLY
    assert not dma.mm2s.interrupted()
    dma.mm2s.run(DLY, settings(4, 2))
    assert dma.mm2s.interrupted()
    dma.mm2s.write(DMASR, DLY)
    assert not dma.mm2s.status & EVENTS
    assert not dma.mm2s.interrupted()


def test_delay_zero_is_no_timer():
    """PG021, IRQDelay: zero disables the delay timer interrupt."""
    bench, dma, tx, rx = ring_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[0], DLY, settings(4, 0))
    bench.bus.sleep(1.0)
    assert dma.mm2s.status & EVENTS == 0


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_packets_restart_the_timer(name):
    """PG021, IRQDelay: the timer is reset with a new packet: it runs out after the last of a quick sequence."""
    bench, dma, tx, rx = ring_bench()
    channel = dma.channel(name)
    delay = 20  # 8.33 us at 300 MHz
    dma.s2mm.start(rx[0], rx[-1], DLY, settings(200, delay))
    dma.mm2s.start(tx[0], tx[0], DLY, settings(200, delay))
    for address in tx[1:10]:
        bench.bus.sleep(5e-6)
        assert not channel.status & DLY
        dma.mm2s.set_tail(address)
    start = bench.bus.time()
    assert channel.interrupted(1.0)
    assert 125 * delay / 300e6 <= bench.bus.time() - start + 200e-9
    assert bench.bus.time() - start < 125 * delay / 300e6 + 2e-6


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_timer_stands_still_during_a_packet(name):
    """PG021, IRQDelay: the timer is reset by the receipt of a new packet, and counts from that one's end."""
    bench, dma = loop_bench(sg=True)
    channel = dma.channel(name)
    tx = bench.chain(TX, [Piece(SOURCE, 256, WHOLE), Piece(SOURCE, MIB, WHOLE)])
    rx = bench.chain(RX, [Piece(TARGET, MIB)] * 3)
    delay = 20  # 8.33 us at 300 MHz; the second packet takes ten times as long
    dma.s2mm.start(rx[0], rx[-1], DLY, settings(200, delay))
    dma.mm2s.start(tx[0], tx[1], DLY, settings(200, delay))
    assert channel.interrupted(1.0)
    assert channel.threshold_status == 200
    assert bench.bd_status(tx[1]) & CMPLT
    assert bench.bd_status(rx[1]) & CMPLT
    assert bench.bus.time() > 2 * MIB / 19.2e9 + 125 * delay / 300e6


def test_delay_interrupt_reloads_the_threshold():
    """PG034, SG Interrupt Threshold (the same SG engine): a delay interrupt reloads the packet counter."""
    _, dma, tx, rx = ring_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[1], DLY, settings(4, 2))
    assert dma.mm2s.interrupted(1e-3)
    assert dma.mm2s.threshold_status == 4


def test_timer_fires_once_a_pause():
    """PG021, IRQDelay: a timeout resets the timer; with no new packet there is no second event."""
    bench, dma, tx, rx = ring_bench()
    dma.s2mm.start(rx[0], rx[-1])
    dma.mm2s.start(tx[0], tx[0], DLY, settings(4, 2))
    assert dma.mm2s.interrupted(1e-3)
    dma.mm2s.write(DMASR, DLY)
    bench.bus.sleep(1e-3)
    assert not dma.mm2s.status & DLY
    dma.mm2s.set_tail(tx[1])
    assert dma.mm2s.interrupted(1e-3)


def test_lost_interrupt():
    """DESIGN, the virtual board, faults: the event is logged and the line stays low; other channels are well."""
    bench, dma = loop_bench(sg=False)
    bench.machine.set_interrupt_lost(dma.number, "mm2s", True)
    dma.mm2s.run(IOC)
    dma.s2mm.run(IOC)
    dma.s2mm.transfer(TARGET, 4096)
    dma.mm2s.transfer(SOURCE, 4096)
    assert dma.s2mm.interrupted(1e-3)
    assert not dma.mm2s.interrupted(1e-3)
    assert dma.mm2s.status & (IOC | IDLE) == IOC | IDLE
    bench.machine.set_interrupt_lost(dma.number, "mm2s", False)
    dma.mm2s.write(DMASR, IOC)
    dma.s2mm.transfer(TARGET, 4096)
    dma.mm2s.transfer(SOURCE, 4096)
    assert dma.mm2s.interrupted(1e-3)
