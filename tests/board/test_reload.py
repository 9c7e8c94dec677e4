"""Another design is loaded into the PL of a virtual board, in place."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from driver_designs import GIB, KIB, MIB, converter, dma, noise, samples, spec

import gapless
from gapless._native import Machine
from gapless.boards import MemoryKind, MemorySpec, PeripheralSpec, PoolSpec, StreamFifoSpec
from gapless.boards.pynq_z2 import pynq_z2
from gapless.errors import (
    AddressError,
    AllocationError,
    BadArgumentError,
    BoardClosedError,
    BufferUseError,
    BusAccessError,
    JobCancelledError,
    UnknownNameError,
    UnsupportedError,
)
from gapless.virtual import build_board

PL_DDR = 0x10_0000_0000


def loop(name="dma", *, line=0, **options):
    made = spec(dma(name, line=line, **options), fifos=[StreamFifoSpec("loop", name, name, 64 * KIB)])
    return replace(made, design=f"{name} in loop-back")


def with_pl_memory(design, size=GIB, base=PL_DDR):
    return replace(
        design,
        memories=(*design.memories, MemorySpec("pl-ddr", base, size, MemoryKind.PL)),
        pools=(*design.pools, PoolSpec("pl-ddr", base, size, MemoryKind.PL)),
    )


def put(board, design):
    board._replace(board._refit, design)


def echoed(board, name, nbytes=4 * KIB):
    """What comes back of noise that DMA ``name`` sends to itself."""
    pool = board.memory["low"]
    source, target = (pool.allocate(nbytes, np.uint8, below=1 << 32) for _ in range(2))
    source[:] = noise(nbytes)
    engine = board.dma(name)
    with source, target:
        pieces = np.array([[target.physical_address, nbytes]], np.uint64)
        receiving = engine.s2mm.begin(pieces, [target])
        engine.mm2s.transfer(source)
        receiving.wait()
        return np.array_equal(source, target)


def test_the_new_design_works_and_the_old_is_gone():
    with build_board(loop("first")) as board:
        old, bus, memory, address_map = board.dma("first"), board.bus, board.memory, board.address_map
        assert echoed(board, "first")
        time = bus.time()
        put(board, loop("second", line=1, sg=False))
        assert (board.bus, board.memory, board.address_map) == (bus, memory, address_map)
        assert board.spec.design == "second in loop-back"
        assert bus.time() >= time > 0
        with pytest.raises(UnknownNameError, match=r"first.*there is second"):
            board.dma("first")
        with pytest.raises(BusAccessError, match=r"no device answers at register address 0xA0000004"):
            _ = old.mm2s.status
        assert echoed(board, "second")
        assert not board.findings


def test_the_same_design_again_is_a_reset():
    with build_board(loop()) as board:
        engine = board.dma("dma")
        board.bus.write32(engine.spec.base, 0x1001)
        assert board.bus.read32(engine.spec.base) & 1
        put(board, board.spec)
        assert board.bus.read32(engine.spec.base) == 0x0001_0002  # PG021, DMACR at reset
        assert echoed(board, "dma")
        with pytest.raises(UnsupportedError, match="whole designs"):
            board.load("anything", partial=True)


def test_memory_of_the_ps_and_its_buffers_live_on():
    with build_board(loop("first")) as board:
        buffer = board.memory["low"].allocate(1000, np.uint8)
        buffer[:] = 7
        stats = board.memory["low"].stats()
        design = loop("second", line=1)
        put(board, replace(design, pools=(PoolSpec("other", 0, MIB, MemoryKind.PS),)))
        assert list(board.memory) == [pool.name for pool in board.spec.pools] == ["low", "high"]
        assert board.memory["low"].stats() == stats
        assert (buffer == 7).all()
        buffer.free()
        assert echoed(board, "second")
        assert not board.findings  # the guard knows the same buffers


def test_memory_of_the_pl_comes_and_goes():
    with build_board(with_pl_memory(loop())) as board:
        pool = board.memory["pl-ddr"]
        pool.allocate(4, np.uint8)[:] = 5
        gc.collect()
        put(board, loop())
        assert "pl-ddr" not in board.memory
        assert board.address_map.find(PL_DDR) is None
        with pytest.raises(AllocationError, match="its memory left with a design"):
            pool.allocate(4)
        put(board, with_pl_memory(loop(), size=MIB, base=2 * PL_DDR))
        region = board.address_map.find(2 * PL_DDR)
        assert (region.name, region.size) == ("pl-ddr", MIB)
        with board.memory["pl-ddr"].allocate(4, np.uint8) as fresh:
            assert fresh.physical_address == 2 * PL_DDR
            assert not fresh.any()
            board.dma("dma").mm2s.transfer(fresh)  # the engine finds it
        assert not board.findings


def test_buffers_in_memory_of_the_pl_are_in_the_way():
    with build_board(with_pl_memory(loop("first"))) as board:
        kept = [board.memory["pl-ddr"].allocate(size, np.uint8) for size in (4 * KIB, MIB)]
        with pytest.raises(BufferUseError, match=r"pl-ddr still has buffers: 4 KiB at 0x10_0000_0000, 1 MiB at .*free"):
            put(board, loop("second"))
        assert board.memory["pl-ddr"].stats().free == GIB - MIB - 4 * KIB
        kept.append(board.memory["pl-ddr"].allocate(5))
        assert echoed(board, "first")
        for buffer in kept:
            buffer.free()
        put(board, loop("second"))
        assert echoed(board, "second")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda d: replace(d, peripherals=(PeripheralSpec("x", "no-such", 0x4000_0000),)), id="kind"),
        pytest.param(lambda d: replace(d, peripherals=(PeripheralSpec("x", "axi-gpio", 0xA000_0000),)), id="base"),
        pytest.param(lambda d: with_pl_memory(d, base=4 * KIB), id="memory"),
        pytest.param(
            lambda d: replace(d, pools=(PoolSpec("p", PL_DDR, KIB, MemoryKind.PL),)), id="a pool without memory"
        ),
    ],
)
def test_what_cannot_be_built_changes_nothing(wrong):
    with build_board(with_pl_memory(loop("first"))) as board:
        before = board.spec, board.probe, dict(board.memory), list(board.address_map)
        with pytest.raises((BadArgumentError, AddressError)):
            put(board, wrong(loop("second")))
        assert (board.spec, board.probe, dict(board.memory), list(board.address_map)) == before
        board.memory["pl-ddr"].allocate(10).free()
        assert echoed(board, "first")


def test_a_closed_board_loads_nothing():
    board = build_board(loop())
    board.close()
    with pytest.raises(BoardClosedError):
        put(board, loop())


# ---- what is under way


def test_a_transfer_under_way_ends_and_its_buffers_are_free():
    with build_board(spec(dma())) as board:  # no stream is connected: it stands still
        buffer = board.memory["low"].allocate(MIB, np.uint8)
        pieces = np.array([[buffer.physical_address, MIB]], np.uint64)
        under_way = board.dma("dma").s2mm.begin(pieces, [buffer], timeout=1000.0)
        put(board, loop())
        with pytest.raises(JobCancelledError):
            under_way.wait()
        buffer.free()
        assert echoed(board, "dma")
        assert not board.findings


def test_an_engine_that_a_program_set_going_by_its_registers_stops():
    with build_board(loop("first")) as board:
        buffer = board.memory["low"].allocate(MIB, np.uint8)
        ring = board.memory["low"].allocate(16, np.uint32, align=64)
        ring[:] = 0
        ring[[0, 2, 6]] = ring.physical_address, buffer.physical_address, 1 << 26 | 1 << 27 | MIB
        for offset, value in ((0x08, ring.physical_address), (0x00, 0x1001), (0x10, ring.physical_address)):
            board.bus.write32(0xA000_0000 + offset, value)
        board.bus.sleep(20e-6)  # it is in the middle of the packet: nobody receives
        put(board, loop("second", line=1))
        buffer.free()
        ring.free()
        board.bus.sleep(1.0)
        assert not board.findings  # of a buffer freed in flight, or used after
        assert echoed(board, "second")


@pytest.mark.parametrize(("line", "told"), [(5, True), (77, True), (124, False)])
def test_who_waits_for_an_interrupt_of_the_old_design_is_told(line, told):
    machine = Machine(200e-9, 100e-9)
    port = machine.add_port(1e9)
    machine.add_zdma(0xFD50_0000, "gdma0", 16, 124, [port] * 4)  # of the PS: it stays
    waiting, other = machine.bus(), machine.bus()  # the other holds time back
    with ThreadPoolExecutor(2) as threads:
        outcome = threads.submit(waiting.wait_interrupt, line, 1.0)
        with pytest.raises(TimeoutError):
            outcome.result(0.05)
        machine.load(machine.make_parts())
        if told:
            with pytest.raises(BusAccessError, match=rf"another design .* while interrupt {line} was waited for"):
                outcome.result(10)
            return
        slept = threads.submit(other.sleep, 2.0)
        assert outcome.result(10) is False
        waiting.cancel()
        del waiting  # who does nothing holds time back
        slept.result(10)


def test_parts_are_loaded_once():
    machine = Machine(200e-9, 100e-9)
    parts = machine.make_parts()
    machine.load(parts)
    for _ in range(2):
        with pytest.raises(ValueError, match="were on a bus before"):
            machine.load(parts)
        machine.load(machine.make_parts())


def test_interrupts_fall():
    design = replace(loop(), peripherals=(PeripheralSpec("timer", "axi-timer", 0x4280_0000, interrupt=9),))
    with build_board(design) as board:
        base = 0x4280_0000
        board.bus.write32(base + 4, 0xFFFF_FFF0)
        for control in (0x20, 0xC0):  # load, then run with its interrupt
            board.bus.write32(base, control)
        assert board.bus.wait_interrupt(9, 1e-3)
        old = board.probe.peripheral("timer")
        assert old.interrupt
        put(board, design)
        assert not board.bus.wait_interrupt(9, 1e-3)
        assert old.interrupt  # it has no other level than when it left
        assert not board.probe.peripheral("timer").interrupt


# ---- handles of what left


def test_handles_of_what_left_are_harmless():
    design = spec(dma("a", s2mm=False), converters=[converter("dac", ["a"])])
    design = replace(design, peripherals=(PeripheralSpec("gpio", "axi-gpio", 0x4120_0000, interrupt=12),))
    with build_board(design) as board:
        probe, taken = board.probe, bytearray()
        probe.tap(0, taken.extend)
        gpio = probe.peripheral("gpio")
        board.bus.write32(0x4120_0000 + 0x11C, 1 << 31)
        board.bus.write32(0x4120_0000 + 0x128, 1)
        put(board, design)
        gpio.set_input(1)
        assert gpio.interrupt
        assert not board.bus.wait_interrupt(12, 1e-6)
        probe.faults.stall("a", "mm2s")
        probe.faults.lose_interrupt("a", "mm2s")
        probe.flush(0)
        probe.tap(0, None)
        assert not taken
        board.probe.tap(0, taken.extend)
        signal = samples(16 * 64)
        board.dac(0).play(signal, samples=len(signal), rate=1e9)
        board.probe.flush(0)
        assert bytes(taken) == signal.tobytes()
        assert not board.findings
    del board, probe
    gc.collect()
    gpio.set_input(0)  # what it is a part of lives as long


def test_processors_and_logs_of_what_left_are_harmless():
    with gapless.open("virtual:pynq-z2") as board:
        iop, bench = board.iop(1), board.probe.iop(1)
        log = bench.observe("stores")
        iop.load("ticks")
        iop.start()
        assert bench.state != "held"
        lent = board.memory["ps-cma"].allocate(10)
        iop.device_address(lent)
        put(board, board.spec)
        assert (bench.state, bench.fault) == ("held", None)
        count = len(log.records())
        assert not iop.running
        lent.free()  # it was taken back
        bench.peripheral("iic")
        for name in bench.peripherals:
            assert not bench.peripheral(name).interrupt
        gc.collect()
        board.bus.sleep(1e-3)
        assert len(log.records()) == count  # nothing of it runs
        new = board.iop(1)
        assert new is not iop
        new.load("tutorial")
        new.start()
        assert board.probe.iop(1).state == "settled"
        board.pin(0).set(True)
        assert (bench.state, board.probe.iop(1).state) == ("held", "held")


def test_a_pin_of_the_ps_keeps_its_level():
    with build_board(pynq_z2()) as board:
        gpio = board.probe.peripheral("ps_gpio")
        board.pin(0).set(True)
        put(board, pynq_z2())
        assert board.probe.peripheral("ps_gpio") is not None
        assert gpio.output(gpio.first_emio_pin)
        assert board.probe.iop(1).state == "held"
        assert [part.name for part in board.spec.peripherals].count("ps_gpio") == 1


def test_what_the_board_did_not_have_of_its_ps_comes_with_the_design():
    with build_board(loop()) as board:
        for _ in range(2):
            put(board, pynq_z2())
            assert {"ps_gpio", "slcr"} <= {part.name for part in board.spec.peripherals}
            board.iop(1).load("tutorial")
            board.iop(1).start()
            assert board.probe.iop(1).state == "settled"


def test_what_listens_is_called_after_each_load():
    with build_board(loop("first")) as board:
        seen = []
        board.when_loaded(lambda: seen.append(board.spec.design))
        put(board, loop("second"))
        with pytest.raises(AddressError):
            put(board, with_pl_memory(loop("third"), base=4 * KIB))
        assert seen == ["second in loop-back"]
