"""Pins: of the PS, and of AXI GPIOs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pynq_board import Part, board_with, in_use

import gapless
from gapless.boards.pynq_z2 import pynq_z2
from gapless.compat.pynq import GPIO, Overlay, allocate
from gapless.compat.pynq.lib import AxiGPIO
from gapless.errors import BadArgumentError, PynqDirectionError, PynqError, RegisterOffsetError, UnsupportedError
from gapless.virtual import build_board


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with in_use(gapless.open("virtual:pynq-z2")) as board:
        yield board


# ---- the PS's


def test_an_output_is_what_the_pl_sees(board: gapless.Board) -> None:
    bench = board.probe.peripheral("ps_gpio")
    assert (GPIO.get_gpio_pin(0), GPIO.get_gpio_base(), GPIO.get_gpio_npins()) == (54, 0, 118)
    for index in (3, 40, 63):
        pin = GPIO(GPIO.get_gpio_pin(index), "out")
        assert (pin.index, pin.direction) == (54 + index, "out")
        for level in (1, 0, 1):
            pin.write(level)
            assert [number for number in range(118) if bench.output(number)] == [54 + index] * level
        pin.write(0)


def test_it_holds_an_iop_in_reset(board: gapless.Board) -> None:
    """The tutorial's program writes numbers to the address in word 0 of its mailbox, and clears that word."""
    overlay, mailbox = Overlay("pynq_tutorial.bit"), 0x4000_F000
    reset = GPIO(GPIO.get_gpio_pin(overlay.gpio_dict["mb_iop1_reset"]["index"]), "out")
    reset.write(1)
    overlay.iop1.iop.load("tutorial")
    with allocate(4, "i4") as buffer:
        buffer[:] = 0
        for offset, word in ((8, 4), (4, 20), (0, buffer.physical_address)):
            board.bus.write32(mailbox + offset, word)
        board.bus.sleep(1e-3)
        assert board.bus.read32(mailbox) == buffer.physical_address
        reset.write(0)
        board.bus.sleep(1e-3)
        assert board.bus.read32(mailbox) == 0
        assert buffer.tolist() == [20, 21, 22, 23]
        reset.write(1)


def test_an_input(board: gapless.Board) -> None:
    bench = board.probe.peripheral("ps_gpio")
    for index in (9, 33):
        pin = GPIO(GPIO.get_gpio_pin(index), "in")
        for level in (0, 1, 0):
            bench.set_input(54 + index, bool(level))
            assert pin.read() == level


def test_a_pin_has_one_direction(board: gapless.Board) -> None:
    """PYNQ: AttributeError; a pin that the PL drives and that was an output before stays one."""
    number = GPIO.get_gpio_pin(7)
    out = GPIO(number, "out")
    out.write(1)
    with pytest.raises(AttributeError, match="Cannot read GPIO output"):
        out.read()
    with pytest.raises(AttributeError, match="already in use in other direction"):
        GPIO(number, "in")
    assert GPIO(number, "out").index == number
    out.release()
    with pytest.raises(PynqError, match="released"):
        out.write(0)
    pin = GPIO(number, "in")
    assert pin.read() == 0  # what the PL gives, not what was driven
    with pytest.raises(PynqDirectionError, match="Cannot write GPIO input"):
        pin.write(1)


def test_it_is_free_when_nobody_has_it(board: gapless.Board) -> None:
    GPIO(60, "out").write(1)
    assert GPIO(60, "in").direction == "in"


def test_wrong_pins(board: gapless.Board) -> None:
    pin = GPIO(54, "out")
    for value in (2, -1, "1"):
        with pytest.raises(ValueError, match="Can only write integer 0 or 1"):
            pin.write(value)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="in or out"):
        GPIO(54, "both")
    for number in (0, 53, 118, 960):
        with pytest.raises(BadArgumentError, match="0 to 63 lead to the PL"):
            GPIO(number, "out")
    with pytest.raises(UnsupportedError, match="target_label"):
        GPIO.get_gpio_pin(0, "axi_gpio")


def test_other_boards() -> None:
    with in_use(gapless.open("virtual:zcu111")) as board:
        assert (GPIO.get_gpio_pin(2), GPIO.get_gpio_npins()) == (80, 174)
        GPIO(80, "out").write(1)
        assert board.probe.peripheral("ps_gpio").output(80)
    without = replace(pynq_z2(), iops=(), peripherals=())
    with in_use(build_board(without)), pytest.raises(UnsupportedError, match="no GPIO of the PS"):
        GPIO.get_gpio_pin(0)


