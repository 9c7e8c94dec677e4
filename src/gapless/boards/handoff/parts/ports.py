"""The ways from the PL to memory, and how much goes through each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...spec import MemoryKind, PortSpec
from ...zynqmp import ADMA_BANDWIDTH, GDMA_BANDWIDTH
from ..design import AddressRange, Block, Design
from ..numbers import number

#: HP1 and HP2 share one way to the memory controller (UG1085, "PS Interconnect").
_SHARED = {"HP1": "HP1+HP2", "HP2": "HP1+HP2"}
_PL_DDR_PORTS = {"ddr4": "PL DDR4", "ddr3": "PL DDR3", "mig_7series": "PL DDR3"}
_BRAM_PORT = "PL memory"
#: Of a port whose clock the hand-off does not state: what most designs of PYNQ have.
_CLOCK = 100e6
_WIDTH = 64


class Ports:
    """The ports of a board, which come into being as they are asked for.

    ``programs`` name memories of soft processors, which are no memory of the board.
    ``specs``: those of the PS in its order, that of the PL's memory, and those of the PS's own DMA.
    """

    def __init__(self, design: Design, family: str, programs: Iterable[str]) -> None:
        self._design, self._ps, self._programs = design, design.blocks[design.ps], frozenset(programs)
        self._mp = family == "Zynq UltraScale+"
        self._found: dict[str, float] = {}

    def of(self, seen: Iterable[AddressRange], clock: float) -> dict[MemoryKind, str]:
        """The port to each kind of memory of a master that sees these ranges, and runs at ``clock`` (Hz)."""
        found: dict[MemoryKind, str] = {}
        for item in seen:
            if item.block == self._design.ps:
                found.setdefault(MemoryKind.PS, self._to_ps(item.interface, clock))
            elif item.memory_type == "memory":
                found.setdefault(MemoryKind.PL, self._to_pl())
        return found

    def of_zdmas(self) -> tuple[Mapping[MemoryKind, str], Mapping[MemoryKind, str]]:
        """The ports of the PS's own DMA controllers, GDMA and ADMA."""
        way = self._into_pl()
        pl = {} if way is None else {MemoryKind.PL: way}
        self._found |= {"GDMA": GDMA_BANDWIDTH, "ADMA": ADMA_BANDWIDTH}
        return {MemoryKind.PS: "GDMA"} | pl, {MemoryKind.PS: "ADMA"} | pl

    @property
    def specs(self) -> tuple[PortSpec, ...]:
        """All that were asked for."""
        names = [self._name(name) for name, item in sorted(self._ps.interfaces.items()) if not item.master]
        names += [*_PL_DDR_PORTS.values(), _BRAM_PORT, "GDMA", "ADMA"]
        ordered = [name for name in dict.fromkeys(names) if name in self._found]
        ordered += [name for name in self._found if name not in ordered]
        return tuple(PortSpec(name, self._found[name]) for name in ordered)

    def _to_ps(self, interface: str, clock: float) -> str:
        name = self._name(interface)
        self._found[name] = max(self._found.get(name, 0.0), _bandwidth(self._ps, interface, clock))
        return name

    def _to_pl(self) -> str:
        ways = list(self._pl_memories())
        kinds = [_PL_DDR_PORTS[block.kind] for block, _ in ways if block.kind in _PL_DDR_PORTS]
        name = kinds[0] if kinds else _BRAM_PORT
        of_kind = [way for way in ways if not kinds or way[0].kind in _PL_DDR_PORTS]
        self._found[name] = max((_bandwidth(*way, _CLOCK) for way in of_kind), default=_WIDTH / 8 * _CLOCK)
        return name

    def _into_pl(self) -> str | None:
        """The port of the PS through which it reaches memory in the PL."""
        for block, interface in self._pl_memories():
            for item in block.ranges:
                if item.interface == interface:
                    name = self._name(item.master)
                    self._found[name] = _bandwidth(self._ps, item.master, _CLOCK)
                    return name
        return None

    def _pl_memories(self) -> Iterator[tuple[Block, str]]:
        for name, block, item in self._design.addressed():
            if item.memory_type == "memory" and name not in self._programs:
                yield block, item.interface

    def _name(self, interface: str) -> str:
        name = interface.removeprefix("S_AXI_").removeprefix("M_AXI_").removesuffix("_FPD")
        return _SHARED.get(name, name) if self._mp else name


def _bandwidth(block: Block, interface: str, clock: float) -> float:
    """Bytes in a second: the width of an interface at its clock, or at ``clock`` where it states none."""
    found = block.interfaces.get(interface)
    if found is None:
        return _WIDTH / 8 * clock
    width = found.data_width or _WIDTH
    stated = found.parameters.get("FREQ_HZ")
    return width / 8 * (number(stated, f"FREQ_HZ of {block.name}.{interface}") if stated else clock)
