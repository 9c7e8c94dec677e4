"""Registers of a virtual Zynq UltraScale+ for the widths of the ports between PS and PL: they keep what is written.

PYNQ writes them whenever it loads an overlay. No more than that: ports are as wide as the design says, whatever is
written here. Sources: UG1087, modules FPD_SLCR and LPD_SLCR (AXI_FS), AFIFM.
"""

from __future__ import annotations

from .._native import Parts
from ..boards import BoardSpec

_BYTES = 0x1000
_FPD_SLCR_AXI_FS, _LPD_SLCR_AXI_FS = 0xFD61_5000, 0xFF41_9000
#: AFIFM0 to 6; the last is that of the low-power domain.
_AFIFM = (*range(0xFD36_0000, 0xFD3C_0000, 0x1_0000), 0xFF9B_0000)


def add_port_widths(parts: Parts, spec: BoardSpec) -> None:
    """Put them on the bus of a Zynq UltraScale+, which is a board that has the DMA of one."""
    if spec.zdmas:
        for base in (_FPD_SLCR_AXI_FS, _LPD_SLCR_AXI_FS, *_AFIFM):
            parts.add_peripheral(base, "pin-switch", {"words": _BYTES // 4}, -1)  # that is plain registers
