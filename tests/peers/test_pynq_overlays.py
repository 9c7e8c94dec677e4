"""Overlays of designs that Vivado made, on a virtual board: loaded one after the other, as a notebook does."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from importlib.resources import as_file, files

import pytest

import gapless
from gapless.compat import pynq
from gapless.compat.pynq import DefaultHierarchy, Interrupt, Overlay, allocate
from gapless.compat.pynq.lib import DMA, AxiGPIO, MicroblazeHierarchy, PynqMicroblaze
from gapless.compat.pynq.overlays.base import BaseOverlay
from gapless.errors import BadArgumentError, PynqError, UnmodelledIpWarning

from .real_handoffs import folder


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with warnings.catch_warnings(), gapless.open("virtual:pynq-z2") as opened:
        warnings.simplefilter("ignore", UnmodelledIpWarning)
        pynq.use(opened)
        free = opened.memory["ps-cma"].stats().free
        yield opened
        assert opened.memory["ps-cma"].stats().free == free
        pynq.close()


def path(name: str) -> str:
    return str(folder() / name)


@pytest.mark.parametrize(
    ("name", "iops", "dmas"),
    [
        ("pynq-z2-base.hwh", ["iop_arduino", "iop_pmoda", "iop_pmodb", "iop_rpi"], 2),
        ("pynq-z1-base.hwh", ["iop_arduino", "iop_pmoda", "iop_pmodb"], 2),
        ("pynq-z2-logictools.hwh", ["iop_pmodb", "lcp_ar", "lcp_rp"], 0),
        ("resizer.hwh", [], 1),
    ],
)
def test_everything_in_a_design_is_an_attribute(board: gapless.Board, name: str, iops: list[str], dmas: int) -> None:
    overlay = Overlay(path(name))
    found = {entry: getattr(overlay, entry) for entry in overlay.hierarchy_dict}
    assert sorted(entry for entry, made in found.items() if isinstance(made, MicroblazeHierarchy)) == iops
    assert all(isinstance(made, DefaultHierarchy) for made in found.values())
    ips = {entry: getattr(overlay, entry) for entry, ip in overlay.ip_dict.items() if ip.get("memtype") == "REGISTER"}
    assert {entry: ip.mmio.base_addr for entry, ip in ips.items()} == {
        entry: overlay.ip_dict[entry]["phys_addr"] for entry in ips
    }
    engines = {entry for entry, ip in ips.items() if isinstance(ip, DMA)}
    assert engines == {spec.name for spec in board.spec.dmas}
    assert len(engines) == dmas
    numbers = [Interrupt(pin).number for pin in overlay.interrupt_pins]
    assert len(set(numbers)) == len(numbers)
    for iop in iops:
        assert found[iop].iop is board.iop(found[iop].spec.index)


def test_the_base_design(board: gapless.Board) -> None:
    base = BaseOverlay(path("pynq-z2-base.hwh"))
    base.leds[0:4].write(0b1010)
    base.rgbleds[5].write(3)
    bench = {name: board.probe.peripheral(name) for name in ("leds_gpio", "rgbleds_gpio", "btns_gpio")}
    assert (bench["leds_gpio"].output(), bench["rgbleds_gpio"].output()) == (0b1010, 0b011_000)
    assert isinstance(base.btns_gpio, AxiGPIO)

    async def push() -> None:
        await asyncio.sleep(0)
        bench["btns_gpio"].set_input(4)

    async def pushed() -> None:  # an interrupt behind the AXI INTC
        await asyncio.gather(base.buttons[0:4].wait_for_value_async(4, timeout=1), push())

    asyncio.run(pushed())
    for info in (base.PMODA, base.ARDUINO, base.RPI):
        with as_file(files("gapless.iop.firmware") / "echo.bin") as program:
            iop = PynqMicroblaze(info, str(program))
        assert iop.interrupt is not None
        iop.interrupt.clear()
        iop.write(0xF000, 41)
        asyncio.run(iop.interrupt.wait(timeout=1))
        assert iop.read(0xF004) == 42


def test_one_after_the_other(board: gapless.Board) -> None:
    tutorial = Overlay("pynq_tutorial.bit")
    with allocate(100) as buffer:
        buffer[:] = 7
        resizer = Overlay(path("resizer.hwh"))
        assert isinstance(resizer.axi_dma_0, DMA)
        with pytest.raises(PynqError, match="not currently loaded"):
            tutorial.leds_gpio  # noqa: B018
        tutorial.download()
        tutorial.leds_gpio.write(4, 0)
        assert (buffer == 7).all()
        tutorial.axi_dma_from_pl_to_ps.recvchannel.transfer(buffer)
        tutorial.axi_dma_from_ps_to_pl.sendchannel.transfer(buffer)
        tutorial.axi_dma_from_pl_to_ps.recvchannel.wait()


def test_a_design_for_another_part(board: gapless.Board) -> None:
    overlay = Overlay("pynq_tutorial.bit")
    with pytest.raises(BadArgumentError, match="is for xczu7ev"):
        Overlay(path("zcu104-base.hwh"))
    assert overlay.is_loaded()
    assert overlay.btns_gpio.read(4) == 0xF
