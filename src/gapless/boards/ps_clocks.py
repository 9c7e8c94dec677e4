"""The PS's clock registers as a booted system leaves them.

Sources: UG585, "Clocks" and appendix "slcr"; UG1087, CRL_APB and CRF_APB; Vivado's parameters PCW_* and PSU__* of the
PS. Linux unlocks the slcr when it boots, and leaves it so (arch/arm/mach-zynq/slcr.c).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .iop_spec import PeripheralSpec

#: Where they are: UG585, "System Level Control Registers"; UG1087, "Module Summary".
SLCR, CRL_APB, CRF_APB = 0xF800_0000, 0xFF5E_0000, 0xFD1A_0000
#: The kinds of their peripherals.
CLOCK_KINDS = ("slcr", "crl-apb", "crf-apb")

#: What selects a source, by its name in the parameters.
_FCLK = {"IO PLL": 0, "ARM PLL": 2, "DDR PLL": 3}
_ARM_CLK = {"ARM PLL": 0, "DDR PLL": 2, "IO PLL": 3}
_PL_REF = {"IOPLL": 0, "RPLL": 2, "DPLL": 3}
_ACPU = {"APLL": 0, "DPLL": 2, "VPLL": 3}
_CLOCKS = 4
#: What lets the clocks through to the processors.
_CPU_ENABLES, _ACPU_ENABLES = 0x1F00_0000, 0x0300_0000


def slcr(parameters: Mapping[str, str] = {}) -> PeripheralSpec:
    """The system level control registers of a Zynq-7000, for the parameters of its PS.

    What these do not say is as on a PYNQ-Z2: a crystal of 50 MHz, PLLs at 1300, 1050 and 1000 MHz, processors at
    650 MHz, and one clock of 100 MHz for the PL. What the boot loader does not write is as at reset: clocks that are
    not enabled.
    """
    given = _Numbers(parameters)
    values = {
        f"{pll.lower()}_pll_ctrl": given[f"PCW_{pll}PLL_CTRL_FBDIV", usual] << 12
        for pll, usual in (("ARM", 26), ("DDR", 21), ("IO", 20))
    }
    values["arm_clk_ctrl"] = (
        _CPU_ENABLES
        | given["PCW_CPU_PERIPHERAL_DIVISOR0", 2] << 8
        | _ARM_CLK.get(parameters.get("PCW_CPU_PERIPHERAL_CLKSRC", ""), 0) << 4
    )
    for index in range(_CLOCKS):
        if not given[f"PCW_FPGA_FCLK{index}_ENABLE", index == 0]:
            continue
        first, second = (given[f"PCW_FCLK{index}_PERIPHERAL_DIVISOR{number}", 5 - 3 * number] for number in range(2))
        source = _FCLK.get(parameters.get(f"PCW_FCLK{index}_PERIPHERAL_CLKSRC", ""), 0)
        values[f"fpga{index}_clk_ctrl"] = second << 20 | first << 8 | source << 4
    return PeripheralSpec("slcr", "slcr", SLCR, parameters={**values, "locked": 0})


def crl_apb(parameters: Mapping[str, str] = {}) -> PeripheralSpec:
    """The clock registers of a ZynqMP's low-power domain, with the clocks of the PL, for the parameters of its PS.

    What these do not say: PLLs of 1500 MHz, half of 90 times 33.333 MHz, and one clock of 100 MHz for the PL. Clocks
    that are not enabled are as at reset.
    """
    given = _Numbers(parameters)
    values = {f"{pll.lower()}_ctrl": _pll(given, f"PSU__CRL_APB__{pll}", 90) for pll in ("IOPLL", "RPLL")}
    for index in range(_CLOCKS):
        if not given[f"PSU__FPGA_PL{index}_ENABLE", index == 0]:
            continue
        name = f"PSU__CRL_APB__PL{index}_REF_CTRL__"
        first, second = given[f"{name}DIVISOR0", 15], given[f"{name}DIVISOR1", 1]
        source = _PL_REF.get(parameters.get(f"{name}SRCSEL", ""), 0)
        values[f"pl{index}_ref_ctrl"] = 1 << 24 | second << 16 | first << 8 | source
    return PeripheralSpec("crl_apb", "crl-apb", CRL_APB, parameters=values)


def crf_apb(parameters: Mapping[str, str] = {}) -> PeripheralSpec:
    """The clock registers of a ZynqMP's full-power domain, with that of the processors.

    What the parameters of its PS do not say: the processors run at 1200 MHz from the APLL.
    """
    given = _Numbers(parameters)
    values = {
        f"{pll.lower()}_ctrl": _pll(given, f"PSU__CRF_APB__{pll}", usual)
        for pll, usual in (("APLL", 72), ("DPLL", 64), ("VPLL", 90))
    }
    source = _ACPU.get(parameters.get("PSU__CRF_APB__ACPU_CTRL__SRCSEL", ""), 0)
    values["acpu_ctrl"] = _ACPU_ENABLES | given["PSU__CRF_APB__ACPU_CTRL__DIVISOR0", 1] << 8 | source
    return PeripheralSpec("crf_apb", "crf-apb", CRF_APB, parameters=values)


def ps_clocks(family: str, parameters: Mapping[str, str] = {}) -> Iterator[PeripheralSpec]:
    """The clock registers of a PS: of family "Zynq-7000" or "Zynq UltraScale+", with these parameters."""
    if family == "Zynq-7000":
        yield slcr(parameters)
    else:
        yield crl_apb(parameters)
        yield crf_apb(parameters)


def _pll(given: _Numbers, name: str, usual: int) -> int:
    return given[f"{name}_CTRL__DIV2", 1] << 16 | given[f"{name}_CTRL__FBDIV", usual] << 8


class _Numbers:
    """Parameters that are whole numbers; a default takes the place of one that is not there, or is none."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters

    def __getitem__(self, named: tuple[str, int]) -> int:
        name, usual = named
        text = self._parameters.get(name, "")
        return int(text) if text.isdecimal() else usual
