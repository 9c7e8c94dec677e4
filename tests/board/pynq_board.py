"""A board in use for tests of PYNQ's names, and designs for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from xml.etree import ElementTree

import gapless
from gapless.boards import BoardSpec
from gapless.boards.pynq_z2 import HANDOFF
from gapless.compat import pynq

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


#: The line of the first input that pynq_tutorial leaves free.
FREE_LINE = 65


class Part(NamedTuple):
    """One more IP for a design: ``interrupt``: its output for interrupts, which gets the next line that is free."""

    name: str
    kind: str
    base: int
    interrupt: str = ""
    parameters: Mapping[str, int] = MappingProxyType({})


def board_with(folder: Path, *parts: Part, design: Handoff | None = None) -> gapless.Board:
    """A virtual board whose design, pynq_tutorial or one made from it, has these parts, too."""
    design, inputs = tutorial() if design is None else design, 4
    for part in parts:
        if design._modules.find(f"MODULE[@FULLNAME='/{part.name}']") is None:
            design.block(part.name, part.kind, "2.0", part.parameters)
        design.address(part.name, part.base, 0x1_0000)
        design.pin(f"{part.name}/s_axi_aclk", "I", "fclk0", CLKFREQUENCY="100000000")
        if part.interrupt:
            net = f"{part.name}_irq".replace("/", "_")
            design.pin(f"{part.name}/{part.interrupt}", "O", net).pin(f"interrupts/In{inputs}", "I", net)
            inputs += 1
    for port in design.root.iter("PORT"):
        if port.get("SIGNAME") == "irqs":
            port.set("LEFT", str(inputs - 1))
    for number in design._modules.findall("MODULE[@FULLNAME='/interrupts']/PARAMETERS/PARAMETER"):
        if number.get("NAME") == "NUM_PORTS":
            number.set("VALUE", str(inputs))
    return gapless.open(f"virtual:{design.save(folder / 'pynq_tutorial.hwh')}")
