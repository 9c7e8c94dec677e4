"""Drivers as users of PYNQ write them: of IP by their type, and of hierarchies by what is in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynq_board import Part, board_with, in_use, tutorial

import gapless
from gapless.compat.pynq import GPIO, DefaultHierarchy, DefaultIP, Overlay, UnsupportedConfiguration, allocate
from gapless.compat.pynq.binding import hierarchy_drivers, ip_drivers
from gapless.compat.pynq.lib import AxiGPIO
from gapless.compat.pynq.memory import Memory
from gapless.errors import BadArgumentError, UnknownNameError, UnsupportedError

TIMER, PADS = 0x4280_0000, 0x4130_0000
GPIO_TYPE = "xilinx.com:ip:axi_gpio:2.0"


@pytest.fixture(autouse=True)
def _drivers() -> Iterator[None]:
    """What a test binds is unbound after it."""
    ips, hierarchies = dict(ip_drivers), list(hierarchy_drivers)
    yield
    ip_drivers.clear()
    ip_drivers.update(ips)
    hierarchy_drivers[:] = hierarchies


@pytest.fixture
def board(tmp_path: Path) -> Iterator[gapless.Board]:
    """With a hierarchy in a hierarchy: measure/timer and measure/front/pads; and a pin of the PS at the pads."""
    design = tutorial()
    timer = Part("measure/timer", "axi_timer", TIMER, "interrupt")
    design.slice("enable_pads", "gpio", 3, 3, "pads_enabled")
    design.block("measure/front/pads", "axi_gpio", "2.0", {"C_GPIO_WIDTH": 4}).address("measure/front/pads", PADS, 4096)
    design.pin("measure/front/pads/enable", "I", "pads_enabled")
    with in_use(board_with(tmp_path, timer, design=design)) as board:
        yield board


def overlay(**options: Any) -> Overlay:
    return Overlay("pynq_tutorial.bit", **options)


# ---- of IP


def test_a_driver_binds_by_the_type_of_ip(board: gapless.Board) -> None:
    class Leds(DefaultIP):
        bindto = [GPIO_TYPE]  # noqa: RUF012 - as programs for PYNQ have it

        def __init__(self, description: dict) -> None:
            super().__init__(description=description)
            self.write(0, 0xF)

        def show(self, levels: int) -> None:
            self.mmio.write(0, levels)

    found = overlay()
    assert board.probe.peripheral("leds_gpio").output() == 0  # not before somebody asks for it
    found.leds_gpio.show(5)
    assert board.probe.peripheral("leds_gpio").output() == 5
    assert isinstance(found.leds_gpio, Leds)
    assert isinstance(found.measure.front.pads, Leds)
    assert getattr(found, "measure/front/pads") is found.measure.front.pads
    Leds.unregister()
    assert type(overlay().leds_gpio).__bases__ == (DefaultIP,)


class Timer(DefaultIP):
    """As PYNQ's own drivers are written: registers by name, the interrupt as an attribute."""

    bindto = ["xilinx.com:ip:axi_timer:2.0"]  # noqa: RUF012

    def __init__(self, description: dict) -> None:
        super().__init__(description)
        assert {"interrupt"} == set(self._interrupts)
        assert self._fullpath == "measure/timer"
        self.rings = 0

    def start(self, seconds: float) -> None:
        self.write(0x04, round(seconds * 100e6) - 2)  # TLR0 (PG079)
        self.write(0x00, 0x20)  # LOAD0
        self.write(0x00, 0xD2)  # ENT0, ENIT0, ARHT0, UDT0

    async def wait(self) -> None:
        await self.interrupt.wait()
        self.write(0x00, self.read(0x00) | 0x100)  # T0INT
        self.rings += 1


Timer.unregister()  # but for the one test


def test_a_driver_waits_for_its_interrupt(board: gapless.Board) -> None:
    ip_drivers[Timer.bindto[0]] = Timer
    timer = overlay().measure.timer
    begun = board.bus.time()
    timer.start(2e-3)

    async def main() -> None:
        for _ in range(3):
            await timer.wait()

    asyncio.run(main())
    assert timer.rings == 3
    assert board.bus.time() - begun == pytest.approx(6e-3, rel=0.05)


def test_a_driver_has_the_pins_of_the_ps(board: gapless.Board) -> None:
    pads = overlay().measure.front.pads
    assert isinstance(pads, AxiGPIO)
    assert isinstance(pads.enable, GPIO)
    pads.enable.write(1)
    assert board.probe.peripheral("ps_gpio").output(54 + 3)
    assert pads.enable is pads.enable
    with pytest.raises(AttributeError, match="no attribute 'enabled'"):
        pads.enabled  # noqa: B018


def test_another_version_of_an_ip(board: gapless.Board) -> None:
    """A driver of 1.9 is for 2.0 only if the overlay is told so."""

    class Old(DefaultIP):
        bindto = ["xilinx.com:ip:axi_timer:1.9"]  # noqa: RUF012

    with pytest.warns(UserWarning, match=r"measure/timer is of type .*axi_timer:2.0 and driver found for \[.*:1.9\]"):
        found = overlay()
    assert not isinstance(found.measure.timer, Old)
    assert isinstance(overlay(ignore_version=True).measure.timer, Old)


