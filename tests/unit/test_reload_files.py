"""Board.load() on a virtual board: which files and names it takes, and what it says of the others."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from handoffs import MPSOC, PS7, Handoff

import gapless
from bitstreams import bit, words
from gapless.boards.handoff.checked import built_in
from gapless.errors import BadArgumentError, UnknownNameError, UnmodelledIpWarning, UnsupportedError

MEMORY = {"PCW_DDR_RAM_HIGHADDR": "0x1FFFFFFF"}
LOOPBACK = built_in()["dma_loopback"]


@pytest.fixture
def board():
    with gapless.open("virtual:pynq-z2") as opened:
        yield opened


def in_direct_mode(board):
    """What comes back through the FIFO of dma_loopback, sent and received by direct transfers."""
    source, target = (board.memory["ps-cma"].allocate(4096, np.uint8) for _ in range(2))
    source[:] = np.arange(4096) % 251
    pieces = np.array([[target.physical_address, 4096]], np.uint64)
    engine = board.dma("axi_dma_direct")
    receiving = engine.s2mm.begin(pieces, [target])
    engine.mm2s.transfer(source)
    receiving.wait()
    return np.array_equal(source, target)


@pytest.mark.parametrize("named", ["file", "bit without a file", "bit", "name", "str"])
def test_a_design_by_its_file_or_its_name(board, tmp_path, named):
    shutil.copy(LOOPBACK, tmp_path / "loop.hwh")
    if named == "bit":
        (tmp_path / "loop.bit").write_bytes(bit(words(), design="other;UserID=0", part="7z020clg400"))
    path = {
        "file": tmp_path / "loop.hwh",
        "bit": tmp_path / "loop.bit",
        "bit without a file": tmp_path / "loop.bit",
        "name": "dma_loopback",
        "str": str(LOOPBACK),
    }[named]
    loaded = board.load(path)
    assert (loaded.design, loaded.state) == ("dma_loopback", "operating")
    assert [dma.name for dma in board.spec.dmas] == ["axi_dma_direct", "axi_dma_sg"]
    assert (board.spec.name, board.spec.title) == ("pynq-z2", "PYNQ-Z2 (Zynq-7020)")
    assert board.spec.handoff.stem == ("dma_loopback" if named in ("name", "str") else "loop")
    assert in_direct_mode(board)
    with pytest.raises(UnknownNameError):
        board.dma("axi_dma_from_ps_to_pl")


def test_there_and_back(board):
    board.load("dma_loopback")
    board.load("pynq_tutorial.bit")
    board.iop(2).load("tutorial")
    board.iop(2).start()
    with gapless.open("virtual:pynq-z2?fifo=8KiB") as other:
        before = other.spec
        other.load("pynq_tutorial")
        assert other.spec == before  # with the FIFO that was asked for


def test_a_board_that_a_file_describes(tmp_path):
    mine = tmp_path / "mine.hwh"
    Handoff(PS7, MEMORY, NAME="mine").save(mine)
    with gapless.open(f"virtual:{mine}") as board:
        board.load("dma_loopback")
        assert in_direct_mode(board)
        board.load(mine)
        assert board.spec.dmas == ()


def test_what_is_not_for_the_board(board, tmp_path):
    other = tmp_path / "other.hwh"
    Handoff(MPSOC, BOARD="xilinx.com:zcu111:part0:1.4").save(other)
    before = board.spec, board.probe
    with pytest.raises(BadArgumentError, match=r"other\.hwh is for xczu28dr-.*has xc7z020.*open\('virtual:"):
        board.load(other)
    (tmp_path / "dma.bit").write_bytes(bit(words(), part="xczu28dr-ffvg1517-2-e"))
    shutil.copy(LOOPBACK, tmp_path / "dma.hwh")
    with pytest.raises(BadArgumentError, match=r"dma\.bit is for xczu28dr-.*they are of two designs"):
        board.load(tmp_path / "dma.bit")
    (tmp_path / "part.bit").write_bytes(bit(words(), design="dma_loopback;PARTIAL=TRUE", part="7z020clg400"))
    for beside in (False, True):
        if beside:
            shutil.copy(LOOPBACK, tmp_path / "part.hwh")
        with pytest.raises(UnsupportedError, match=r"part\.bit is partial"):
            board.load(tmp_path / "part.bit")
    (tmp_path / "cut.hwh").write_bytes(LOOPBACK.read_bytes()[:5000])
    with pytest.raises(BadArgumentError, match=r"cut\.hwh"):
        board.load(tmp_path / "cut.hwh")
    with pytest.raises(UnknownNameError, match=r"no file .*radar\.hwh and no design .*pynq_tutorial, dma_loopback"):
        board.load(tmp_path / "radar.hwh")
    assert (board.spec, board.probe) == before


def test_ip_without_a_model_is_named(board, tmp_path):
    mine = tmp_path / "mine.hwh"
    design = Handoff(PS7, MEMORY, NAME="mine")
    design.block("filter", "my_filter")
    design.address("filter", 0x43C0_0000, 0x1_0000)
    design.save(mine)
    with pytest.warns(UnmodelledIpWarning, match=r"mine\.hwh: no model of filter") as caught:
        board.load(mine)
    assert caught[0].filename == __file__
    board.bus.write32(0x43C0_FFFC, 0xDEAD_BEEF)
    assert board.bus.read32(0x43C0_FFFC) == 0xDEAD_BEEF
