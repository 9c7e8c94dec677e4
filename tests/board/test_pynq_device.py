"""Device and Bitstream: the board in use, as PYNQ's programs name it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pynq_board import in_use

import gapless
from gapless.compat import pynq
from gapless.compat.pynq import MMIO, PL, Bitstream, Device, Overlay, allocate
from gapless.compat.pynq.pl_server import Device as Same
from gapless.errors import BadArgumentError, PynqError, UnknownNameError

LEDS_TRISTATE = 0x4121_0004


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with in_use(gapless.open("virtual:pynq-z2")) as board:
        yield board


def test_the_active_one(board: gapless.Board) -> None:
    device = Device.active_device
    assert Same is Device
    assert Device.devices == [device]
    assert device.board is board
    assert device == Device(board)
    assert len({device, Device(board)}) == 1
    assert (device.name, device.tag, device.arch) == ("PYNQ-Z2 (Zynq-7020)", "virtual:pynq-z2", "armv7l")
    assert device.has_capability("MEMORY_MAPPED")
    assert not device.has_capability("CALLABLE")
    assert "virtual:pynq-z2" in repr(device)


def test_it_can_be_chosen(board: gapless.Board) -> None:
    with gapless.open("virtual:zcu111") as other:
        Device.active_device = Device(other)
        assert pynq.board_in_use() is other
        assert Device.active_device.arch == "aarch64"
        Device.active_device = board  # type: ignore[assignment]
        assert pynq.board_in_use() is board
        with pytest.raises(BadArgumentError, match="active_device"):
            Device.active_device = "virtual:zcu111"  # type: ignore[assignment]


def test_things_are_made_on_the_one_that_is_given(board: gapless.Board) -> None:
    with gapless.open("virtual:pynq-z2") as other:
        device = Device(other)
        overlay = Overlay("pynq_tutorial.bit", device=device)
        MMIO(LEDS_TRISTATE, 4, device).write(0, 0)
        overlay.leds_gpio.write(0, 5)
        with device.allocate((10, 2), "i2") as one, allocate(10, target=device) as two:
            assert (one.shape, one.dtype, one.pool) == ((10, 2), np.int16, other.memory["ps-cma"])
            assert two.pool is one.pool
        assert other.probe.peripheral("leds_gpio").output() == 5
        assert overlay.axi_dma_from_ps_to_pl.engine is other.dma("axi_dma_from_ps_to_pl")
        assert PL.bitfile_name is None
    assert board.probe.peripheral("leds_gpio").output() == 0


def test_what_is_in_the_pl(board: gapless.Board) -> None:
    device = Device.active_device
    assert (device.bitfile_name, device.timestamp) == (None, None)
    assert "leds_gpio" in device.ip_dict  # the board was opened with it
    overlay = Overlay("pynq_tutorial.bit")
    assert (device.bitfile_name, device.timestamp) == ("pynq_tutorial.bit", overlay.timestamp)
    assert device.ip_dict is PL.ip_dict
    assert set(device.hierarchy_dict) == {"iop1", "iop2"}
    with device.default_memory.allocate(100) as buffer:
        assert buffer.pool.name == "ps-cma"
    assert device.get_memory_by_name("iop1/mb_bram_ctrl").base_address == 0x4000_0000
    with pytest.raises(UnknownNameError, match="no memory 'ddr4_0': there is PSDDR, iop1/mb_bram_ctrl"):
        device.get_memory_by_name("ddr4_0")
    device.reset()
    assert not overlay.is_loaded()


def test_a_bitstream_without_a_description(board: gapless.Board, tmp_path: Path) -> None:
    bitstream = Bitstream("pynq_tutorial.bit")
    assert bitstream.timestamp == ""
    bitstream.download()
    assert (PL.bitfile_name, PL.timestamp, PL.ip_dict) == ("pynq_tutorial.bit", bitstream.timestamp, {})
    (tmp_path / "x.bit").write_bytes(b"nonsense")
    with pytest.raises(BadArgumentError):
        Bitstream(str(tmp_path / "x.bit")).download()
    assert PL.bitfile_name == "pynq_tutorial.bit"
    with pytest.raises(PynqError, match="dtbo"):
        Bitstream("pynq_tutorial.bit", dtbo="x.dtbo")
    for name in (5, "", None):
        with pytest.raises(BadArgumentError, match="Bitstream name has to be a string"):
            Bitstream(name)  # type: ignore[arg-type]
