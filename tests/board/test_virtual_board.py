"""Opening, closing, forgetting and leaving a virtual board; what its URI says; what it costs."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import numpy as np
import pytest
from driver_designs import GIB, MIB, both_ways, looped, samples, two_dmas

import gapless
from gapless.dma import split
from gapless.errors import (
    AddressError,
    AllocationError,
    BadArgumentError,
    BoardClosedError,
    BusAccessError,
    GaplessError,
    JobCancelledError,
    UnknownNameError,
)
from gapless.samples import CounterSource
from gapless.virtual import build_board


def run(code, *, timeout=60):
    """Run ``code`` in a fresh interpreter; its exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


# ---- what there is


def test_the_board_as_delivered_has_an_empty_carveout():
    with gapless.open("virtual:zcu111") as board:
        assert list(board.memory) == ["ps-cma", "ps-carveout", "pl-ddr"]
        stats = board.memory["ps-carveout"].stats()
        assert (stats.total, stats.free, stats.largest_free) == (0, 0, 0)
        with pytest.raises(AllocationError, match=r"asked 4 KiB in ps-carveout: .*32GiB has 28 GiB.*pl-ddr has"):
            board.memory["ps-carveout"].allocate(1024)
        cma = board.memory["ps-cma"].stats()
        assert (cma.total, cma.free, cma.largest_free) == (128 * MIB, 121 * MIB, 96 * MIB)
        assert board.memory["pl-ddr"].stats().free == 4 * GIB
        assert str(board) == "<Board virtual:zcu111: Zynq UltraScale+ RFSoC ZCU111>"
        assert board.findings == ()


def test_the_upgraded_board_and_its_options():
    with gapless.open("virtual:zcu111?ps=32GiB&cma=256MiB&fifo=64KiB&read=1us&write=500ns") as board:
        carveout = board.memory["ps-carveout"]
        assert (carveout.base, carveout.size) == (0x8_8000_0000, 28 * GIB)
        assert board.memory["ps-cma"].size == 256 * MIB
        assert board.dac(0).monitor.fifo_depth == board.adc(1).monitor.fifo_depth == 65536
        before = board.bus.time()
        board.bus.read32(0xA000_0000)
        assert board.bus.time() - before == pytest.approx(1e-6)
        board.bus.write32(0xA000_0000, 0)
        assert board.bus.time() - before == pytest.approx(1.5e-6)


@pytest.mark.parametrize(
    ("uri", "kind", "words"),
    [
        ("", UnknownNameError, "no board ''"),
        ("zcu111", UnknownNameError, "there is virtual:zcu111"),
        ("virtual", UnknownNameError, "no board 'virtual'"),
        ("virtual:", UnknownNameError, "no virtual board ''"),
        ("virtual:zcu999", UnknownNameError, "no virtual board 'zcu999': there is virtual:zcu111"),
        ("virtual:ZCU111", UnknownNameError, "no virtual board"),
        ("virtual://[", UnknownNameError, "no virtual board"),
        ("virtual:zcu111#x", UnknownNameError, "no virtual board"),
        ("serial:zcu111", UnknownNameError, "no board"),
        ("local://", UnknownNameError, "there is local, local"),
        ("virtual:zcu111?ps", BadArgumentError, "key=value"),
        ("virtual:zcu111?ram=4GiB", UnknownNameError, "no option of the virtual zcu111 'ram': there is ps, cma"),
        ("virtual:zcu111?ps=4GiB&ps=32GiB", BadArgumentError, "ps is given twice"),
        ("virtual:zcu111?ps=", BadArgumentError, "ps '' is not understood"),
        ("virtual:zcu111?ps=4GB", BadArgumentError, "is not understood: write it like 65536, 64KiB or 32GiB"),
        ("virtual:zcu111?ps=2GiB", BadArgumentError, "from 3GiB to 32GiB"),
        ("virtual:zcu111?ps=64GiB", BadArgumentError, "from 3GiB to 32GiB"),
        ("virtual:zcu111?ps=4097MiB", BadArgumentError, "whole GiB"),
        ("virtual:zcu111?cma=8MiB", BadArgumentError, "from 16MiB to 1GiB"),
        ("virtual:zcu111?fifo=100", BadArgumentError, "fifo depth of 100 B"),
        ("virtual:zcu111?fifo=1e9999999999", BadArgumentError, "not understood"),
        ("virtual:zcu111?read=0", BadArgumentError, "read=0: a register access costs"),
        ("virtual:zcu111?write=-1ns", BadArgumentError, "write cost"),
        ("virtual:zcu111?write=2ms", BadArgumentError, "at most 1ms"),
    ],
)
def test_a_uri_that_cannot_be_is_one_clear_error(uri, kind, words):
    with pytest.raises(kind, match=words):
        gapless.open(uri)


