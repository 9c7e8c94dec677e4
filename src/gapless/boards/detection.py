"""Which board a device tree is of.

Sources: Linux, arch/arm64/boot/dts/xilinx/ (the ``compatible`` of each board's root node, most specific first) and
Documentation/devicetree/bindings/soc/xilinx/xilinx.yaml. PYNQ's images for the Zynq-7000 are compatible with the family
alone; their recipe for the device tree (sdbuild/boot/meta-pynq) writes the board's name to /chosen/pynq_board.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import UnknownNameError, UnsupportedError
from . import zynqmp
from .designs import DEVICES
from .pynq_z2 import pynq_z2
from .spec import BoardSpec, MemoryKind, ZdmaSpec
from .zcu111 import zcu111

#: A design's spec says what it has in the PL; the PS's memory is what Linux says.
Design = Callable[[], BoardSpec]


@dataclass(frozen=True)
class KnownBoard:
    """A board by what its device tree says: ``compatible``, or PYNQ's name of it; ``designs`` are those built in."""

    compatible: str
    name: str
    title: str
    zdmas: tuple[ZdmaSpec, ...] = ()
    designs: Mapping[str, Design] = field(default_factory=dict)

    def spec(self, design: str | None = None) -> BoardSpec:
        """The PS, and what ``design`` adds in the PL. Pools are found at run time, on the machine.

        ``design``: the name of a built-in one, or the path of a .hwh, .bit or .xsa.
        """
        if design is None:
            about = "none chosen: the engines and converters of the PL are not known"
            if self.designs:
                about += f" (local?design={'|'.join(self.designs)} when that one is loaded, or local?design=FILE.hwh)"
            return BoardSpec(self.name, self.title, (), (), (), (), (), design=about, zdmas=self.zdmas)
        full = self._described(design)
        return replace(
            full,
            name=self.name,
            title=self.title,
            memories=tuple(memory for memory in full.memories if memory.kind is MemoryKind.PL),
            pools=tuple(pool for pool in full.pools if pool.kind is MemoryKind.PL),
            zdmas=tuple(replace(zdma, ports={}) for zdma in full.zdmas),
        )

    def _described(self, design: str) -> BoardSpec:
        # A board without a design needs no XML.
        from .handoff.board_spec import board_spec
        from .handoff.checked import load_checked, names_file

        if names_file(design):
            return board_spec(load_checked(Path(design), device=DEVICES.get(self.name), board=self.title))
        if design in self.designs:
            return self.designs[design]()
        if not self.designs:
            raise UnsupportedError(
                f"design={design}: there is no built-in design for {self.title}; give the .hwh of one that "
                "is loaded, or use virtual:zcu111, which works anywhere"
            )
        raise UnknownNameError(f"design of {self.title}", design, (*self.designs, "FILE.hwh"))


def _by_handoff(name: str) -> Design:
    """The built-in design of that name, which only its hand-off describes."""

    def build() -> BoardSpec:
        from .handoff.board_spec import board_spec
        from .handoff.checked import built_in, load_checked

        return board_spec(load_checked(built_in()[name]))

    return build


_ZDMAS = zynqmp.zdmas()
_ZCU111 = {"awg": zcu111, "digitizer": _by_handoff("digitizer")}
_PYNQ_Z2 = {"pynq_tutorial": pynq_z2, "dma_loopback": _by_handoff("dma_loopback")}

#: The more specific first.
KNOWN = (
    KnownBoard("xlnx,zynqmp-zcu111", "zcu111", "Zynq UltraScale+ RFSoC ZCU111", _ZDMAS, _ZCU111),
    KnownBoard("xlnx,zynqmp-zcu102", "zcu102", "Zynq UltraScale+ MPSoC ZCU102", _ZDMAS),
    KnownBoard("xlnx,zynqmp-zcu104", "zcu104", "Zynq UltraScale+ MPSoC ZCU104", _ZDMAS),
    KnownBoard("xlnx,zynqmp-zcu106", "zcu106", "Zynq UltraScale+ MPSoC ZCU106", _ZDMAS),
    KnownBoard("xlnx,zynqmp", "zynqmp", "Zynq UltraScale+", _ZDMAS),
    KnownBoard("Pynq-Z2", "pynq-z2", "PYNQ-Z2 (Zynq-7020)", designs=_PYNQ_Z2),
    KnownBoard("xlnx,zynq-7000", "zynq-7000", "Zynq-7000"),
)


def recognise(names: Sequence[str]) -> KnownBoard | None:
    """The board of a device tree's ``compatible`` and ``pynq_board``; None when it is none of ours."""
    return next((board for board in KNOWN if board.compatible in names), None)
