"""The board that a program runs on: recognised, assembled, driven through its bus, closed."""

import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from fake_engine import FakeMm2s
from fake_uio import FakeUio
from local_tree import ZCU111, add_mem, add_uio, make_tree

import gapless
from gapless._native import BlockQueue, HostMemory
from gapless.boards import BoardSpec, ConverterSpec, DmaSpec, MemoryKind, PortSpec
from gapless.boards.detection import KNOWN, recognise
from gapless.errors import (
    BadArgumentError,
    BoardClosedError,
    JobCancelledError,
    UnknownNameError,
    UnsupportedError,
    WaitTimeoutError,
)
from gapless.local import UioDevice, Window, build_board, local_machine, open_board
from gapless.local import interrupts as local_interrupts
from gapless.local.registers import Registers
from gapless.memory import MappedRegion
from gapless.memory.range_pool import RangePool

BASE, MEMORY, SIZE = 0xA000_0000, 0x7000_0000, 1 << 20
DMA = DmaSpec("dma", BASE, sg=True, ports={MemoryKind.PS: "HP0"}, mm2s_interrupt=3, data_width=8)
SPEC = BoardSpec("bench", "bench", (), (), (PortSpec("HP0", 1e9),), (DMA,), ())


# ---- which board it is -----------------------------------------------------------------------------


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_every_known_board_makes_a_spec(known):
    spec = known.spec()
    assert spec.dmas == spec.converters == spec.pools == ()
    assert recognise((known.compatible,)) is known


def test_the_more_specific_name_wins():
    assert recognise(ZCU111).name == "zcu111"
    assert recognise(("avnet,ultra96", "xlnx,zynqmp")).name == "zynqmp"
    assert recognise(("brcm,bcm2711",)) is None
    assert recognise(()) is None


def test_the_machine_is_read_from_the_device_tree(tmp_path):
    machine = local_machine(make_tree(tmp_path, ("avnet,ultra96", "xlnx,zynqmp"), "Avnet Ultra96"))
    assert str(machine) == "Avnet Ultra96 (avnet,ultra96, xlnx,zynqmp)"
    assert machine.board.title == "Zynq UltraScale+: Avnet Ultra96"


def test_a_board_opens_with_its_zdma_and_no_pl(tmp_path):
    add_mem(make_tree(tmp_path, ZCU111, "ZynqMP ZCU111 RevA"), 0x1_0000_0000)
    with open_board("local", root=tmp_path) as board:
        assert board.spec.name == "zcu111"
        assert len(board.zdma) == 16
        assert set(board.interrupts) == {zdma.name for zdma in board.zdma}
        assert board.interrupts["gdma0"] == "polled (no UIO device for gdma0)"
        assert board.probe is None
        with pytest.raises(UnknownNameError, match="no DMA 'dma_dac0': there is none"):
            board.dma("dma_dac0")
        with pytest.raises(UnsupportedError, match=r"local has no DAC: design none chosen.*local\?design=awg"):
            board.dac(0)


def test_zdma_channels_that_cannot_be_had_are_left_out_with_the_reason(tmp_path):
    make_tree(tmp_path, ZCU111, "ZCU111")
    add_uio(tmp_path, 1, "gdma3", (0xFD53_0000, 0x1000, 0))
    with open_board("local", root=tmp_path) as board:
        assert [zdma.name for zdma in board.zdma] == ["gdma3"]
        assert board.interrupts["gdma0"].startswith("not there: the registers of gdma0 at 0xFD50_0000: no UIO device")


def test_a_design_has_the_pl_and_its_memory(tmp_path):
    add_mem(make_tree(tmp_path, ZCU111, "ZCU111"), 0x1_0000_0000)
    board = open_board("local?design=awg", root=tmp_path)
    assert "dma_dac0" in (dma.name for dma in board.spec.dmas)
    assert {memory.kind for memory in board.spec.memories} == {MemoryKind.PL}
    assert board.interrupts["dma_dac0 MM2S"] == "polled (no UIO device for dma_dac0-mm2s)"
    with pytest.raises(WaitTimeoutError, match="the reset to end"):  # nothing answers behind this /dev/mem
        board.close()


@pytest.mark.parametrize("there", [True, False])
def test_converters_need_memory(tmp_path, there):
    root, words = make_tree(tmp_path), bytearray(0x1000)
    adc = ConverterSpec("adc0", "adc", 0, BASE + 0x1_0000, 8, 4e9, ())
    spec = BoardSpec("bench", "bench", (), (), (), (), (adc,))
    pool = RangePool(MappedRegion("ps", MEMORY, SIZE, HostMemory(SIZE)), MEMORY, SIZE, name="ps-cma")
    windows = [Window(adc.base, np.frombuffer(words, np.uint8))]
    with build_board(spec, root=root, windows=windows, pools={"ps-cma": pool} if there else {}) as board:
        if there:
            assert board.adc(0).spec is adc
        else:
            with pytest.raises(UnsupportedError, match="no memory to play from"):
                board.adc(0)