@pytest.mark.parametrize("ps", range(3, 33))
def test_every_sodimm_opens(ps):
    with gapless.open(f"virtual:zcu111?ps={ps}GiB") as board:
        assert board.memory["ps-carveout"].size == max(0, ps - 4) * GIB


def test_registers_where_there_are_none():
    with gapless.open() as board:
        for address in (0x0, 0x8_0000_0000, 0xA000_0002, 0xB000_0000):
            with pytest.raises(BusAccessError, match="0x"):
                board.bus.read32(address)
            with pytest.raises(BusAccessError):
                board.bus.write32(address, 0)
        assert board.bus.read32(0xA000_0004) & 1  # and the bus goes on


def test_any_design_can_be_built():
    board = two_dmas()
    assert (board.uri, board.spec.title) == ("virtual:bench", "a bench")
    assert build_board(board.spec, uri="virtual:mine").uri == "virtual:mine"
    with pytest.raises(UnknownNameError, match="no DAC 0: there is none"):
        board.dac(0)


# ---- closing


def test_nothing_starts_on_a_closed_board_and_arrays_stay():
    board = both_ways()
    dac, adc, engine = board.dac(0), board.adc(0), board.dma("dma")
    buffer = board.memory["low"].allocate(1000, np.int16)
    buffer[:] = 7
    board.close()
    board.close()
    for call in (
        lambda: dac.play(samples(10), rate=1e9, memory="low"),
        lambda: board.dac(0).play(buffer, rate=1e9),
        lambda: adc.record(10, rate=1e9, memory="low"),
        lambda: engine.mm2s.transfer(buffer),
        lambda: engine.reset(),
        lambda: engine.recover(engine.mm2s),
        lambda: board.bus.read32(0xA000_0000),
        lambda: board.bus.sleep(1),
        lambda: board.bus.wait_interrupt(0, 1),
    ):
        with pytest.raises(BoardClosedError, match="the board was closed"):
            call()
    assert buffer.sum() == 7000
    buffer.free()
    assert board.memory["low"].stats().buffers.count == 0
    assert board.findings == ()


def test_closing_ends_a_recording_and_a_transfer():
    board = both_ways()
    recording = board.adc(0).start(100_000_000, rate=1e9, memory="low")
    with board.memory["low"].allocate(1000, np.uint8) as buffer:
        engine = board.dma("dma")
        sending = engine.mm2s.begin(split(engine.spec, buffer.physical_address, 1000), [buffer])
        board.close()
    for run_ in (recording, sending):
        with pytest.raises(GaplessError):
            run_.wait()
    assert board.memory["low"].stats().buffers.count == 0


@pytest.mark.parametrize("engine", ["sg", "cyclic", "direct"])
def test_closing_from_another_thread_ends_a_play(engine):
    board = gapless.open()
    caught = []

    def play():
        try:
            board.dac(0).play(CounterSource(), samples=9e14, rate=2e9, engine=engine, sha256=True)
        except GaplessError as error:
            caught.append(error)

    thread = threading.Thread(target=play)
    thread.start()
    time.sleep(0.2)
    board.close()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(caught[0], (JobCancelledError, BoardClosedError))
    assert board.memory["pl-ddr"].stats().buffers.count == 0
    assert board.memory["ps-cma"].stats().buffers.count == 0


def test_a_forgotten_board_goes_with_its_threads_and_memory():
    threads, pools = threading.active_count(), []
    for _ in range(3):
        board = both_ways()
        pools.append(weakref.ref(board.memory["low"]))
        board.adc(0).start(1_000_000, rate=1e9, memory="low")
        board.probe.tap(0, lambda data: None)
    del board
    for _ in range(3):  # what a finalizer lets go of is found by the next collection
        gc.collect()
    assert [pool() for pool in pools] == [None] * 3
    assert threading.active_count() == threads


def test_a_converter_keeps_its_board():
    dac = gapless.open().dac(0)
    gc.collect()
    assert dac.play(samples(1000), rate=1e9).complete


# ---- the interpreter


