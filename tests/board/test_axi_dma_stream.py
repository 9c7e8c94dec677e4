"""Streams, ports and converters of the virtual board: bandwidth, FIFOs, DAC and ADC to the sample, actors."""

import math
import random
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from axi_dma_bench import (
    ADC_BASE,
    BANDWIDTH,
    BYTES,
    CAPTURE,
    CLEAR,
    CMPLT,
    CONTROL,
    DAC_BASE,
    DMA_BASE,
    DMA_INT_ERR,
    DMASR,
    ENABLE,
    EOF,
    ERRORS,
    FIFO_DEPTH,
    FIFO_HIGH,
    FIFO_LEVEL,
    GAP_COUNT,
    HALTED,
    IDLE,
    IOC,
    LATE,
    LENGTH,
    MEMORY_BASE,
    MIB,
    PACKET,
    PARTIAL_WORD,
    SOF,
    STALLED,
    ZERO_IN_GAP,
    Bench,
    Monitor,
    Piece,
    loop_bench,
    settings,
)
from axi_dma_bench import RATE as MONITOR_RATE

SOURCE, TARGET = MEMORY_BASE, MEMORY_BASE + 256 * MIB
TX, RX = MEMORY_BASE + 512 * MIB, MEMORY_BASE + 520 * MIB
WHOLE = SOF | EOF
FIFO = 65536
RATE = 2.048e9  # Sa/s: 128 MHz x 16 samples
BEAT = 16


def dac_bench(*, sg=False, bandwidth=19.2e9, fifo=FIFO, dmas=1, spb=BEAT, **options):
    """DMAs that feed one DAC each, all on one port."""
    bench = Bench()
    port = bench.add_port(bandwidth)
    bench.add_memory()
    found = []
    for i in range(dmas):
        dma = bench.add_dma(sg=sg, base=DMA_BASE + 0x1_0000 * i, lines=(2 * i, 2 * i + 1), ports=[port] * 4, **options)
        dac = bench.machine.add_dac(DAC_BASE + 0x1000 * i, spb, fifo)
        bench.machine.connect_dac(dma.number, dac)
        found.append((dma, Monitor(bench, DAC_BASE + 0x1000 * i)))
    return bench, found


def adc_bench(*, sg=False, fifo=FIFO, spb=8, **options):
    bench = Bench()
    bench.add_memory()
    dma = bench.add_dma(sg=sg, **options)
    adc = bench.machine.add_adc(ADC_BASE, spb, fifo)
    bench.machine.connect_adc(dma.number, adc)
    bench.machine.set_adc_counter(adc)
    return bench, dma, Monitor(bench, ADC_BASE)


def counter(first, count):
    """The pattern of an ADC's counter: int16 that wraps."""
    return (np.arange(first, first + count, dtype=np.int64) & 0xFFFF).astype("<u2")


def samples_at(bench, address, count):
    return bench.view(address, 2 * count).view("<u2")


def picoseconds(bench):
    return round(bench.bus.time() * 1e12)


def until_idle(bench, channel, step=20e-9):
    """The board's time at which Idle is seen, to about a register read."""
    while not channel.status & IDLE:
        assert not channel.status & (HALTED | ERRORS)
        assert bench.bus.time() < 1.0
        bench.bus.sleep(step)
    return bench.bus.time()


# ---- ports ----


@pytest.mark.parametrize("bandwidth", [1e9, 4.8e9, 5.328e9])
def test_mm2s_bandwidth(bandwidth):
    """Facts, the neighbourhood: a long transfer takes its bytes divided by the port's bandwidth, within 0.5 %."""
    bench, [(dma, dac)] = dac_bench(bandwidth=bandwidth)
    dac.enable(40e9)  # takes all there is
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 64 * MIB - 64)
    start = bench.bus.time()
    bench.bus.sleep(0.9 * 64 * MIB / bandwidth)
    assert not dma.mm2s.status & IDLE
    assert until_idle(bench, dma.mm2s, 1e-6) - start == pytest.approx(64 * MIB / bandwidth, rel=0.005)


