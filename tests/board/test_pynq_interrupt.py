"""Interrupts in coroutines, and what waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynq_board import FREE_LINE, Part, board_with, in_use, tutorial

import gapless
from gapless.compat.pynq import Interrupt, Overlay
from gapless.compat.pynq.lib import AxiGPIO
from gapless.errors import PynqError, UnknownNameError, UnsupportedError, WaitTimeoutError


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


def test_behind_an_interrupt_controller(tmp_path: Path) -> None:
    """Two that arrive at one line of the PS are told apart; PYNQ takes an AXI INTC apart in its own event loop."""
    design = tutorial()
    for number, name in enumerate(("one", "two")):
        design.block(name, "axi_gpio", "2.0", {"C_GPIO_WIDTH": 4}).address(name, 0x4130_0000 + 0x1_0000 * number, 4096)
        design.pin(f"{name}/ip2intc_irpt", "O", f"{name}_irq")
    design.concat("gathered", [("one_irq", 1), ("two_irq", 1)], "both_irqs")
    design.block("intc", "axi_intc", "4.1", {"C_NUM_INTR_INPUTS": 2, "C_KIND_OF_INTR": 0})
    design.pin("intc/intr", "I", "both_irqs", 2)
    intc = Part("intc", "axi_intc", 0x4180_0000, "irq")
    seen: list[str] = []

    async def wait(overlay: Overlay, name: str) -> None:
        await getattr(overlay, name)[0:4].wait_for_value_async(1, timeout=1)
        seen.append(name)

    async def main(board: gapless.Board, overlay: Overlay) -> None:
        waits = [asyncio.ensure_future(wait(overlay, name)) for name in ("one", "two")]
        for name in ("two", "one"):
            for _ in range(10):
                await asyncio.sleep(0)
            board.probe.peripheral(name).set_input(1)
        await asyncio.gather(*waits)

    with in_use(board_with(tmp_path, intc, design=design)) as board:
        overlay = Overlay("pynq_tutorial.bit")
        assert overlay.interrupt_controllers == {"intc": {"parent": "", "index": 4, "raw_irq": FREE_LINE}}
        assert overlay.interrupt_pins["two/ip2intc_irpt"] == {
            "controller": "intc",
            "index": 1,
            "fullpath": "two/ip2intc_irpt",
        }
        assert len({Interrupt(f"{name}/ip2intc_irpt").number for name in ("one", "two")} - {FREE_LINE}) == 2
        asyncio.run(main(board, overlay))
        assert seen == ["two", "one"]
        with pytest.raises(WaitTimeoutError):
            asyncio.run(Interrupt("one/ip2intc_irpt").wait(timeout=1e-3))


def test_a_controller_that_the_board_knows_nothing_of(board: gapless.Board) -> None:
    entry = {"controller": "elsewhere", "index": 3, "fullpath": "a/irq"}
    with pytest.raises(UnsupportedError, match=r"a/irq is input 3 of elsewhere, which .* has no line for"):
        asyncio.run(Interrupt.of(board, entry).wait())