def test_a_real_board_gives_what_it_can(board: gapless.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pins are lines of the kernel's driver: those of the design's IOPs, as outputs."""
    levels: list[bool] = []

    class Line:
        def set(self, level: bool) -> None:
            levels.append(level)

    monkeypatch.setattr(board, "_pins", {0: Line()}.__getitem__)
    with pytest.raises(UnsupportedError, match="pins are outputs only here"):
        GPIO(54, "in")
    with pytest.raises(UnsupportedError, match="pin 6 of virtual:pynq-z2: only the pins of its IOPs"):
        GPIO(60, "out")
    GPIO(54, "out").write(1)
    assert levels == [True]


# ---- AXI GPIO


def test_outputs(board: gapless.Board) -> None:
    leds, bench = Overlay("pynq_tutorial.bit").leds_gpio, board.probe.peripheral("leds_gpio")
    assert isinstance(leds, AxiGPIO)
    leds.setlength(4)
    leds.setdirection("out")
    assert bench.output() == 0
    leds.channel1[0:4].write(0b0110)
    assert bench.output() == 0b0110
    leds[3].on()
    leds.channel1[1].off()
    assert (bench.output(), leds[0:4].read(), leds[2:4].read()) == (0b1100, 0b1100, 0b11)
    leds[1:3].toggle()
    assert bench.output() == 0b1010
    leds.channel1.write(0b0101, 0b0011)
    assert bench.output() == 0b1001
    leds[0:4].off()
    assert bench.output() == 0
    with pytest.raises(RuntimeError, match="cannot read from an output"):
        leds.channel1.read()


def test_an_output_of_a_core_that_could_be_both_drives(board: gapless.Board) -> None:
    """PYNQ: ``setdirection("out")`` leaves the tristate register, so that such pins stay inputs."""
    overlay = Overlay("pynq_tutorial.bit")
    overlay.leds_gpio.setdirection("out")
    overlay.leds_gpio[0].on()
    assert board.probe.peripheral("leds_gpio").output() == 1
    overlay.leds_gpio.setdirection("in")
    assert board.probe.peripheral("leds_gpio").output() == 0


def test_inputs(board: gapless.Board) -> None:
    buttons, bench = Overlay("pynq_tutorial.bit").btns_gpio, board.probe.peripheral("btns_gpio")
    buttons.setdirection(AxiGPIO.Input)
    bench.set_input(0b1010)
    assert buttons.channel1.read() == 0b1010
    assert [buttons[bit].read() for bit in range(4)] == [0, 1, 0, 1]
    assert buttons[1:4].read() == buttons.channel1[1:4].read() == 0b101
    with pytest.raises(RuntimeError, match="cannot write to an Input"):
        buttons.channel1.write(1, 1)
    assert not hasattr(buttons[0], "write")


def test_pins_that_are_both(board: gapless.Board) -> None:
    pins, bench = Overlay("pynq_tutorial.bit").btns_gpio, board.probe.peripheral("btns_gpio")
    bench.set_input(0b1111)
    pins[1:3].write(0b10)
    assert (bench.output(), pins.channel1.trimask) == (0b0100, 0b1001)
    assert pins[0].read() == 1
    assert pins[2].read() == 1  # an input from now on
    assert (bench.output(), pins.channel1.trimask) == (0, 0b1101)


def test_two_channels(tmp_path: Path) -> None:
    widths = {"C_GPIO_WIDTH": 2, "C_IS_DUAL": 1, "C_GPIO2_WIDTH": 5}
    gpio = Part("both", "axi_gpio", 0x4130_0000, parameters=widths)
    with in_use(board_with(tmp_path, gpio)) as board:
        both, bench = Overlay("pynq_tutorial.bit").both, board.probe.peripheral("both")
        both.setdirection("in")
        both.setdirection("out", channel=2)
        both.setlength(5, channel=2)
        bench.set_input(3, 0)
        both.channel2[0:5].write(0b10011)
        assert (bench.output(0), bench.output(1), both[0:2].read()) == (0, 0b10011, 3)
        with pytest.raises(BadArgumentError):
            both.setlength(1, channel=3)


def test_pins_that_are_not_there(board: gapless.Board) -> None:
    """PYNQ: a slice without an end raises TypeError, and one beyond the length writes what is there."""
    leds = Overlay("pynq_tutorial.bit").leds_gpio
    leds.setlength(4)
    leds.setdirection("out")
    leds[:].write(0b1001)
    assert board.probe.peripheral("leds_gpio").output() == 0b1001
    for index in (4, -1, slice(2, 2), slice(0, 4, 2)):
        with pytest.raises(RegisterOffsetError):
            leds[index]
    assert [wire.read() for wire in leds] == [1, 0, 0, 1]
    for value in (16, -1):
        with pytest.raises(ValueError, match="too large for 4 bits"):
            leds[0:4].write(value)
    for wrong in (0, 33):
        with pytest.raises(BadArgumentError):
            leds.setlength(wrong)
    with pytest.raises(ValueError, match="'inout'"):
        leds.setdirection("up")
