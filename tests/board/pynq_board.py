"""A board in use for tests of PYNQ's names, and designs for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import gapless
from gapless.boards import BoardSpec
from gapless.boards.iop_spec import PeripheralSpec
from gapless.boards.pynq_z2 import HANDOFF, pynq_z2
from gapless.compat import pynq
from gapless.virtual import build_board

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from handoffs import Handoff


@contextmanager
def in_use(board: gapless.Board) -> Iterator[gapless.Board]:
    """Inside, PYNQ's names use this board; afterwards its memory is as before, and nothing was done wrong."""
    with board:
        before = {name: pool.stats().free for name, pool in board.memory.items()}
        pynq.use(board)
        try:
            yield board
        finally:
            pynq.close()
        assert {name: pool.stats().free for name, pool in board.memory.items()} == before
        assert board.findings == ()


def engines(spec: BoardSpec) -> dict[str, Any]:
    """The descriptions of a board's DMA engines, as PYNQ's drivers take them."""
    return {dma.name: {"phys_addr": dma.base, "addr_range": 0x1_0000} for dma in spec.dmas}


def tutorial() -> Handoff:
    """The design pynq_tutorial, to add to."""
    found = Handoff.__new__(Handoff)
    found.root = ElementTree.parse(HANDOFF).getroot()
    modules = found.root.find("MODULES")
    assert modules is not None
    found._modules = modules
    return found


#: The lines of the inputs that pynq_tutorial leaves free.
FREE_LINE, NEXT_LINE = 65, 66
#: The type, version and interrupt output of an IP by the kind of its PeripheralSpec.
_IP = {"axi-gpio": ("axi_gpio", "2.0", "ip2intc_irpt"), "axi-timer": ("axi_timer", "2.0", "interrupt")}


def board_with(folder: Path, *parts: PeripheralSpec, design: Handoff | None = None) -> gapless.Board:
    """A PYNQ-Z2 whose design, pynq_tutorial or one made from it, has these peripherals, too."""
    design, spec = tutorial() if design is None else design, pynq_z2()
    inputs = 4
    for part in parts:
        kind, version, output = _IP[part.kind]
        design.block(part.name, kind, version).address(part.name, part.base, 0x1_0000)
        if part.interrupt is not None:
            assert part.interrupt == 61 + inputs
            net = f"{part.name}_irq".replace("/", "_")
            design.pin(f"{part.name}/{output}", "O", net).pin(f"interrupts/In{inputs}", "I", net)
            inputs += 1
    for port in design.root.iter("PORT"):
        if port.get("SIGNAME") == "irqs":
            port.set("LEFT", str(inputs - 1))
    for number in design._modules.findall("MODULE[@FULLNAME='/interrupts']/PARAMETERS/PARAMETER"):
        if number.get("NAME") == "NUM_PORTS":
            number.set("VALUE", str(inputs))
    handoff = design.save(folder / "pynq_tutorial.hwh")
    return build_board(replace(spec, peripherals=(*spec.peripherals, *parts), handoff=handoff))
