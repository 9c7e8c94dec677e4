"""Registers of a virtual board's PS that programs set up clocks and ports by: they keep what is written.

No more than that: the models run at the clocks and widths of the design, whatever is written here. Sources: UG585,
register details of slcr; UG1087, modules CRL_APB, CRF_APB, FPD_SLCR, LPD_SLCR and AFIFM. What is in them at first:
PYNQ's base designs for PYNQ-Z2 and ZCU104 (parameters of the PS in their hand-offs), with 100 MHz for the PL.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._native import Parts, Registers
from ..boards import BoardSpec

_BYTES = 0x1000
#: Of base address: offset to what is there at first.
_Blocks = Mapping[int, Mapping[int, int]]

_IOPLL, _APLL = 0, 0
_PL_OF_IO_PLL = 5 << 8 | 2 << 20  # 1000 MHz by 5 and 2
_PL_OF_IOPLL = 1 << 24 | 1 << 16 | 15 << 8 | _IOPLL  # 1500 MHz by 15 and 1, on


def _pll(feedback: int) -> int:
    return feedback << 8 | 1 << 16  # and half of that


_ZYNQ_7000: _Blocks = {
    0xF800_0000: {  # slcr: ARM, DDR and IO PLL of a crystal of 50 MHz; the CPU's clock; those of the PL
        0x100: 26 << 12,
        0x104: 21 << 12,
        0x108: 20 << 12,
        0x120: 0x1F << 24 | 2 << 8,
        **dict.fromkeys((0x170, 0x180, 0x190, 0x1A0), _PL_OF_IO_PLL),
    },
}
_ULTRASCALE: _Blocks = {
    0xFF5E_0000: {0x20: _pll(90), 0x30: _pll(90), **dict.fromkeys((0xC0, 0xC4, 0xC8, 0xCC), _PL_OF_IOPLL)},  # CRL_APB
    0xFD1A_0000: {0x20: _pll(72), 0x2C: _pll(64), 0x38: _pll(90), 0x60: 3 << 24 | 1 << 8 | _APLL},  # CRF_APB
    0xFD61_5000: {},  # FPD_SLCR.AXI_FS, widths of the ports to the PL
    0xFF41_9000: {},  # LPD_SLCR.AXI_FS
    **{base: {} for base in range(0xFD36_0000, 0xFD3C_0000, 0x1_0000)},  # AFIFM0 to 5, widths of those from the PL
    0xFF9B_0000: {},  # AFIFM6
}


def add_ps_registers(parts: Parts, spec: BoardSpec) -> None:
    """Put those of the board's family on the bus; a board that is of none, made for a test, has none."""
    kind = "" if spec.ps_gpio is None else spec.ps_gpio.kind
    blocks = _ULTRASCALE if spec.zdmas or kind == "ps-gpio-mp" else _ZYNQ_7000 if kind == "ps-gpio-7000" else {}
    for base, values in blocks.items():
        registers = parts.add_peripheral(base, "pin-switch", {"words": _BYTES // 4}, -1)
        assert isinstance(registers, Registers)
        for offset, value in values.items():
            registers.set(offset // 4, value)
