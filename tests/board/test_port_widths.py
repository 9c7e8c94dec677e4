"""Registers of a virtual PS for the widths of its ports: what is written stays, also when a design is loaded."""

from __future__ import annotations

import pytest

import gapless

AXI_FS, AFIFM5 = 0xFD61_5000, 0xFD3B_0014


def test_what_is_written_stays() -> None:
    with gapless.open("virtual:zcu111") as board:
        for address in (AXI_FS, AFIFM5):
            board.bus.write32(address, 0x5A5)
        board.load("awg.bit")
        assert [board.bus.read32(address) for address in (AXI_FS, AFIFM5)] == [0x5A5, 0x5A5]


def test_a_zynq_7000_has_none() -> None:
    with gapless.open("virtual:pynq-z2") as board, pytest.raises(gapless.errors.BusAccessError):
        board.bus.read32(AXI_FS)
