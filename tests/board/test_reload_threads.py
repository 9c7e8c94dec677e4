"""Designs are loaded while other threads are at work with what was there before."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from driver_designs import KIB, converter, dma, samples, spec

import gapless
from gapless.boards import PeripheralSpec
from gapless.boards.pynq_z2 import pynq_z2
from gapless.dma import DescriptorRing
from gapless.errors import GaplessError
from gapless.virtual import build_board

LOADS = 50


def put(board, design):
    board._replace(board._refit, design)


class AtWork:
    """Calls ``work`` again and again in a thread; what gapless raises is what is to be expected."""

    def __init__(self, work):
        self._work, self._end, self.rounds, self.errors = work, False, 0, []
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._end:
            try:
                self._work()
            except GaplessError as error:
                self.errors.append(error)
            except BaseException as error:
                self.errors.append(error)
                raise
            self.rounds += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._end = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "it hangs"


def at_random(work, loads=LOADS):
    """Between two loads, at least one round of ``work``, and then some."""
    chance = np.random.default_rng(0)
    for number in range(loads):
        seen, deadline = work.rounds, time.monotonic() + 5
        while work.rounds == seen and time.monotonic() < deadline and number % 8 == 0:
            time.sleep(1e-4)
        time.sleep(chance.uniform(0, 1e-3))
        yield number


def playing():
    return spec(
        dma("sg", line=0, s2mm=False),
        dma("direct", line=1, s2mm=False, sg=False),
        converters=[converter("dac", ["sg", "direct"])],
    )


@pytest.mark.parametrize("engine", ["sg", "direct", "cyclic"])
def test_a_dac_plays_meanwhile(engine):
    with build_board(playing()) as board:
        signal, pool = samples(4 * KIB), board.memory["low"]
        free = pool.stats().free
        play = AtWork(lambda: board.dac(0).play(signal, samples=4 * KIB * 100, rate=1e9, engine=engine, memory="low"))
        with play:
            for number in at_random(play):
                put(board, playing() if number % 2 else board.spec)
                if number % 10 == 0:
                    board.probe.tap(0, lambda view: None)
        assert play.errors  # loads did come in between
        assert all(isinstance(error, GaplessError) for error in play.errors)
        del play
        gc.collect()
        assert pool.stats().free == free
        report = board.dac(0).play(signal, samples=4 * KIB, rate=1e9, engine=engine, memory="low")
        assert report.ledger.complete
        assert not board.findings


def test_a_ring_goes_round_meanwhile():
    with build_board(playing()) as board:
        pool = board.memory["low"]
        free = pool.stats().free
        for _ in range(LOADS):
            buffer = pool.allocate(KIB, np.uint8)
            engine = board.dma("sg")
            ring = DescriptorRing(pool, engine.spec, 2)
            ring.link(np.array([[buffer.physical_address, 512], [buffer.physical_address + 512, 512]], np.uint64))
            engine.mm2s.start_cyclic(ring, [buffer])
            board.bus.sleep(10e-6)
            put(board, playing())
            ring.free()
            buffer.free()
        gc.collect()
        assert pool.stats().free == free
        assert not board.findings


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_a_processor_runs_meanwhile(clock):
    with build_board(pynq_z2(), wall_clock=clock == "wall") as board:

        def work():
            iop = board.iop(1)
            log = board.probe.iop(1).observe("everything", 1000)
            iop.load("ticks")
            iop.start()
            iop.mailbox[0] = 1000  # it counts interrupts of its timer from now on
            log.records()
            board.bus.sleep(1e-3)

        with AtWork(work) as busy:
            for _ in at_random(busy):
                put(board, board.spec)
        assert all(isinstance(error, GaplessError) for error in busy.errors)
        board.iop(1).load("tutorial")
        board.iop(1).start()
        assert board.probe.iop(1).state == "settled"


def test_handles_are_used_meanwhile():
    design = replace(
        pynq_z2(),
        peripherals=(
            *pynq_z2().peripherals,
            PeripheralSpec("timer", "axi-timer", 0x4280_0000, interrupt=90),
        ),
    )
    with build_board(design) as board:
        kept = []

        def work():
            probe = board.probe
            bench, gpio, timer = probe.iop(2), probe.peripheral("btns_gpio"), probe.peripheral("timer")
            for level in range(20):
                gpio.set_input(level % 16)
                timer.set_capture(bool(level % 2))
                _ = bench.state, bench.fault, bench.cycles, timer.interrupt
                probe.faults.stall("axi_dma_from_ps_to_pl", "mm2s", bool(level % 2))
            kept.append((probe, bench, gpio, timer))
            del kept[:-5]

        with AtWork(work) as busy:
            for _ in at_random(busy):
                put(board, design)
        assert not busy.errors


def test_only_one_of_several_threads_loads_at_a_time():
    with gapless.open("virtual:pynq-z2") as board:

        def load(design):
            put(board, design)
            time.sleep(1e-4)  # or one of them has the lock again before the other has woken

        with AtWork(lambda: load(board.spec)) as first, AtWork(lambda: load(pynq_z2())) as second:
            while min(first.rounds, second.rounds) < 20:
                time.sleep(1e-3)
        assert not first.errors
        assert not second.errors
        assert list(board.memory) == ["ps-cma"]


def test_a_design_that_nobody_holds_is_gone():
    with build_board(pynq_z2()) as board:
        for _ in range(3):
            put(board, board.spec)
        gc.collect()
        before = sum(type(thing).__name__ == "VirtualProbe" for thing in gc.get_objects())
        for _ in range(5):
            put(board, board.spec)
        gc.collect()
        assert sum(type(thing).__name__ == "VirtualProbe" for thing in gc.get_objects()) == before
