"""Registers of a virtual PS: clocks as PYNQ finds them, and what is written stays, also when a design is loaded."""

from __future__ import annotations

import pytest
from pynq_board import in_use

import gapless
from gapless.compat.pynq import Clocks

SLCR, CRL_APB, AXI_FS, AFIFM5 = 0xF800_0000, 0xFF5E_0000, 0xFD61_5000, 0xFD3B_0014


@pytest.mark.parametrize(("uri", "cpu"), [("virtual:pynq-z2", 650.0), ("virtual:zcu111", 1200.0)])
def test_clocks_at_first(uri: str, cpu: float) -> None:
    with in_use(gapless.open(uri)):
        assert Clocks.cpu_mhz == pytest.approx(cpu, rel=1e-4)
        clocks = [Clocks.fclk0_mhz, Clocks.fclk1_mhz, Clocks.fclk2_mhz, Clocks.fclk3_mhz]
        assert clocks == pytest.approx(4 * [100.0], rel=1e-4)


def test_what_is_written_stays() -> None:
    with gapless.open("virtual:pynq-z2") as board:
        board.bus.write32(SLCR + 0x170, 0x0010_0A00)
        board.load("pynq_tutorial.bit")
        assert board.bus.read32(SLCR + 0x170) == 0x0010_0A00
    with gapless.open("virtual:zcu111") as board:
        for address in (CRL_APB + 0xC0, AXI_FS, AFIFM5):
            board.bus.write32(address, 0x5A5)
            assert board.bus.read32(address) == 0x5A5


def test_each_family_has_its_own() -> None:
    for uri, address in (("virtual:pynq-z2", CRL_APB), ("virtual:zcu111", SLCR)):
        with gapless.open(uri) as board, pytest.raises(gapless.errors.BusAccessError):
            board.bus.read32(address)
