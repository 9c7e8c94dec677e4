"""What a design has, under the names that PYNQ's metadata gives it."""

from __future__ import annotations

from typing import Any

from ...boards import BoardSpec, IopSpec
from ...boards.iop_spec import PeripheralSpec
from .register_tables import registers_of

#: The type of an IP by the kind that its description gives.
IP_TYPES = {
    "axi-gpio": "xilinx.com:ip:axi_gpio:2.0",
    "axi-timer": "xilinx.com:ip:axi_timer:2.0",
    "axi-intc": "xilinx.com:ip:axi_intc:4.1",
    "uart-lite": "xilinx.com:ip:axi_uartlite:2.0",
    "axi-iic": "xilinx.com:ip:axi_iic:2.0",
    "quad-spi": "xilinx.com:ip:axi_quad_spi:3.2",
}
#: What Vivado calls their interrupt outputs.
_INTERRUPT_OUTPUTS = {
    "axi-gpio": "ip2intc_irpt",
    "axi-timer": "interrupt",
    "axi-intc": "irq",
    "uart-lite": "interrupt",
    "axi-iic": "iic2intc_irpt",
    "quad-spi": "ip2intc_irpt",
}
_BRAM_TYPE, _DMA_TYPE = "xilinx.com:ip:axi_bram_ctrl:4.0", "xilinx.com:ip:axi_dma:7.1"
#: Vivado gives the registers of an IP this much of the address map, unless it needs more.
_RANGE = 0x1_0000


def mb_info(iop: IopSpec) -> dict[str, str]:
    """What PYNQ's wrappers of MicroBlaze programs are given: which IOP, and the names of its wires."""
    return {
        "ip_name": f"{iop.name}/mb_bram_ctrl",
        "rst_name": f"mb_{iop.name}_reset",
        "intr_pin_name": f"{iop.name}/dff_en_reset_vector_0/q",
        "intr_ack_name": f"mb_{iop.name}_intr_ack",
        "mb_type": "Pmod",
    }


def pl_peripherals(spec: BoardSpec) -> list[PeripheralSpec]:
    """The peripherals of the design; the PS has its own."""
    return [part for part in spec.peripherals if part.kind in IP_TYPES]


def ip_dict(spec: BoardSpec) -> dict[str, dict[str, Any]]:
    """Every IP that the processor reaches: name to ``phys_addr``, ``addr_range`` (bytes), ``type`` and others."""
    found = {}
    for dma in spec.dmas:
        parameters = {
            "C_INCLUDE_SG": int(dma.sg),
            "C_INCLUDE_MM2S": int(dma.mm2s_interrupt is not None),
            "C_INCLUDE_S2MM": int(dma.s2mm_interrupt is not None),
            "C_SG_LENGTH_WIDTH": dma.length_width,
        }
        found[dma.name] = _ip(dma.name, dma.base, _RANGE, _DMA_TYPE, parameters)
    for part in pl_peripherals(spec):
        parameters = {f"C_{name.upper()}": int(value) for name, value in part.parameters.items()}
        found[part.name] = _ip(part.name, part.base, _RANGE, IP_TYPES[part.kind], parameters)
    for iop in spec.iops:
        name = mb_info(iop)["ip_name"]
        found[name] = _ip(name, iop.base, iop.size, _BRAM_TYPE, {})
    for pin, where in interrupt_pins(spec).items():
        name, _, output = pin.rpartition("/")
        if name in found:
            found[name]["interrupts"][output] = where
    return found


def gpio_dict(spec: BoardSpec) -> dict[str, dict[str, Any]]:
    """The pins of the PS's GPIO that lead into the design, counted from the first of them."""
    found: dict[str, dict[str, Any]] = {}
    for iop in spec.iops:
        names = mb_info(iop)
        found[names["rst_name"]] = {"index": iop.reset_pin, "state": None}
        found[names["intr_ack_name"]] = {"index": iop.acknowledge_pin, "state": None}
    return found


def interrupt_pins(spec: BoardSpec) -> dict[str, dict[str, Any]]:
    """Interrupt outputs of the design and the line of the PS (as its manual counts) that each drives."""
    found: dict[str, int | None] = {}
    for dma in spec.dmas:
        found[f"{dma.name}/mm2s_introut"] = dma.mm2s_interrupt
        found[f"{dma.name}/s2mm_introut"] = dma.s2mm_interrupt
    for iop in spec.iops:
        found[mb_info(iop)["intr_pin_name"]] = iop.interrupt
    for part in pl_peripherals(spec):
        found[f"{part.name}/{_INTERRUPT_OUTPUTS[part.kind]}"] = part.interrupt
    return {name: {"controller": "", "index": line} for name, line in found.items() if line is not None}


def _ip(name: str, base: int, size: int, kind: str, parameters: dict[str, int]) -> dict[str, Any]:
    return {
        "fullpath": name,
        "type": kind,
        "phys_addr": base,
        "addr_range": size,
        "parameters": {key: str(value) for key, value in parameters.items()},
        "registers": registers_of(kind),
        "interrupts": {},
        "gpio": {},
        "state": None,
    }
