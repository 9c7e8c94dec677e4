"""``local?design=FILE.hwh``: drivers for what a hand-off says is in the PL of this machine."""

from __future__ import annotations

import struct

import pytest
from fake_gpio import FakeGpio
from handoffs import Handoff
from local_tree import ZCU111, add_mem, make_tree

from bitstreams import bit, words
from gapless.boards.pynq_z2 import HANDOFF, pynq_z2
from gapless.errors import BadArgumentError, UnknownNameError, UnsupportedError, WaitTimeoutError
from gapless.local import open_board

LEDS = 0x4121_0000


@pytest.fixture
def pynq_z2_machine(tmp_path, monkeypatch):
    """A PYNQ-Z2 whose /dev/mem is a file of zeros."""
    add_mem(make_tree(tmp_path, ("xlnx,zynq-7000",), "Xilinx Zynq"), 0x1_0000_0000)
    chosen = tmp_path / "proc/device-tree/chosen"
    chosen.mkdir()
    (chosen / "pynq_board").write_bytes(b"Pynq-Z2\0")
    FakeGpio(tmp_path, 0, "zynq_gpio", 118, monkeypatch)
    return tmp_path


def test_the_parts_of_the_design_are_driven_at_their_addresses(pynq_z2_machine, tmp_path):
    path = tmp_path / "mine.hwh"
    path.write_text(HANDOFF.read_text())
    board = open_board(f"local?design={path}", root=pynq_z2_machine)
    assert (board.spec.name, board.spec.title, board.spec.handoff) == ("pynq-z2", "PYNQ-Z2 (Zynq-7020)", path)
    assert board.spec.dmas == pynq_z2().dmas
    assert board.spec.pools == ()  # memory of the PS is what Linux says
    board.bus.write32(LEDS, 0b1010)
    board.iop(2).load("tutorial")
    with (tmp_path / "dev/mem").open("rb") as memory:
        memory.seek(LEDS)
        assert struct.unpack("<I", memory.read(4)) == (0b1010,)
        memory.seek(0x4200_0000)
        assert any(memory.read(256))
    with pytest.raises(WaitTimeoutError, match="the reset to end"):  # no DMA engine behind this /dev/mem
        board.close()


def test_a_bram_is_on_the_bus(pynq_z2_machine, tmp_path):
    handoff = Handoff(parameters={"PCW_DDR_RAM_HIGHADDR": "0x1FFFFFFF"}).block("bram", "axi_bram_ctrl", "4.1")
    path = handoff.address("bram", 0x4600_0000, 0x2000, memory=True).save(tmp_path / "bram.hwh")
    with open_board(f"local?design={path}", root=pynq_z2_machine) as board:
        board.bus.write32(0x4600_1FFC, 77)
        with (tmp_path / "dev/mem").open("rb") as memory:
            memory.seek(0x4600_1FFC)
            assert struct.unpack("<I", memory.read(4)) == (77,)


def test_a_peripheral_that_cannot_be_had_is_left_out_and_said(pynq_z2_machine, tmp_path):
    (tmp_path / "proc/iomem").write_text(f"{LEDS:08x}-{LEDS + 0xFFFF:08x} : System RAM\n")
    board = open_board("local?design=pynq_tutorial", root=pynq_z2_machine)
    assert board.interrupts["leds_gpio"].startswith("not there: ")
    assert "btns_gpio" not in board.interrupts
    with pytest.raises(WaitTimeoutError, match="the reset to end"):
        board.close()


def test_a_design_of_another_device_is_refused(tmp_path):
    make_tree(tmp_path, ZCU111, "ZCU111")
    path = tmp_path / "mine.hwh"
    path.write_text(HANDOFF.read_text())
    says = r"mine.hwh is for xc7z020clg400-1; Zynq UltraScale\+ RFSoC ZCU111 has xczu28dr: build the design for that"
    with pytest.raises(BadArgumentError, match=says):
        open_board(f"local?design={path}", root=tmp_path)


def test_a_bitstream_of_another_part_is_refused(pynq_z2_machine, tmp_path):
    (tmp_path / "mine.hwh").write_text(HANDOFF.read_text())
    (tmp_path / "mine.bit").write_bytes(bit(words(), part="7z010clg400"))
    with pytest.raises(
        BadArgumentError, match=r"mine.bit is for 7z010clg400, but mine.hwh beside it for xc7z020clg400"
    ):
        open_board(f"local?design={tmp_path / 'mine.bit'}", root=pynq_z2_machine)


def test_names_that_lead_nowhere(pynq_z2_machine, tmp_path):
    with pytest.raises(UnknownNameError, match=r"'awg': there is pynq_tutorial, .*FILE.hwh"):
        open_board("local?design=awg", root=pynq_z2_machine)
    with pytest.raises(BadArgumentError, match=r"none.hwh: there is no such file"):
        open_board(f"local?design={tmp_path / 'none.hwh'}", root=pynq_z2_machine)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UnsupportedError, match="no board that gapless knows"):
        open_board("local?design=x.hwh", root=make_tree(other))
