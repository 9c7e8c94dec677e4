"""Clocks: those of the PS, in its registers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver_designs import two_dmas
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynq_board import board_with, in_use, tutorial

import gapless
from gapless.compat.pynq import Clocks, Device, Overlay
from gapless.compat.pynq.clocks import FAMILIES, set_clocks
from gapless.errors import BadArgumentError, UnsupportedError

SLCR, CRL, CRF = 0xF800_0000, 0xFF5E_0000, 0xFD1A_0000


@pytest.fixture(params=["virtual:pynq-z2", "virtual:zcu111"])
def board(request: pytest.FixtureRequest) -> Iterator[gapless.Board]:
    with in_use(gapless.open(request.param)) as board:
        yield board


@pytest.fixture
def zynq() -> Iterator[gapless.Board]:
    """50 MHz, ARM PLL x 26, DDR PLL x 21, IO PLL x 20 (UG585, register details)."""
    with in_use(gapless.open("virtual:pynq-z2")) as board:
        for offset, value in ((0x100, 26 << 12), (0x104, 21 << 12), (0x108, 20 << 12), (0x120, 2 << 8)):
            board.bus.write32(SLCR + offset, value)
        for number in range(4):
            board.bus.write32(SLCR + 0x170 + 0x10 * number, 5 << 8 | 2 << 20)
        yield board


@pytest.fixture
def zynqmp() -> Iterator[gapless.Board]:
    """33.333 MHz, IOPLL x 90 / 2, RPLL x 45, DPLL x 64 / 2, APLL x 72 / 2 (UG1087)."""
    halved = 1 << 16
    with in_use(gapless.open("virtual:zcu111")) as board:
        for address, value in (
            (CRL + 0x20, 90 << 8 | halved),
            (CRL + 0x30, 45 << 8),
            (CRF + 0x20, 72 << 8 | halved),
            (CRF + 0x2C, 64 << 8 | halved),
            (CRF + 0x60, 1 << 8),
        ):
            board.bus.write32(address, value)
        for number in range(4):
            board.bus.write32(CRL + 0xC0 + 4 * number, 15 << 8 | 1 << 16)
        yield board


def test_as_the_board_starts(board: gapless.Board) -> None:
    """PLLs and divisors of the design that it was opened with."""
    design = Overlay({"pynq-z2": "pynq_tutorial", "zcu111": "awg"}[board.spec.name], download=False)
    assert Clocks.fclk0_mhz == pytest.approx(design.clock_dict[0]["frequency"], rel=1e-4)
    assert Clocks.cpu_mhz == pytest.approx({"pynq-z2": 650, "zcu111": 1200}[board.spec.name], rel=1e-4)
    Clocks.fclk0_mhz = 50
    assert Clocks.fclk0_mhz == pytest.approx(50, rel=1e-4)


def test_zynq(zynq: gapless.Board) -> None:
    assert (Clocks.cpu_mhz, Clocks.fclk0_mhz) == (650.0, 100.0)
    Clocks.fclk1_mhz = 142.857
    assert zynq.bus.read32(SLCR + 0x180) in (7 << 8 | 1 << 20, 1 << 8 | 7 << 20)
    assert Clocks.fclk1_mhz == 142.857143
    assert Clocks.get_pl_clk(0) == 100.0
    zynq.bus.write32(SLCR + 0x190, 2 << 4 | 13 << 8 | 1 << 20)  # from the ARM PLL
    assert Clocks.fclk2_mhz == 100.0
    Clocks.set_pl_clk(2, clk_mhz=50)
    assert zynq.bus.read32(SLCR + 0x190) >> 4 & 3 == 2
    assert Clocks.fclk2_mhz == 50.0
    Clocks.set_pl_clk(3, 10, 4)
    assert zynq.bus.read32(SLCR + 0x1A0) == 10 << 8 | 4 << 20
    Clocks.set_pl_clk(3, div0=10, clk_mhz=20)
    assert Clocks.fclk3_mhz == 20.0
    Clocks.set_pl_clk(3, div1=5, clk_mhz=20)
    assert zynq.bus.read32(SLCR + 0x1A0) == 10 << 8 | 5 << 20


def test_zynqmp(zynqmp: gapless.Board) -> None:
    assert Clocks.cpu_mhz == pytest.approx(1199.988)
    assert Clocks.fclk0_mhz == pytest.approx(99.999)
    zynqmp.bus.write32(CRL + 0xC4, 2 | 15 << 8 | 1 << 16)  # from the RPLL
    Clocks.fclk1_mhz = 300
    assert zynqmp.bus.read32(CRL + 0xC4) in (1 << 24 | 2 | 5 << 8 | 1 << 16, 1 << 24 | 2 | 1 << 8 | 5 << 16)
    assert Clocks.fclk1_mhz == pytest.approx(299.997)
    zynqmp.bus.write32(CRL + 0xC8, 3 | 8 << 8 | 1 << 16)
    assert Clocks.fclk2_mhz == pytest.approx(133.332)
    zynqmp.bus.write32(CRL + 0xCC, 1 | 8 << 8 | 1 << 16)
    with pytest.raises(UnsupportedError, match="source 1"):
        Clocks.fclk3_mhz  # noqa: B018


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mhz=st.floats(0.26, 1000))
def test_it_is_the_nearest_there_is(board: gapless.Board, mhz: float) -> None:
    kind = FAMILIES[Device(board).arch]
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
    kind = FAMILIES[Device(board).arch]
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
    Clocks.fclk0_mhz = 25
    overlay = Overlay("pynq_tutorial.bit")
    assert Clocks.fclk0_mhz == overlay.clock_dict[0]["frequency"] == 100.0
    Clocks.fclk0_mhz = Clocks.fclk1_mhz = 25
    set_clocks(Device(zynq), overlay.clock_dict)  # as on a real board, whose PS knows nothing of the design
    assert (Clocks.fclk0_mhz, Clocks.fclk1_mhz) == (100.0, 25.0)  # the second is not enabled: as it was


def test_a_board_with_another_crystal(tmp_path: Path) -> None:
    """PYNQ takes it to be 50 MHz on every Zynq-7000: on a ZedBoard all frequencies are wrong."""
    design = tutorial()
    for name, value in (("PCW_CRYSTAL_PERIPHERAL_FREQMHZ", "33.333333"), ("PCW_IOPLL_CTRL_FBDIV", "30")):
        design._part("ps", "PARAMETERS", "PARAMETER", NAME=name, VALUE=value)
    with in_use(board_with(tmp_path, design=design)) as board:
        assert board.bus.read32(SLCR + 0x108) >> 12 & 0x7F == 30
        assert Clocks.fclk0_mhz == pytest.approx(100, abs=1e-4)


def test_a_board_without_them() -> None:
    with in_use(two_dmas()) as board:
        with pytest.raises(UnsupportedError, match="the PS's clock registers are not to be had there"):
            Clocks.fclk0_mhz = 50
        set_clocks(Device(board), {0: {"enable": 1, "divisor0": 5, "divisor1": 2}})


def test_of_another_device(zynq: gapless.Board) -> None:
    with gapless.open("virtual:pynq-z2") as other:
        Clocks.set_device(Device(other))
        try:
            other.bus.write32(SLCR + 0x108, 40 << 12)
            other.bus.write32(SLCR + 0x170, 10 << 8 | 2 << 20)
            assert (Clocks.fclk0_mhz, Clocks.get_pl_clk(0)) == (100.0, 100.0)
            other.bus.write32(SLCR + 0x170, 10 << 8 | 1 << 20)
            assert Clocks.fclk0_mhz == 200.0
        finally:
            Clocks.set_device(None)
    assert Clocks.fclk0_mhz == 100.0