def test_ctrl_c_leaves_everything_usable():
    code, out, err = run(
        """
        import _thread, threading, time, numpy as np, gapless
        from gapless.samples import CounterSource
        board = gapless.open()
        signal = np.arange(100_000, dtype=np.int32).astype(np.int16)
        before = {name: pool.stats() for name, pool in board.memory.items()}
        for engine in ("sg", "direct", "cyclic"):
            threading.Timer(0.3, _thread.interrupt_main).start()
            began = time.perf_counter()
            try:
                board.dac(0).play(CounterSource(), samples=9e14, rate=2e9, engine=engine, sha256=engine != "sg")
            except KeyboardInterrupt:
                assert time.perf_counter() - began < 5
            else:
                raise SystemExit("not interrupted")
            assert {name: pool.stats() for name, pool in board.memory.items()} == before
            assert board.dac(0).play(signal, rate=2e9, engine=engine).complete
            assert {name: pool.stats() for name, pool in board.memory.items()} == before
        recording = board.adc(0).start(1_000_000_000, rate=1e9)
        threading.Timer(0.05, _thread.interrupt_main).start()
        try:
            recording.wait(lambda *_: time.sleep(0.2))
        except KeyboardInterrupt:
            pass
        else:
            raise SystemExit("not interrupted")
        assert {name: pool.stats() for name, pool in board.memory.items()} == before
        assert board.findings == ()
        print("usable")
        """
    )
    assert (code, out.strip()) == (0, "usable"), err


def test_a_signal_interrupts_as_ctrl_c_does():
    code, out, err = run(
        """
        import os, signal, threading, gapless
        from gapless.samples import CounterSource
        with gapless.open() as board:
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            try:
                board.dac(0).play(CounterSource(), samples=9e14, rate=2e9, sha256=True)
            except KeyboardInterrupt:
                print(board.dac(0).play([0.5] * 100, rate=1e9).complete)
        """
    )
    assert (code, out.strip()) == (0, "True"), err


EXITS = {
    "a recording under way": "recording = board.adc(0).start(1_000_000_000, rate=1e9)",
    "a recording nobody knows any more": "board.adc(0).start(1_000_000_000, rate=1e9); del board",
    "a transfer with a tap": """
        board.probe.tap(0, lambda data: None)
        board.dac(0).monitor.start(1e9)
        from gapless.dma import split
        engine, block = board.dma("dma_dac0"), board.memory["pl-ddr"].allocate(1 << 25, "i2")
        pieces = split(engine.spec, block.physical_address, (1 << 26) - 64)
        sending = engine.mm2s.begin(pieces, [block], repeat=10**9)
        sending._look()
    """,
    "a play in a daemon thread": """
        import threading, time
        from gapless.samples import CounterSource
        play = lambda: board.dac(0).play(CounterSource(), samples=9e14, rate=2e9, sha256=True)
        threading.Thread(target=play, daemon=True).start()
        time.sleep(0.3)
    """,
    "an exception": "recording = board.adc(0).start(1_000_000_000, rate=1e9); raise SystemExit(5)",
}


@pytest.mark.parametrize("what", EXITS)
def test_the_interpreter_leaves_with(what):
    code, out, err = run(
        "import gapless\nboard = gapless.open()\n" + textwrap.dedent(EXITS[what]) + "\nprint('end')", timeout=20
    )
    assert code == (5 if what == "an exception" else 0), err
    assert out.strip() == ("" if what == "an exception" else "end")
    assert "Fatal" not in err
    assert "terminate" not in err


# ---- what it costs


def test_an_idle_board_of_36_gb_is_small_and_quick():
    code, out, err = run(
        """
        import os, time
        import gapless
        began = time.perf_counter()
        for _ in range(20):
            with gapless.open("virtual:zcu111?ps=32GiB") as board:
                pass
        took = (time.perf_counter() - began) / 20
        board = gapless.open("virtual:zcu111?ps=32GiB")
        buffers = [board.memory[name].allocate(1 << 28, "u8") for name in ("ps-carveout", "pl-ddr")]
        resident = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        print(took, resident)
        """
    )
    assert code == 0, err
    took, resident = map(float, out.split())
    assert resident < 200 * MIB
    assert took < 1


def test_the_buffers_of_a_board_are_its_own():
    first, second = looped(), looped()
    a, b = first.memory["low"].allocate(64), second.memory["low"].allocate(64)
    assert a.physical_address == b.physical_address
    a[:] = 1
    assert not b.any()
    with pytest.raises(AddressError):
        first.memory["low"].allocate(64, address=0x0)


def test_an_unknown_pool_says_which_there_are():
    with gapless.open("virtual:zcu111") as board:
        with pytest.raises(UnknownNameError, match="no memory 'pl-dr': there is ps-cma, ps-carveout, pl-ddr"):
            board.memory["pl-dr"]
        with pytest.raises(KeyError):
            board.memory["pl-dr"]
        assert "pl-dr" not in board.memory
