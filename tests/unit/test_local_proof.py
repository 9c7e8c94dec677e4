"""A proof of where memory is has a channel of its own: a copy that is under way goes on."""

import threading
import time

import numpy as np
import pytest
from local_tree import make_tree

import gapless
from gapless.board import Board
from gapless.boards import BoardSpec
from gapless.boards.zynqmp import zdmas
from gapless.dma import Zdma
from gapless.dma import zdma as zdma_module
from gapless.dma.zdma_registers import State
from gapless.errors import DmaStateError, UnsupportedError
from gapless.local import Window, build_board
from gapless.local import board as local_board
from gapless.memory import AddressMap
from gapless.memory.providers import Discovery

TEXT = bytes(range(16))


class OnTheModel:
    """The registers of a virtual board, for what maps those of a real one."""

    def __init__(self, bus) -> None:
        self._bus = bus

    def __getattr__(self, name):
        return getattr(self._bus, name)

    def add_window(self, *_window):
        pass

    def add_polled_line(self, *_line):
        pass


@pytest.fixture
def virtual():
    with gapless.open() as opened:
        yield opened


@pytest.fixture
def local(virtual, tmp_path, monkeypatch):
    """Builds a board of so many channels: it, and the proof that the discovery of its memory was given."""
    given = []

    def discover(_spec, *, root, claims, prove):
        given.append(prove)
        return Discovery({}, ())

    def build(channels):
        monkeypatch.setattr(local_board, "discover", discover)
        monkeypatch.setattr(local_board, "MmioBus", lambda: OnTheModel(virtual.bus))
        spec = BoardSpec("bench", "bench", (), (), (), (), (), zdmas=zdmas()[:channels])
        windows = [Window(zdma.base, np.zeros(0x1000, np.uint8)) for zdma in spec.zdmas]
        pools = {name: virtual.memory[name] for name in ("ps-cma", "pl-ddr")}
        return build_board(spec, root=make_tree(tmp_path), windows=windows, pools=pools), given[-1]

    return build


def test_a_proof_takes_another_channel_than_a_copy_that_is_running(virtual, local):
    board, prove = local(2)
    cma = board.memory["ps-cma"]
    src, dst = (board.memory[name].allocate(1 << 24, np.uint8) for name in ("ps-cma", "pl-ddr"))
    text = cma.allocate(16, np.uint8)
    text[:] = np.frombuffer(TEXT, np.uint8)
    caught = []

    def copy():
        try:
            board.zdma.copy(src, dst, timeout=1e6)
        except DmaStateError as error:
            caught.append(error)

    virtual.probe.faults.slow_memory("HPM0", 1e-7)  # days: under way whatever the host does
    thread = threading.Thread(target=copy)
    thread.start()
    deadline = time.monotonic() + 20
    while board.zdma[0].state is not State.BUSY:
        assert time.monotonic() < deadline, "the copy has not begun"
    assert prove({"ps-cma": cma}, text.physical_address, 16) == TEXT
    assert board.zdma[0].state is State.BUSY
    assert thread.is_alive()
    board.zdma[0].stop(1000.0)
    thread.join(20)
    assert ["stopped by somebody else" in str(error) for error in caught] == [True]


def test_a_copy_needs_no_channel_before_its_lists_are_there(local, monkeypatch):
    """On a board with one channel, a list of descriptors in memory that has to be proved."""
    board, prove = local(1)
    cma = board.memory["ps-cma"]

    class Proved:
        def allocate(self, *args, **more):
            buffer = cma.allocate(*args, **more)
            prove({"ps-cma": cma}, buffer.physical_address, 64)
            return buffer

    monkeypatch.setattr(zdma_module, "_CLAIM_TIMEOUT", 0.2)
    monkeypatch.setattr("gapless.dma.zdma_channel.MAX_LENGTH", 64)
    with cma.allocate(200, np.uint8) as src, cma.allocate(200, np.uint8) as dst:
        src[:] = np.arange(200)
        done = board.zdma.copy(src, dst, pool=Proved())
        assert (done.mode, dst.tolist()) == ("sg", list(range(200)))


def test_lists_of_descriptors_are_where_the_boards_memory_is_coherent(local):
    board, _ = local(1)
    assert board.zdma.pool is board.memory["ps-cma"]


def test_a_proof_needs_memory_to_read_into(local):
    _, prove = local(1)
    with pytest.raises(UnsupportedError, match="no other memory"):
        prove({}, 0, 16)


def test_without_channels_there_is_nothing_to_prove_with(local):
    board, prove = local(0)
    assert prove is None
    assert len(board.zdma) == 0


def test_a_board_keeps_the_zdma_it_is_given_though_it_has_no_channels(virtual):
    spec = BoardSpec("bench", "bench", (), (), (), (), ())
    zdma = Zdma(virtual.bus, ())
    assert Board("bench", spec, virtual.bus, AddressMap(), {}, zdma=zdma).zdma is zdma