def test_a_design_whose_registers_cannot_be_reached_is_an_error(tmp_path):
    make_tree(tmp_path, ZCU111, "ZCU111")
    with pytest.raises(UnsupportedError, match="the registers of dma_dac0"):
        open_board("local?design=awg", root=tmp_path)


@pytest.mark.parametrize(
    ("uri", "kind", "words"),
    [
        ("local?design=x", UnknownNameError, "no design of .*ZCU111 'x': there is awg"),
        ("local?design=", UnknownNameError, "there is awg"),
        ("local?cma=1GiB", UnknownNameError, "virtual:zcu111 has others.* 'cma': there is design"),
        ("local?design=awg&design=awg", BadArgumentError, "given twice"),
        ("local?design", BadArgumentError, "key=value"),
        ("local:zcu111", UnknownNameError, "there is local, local"),
    ],
)
def test_what_a_uri_cannot_be(tmp_path, uri, kind, words):
    make_tree(tmp_path, ZCU111, "ZCU111")
    with pytest.raises(kind, match=words):
        open_board(uri, root=tmp_path)


def test_a_board_without_built_in_designs_says_so(tmp_path):
    make_tree(tmp_path, ("xlnx,zynqmp",), "Some board")
    with pytest.raises(UnsupportedError, match=r"no built-in design for Zynq.*give the .hwh"):
        open_board("local?design=awg", root=tmp_path)


def test_another_machine_has_its_memory_and_no_registers(tmp_path):
    make_tree(tmp_path)
    with open_board("local", root=tmp_path) as board:
        assert len(board.modes) == 5
        assert len(board.zdma) == 0
        assert board.interrupts == {}
        assert "no device tree" in board.spec.title
        with pytest.raises(UnsupportedError, match="no PL; virtual:zcu111 works anywhere"):
            board.dac(0)
    with pytest.raises(UnsupportedError, match="no board that gapless knows; virtual:zcu111 works anywhere"):
        open_board("local?design=awg", root=tmp_path)


def test_missing_memory_says_why(tmp_path):
    make_tree(tmp_path)
    with open_board("local", root=tmp_path) as board:
        for mode in board.modes:
            assert bool(mode.reason) == bool(mode.fix) == (not mode.available)
            if not mode.available:
                with pytest.raises(UnsupportedError, match=f"memory {mode.pool} is not there: "):
                    board.memory[mode.pool]
        with pytest.raises(UnknownNameError):
            board.memory["dram"]


def test_open_knows_local():
    with gapless.open("local") as board:
        assert board.uri == "local"


# ---- a transfer through it -------------------------------------------------------------------------


class Bench:
    """A board with one fake engine, whose line is told by a fake UIO device or polled."""

    def __init__(self, board, engine, uio) -> None:
        self.board, self.engine, self.uio = board, engine, uio
        self.channel = board.dma("dma").mm2s


@contextmanager
def bench(root, monkeypatch, kind):
    make_tree(root)
    host = HostMemory(SIZE)
    region = MappedRegion("ps", MEMORY, SIZE, host)
    pool = RangePool(region, MEMORY, SIZE, name="ps-cma")
    with FakeUio() as uio, FakeMm2s(host.view(0, SIZE, None), MEMORY, uio.set) as engine:
        if kind == "uio":

            class Open:
                has_interrupt = True
                fileno = staticmethod(uio.fileno)

            device = UioDevice("uio4", "dma-mm2s", ())
            monkeypatch.setattr(Registers, "named", lambda _self, name: device if name == device.name else None)
            monkeypatch.setattr(Registers, "open", lambda _self, _device: Open())
        board = build_board(SPEC, root=root, windows=[Window(BASE, engine.registers)], pools={"ps-cma": pool})
        with board:
            yield Bench(board, engine, uio)


@pytest.fixture(params=["uio", "polled"])
def rig(request, tmp_path, monkeypatch):
    with bench(tmp_path, monkeypatch, request.param) as made:
        yield made


def test_the_board_says_how_interrupts_are_told(rig):
    told = rig.board.interrupts["dma MM2S"]
    assert told in ("uio4 (dma-mm2s)", "polled (no UIO device for dma-mm2s)")


def test_a_ring_moves_every_piece_in_order(rig):
    buffer = rig.board.memory["ps-cma"].allocate(64 * 1024, np.uint8)
    buffer[:] = np.random.default_rng(1).integers(0, 256, len(buffer), np.uint8)
    starts = np.arange(0, len(buffer), 1024, dtype=np.uint64)
    pieces = np.stack([starts + np.uint64(buffer.physical_address), np.full_like(starts, 1024)], axis=1)
    moved = rig.channel.begin(pieces, [buffer], repeat=20, timeout=5.0).wait()
    assert (moved.pieces, moved.nbytes) == (20 * 64, 20 * len(buffer))
    assert b"".join(rig.engine.sent) == 20 * bytes(buffer)
    if rig.board.interrupts["dma MM2S"].startswith("uio"):
        assert rig.uio.count > 0