def test_port_does_not_drift():
    """DESIGN, the virtual board: better-than-cycle arithmetic: no picosecond is lost from burst to burst."""

    def took(nbytes):
        bench, [(dma, dac)] = dac_bench(bandwidth=3e9)  # 4 KiB take 1365333 and a third picoseconds
        dac.enable(40e9)
        dma.mm2s.run(IOC)
        start = bench.bus.time()
        dma.mm2s.transfer(SOURCE, nbytes)
        assert dma.mm2s.interrupted(1.0)
        return bench.bus.time() - start

    assert took(48 * MIB) - took(MIB) == pytest.approx(47 * MIB / 3e9, abs=1e-11)


@pytest.mark.parametrize("bandwidth", [1e9, 4.8e9])
def test_s2mm_bandwidth(bandwidth):
    """Facts, the neighbourhood: the same for one long packet into memory."""
    bench = Bench()
    fast, slow = bench.add_port(100e9), bench.add_port(bandwidth)
    bench.add_memory()
    bench.add_memory(0x20_0000_0000, 128 * MIB, kind=1)
    dma = bench.add_dma(sg=False, ports=[fast, slow, fast, fast])
    bench.machine.connect_fifo(dma.number, dma.number, FIFO)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(0x20_0000_0000, 64 * MIB - 64)
    dma.mm2s.transfer(SOURCE, 64 * MIB - 64)
    start = bench.bus.time()
    assert until_idle(bench, dma.s2mm, 1e-6) - start == pytest.approx(64 * MIB / bandwidth, rel=0.005)


def test_back_pressure():
    """PG021, Overview: TREADY: MM2S is never further ahead of a slow S2MM than what lies between them."""
    bench = Bench()
    fast, slow = bench.add_port(100e9), bench.add_port(1e9)
    bench.add_memory()
    bench.add_memory(0x20_0000_0000, 64 * MIB, kind=1)
    dma = bench.add_dma(sg=False, ports=[fast, slow, fast, fast])
    bench.machine.connect_fifo(dma.number, dma.number, FIFO)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(0x20_0000_0000, 8 * MIB)
    dma.mm2s.transfer(SOURCE, 8 * MIB)
    sent = until_idle(bench, dma.mm2s, 1e-6)
    received = until_idle(bench, dma.s2mm, 1e-6)
    # the FIFO, and what each engine may hold of its own: some bursts
    assert FIFO / 1e9 - 10e-6 <= received - sent <= (FIFO + 2 * 32768) / 1e9


def test_the_stream_has_a_bandwidth_too():
    """Facts, the neighbourhood: rate = beat width x stream clock, however fast the memory."""
    bench, [(dma, dac)] = dac_bench(bandwidth=100e9, data_bytes=16, clock=100e6)
    dac.enable(40e9)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 16 * MIB)
    start = bench.bus.time()
    assert until_idle(bench, dma.mm2s, 1e-6) - start == pytest.approx(16 * MIB / 1.6e9, rel=0.005)


@pytest.mark.parametrize("sizes", [(16, 16), (16, 4)])
def test_two_engines_share_a_port(sizes):
    """Facts, the neighbourhood: engines on one port share its bandwidth, half each while both want it."""
    bench, pairs = dac_bench(bandwidth=4.8e9, dmas=2)
    start = bench.bus.time()
    for (dma, dac), size in zip(pairs, sizes, strict=True):
        dac.enable(40e9)
        dma.mm2s.run()
        dma.mm2s.transfer(SOURCE, size * MIB)
    second = until_idle(bench, pairs[1][0].mm2s, 1e-6) - start
    first = until_idle(bench, pairs[0][0].mm2s, 1e-6) - start
    assert second == pytest.approx(2 * min(sizes) * MIB / 4.8e9, rel=0.01)
    assert first == pytest.approx(sum(sizes) * MIB / 4.8e9, rel=0.01)


