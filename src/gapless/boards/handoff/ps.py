"""What the two families of PS have in common, as data, and what a hand-off says of the PS itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...units import GIB, MIB
from .design import Memory, PlClock
from .numbers import number


@dataclass(frozen=True)
class Ps:
    """A family. ``interrupts``: its ports for interrupts from the PL, with the line of each input.

    ``enable``, ``divisor`` and ``frequency`` are the parameters of PL clock {0}.
    """

    family: str
    interrupts: Mapping[str, tuple[int, ...]]
    gpio: str
    enable: str
    divisor: str
    frequency: str


#: By the kind of the PS's block. Sources: UG585, "PS and PL Shared Peripheral Interrupts" (61 to 68, 84 to 91);
#: UG1085, "GIC Interrupt" table (PL_PS_Group0 121 to 128, PL_PS_Group1 136 to 143).
FAMILIES: Mapping[str, Ps] = {
    "processing_system7": Ps(
        "Zynq-7000",
        {"IRQ_F2P": (*range(61, 69), *range(84, 92))},
        "GPIO_O",
        "PCW_FPGA_FCLK{0}_ENABLE",
        "PCW_FCLK{0}_PERIPHERAL_DIVISOR{1}",
        "PCW_ACT_FPGA{0}_PERIPHERAL_FREQMHZ",
    ),
    "zynq_ultra_ps_e": Ps(
        "Zynq UltraScale+",
        {"pl_ps_irq0": tuple(range(121, 129)), "pl_ps_irq1": tuple(range(136, 144))},
        "emio_gpio_o",
        "PSU__FPGA_PL{0}_ENABLE",
        "PSU__CRL_APB__PL{0}_REF_CTRL__DIVISOR{1}",
        "PSU__CRL_APB__PL{0}_REF_CTRL__ACT_FREQMHZ",
    ),
}
_PL_CLOCKS = 4
#: UG1085, "System Addresses": DDR is 2 GiB from 0 on, and whatever there is more of it from here on.
_LOW_BYTES = 0x8000_0000
PS_HIGH = 0x8_0000_0000
#: The least and the most memory of a PS, in bytes, by the kind of its block (UG585, "DDR Memory Controller"; UG1085).
PS_SIZES: Mapping[str, tuple[int, int]] = {
    "processing_system7": (128 * MIB, GIB),
    "zynq_ultra_ps_e": (512 * MIB, 32 * GIB),
}


def clocks(ps: Ps, parameters: Mapping[str, str]) -> Iterator[PlClock]:
    """The PS's clocks for the PL, as far as the hand-off describes them."""
    for index in range(_PL_CLOCKS):
        names = (ps.enable.format(index), ps.divisor.format(index, 0), ps.divisor.format(index, 1))
        if all(name in parameters for name in names):
            enabled, first, second = (number(parameters[name], name) for name in names)
            yield PlClock(index, bool(enabled), _megahertz(parameters.get(ps.frequency.format(index))), (first, second))


def _megahertz(text: str | None) -> float:
    try:
        return float(text or 0) * 1e6
    except ValueError:
        return 0.0


def ps_memories(kind: str, parameters: Mapping[str, str]) -> Iterator[Memory]:
    """The DDR of the PS, from the last address that its controller is configured for."""
    # PCW_DDR_RAM_BASEADDR is 1 MiB: what a program at reset may use. DMA reaches all of it. The last address of Zynq
    # UltraScale+ is written as if the memory were in one piece.
    name = "PCW_DDR_RAM_HIGHADDR" if kind == "processing_system7" else "PSU_DDR_RAM_HIGHADDR"
    if high := parameters.get(name):
        yield from ps_ddr(kind, number(high, name) + 1)


def ps_ddr(kind: str, nbytes: int) -> Iterator[Memory]:
    """``nbytes`` of DDR of a PS of that kind: in one piece, or from 0 and :data:`PS_HIGH` on."""
    if kind == "processing_system7":
        yield Memory("ps-ddr", 0, nbytes, "ps-ddr")
        return
    yield Memory("ps-ddr-low", 0, min(nbytes, _LOW_BYTES), "ps-ddr")
    if nbytes > _LOW_BYTES:
        yield Memory("ps-ddr-high", PS_HIGH, nbytes - _LOW_BYTES, "ps-ddr")
