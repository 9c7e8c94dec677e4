"""The PYNQ-Z2: Zynq-7020 with 512 MiB of PS DDR3, and the design ``pynq_tutorial``.

Sources: UG585 (Zynq-7000 TRM: "System Addresses", "Interrupts": PL interrupts 61 to 68, GPIO), PG021 (AXI DMA),
PYNQ's base designs (addresses of IOPs).
"""

from __future__ import annotations

from pathlib import Path

from ..errors import BadArgumentError
from ..units import KIB, MIB, format_size
from .iop_spec import PeripheralSpec, WindowSpec, ps_gpio
from .ps_clocks import slcr
from .ps_pools import CMA_USERS, ps_cma
from .pynq_iop import pynq_iop
from .spec import BoardSpec, DmaSpec, MemoryKind, MemorySpec, PortSpec, StreamFifoSpec

HANDOFF = Path(__file__).parent / "handoff" / "designs" / "pynq_tutorial.hwh"
PS_DDR = 0x0
PS_BYTES = 512 * MIB
_DMA = 0x4040_0000
_GPIO = 0x4120_0000
_IOPS = (0x4000_0000, 0x4200_0000)
#: The first interrupt from the PL (UG585, table "PS and PL Shared Peripheral Interrupts").
_PL_INTERRUPT = 61
#: HP0: 64 bits at the PL's 100 MHz.
_HP_BANDWIDTH = 8 * 100e6


def pynq_z2(*, cma_bytes: int = 128 * MIB, fifo_bytes: int = 64 * KIB) -> BoardSpec:
    """A PYNQ-Z2 with a CMA area of ``cma_bytes``.

    Its design has two IOPs, one AXI DMA that sends and one that receives with a FIFO of ``fifo_bytes`` between them,
    and AXI GPIOs for LEDs, buttons and switches.
    """
    if cma_bytes > PS_BYTES // 2:
        raise BadArgumentError(
            f"a CMA area of {format_size(cma_bytes)}: of {format_size(PS_BYTES)} at most half, Linux lives in the rest"
        )
    ports = {MemoryKind.PS: "HP0"}
    # In PYNQ's designs each IOP sees all of the memory of the PS.
    window = WindowSpec(0x2000_0000, PS_BYTES, PS_DDR)
    return BoardSpec(
        "pynq-z2",
        "PYNQ-Z2 (Zynq-7020)",
        (MemorySpec("ps-ddr", PS_DDR, PS_BYTES, MemoryKind.PS),),
        (ps_cma(PS_DDR + PS_BYTES, cma_bytes, CMA_USERS["Zynq-7000"]),),
        (PortSpec("HP0", _HP_BANDWIDTH),),
        (
            _dma("axi_dma_from_ps_to_pl", 0, ports, mm2s_interrupt=_PL_INTERRUPT),
            _dma("axi_dma_from_pl_to_ps", 1, ports, s2mm_interrupt=_PL_INTERRUPT + 1),
        ),
        (),
        design="pynq_tutorial: two IOPs, two DMAs in loop-back through a FIFO, GPIOs",
        fifos=(StreamFifoSpec("fifo", "axi_dma_from_ps_to_pl", "axi_dma_from_pl_to_ps", fifo_bytes),),
        iops=tuple(
            pynq_iop(
                number + 1,
                base,
                window,
                reset_pin=number,
                acknowledge_pin=4 + number,
                interrupt=_PL_INTERRUPT + 2 + number,
            )
            for number, base in enumerate(_IOPS)
        ),
        peripherals=(
            ps_gpio("ps-gpio-7000"),
            slcr(),
            PeripheralSpec("btns_gpio", "axi-gpio", _GPIO, parameters={"width": 4}),
            PeripheralSpec("leds_gpio", "axi-gpio", _GPIO + 0x1_0000, parameters={"width": 4, "tristate": 0}),
            PeripheralSpec("switches_gpio", "axi-gpio", _GPIO + 0x2_0000, parameters={"width": 2}),
        ),
        handoff=HANDOFF,
    )


def _dma(
    name: str,
    number: int,
    ports: dict[MemoryKind, str],
    *,
    mm2s_interrupt: int | None = None,
    s2mm_interrupt: int | None = None,
) -> DmaSpec:
    return DmaSpec(
        name,
        _DMA + 0x1_0000 * number,
        sg=False,
        ports=ports,
        mm2s_interrupt=mm2s_interrupt,
        s2mm_interrupt=s2mm_interrupt,
        length_width=23,
        address_width=32,
        data_width=8,
        clock=100e6,
    )