def test_ports_of_their_own_are_not_shared():
    """Facts, the neighbourhood: memories on separate ports do not slow each other."""
    bench = Bench()
    ports = [bench.add_port(4.8e9), bench.add_port(4.8e9)]
    bench.add_memory()
    bench.add_memory(0x20_0000_0000, 64 * MIB, kind=1)
    dma = bench.add_dma(sg=False, ports=[ports[0], ports[1], ports[0], ports[0]])
    bench.machine.connect_fifo(dma.number, dma.number, FIFO)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(0x20_0000_0000, 32 * MIB)
    dma.mm2s.transfer(SOURCE, 32 * MIB)
    start = bench.bus.time()
    assert until_idle(bench, dma.s2mm, 1e-6) - start == pytest.approx(32 * MIB / 4.8e9, rel=0.01)


@pytest.mark.parametrize("fraction", [0.5, 0.1])
def test_slow_memory(fraction):
    """DESIGN, the virtual board, faults: slow memory gives the fraction of its bandwidth that was set."""
    bench, [(dma, dac)] = dac_bench(bandwidth=4.8e9)
    bench.machine.set_port_speed(0, fraction)
    dac.enable(40e9)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 16 * MIB)
    start = bench.bus.time()
    took = until_idle(bench, dma.mm2s, 1e-6) - start
    assert took == pytest.approx(16 * MIB / (4.8e9 * fraction), rel=0.005)
    bench.machine.set_port_speed(0, 1.0)
    dma.mm2s.transfer(SOURCE, 16 * MIB)
    start = bench.bus.time()
    assert until_idle(bench, dma.mm2s, 1e-6) - start == pytest.approx(16 * MIB / 4.8e9, rel=0.005)


# ---- FIFOs ----


