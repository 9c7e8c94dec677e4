"""Clocks: the registers of the PS, which stand in the memory of an IOP here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynq_board import board_with, in_use, tutorial

import gapless
from gapless.compat.pynq import Clocks, Device, Overlay, clocks
from gapless.compat.pynq.clocks import FAMILIES, Family
from gapless.errors import BadArgumentError, UnsupportedError

MEMORY = 0x4200_0000


def moved(family: Family) -> Family:
    """The family with its registers at MEMORY: those of each block at their offsets, blocks 4 KiB apart."""
    blocks = {0xF800_0000: 0, 0xFF5E_0000: 0, 0xFD1A_0000: 0x1000}

    def at(address: int) -> int:
        return MEMORY + blocks[address & ~0xFFFF] + (address & 0xFFFF)

    return replace(
        family,
        clocks=tuple(map(at, family.clocks)),
        sources={number: at(pll) for number, pll in family.sources.items()},
        cpu=at(family.cpu),
        cpu_sources={number: at(pll) for number, pll in family.cpu_sources.items()},
    )


@pytest.fixture(scope="module", params=["armv7l", "aarch64"])
def board(request: pytest.FixtureRequest) -> Iterator[gapless.Board]:
    with pytest.MonkeyPatch.context() as patch, in_use(gapless.open("virtual:pynq-z2")) as board:
        patch.setattr(clocks, "FAMILIES", {"armv7l": moved(FAMILIES[request.param])})
        board.iop(2).stop()
        yield board


@pytest.fixture
def zynq(board: gapless.Board) -> gapless.Board:
    """As a PYNQ-Z2 boots: 50 MHz, ARM PLL x 26, DDR PLL x 21, IO PLL x 20 (UG585, register details)."""
    if clocks.FAMILIES["armv7l"].usual != 50.0:
        pytest.skip("of the other family")
    for offset, value in ((0x100, 26 << 12), (0x104, 21 << 12), (0x108, 20 << 12), (0x120, 2 << 8)):
        board.bus.write32(MEMORY + offset, value)
    for number in range(4):
        board.bus.write32(MEMORY + 0x170 + 0x10 * number, 5 << 8 | 2 << 20)
    return board


@pytest.fixture
def zynqmp(board: gapless.Board) -> gapless.Board:
    """33.333 MHz, IOPLL x 90 / 2, RPLL x 45, DPLL x 64 / 2, APLL x 72 / 2 (UG1087)."""
    if clocks.FAMILIES["armv7l"].usual == 50.0:
        pytest.skip("of the other family")
    halved = 1 << 16
    for offset, value in ((0x20, 90 << 8 | halved), (0x30, 45 << 8), (0x1020, 72 << 8 | halved), (0x1060, 1 << 8)):
        board.bus.write32(MEMORY + offset, value)
    board.bus.write32(MEMORY + 0x102C, 64 << 8 | halved)
    for number in range(4):
        board.bus.write32(MEMORY + 0xC0 + 4 * number, 15 << 8 | 1 << 16)
    return board


def test_zynq(zynq: gapless.Board) -> None:
    assert (Clocks.cpu_mhz, Clocks.fclk0_mhz) == (650.0, 100.0)
    Clocks.fclk1_mhz = 142.857
    assert zynq.bus.read32(MEMORY + 0x180) in (7 << 8 | 1 << 20, 1 << 8 | 7 << 20)
    assert Clocks.fclk1_mhz == 142.857143
    assert Clocks.get_pl_clk(0) == 100.0
    zynq.bus.write32(MEMORY + 0x190, 2 << 4 | 13 << 8 | 1 << 20)  # from the ARM PLL
    assert Clocks.fclk2_mhz == 100.0
    Clocks.set_pl_clk(2, clk_mhz=50)
    assert zynq.bus.read32(MEMORY + 0x190) >> 4 & 3 == 2
    assert Clocks.fclk2_mhz == 50.0
    Clocks.set_pl_clk(3, 10, 4)
    assert zynq.bus.read32(MEMORY + 0x1A0) == 10 << 8 | 4 << 20
    Clocks.set_pl_clk(3, div0=10, clk_mhz=20)
    assert Clocks.fclk3_mhz == 20.0
    Clocks.set_pl_clk(3, div1=5, clk_mhz=20)
    assert zynq.bus.read32(MEMORY + 0x1A0) == 10 << 8 | 5 << 20


def test_zynqmp(zynqmp: gapless.Board) -> None:
    assert Clocks.cpu_mhz == pytest.approx(1199.988)
    assert Clocks.fclk0_mhz == pytest.approx(99.999)
    zynqmp.bus.write32(MEMORY + 0xC4, 2 | 15 << 8 | 1 << 16)  # from the RPLL
    Clocks.fclk1_mhz = 300
    assert zynqmp.bus.read32(MEMORY + 0xC4) in (1 << 24 | 2 | 5 << 8 | 1 << 16, 1 << 24 | 2 | 1 << 8 | 5 << 16)
    assert Clocks.fclk1_mhz == pytest.approx(299.997)
    zynqmp.bus.write32(MEMORY + 0xC8, 3 | 8 << 8 | 1 << 16)
    assert Clocks.fclk2_mhz == pytest.approx(133.332)
    zynqmp.bus.write32(MEMORY + 0xCC, 1 | 8 << 8 | 1 << 16)
    with pytest.raises(UnsupportedError, match="source 1"):
        Clocks.fclk3_mhz  # noqa: B018


@settings(max_examples=20, deadline=None)
@given(mhz=st.floats(0.26, 1000))
def test_it_is_the_nearest_there_is(board: gapless.Board, mhz: float) -> None:
    kind = clocks.FAMILIES["armv7l"]
    pll = next(iter(kind.sources.values()))
    board.bus.write32(pll, 20 << kind.feedback[0])
    board.bus.write32(kind.clocks[0], 0)
    source = 20 * kind.usual
    products = {first * second for first in range(1, 64) for second in range(1, 64)}
    distance = min(abs(product - source / mhz) for product in products)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        Clocks.fclk0_mhz = mhz
    value = board.bus.read32(kind.clocks[0])
    product = (value >> 8 & 63) * (value >> kind.divisor1[0] & 63)
    assert abs(product - source / mhz) == pytest.approx(distance)
    assert Clocks.fclk0_mhz == pytest.approx(source / product, abs=1e-6)
    off = abs(source / product - mhz) / mhz
    assert bool(told) is (off > 0.01) or off == pytest.approx(0.01)


def test_what_cannot_be(board: gapless.Board) -> None:
    kind = clocks.FAMILIES["armv7l"]
    board.bus.write32(next(iter(kind.sources.values())), 20 << kind.feedback[0])
    board.bus.write32(kind.clocks[0], 0)
    for arguments in ({"div0": 0, "div1": 1}, {"div0": 64, "div1": 1}, {"div0": 1, "div1": -1}):
        with pytest.raises(ValueError, match=r"Frequency divider . value out of range"):
            Clocks.set_pl_clk(0, **arguments)
    for number in (-1, 4, 0.5):
        with pytest.raises(ValueError, match="Valid PL clock index is 0 - 3"):
            Clocks.get_pl_clk(number)  # type: ignore[arg-type]
    for mhz in (0, -1, float("nan")):
        with pytest.raises(BadArgumentError, match="clk_mhz"):
            Clocks.fclk0_mhz = mhz
    assert board.bus.read32(kind.clocks[0]) == 0
    with pytest.raises(UnsupportedError, match="never set up"):
        Clocks.fclk0_mhz  # noqa: B018


def test_a_download_sets_them(zynq: gapless.Board) -> None:
    overlay = Overlay("pynq_tutorial.bit")  # which clears the memory that they are in here
    assert zynq.bus.read32(MEMORY + 0x170) == 5 << 8 | 2 << 20
    assert zynq.bus.read32(MEMORY + 0x180) == 0  # not enabled: as it was
    zynq.bus.write32(MEMORY + 0x108, 20 << 12)
    assert Clocks.fclk0_mhz == overlay.clock_dict[0]["frequency"]


def test_a_board_with_another_crystal(zynq: gapless.Board, tmp_path: Path) -> None:
    """PYNQ takes it to be 50 MHz on every Zynq-7000: on a ZedBoard all frequencies are wrong."""
    design = tutorial()
    design._part("ps", "PARAMETERS", "PARAMETER", NAME="PCW_CRYSTAL_PERIPHERAL_FREQMHZ", VALUE="33.333333")
    with board_with(tmp_path, design=design) as other:
        for offset, value in ((0x108, 30 << 12), (0x170, 5 << 8 | 2 << 20)):
            other.bus.write32(MEMORY + offset, value)
        Clocks.set_device(Device(other))
        try:
            assert Clocks.fclk0_mhz == pytest.approx(100, abs=1e-4)
        finally:
            Clocks.set_device(None)


def test_of_another_device(zynq: gapless.Board) -> None:
    with gapless.open("virtual:pynq-z2") as other:
        Clocks.set_device(Device(other))
        try:
            other.bus.write32(MEMORY + 0x108, 40 << 12)
            other.bus.write32(MEMORY + 0x170, 10 << 8 | 2 << 20)
            assert (Clocks.fclk0_mhz, Clocks.get_pl_clk(0)) == (100.0, 100.0)
            other.bus.write32(MEMORY + 0x170, 10 << 8 | 1 << 20)
            assert Clocks.fclk0_mhz == 200.0
        finally:
            Clocks.set_device(None)
    assert Clocks.fclk0_mhz == 100.0