def test_blocks_are_handed_in_while_it_runs(rig):
    """The loop and the program wake each other by signals, also from waits that have no end of their own."""
    buffer = rig.board.memory["ps-cma"].allocate((4, 4096), np.uint8)
    queue = BlockQueue(rig.board.bus, buffer.physical_address, 4096, 4, 0)
    transfer = rig.channel.stream(queue, 4, buffer, timeout=5.0)
    for number in range(60):
        if number >= 4:
            state, block, nbytes, use = queue.take(5.0)
            assert (state, block, nbytes, use) == ("block", number % 4, 4096, number - 4)
        buffer[number % 4] = number
        if number % 7 == 0:
            time.sleep(0.005)  # the engine has sent all: the loop waits for a block
        queue.give(number % 4, 4096)
    assert queue.take(5.0)[0] == "block"
    queue.close()
    assert transfer.wait().pieces == 60
    assert [queue.take(5.0)[0] for _ in range(4)] == ["block", "block", "block", "ended"]
    assert b"".join(rig.engine.sent) == np.repeat(np.arange(60, dtype=np.uint8), 4096).tobytes()


def test_taking_from_an_empty_queue_takes_its_timeout(rig):
    queue = BlockQueue(rig.board.bus, MEMORY, 4096, 4, 0)
    before = time.monotonic()
    assert queue.take(0.05)[0] == "nothing"
    assert 0.05 <= time.monotonic() - before < 5


def test_a_stream_that_stands_still_is_a_timeout(rig):
    rig.engine.stalled = True
    buffer = rig.board.memory["ps-cma"].allocate(4096, np.uint8)
    with pytest.raises(WaitTimeoutError, match="dma MM2S: no completion within 50 ms"):
        rig.channel.transfer(buffer, timeout=0.05)
    assert not rig.engine.running


def test_closing_the_board_stops_the_engine_and_ends_the_wait(rig):
    rig.engine.stalled = True
    buffer = rig.board.memory["ps-cma"].allocate(4096, np.uint8)
    transfer = rig.channel.begin(np.array([[buffer.physical_address, 4096]], np.uint64), [buffer], timeout=60.0)
    closing = threading.Timer(0.05, rig.board.close)
    closing.start()
    with pytest.raises((JobCancelledError, BoardClosedError)):
        transfer.wait()
    closing.join()
    rig.board.close()  # a second time does nothing
    assert not rig.engine.running
    with pytest.raises(BoardClosedError):
        rig.board.bus.read32(BASE)


def test_the_engine_is_another_programs_while_it_is_open(tmp_path, monkeypatch):
    with bench(tmp_path, monkeypatch, "polled") as first:
        windows = [Window(BASE, first.engine.registers)]
        with pytest.raises(gapless.errors.TakenError, match="dma"):
            build_board(SPEC, root=tmp_path, windows=windows)
        first.board.close()
        build_board(SPEC, root=tmp_path, windows=windows).close()


def test_an_engine_that_cannot_be_stopped_stays_ours(tmp_path, monkeypatch):
    with bench(tmp_path, monkeypatch, "polled") as first:
        first.engine.__exit__()  # nobody serves its registers any more
        with pytest.raises(WaitTimeoutError, match="dma: the reset to end"):
            first.board.close()
        with pytest.raises(gapless.errors.TakenError, match="dma"):
            build_board(SPEC, root=tmp_path, windows=[Window(BASE, first.engine.registers)])
        first.engine.registers[:] = 0  # a reset ends with RESET cleared
        first.board._closed = lambda: None  # the bus is closed: only the end of the program could try again


# ---- interrupt lines -------------------------------------------------------------------------------


def test_a_uio_device_of_the_engine_tells_its_first_line(tmp_path):
    both = DmaSpec("dma", BASE, sg=True, ports={MemoryKind.PS: "HP0"}, mm2s_interrupt=3, s2mm_interrupt=4)
    spec = BoardSpec("bench", "bench", (), (), (PortSpec("HP0", 1e9),), (both,), ())
    first, second = local_interrupts.lines_of(spec)
    assert (first.name, first.first, first.status, first.mask) == ("dma MM2S", True, BASE + 0x04, 0x7000)
    assert (second.name, second.first, second.status, second.mask) == ("dma S2MM", False, BASE + 0x34, 0x7000)
    add_uio(make_tree(tmp_path), 7, "generic", (BASE, 0x1000, 0))
    (tmp_path / "dev/uio7").unlink()
    with pytest.raises(UnknownNameError):  # its node is not there
        build_board(spec, root=tmp_path)