@pytest.mark.parametrize("depth", [256, 1000, 4096, 10_000, 65536])
def test_fifo_takes_no_more_than_its_depth(depth):
    """Facts, the neighbourhood: with nobody reading, what has left memory for good fits the FIFO."""
    bench, dma = loop_bench(sg=True, depth=depth)
    tx = bench.chain(TX, [Piece(SOURCE, 64, WHOLE)] * 2000)
    dma.mm2s.start(tx[0], tx[-1])
    bench.bus.sleep(1e-3)
    done = sum(bool(bench.bd_status(address) & CMPLT) for address in tx)
    assert 64 * done == min(depth // 64, 2000) * 64
    assert not dma.mm2s.status & (ERRORS | HALTED)


def test_dac_fifo_fills_to_its_depth_and_no_further():
    """Facts, the neighbourhood: before conversion starts the FIFO fills; the level never exceeds its depth."""
    bench, [(dma, dac)] = dac_bench(sg=True)
    tx = bench.chain(TX, [Piece(SOURCE + i * MIB, MIB, WHOLE) for i in range(16)])
    dma.mm2s.start(tx[0], tx[-1])
    bench.bus.sleep(1e-4)
    assert dac.read(FIFO_LEVEL) == dac.read(FIFO_DEPTH) == FIFO
    assert dac.samples == 0
    dac.enable(RATE)
    seen = []
    while not dma.mm2s.status & IDLE:
        seen.append(dac.read(FIFO_LEVEL))
        bench.bus.sleep(3.3e-6)
    assert max(seen) <= FIFO
    assert min(seen) > FIFO - 8192  # the memory is far faster than the DAC
    assert dac.read(FIFO_HIGH) == FIFO
    bench.bus.sleep(1e-4)
    assert dac.read(FIFO_LEVEL) == 0
    assert dac.samples == 8 * MIB
    assert dac.gaps() == []


# ---- DAC ----


@pytest.mark.parametrize("fifo", [1024, 4096, 65536])
def test_depth_to_the_beat(fifo):
    """Facts, the neighbourhood: when the last word of a block enters, exactly the FIFO's depth is left to convert."""
    bench, [(dma, dac)] = dac_bench(fifo=fifo)
    dac.enable(RATE)
    dma.mm2s.run(IOC)
    dma.mm2s.transfer(SOURCE, MIB)
    assert dma.mm2s.interrupted(1.0)
    # At this very moment the beat that was `depth` ahead of the last one is converted.
    assert dac.samples == (MIB - fifo) // 2
    bench.bus.sleep(1e-4)
    assert dac.samples == MIB // 2


def play_late(delay, *, blocks=2, block=MIB, rate=RATE):
    """Blocks in direct mode, the re-arm late by ``delay`` after the completion; (bench, dac)."""
    bench, [(dma, dac)] = dac_bench()
    dac.enable(rate)
    dma.mm2s.run(IOC)
    for i in range(blocks):
        dma.mm2s.transfer(SOURCE, block)
        assert dma.mm2s.interrupted(1.0)
        dma.mm2s.write(DMASR, IOC)
        if i + 1 < blocks:
            # up to the LENGTH write there are two more register writes (address words)
            bench.bus.sleep(delay - 300e-9)
    bench.bus.sleep(1e-3)
    return bench, dac


def test_re_arm_in_time_leaves_no_gap():
    """Facts, the neighbourhood: the FIFO's depth over the rate is the time that software has."""
    _, dac = play_late(FIFO / (2 * RATE) - 1e-6, blocks=5)
    assert dac.gaps() == []
    assert dac.missing == 0
    assert dac.samples == 5 * MIB // 2


@pytest.mark.parametrize("delay", [20e-6, 50e-6, 1e-3])
def test_late_re_arm(delay):
    """Facts, the neighbourhood: a gap begins after what was sent, and lasts delay - depth / rate."""
    _, dac = play_late(delay)
    ((index, length, cause),) = dac.gaps()
    assert index == MIB // 2
    assert cause == LATE
    assert length % BEAT == 0
    # The LENGTH write to the first word takes the engine a while too (PG021, latency): below half a microsecond.
    ideal = (delay - FIFO / (2 * RATE)) * RATE
    assert ideal <= length <= ideal + 0.5e-6 * RATE
    assert dac.missing == length
    assert dac.samples == MIB


def test_gap_length_to_the_beat():
    """DESIGN, the virtual board: software later by one beat makes a gap longer by one beat."""
    two_beats = 15.625e-9  # at 2.048 GSa/s, a whole number of picoseconds

    def length(beats):
        _, dac = play_late(40e-6 + beats / 2 * two_beats)
        ((_, length, _),) = dac.gaps()
        return length // BEAT

    base = length(0)
    for beats in (2, 4, 10, 128, 1000):
        assert length(beats) == base + beats


def test_each_gap_is_logged():
    """DESIGN, the virtual board: for every gap its sample index, on the converter's time line, and length."""
    bench, dac = play_late(30e-6, blocks=6, block=256 * 1024)
    gaps = dac.gaps()
    assert len(gaps) == 5
    missed = 0
    for i, (index, length, cause) in enumerate(gaps):
        assert index == (i + 1) * 128 * 1024 + missed
        assert cause == LATE
        missed += length
    assert dac.missing == missed
    assert max(length for _, length, _ in gaps) - min(length for _, length, _ in gaps) <= BEAT
    dac.write(CONTROL, ENABLE | CLEAR)
    bench.bus.sleep(1e-6)
    assert (dac.read(GAP_COUNT), dac.missing, dac.samples) == (0, 0, 0)


def test_port_too_slow():
    """Facts, the neighbourhood: at half the bandwidth half the samples are missing, and bandwidth is the cause."""
    bench, [(dma, dac)] = dac_bench(sg=True, bandwidth=2.0e9)
    nbytes = 8 * MIB
    dac.enable(RATE)
    tx = bench.chain(TX, [Piece(SOURCE + i * MIB, MIB, WHOLE) for i in range(8)])
    dma.mm2s.start(tx[0], tx[-1])
    dma.mm2s.finish()
    bench.bus.sleep(1e-3)
    assert dac.samples == nbytes // 2
    expected = nbytes / 2.0e9 * RATE - nbytes // 2
    assert dac.missing == pytest.approx(expected, rel=0.005)
    assert {cause for _, _, cause in dac.gaps()[:1000]} == {BANDWIDTH}


def test_port_just_fast_enough():
    """Facts, the neighbourhood: 4.8 GB/s feed 4.096 GB/s with nothing missing."""
    bench, [(dma, dac)] = dac_bench(sg=True, bandwidth=4.8e9)
    dac.enable(RATE)
    tx = bench.chain(TX, [Piece(SOURCE + i * MIB, MIB, WHOLE) for i in range(64)])
    dma.mm2s.start(tx[0], tx[-1])
    dma.mm2s.finish()
    bench.bus.sleep(1e-3)
    assert (dac.samples, dac.missing, dac.gaps()) == (32 * MIB, 0, [])


def test_partial_word():
    """Facts, the neighbourhood: a beat is 16 samples; a transfer that ends in mid-beat leaves null lanes."""
    bench, [(dma, dac)] = dac_bench(data_bytes=4)
    dma.mm2s.run()
    for _ in range(2):
        dma.mm2s.transfer(SOURCE, 100)
        dma.mm2s.finish()
    dac.enable(RATE)
    bench.bus.sleep(1e-5)
    assert dac.gaps() == [(50, 14, PARTIAL_WORD)]
    assert dac.samples == 100
    assert dac.missing == 14


def test_samples_count_up_as_they_are_converted():
    """DESIGN, the virtual board: the DAC counts what it converted: rate x time, to the beat."""
    bench, [(dma, dac)] = dac_bench(sg=True)
    tx = bench.chain(TX, [Piece(SOURCE + i * MIB, MIB, WHOLE) for i in range(64)])
    dma.mm2s.start(tx[0], tx[-1])
    bench.bus.sleep(1e-4)
    dac.write_wide(MONITOR_RATE, round(RATE * 1000))
    start = picoseconds(bench)
    dac.write(CONTROL, ENABLE)
    for _ in range(50):
        bench.bus.sleep(17e-6)
        elapsed = picoseconds(bench) - start
        # The first beat is converted at the start, the others one period apart.
        assert dac.samples == BEAT * (elapsed * round(RATE) // (BEAT * 10**12) + 1)


@pytest.mark.parametrize("rate", [1.23456789e9, 999_999_937.0, 2.0479e9 + 0.001])
def test_odd_rates_stay_exact(rate):
    """DESIGN, the virtual board: better-than-cycle arithmetic: over 1e9 samples the grid is not one beat off."""
    bench, [(dma, dac)] = dac_bench()
    dac.enable(rate)
    dma.mm2s.run()
    dma.mm2s.transfer(SOURCE, 0)
    starts = []
    for _ in range(2):
        starts.append(picoseconds(bench))
        dma.mm2s.write(LENGTH, 4096)
        dma.mm2s.finish()
        bench.bus.sleep(1.000_001_7)
    ((index, length, _),) = dac.gaps()
    assert index == 2048
    # The engine takes equally long for both, give or take the port's rounding to a picosecond; the first
    # block starts the clock, so the second starts on the first tick that is no earlier than its data.
    apart = starts[1] - starts[0]
    tick = Fraction(BEAT * 10**15, round(rate * 1000))
    assert math.ceil((apart - 2) / tick) <= (index + length) // BEAT <= math.ceil((apart + 2) / tick)
    assert (index + length) % BEAT == 0


@pytest.mark.parametrize("zero", [False, True], ids=["hold", "zero"])
@pytest.mark.parametrize("adc_spb", [8, 16])
def test_what_a_gap_sounds_like(zero, adc_spb):
    """Facts, the neighbourhood: the DAC ignores TVALID: it repeats the last word, unless the design gates it."""
    bench = Bench()
    bench.add_memory()
    dma = bench.add_dma(sg=False)
    dac = bench.machine.add_dac(DAC_BASE, BEAT, FIFO)
    adc = bench.machine.add_adc(ADC_BASE, adc_spb, FIFO)
    bench.machine.connect_dac(dma.number, dac)
    bench.machine.connect_adc(dma.number, adc)
    bench.machine.set_adc_loopback(adc, dac)
    play, record = Monitor(bench, DAC_BASE), Monitor(bench, ADC_BASE)
    block, total = 4096, 200_000
    samples_at(bench, SOURCE, 2 * block)[:] = counter(1, 2 * block)
    record.write_wide(CAPTURE, total)
    record.enable(RATE)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, 2 * total)
    play.enable(RATE, ZERO_IN_GAP if zero else 0)
    dma.mm2s.transfer(SOURCE, 2 * block)
    dma.mm2s.finish()
    bench.bus.sleep(30e-6)
    dma.mm2s.transfer(SOURCE + 2 * block, 2 * block)
    dma.mm2s.finish()
    dma.s2mm.finish()
    ((index, length, _),) = play.gaps()
    received = samples_at(bench, TARGET, total)
    assert (received[:block] == counter(1, block)).all()
    assert index == block
    held = np.zeros(BEAT, "<u2") if zero else counter(1 + block - BEAT, BEAT)
    assert (received[block : block + length].reshape(-1, BEAT) == held).all()
    assert (received[block + length : 2 * block + length] == counter(1 + block, block)).all()
    last = np.zeros(BEAT, "<u2") if zero else counter(1 + 2 * block - BEAT, BEAT)
    tail = received[2 * block + length :]
    assert (tail[: len(tail) // BEAT * BEAT].reshape(-1, BEAT) == last).all()
    assert record.gaps() == []


def test_the_tap_hears_what_was_sent():
    """DESIGN, the virtual board: what the DAC converted, in order, every byte once."""
    bench, [(dma, dac)] = dac_bench(sg=True)
    data = bench.fill(SOURCE, 4 * MIB)
    heard = []
    bench.machine.set_tap(0, lambda view: heard.append(bytes(view)))
    dac.enable(RATE)
    tx = bench.chain(TX, [Piece(SOURCE + i * MIB, MIB, WHOLE) for i in range(4)])
    dma.mm2s.start(tx[0], tx[-1])
    dma.mm2s.finish()
    bench.machine.flush_tap(0)
    bench.machine.set_tap(0, None)
    assert b"".join(heard) == data.tobytes()


# ---- ADC ----


def test_counter_is_continuous():
    """Facts, the neighbourhood: an ADC read in time gives each sample once, in order."""
    bench, dma, adc = adc_bench(sg=True)
    rx = bench.chain(RX, [Piece(TARGET + i * MIB, MIB) for i in range(32)])
    dma.s2mm.start(rx[0], rx[-1])
    adc.enable(RATE)
    dma.s2mm.finish()
    assert (samples_at(bench, TARGET, 16 * MIB) == counter(0, 16 * MIB)).all()
    assert all(bench.bd_status(address) & (CMPLT | BYTES) == CMPLT | MIB for address in rx)
    assert adc.missing == 0


@pytest.mark.parametrize("wait", [20e-6, 33.3e-6, 1e-3])
def test_overrun(wait):
    """DESIGN, vocabulary: an ADC that nobody reads fills its FIFO, then loses samples: index, length, data agree."""
    bench, dma, adc = adc_bench()
    adc.write_wide(MONITOR_RATE, round(RATE * 1000))
    start = bench.bus.time()
    adc.write(CONTROL, ENABLE)
    bench.bus.sleep(wait)
    dma.s2mm.run()
    dma.s2mm.transfer(TARGET, 2 * MIB)
    armed = bench.bus.time() - start
    dma.s2mm.wait(IDLE | HALTED)
    (index, length, cause), *more = adc.gaps()
    assert more == []
    assert index == FIFO // 2
    assert cause == LATE
    # PG021, latency: from the LENGTH write to the first read of the stream, below half a microsecond.
    assert armed * RATE - index - 2 * BEAT <= length + 100e-9 * RATE
    assert length <= armed * RATE - index + 0.5e-6 * RATE
    received = samples_at(bench, TARGET, MIB)
    assert (received[:index] == counter(0, index)).all()
    assert (received[index:] == counter(index + length, MIB - index)).all()


@pytest.mark.parametrize("packet", [8, 1000, 1001, 4096])
def test_packet_length(packet):
    """DESIGN, the virtual board: the TLAST generator ends a packet after the samples that were set."""
    bench, dma, adc = adc_bench(sg=True, data_bytes=16)
    adc.write_wide(PACKET, packet)
    rx = bench.chain(RX, [Piece(TARGET + i * 16384, 16384) for i in range(10)])
    dma.s2mm.start(rx[0], rx[-1])
    adc.enable(100e6)
    dma.s2mm.finish()
    for i, address in enumerate(rx):
        assert bench.bd_status(address) == CMPLT | WHOLE | 2 * packet
        assert (samples_at(bench, TARGET + i * 16384, packet) == counter(i * packet, packet)).all()


def test_no_packets_means_no_tlast():
    """PG021, S2MM_DMASR bit 4: a stream without TLAST is longer than any LENGTH: DMAIntErr in direct mode."""
    _, dma, adc = adc_bench()
    dma.s2mm.run()
    dma.s2mm.transfer(TARGET, 65536)
    adc.enable(RATE)
    assert dma.s2mm.wait(IDLE | HALTED) & (HALTED | ERRORS) == HALTED | DMA_INT_ERR


@pytest.mark.parametrize("samples", [8, 1003, 100_000])
def test_capture_ends_with_tlast(samples):
    """DESIGN, the virtual board: a capture of so many samples is that long, and its last has TLAST."""
    bench, dma, adc = adc_bench()
    adc.write_wide(CAPTURE, samples)
    dma.s2mm.run()
    dma.s2mm.transfer(TARGET, MIB)
    adc.enable(RATE)
    dma.s2mm.finish()
    assert dma.s2mm.read(LENGTH) == 2 * samples
    assert (samples_at(bench, TARGET, samples) == counter(0, samples)).all()
    assert adc.samples == samples
    assert adc.missing == 0


def test_waveform_repeats():
    """The input is what was given, again and again."""
    bench, dma, adc = adc_bench()
    wave = np.random.default_rng(5).integers(-2048, 2048, 777, dtype=np.int16).astype("<i2") << 4
    bench.machine.set_adc_waveform(0, wave.view(np.uint8))
    adc.write_wide(CAPTURE, 10_000)
    dma.s2mm.run()
    dma.s2mm.transfer(TARGET, MIB)
    adc.enable(RATE)
    dma.s2mm.finish()
    assert (samples_at(bench, TARGET, 10_000).view("<i2") == np.resize(wave, 10_000)).all()


@pytest.mark.parametrize("rate", [1.23456789e9, 999_999_937.0, 2.048e9, 1e6 + 0.001])
def test_adc_grid_over_many_samples(rate):
    """DESIGN, the virtual board: after minutes at an odd rate the samples are exactly rate x time."""
    bench, _, adc = adc_bench()
    adc.write_wide(MONITOR_RATE, round(rate * 1000))
    start = picoseconds(bench)
    adc.write(CONTROL, ENABLE)
    for seconds in (1.7, 10.1, 100.3):
        bench.bus.sleep(seconds)
        beats = (picoseconds(bench) - start) * round(rate * 1000) // (8 * 10**15)
        missing = adc.missing  # latched by the first of its two reads
        assert missing == 8 * beats - FIFO // 2
    assert adc.samples == FIFO // 2
    ((index, _, cause),) = adc.gaps()
    assert (index, cause) == (FIFO // 2, LATE)


# ---- faults ----


@pytest.mark.parametrize("name", ["mm2s", "s2mm"])
def test_stalled_stream(name):
    """DESIGN, the virtual board, faults: a stalled channel moves nothing; let go, it finishes unharmed."""
    bench, dma = loop_bench(sg=False)
    data = bench.fill(SOURCE, MIB)
    dma.s2mm.run()
    dma.mm2s.run()
    dma.s2mm.transfer(TARGET, MIB)
    dma.mm2s.transfer(SOURCE, MIB)
    bench.bus.sleep(20e-6)
    bench.machine.set_stalled(dma.number, name, True)
    bench.bus.sleep(10e-6)
    moved = bench.view(TARGET, MIB).copy()
    assert moved.any()
    bench.bus.sleep(1e-3)
    assert (bench.view(TARGET, MIB) == moved).all()
    assert not dma.channel(name).status & IDLE
    bench.machine.set_stalled(dma.number, name, False)
    dma.mm2s.finish()
    dma.s2mm.finish()
    assert (bench.view(TARGET, MIB) == data).all()


def test_stall_makes_a_gap():
    """DESIGN, the virtual board, faults: a stall longer than the FIFO lasts is a gap, and its cause is named."""
    bench, [(dma, dac)] = dac_bench(sg=True)
    dac.enable(RATE)
    tx = bench.chain(TX, [Piece(SOURCE + i * MIB, MIB, WHOLE) for i in range(4)])
    dma.mm2s.start(tx[0], tx[-1])
    bench.bus.sleep(100e-6)
    bench.machine.set_stalled(dma.number, "mm2s", True)
    bench.bus.sleep(50e-6)
    bench.machine.set_stalled(dma.number, "mm2s", False)
    dma.mm2s.finish()
    bench.bus.sleep(1e-4)
    ((_, length, cause),) = dac.gaps()
    assert cause == STALLED
    # Besides the FIFO the engine holds a few bursts (at most 16 KiB here) that it has read ahead.
    ideal = (50e-6 - FIFO / (2 * RATE)) * RATE
    assert ideal - 8192 <= length <= ideal + 1024
    assert dac.samples == 2 * MIB


# ---- actors ----


def two_actors(seed):
    """A player and a recorder in their own threads and on their own buses; everything they saw."""
    bench = Bench()
    bench.add_memory()
    dma = bench.add_dma(sg=False)
    dac = bench.machine.add_dac(DAC_BASE, BEAT, FIFO)
    adc = bench.machine.add_adc(ADC_BASE, 8, FIFO)
    bench.machine.connect_dac(dma.number, dac)
    bench.machine.connect_adc(dma.number, adc)
    bench.machine.set_adc_counter(adc)
    Monitor(bench, DAC_BASE).enable(RATE)
    record = Monitor(bench, ADC_BASE)
    record.write_wide(PACKET, 32768)
    record.enable(RATE)
    buses = [bench.machine.bus(), bench.machine.bus()]
    seen = [[], []]
    naps = random.Random(seed)
    pauses = [[naps.choice([0, 0, 0, 2e-4, 1e-3]) for _ in range(12)] for _ in range(2)]

    def work(me, base, line, address):
        bus = buses[me]
        bus.write32(base, 1 | IOC | settings())
        for pause in pauses[me]:
            bus.write32(base + 0x18, address & 0xFFFF_FFFF)
            bus.write32(base + 0x1C, address >> 32)
            bus.write32(base + 0x28, 65536)
            time.sleep(pause)
            seen[me].append((bus.wait_interrupt(line, 1.0), bus.time(), bus.read32(base + 4)))
            bus.write32(base + 4, IOC)
            bus.sleep(3e-6 * len(seen[me]))
        buses[me] = None
        del bus

    threads = [
        threading.Thread(target=work, args=(0, DMA_BASE, 0, SOURCE)),
        threading.Thread(target=work, args=(1, DMA_BASE + 0x30, 1, TARGET)),
    ]
    bench.leave()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    bench.bus.sleep(1e-3)
    monitors = [Monitor(bench, DAC_BASE), Monitor(bench, ADC_BASE)]
    return (
        seen,
        [(m.samples, m.missing, m.gaps()) for m in monitors],
        bench.view(TARGET, 65536).tobytes(),
        bench.machine.findings(),
    )


def test_two_threads_give_the_same_result_every_time():
    """DESIGN, the virtual board: whoever is furthest behind goes first: the host's scheduler changes nothing."""
    first = two_actors(0)
    assert first[1][0][2]  # there were gaps to disagree about
    assert first[1][1][2]
    for seed in range(1, 20):
        assert two_actors(seed) == first


def test_the_same_run_twice():
    """DESIGN, the virtual board: deterministic: the same run twice gives the same report."""
    reports = []
    for _ in range(2):
        bench, dac = play_late(33e-6, blocks=4)
        reports.append((dac.gaps(), dac.samples, bench.bus.time()))
    assert reports[0] == reports[1]
