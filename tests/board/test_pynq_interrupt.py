"""Interrupts in coroutines, and what waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynq_board import FREE_LINE, Part, board_with, in_use

import gapless
from gapless.compat.pynq import Interrupt, Overlay
from gapless.compat.pynq.lib import AxiGPIO
from gapless.errors import PynqError, UnknownNameError, WaitTimeoutError


@pytest.fixture
def board(tmp_path: Path) -> Iterator[gapless.Board]:
    widths = {"C_GPIO_WIDTH": 4, "C_IS_DUAL": 1, "C_GPIO2_WIDTH": 4}
    pads = Part("pads", "axi_gpio", 0x4130_0000, "ip2intc_irpt", widths)
    with in_use(board_with(tmp_path, pads)) as board:
        yield board


@pytest.fixture
def pads(board: gapless.Board) -> AxiGPIO:
    return Overlay("pynq_tutorial.bit").pads


def test_pins(board: gapless.Board, pads: AxiGPIO) -> None:
    assert Interrupt("pads/ip2intc_irpt").number == FREE_LINE
    assert Interrupt("iop1/dff_en_reset_vector_0/q").number == 63
    assert pads.description["interrupts"] == {
        "ip2intc_irpt": {"controller": "", "index": 4, "fullpath": "pads/ip2intc_irpt", "raw_irq": FREE_LINE}
    }
    assert pads.ip2intc_irpt.number == FREE_LINE
    with pytest.raises(UnknownNameError, match=r"no interrupt pin 'x': there is axi_dma_from_ps_to_pl/mm2s_introut"):
        Interrupt("x")


def test_it_is_a_level(board: gapless.Board, pads: AxiGPIO) -> None:
    interrupt, bench = Interrupt("pads/ip2intc_irpt"), board.probe.peripheral("pads")
    pads.register_map.IP_IER.Channel_1_Interrupt_Enable = 1

    async def waits(seconds: float) -> bool:
        task = asyncio.ensure_future(interrupt.wait())
        end = board.bus.time() + seconds
        while not task.done() and board.bus.time() < end:
            await asyncio.sleep(0)
        return not task.cancel()

    assert not asyncio.run(waits(0.01))
    bench.set_input(1)
    assert asyncio.run(waits(0.01))
    assert asyncio.run(waits(0.01))
    pads.register_map.IP_ISR = 1
    assert not asyncio.run(waits(0.01))


def test_pins_are_waited_for(board: gapless.Board, pads: AxiGPIO) -> None:
    bench = board.probe.peripheral("pads")
    seen: list[str] = []

    async def wait(name: str, channel: object, value: int) -> None:
        await channel[0:4].wait_for_value_async(value)  # type: ignore[index]
        seen.append(name)

    async def push() -> None:
        for levels, channel in ((1, 0), (5, 1), (2, 0), (6, 1)):
            for _ in range(5):
                await asyncio.sleep(0)
            seen.append(f"{channel}={levels}")
            bench.set_input(levels, channel)
        for _ in range(5):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(
            wait("one", pads.channel1, 2), wait("two", pads.channel2, 5), wait("three", pads.channel2, 6), push()
        )

    asyncio.run(asyncio.wait_for(main(), 20))
    assert seen == ["0=1", "1=5", "two", "0=2", "one", "1=6", "three"]
    assert int(pads.register_map.IP_IER) == 0
    assert not board.bus.wait_interrupt(FREE_LINE, 1e-3)


def test_without_coroutines(board: gapless.Board, pads: AxiGPIO) -> None:
    """In a cell of a notebook, too, where an event loop runs already."""
    bench = board.probe.peripheral("pads")
    bench.set_input(9)
    pads[0:4].wait_for_value(9)

    async def cell() -> None:
        pads[3].wait_for_value(1)

    asyncio.run(cell())


def test_a_wait_may_have_a_timeout(board: gapless.Board, pads: AxiGPIO) -> None:
    begun = board.bus.time()
    with pytest.raises(WaitTimeoutError, match="interrupt line 65 was low for 20 ms"):
        pads[0].wait_for_value(1, timeout=0.02)
    assert board.bus.time() - begun == pytest.approx(0.02, rel=0.05)
    assert int(pads.register_map.IP_IER) == 0


def test_an_ip_without_one(board: gapless.Board) -> None:
    leds = Overlay("pynq_tutorial.bit").leds_gpio
    assert not leds.has_interrupts
    with pytest.raises(PynqError, match="Interrupts not available"):
        leds[0].wait_for_value(1)
