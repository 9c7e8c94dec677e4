"""BaseOverlay: a design with the names that PYNQ's base designs have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pynq_board import Part, board_with, in_use

import gapless
from gapless.compat.pynq import Overlay
from gapless.compat.pynq.lib import RGBLED
from gapless.compat.pynq.lib.rgbled import RGB_GREEN, RGB_RED, RGB_WHITE
from gapless.compat.pynq.overlays.base import BaseOverlay
from gapless.errors import BadArgumentError, UnknownNameError

RGB = Part("rgbleds_gpio", "axi_gpio", 0x4130_0000, parameters={"C_GPIO_WIDTH": 6})


@pytest.fixture
def board(tmp_path: Path) -> Iterator[gapless.Board]:
    """pynq_tutorial with coloured LEDs."""
    with in_use(board_with(tmp_path, RGB)) as board:
        yield board


def test_what_is_on_the_board(board: gapless.Board) -> None:
    base = BaseOverlay("pynq_tutorial.bit")
    assert (len(base.leds), len(base.buttons), len(base.switches)) == (4, 4, 2)
    base.leds[2].on()
    base.leds[0].toggle()
    assert board.probe.peripheral("leds_gpio").output() == 0b0101
    board.probe.peripheral("btns_gpio").set_input(0b1000)
    board.probe.peripheral("switches_gpio").set_input(0b01)
    assert [button.read() for button in base.buttons] == [0, 0, 0, 1]
    assert (base.switches.read(), base.switches[0].read()) == (1, 1)
    assert base.IOP1 is base.iop1.mb_info
    assert base.rgbleds[:4] == [None] * 4
    base.rgbleds[4].write(RGB_GREEN)
    base.rgbleds[5].on(RGB_RED)
    assert board.probe.peripheral("rgbleds_gpio").output() == 0b100_010
    assert RGBLED(5).read() == RGB_RED
    RGBLED(5).on(RGB_WHITE)
    base.rgbleds[4].off()
    assert (board.probe.peripheral("rgbleds_gpio").output(), len(base.rgbleds)) == (0b111_000, 6)


def test_leds_that_are_not_there(board: gapless.Board) -> None:
    Overlay("pynq_tutorial.bit")
    for index in (3, 6):
        with pytest.raises(BadArgumentError, match="has the pins of 2 LEDs, counted from 4"):
            RGBLED(index)
    with pytest.raises(UnknownNameError, match="no IP 'rgb'"):
        RGBLED(4, "rgb")
    for color in (-1, 8):
        with pytest.raises(ValueError, match="from 0 to 7"):
            RGBLED(4).on(color)
    assert board.probe.peripheral("rgbleds_gpio").output() == 0


def test_a_design_without_them() -> None:
    with in_use(gapless.open("virtual:pynq-z2")):
        assert not hasattr(BaseOverlay("pynq_tutorial.bit"), "rgbleds")
