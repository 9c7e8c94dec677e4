"""The ZCU111: Zynq UltraScale+ RFSoC XCZU28DR with PS DDR4 on a SODIMM and PL DDR4 on the board.

Sources: UG1271 (ZCU111 board guide), UG1085 (Zynq UltraScale+ TRM, "System Addresses"), DS926 (converter
rates), PG021 (AXI DMA), PG085 (AXI4-Stream infrastructure: FIFO depth).
"""

from __future__ import annotations

from pathlib import Path

from ..units import GIB, MIB
from .iop_spec import WindowSpec, ps_gpio
from .ps_clocks import crf_apb, crl_apb
from .ps_pools import CMA_USERS, ps_carveout, ps_cma
from .pynq_iop import pynq_iop
from .spec import BoardSpec, ConverterSpec, DmaSpec, MemoryKind, MemorySpec, PairSpec, PoolSpec, PortSpec
from .zynqmp import ADMA_BANDWIDTH, GDMA_BANDWIDTH, zdmas

HANDOFF = Path(__file__).parent / "handoff" / "designs" / "awg.hwh"
PS_LOW = 0x0
PS_HIGH = 0x8_0000_0000
PL_DDR = 0x10_0000_0000
REGISTERS = 0xA000_0000
_IOP = 0xA100_0000
#: Interrupts from the PL, pl_ps_irq0 and then pl_ps_irq1 (UG1085, "System Interrupts").
_PL_INTERRUPTS = (*range(121, 129), *range(136, 144))
_LOW_BYTES = 2 * GIB

#: HP ports: 128 bits at 300 MHz. HP1 and HP2 share one path to the memory controller (UG1085, "PS Interconnect").
_HP_BANDWIDTH = 16 * 300e6
#: PL DDR4: 512 bits at 300 MHz.
_PL_BANDWIDTH = 64 * 300e6
#: M_AXI_HPM0_FPD, the PS's way to PL memory: 128 bits at the PL's 300 MHz.
_HPM_BANDWIDTH = 16 * 300e6


#: PL0 is for engines and converters, PL1 for the IOP.
_PL_CLOCKS = {"PSU__CRL_APB__PL0_REF_CTRL__DIVISOR0": "5", "PSU__FPGA_PL1_ENABLE": "1"}


def zcu111(*, ps_bytes: int = 4 * GIB, cma_bytes: int = 128 * MIB, fifo_bytes: int = MIB) -> BoardSpec:
    """A ZCU111 with a SODIMM of ``ps_bytes``, a CMA area of ``cma_bytes`` and stream FIFOs of ``fifo_bytes``.

    Its design has two DACs and two ADCs, which also run in step as a pair of DACs and a pair of ADCs. Each
    converter and each pair is reached by two AXI DMA instances through an AXI4-Stream switch: one built
    with scatter-gather and one without, since software cannot change that. An IOP sees the low memory of the PS.
    """
    memories = (
        MemorySpec("ps-ddr-low", PS_LOW, _LOW_BYTES, MemoryKind.PS),
        MemorySpec("ps-ddr-high", PS_HIGH, ps_bytes - _LOW_BYTES, MemoryKind.PS),
        MemorySpec("pl-ddr", PL_DDR, 4 * GIB, MemoryKind.PL),
    )
    pools = (
        ps_cma(PS_LOW + _LOW_BYTES, cma_bytes, CMA_USERS["Zynq UltraScale+"]),
        ps_carveout(PS_HIGH, ps_bytes - _LOW_BYTES),
        PoolSpec("pl-ddr", PL_DDR, 4 * GIB, MemoryKind.PL, about="DDR of the PL (ddr4_0)"),
    )
    ports = (
        PortSpec("HP0", _HP_BANDWIDTH),
        PortSpec("HP1+HP2", _HP_BANDWIDTH),
        PortSpec("HP3", _HP_BANDWIDTH),
        PortSpec("PL DDR4", _PL_BANDWIDTH),
        PortSpec("GDMA", GDMA_BANDWIDTH),
        PortSpec("ADMA", ADMA_BANDWIDTH),
        PortSpec("HPM0", _HPM_BANDWIDTH),
    )
    hp = {"dac0": "HP0", "adc0": "HP3", "dac1": "HP1+HP2", "adc1": "HP1+HP2", "dac01": "HP0", "adc01": "HP3"}
    dmas = []
    converters = []
    pairs = []
    for number, (name, port) in enumerate(hp.items()):
        direction, indices = name[:3], name[3:]
        transmit = direction == "dac"
        names = (f"dma_{name}", f"dma_{name}_direct")
        monitor = REGISTERS + 0x10_0000 + 0x10000 * number
        for variant, dma_name in enumerate(names):
            index = 2 * number + variant
            line = _PL_INTERRUPTS[index]
            dmas.append(
                DmaSpec(
                    dma_name,
                    REGISTERS + 0x10000 * index,
                    sg=variant == 0,
                    ports={MemoryKind.PS: port, MemoryKind.PL: "PL DDR4"},
                    mm2s_interrupt=line if transmit else None,
                    s2mm_interrupt=None if transmit else line,
                    data_width=64,
                )
            )
        if len(indices) == 2:
            members = (f"{direction}{indices[0]}", f"{direction}{indices[1]}")
            pairs.append(PairSpec(name, direction, monitor, members, names))
            continue
        converters.append(
            ConverterSpec(
                name,
                direction,
                int(indices),
                monitor,
                samples_per_beat=16 if transmit else 8,
                max_rate=6.554e9 if transmit else 4.096e9,
                dmas=names,
                fifo_bytes=fifo_bytes,
            )
        )
    return BoardSpec(
        "zcu111",
        "Zynq UltraScale+ RFSoC ZCU111",
        memories,
        pools,
        ports,
        tuple(dmas),
        tuple(converters),
        design="two DACs and two ADCs, each behind AXI DMA in both builds, alone and in step; an IOP",
        pairs=tuple(pairs),
        iops=(
            pynq_iop(
                1,
                _IOP,
                WindowSpec(0x8000_0000, _LOW_BYTES, PS_LOW),
                reset_pin=0,
                acknowledge_pin=1,
                interrupt=_PL_INTERRUPTS[len(dmas)],
            ),
        ),
        peripherals=(ps_gpio("ps-gpio-mp"), crl_apb(_PL_CLOCKS), crf_apb()),
        handoff=HANDOFF,
        zdmas=zdmas(
            gdma_ports={MemoryKind.PS: "GDMA", MemoryKind.PL: "HPM0"},
            adma_ports={MemoryKind.PS: "ADMA", MemoryKind.PL: "HPM0"},
        ),
    )