def test_a_driver_may_refuse_an_ip(board: gapless.Board) -> None:
    class Choosy(DefaultIP):
        bindto = ["xilinx.com:ip:axi_timer:2.0"]  # noqa: RUF012

        def __init__(self, description: dict) -> None:
            raise UnsupportedConfiguration("only with two timers")

    with pytest.warns(UserWarning, match="Configuration of IP measure/timer not supported: only with two timers"):
        timer = overlay().measure.timer
    assert (isinstance(timer, Choosy), timer.read(4)) == (False, 0)


# ---- of hierarchies


def test_a_hierarchy_has_what_is_in_it(board: gapless.Board) -> None:
    found = overlay()
    assert isinstance(found.measure, DefaultHierarchy)
    assert found.measure.description is found.hierarchy_dict["measure"]
    assert found.measure.timer.mmio.base_addr == TIMER
    assert found.measure.front.pads.mmio.base_addr == PADS
    assert {"timer", "front"} <= set(dir(found.measure))
    assert not {"timer", "pads"} & set(dir(found))
    assert found.measure.front is found.measure.front
    for wrong in ("pads", "tmier"):
        with pytest.raises(AttributeError, match=f"{wrong} in measure: it has front, timer"):
            getattr(found.measure, wrong)
    with pytest.raises(UnsupportedError, match="partial"):
        found.measure.download("part.bit")
    with pytest.raises(BadArgumentError, match="hierarchy_dict"):
        DefaultHierarchy({})


def test_drivers_of_hierarchies(board: gapless.Board) -> None:
    seen: list[str] = []

    class Any_(DefaultHierarchy):  # noqa: N801
        def __init__(self, description: dict) -> None:
            super().__init__(description)
            self.seconds = 2e-3

        @staticmethod
        def checkhierarchy(description: dict) -> bool:
            seen.append(description["fullpath"])
            return "timer" in description["ip"] and "front" in description["hierarchies"]

        def base(self) -> int:
            return int(self.timer.mmio.base_addr)

    found = overlay()
    assert isinstance(found.measure, Any_)
    assert (found.measure.base(), found.measure.seconds) == (TIMER, 2e-3)
    assert not isinstance(found.measure.front, Any_)
    assert set(seen) == {"iop1", "iop2", "measure", "measure/front"}

    class Later(Any_):
        @staticmethod
        def checkhierarchy(description: dict) -> bool:
            return bool(description["ip"])

    assert isinstance(overlay().measure, Later)
    assert isinstance(overlay().measure.front, Later)
    Later.unregister()
    assert not isinstance(overlay().measure, Later)
    assert DefaultHierarchy.checkhierarchy({}) is False


# ---- memories


def test_memories(board: gapless.Board) -> None:
    found = overlay()
    with allocate(1000, "u2", target=found.PSDDR) as buffer:
        assert (buffer.pool.name, buffer.dtype) == ("ps-cma", np.uint16)
    bram = found.iop1.mb_bram_ctrl
    assert isinstance(bram, Memory)
    assert (bram.base_address, bram.size) == (0x4000_0000, 64 << 10)
    bram.write(0x100, 0xCAFE)
    assert (bram.read(0x100), board.bus.read32(0x4000_0100)) == (0xCAFE, 0xCAFE)
    with pytest.raises(UnsupportedError, match="iop1/mb_bram_ctrl: 64 KiB at 0x4000_0000> has no pool"):
        allocate(10, target=bram)


def test_memory_of_the_pl() -> None:
    """PYNQ: only through XRT."""
    with in_use(gapless.open("virtual:zcu111")) as zcu111:
        found = Overlay("awg.bit")
        assert (found.ddr4_0.base_address, found.ddr4_0.size) == (0x10_0000_0000, 4 << 30)
        with allocate((1000, 1000), "i2", target=found.ddr4_0) as buffer:
            assert buffer.pool is zcu111.memory["pl-ddr"]
            assert buffer.physical_address >= 0x10_0000_0000
        assert found.ddr4_0.pool is zcu111.memory["pl-ddr"]


def test_data_for_an_ip(board: gapless.Board, tmp_path: Path) -> None:
    found, name = overlay(), "iop2/mb_bram_ctrl"
    data = tmp_path / "data.bin"
    data.write_bytes(b"\x01\x02\x03\x04\x05")
    board.bus.write32(0x4200_FFFC, 7)
    found.load_ip_data(name, str(data))
    assert [board.bus.read32(0x4200_0000 + offset) for offset in (0, 4, 0xFFFC)] == [0x0403_0201, 5, 7]
    assert found.ip_dict[name]["state"] == str(data)
    found.load_ip_data(name, str(data), zero=True)
    assert board.bus.read32(0x4200_FFFC) == 0
    found.reset()
    assert found.ip_dict[name]["state"] is None
    with pytest.raises(UnknownNameError, match="iop2/mb_bram_ctrl"):
        found.load_ip_data("iop2", str(data))
    with pytest.raises(BadArgumentError, match="does not exist"):
        found.load_ip_data(name, str(tmp_path / "none"))
    data.write_bytes(bytes(65537))
    with pytest.raises(RuntimeError, match="Binary file too big for IP"):
        found.load_ip_data(name, str(data))
