"""What is in the registers of the IP that gapless knows, in the form of PYNQ's metadata.

Sources: PG144 (AXI GPIO) and PG021 (AXI DMA), "Register Space".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_BOTH = "read-write"
#: A register: its name, offset and access, and of each field the name, first bit and width.
_Row = tuple[str, int, str, tuple[tuple[str, int, int], ...]]

_AXI_GPIO: tuple[_Row, ...] = (
    ("GPIO_DATA", 0x000, _BOTH, ()),
    ("GPIO_TRI", 0x004, _BOTH, ()),
    ("GPIO2_DATA", 0x008, _BOTH, ()),
    ("GPIO2_TRI", 0x00C, _BOTH, ()),
    ("GIER", 0x11C, _BOTH, (("Global_Interrupt_Enable", 31, 1),)),
    ("IP_ISR", 0x120, _BOTH, (("Channel_1_Interrupt_Status", 0, 1), ("Channel_2_Interrupt_Status", 1, 1))),
    ("IP_IER", 0x128, _BOTH, (("Channel_1_Interrupt_Enable", 0, 1), ("Channel_2_Interrupt_Enable", 1, 1))),
)

_DMACR = (
    ("RS", 0, 1),
    ("Reset", 2, 1),
    ("Keyhole", 3, 1),
    ("Cyclic_BD_Enable", 4, 1),
    ("IOC_IrqEn", 12, 1),
    ("Dly_IrqEn", 13, 1),
    ("Err_IrqEn", 14, 1),
    ("IRQThreshold", 16, 8),
    ("IRQDelay", 24, 8),
)
_DMASR = (
    ("Halted", 0, 1),
    ("Idle", 1, 1),
    ("SGIncld", 3, 1),
    ("DMAIntErr", 4, 1),
    ("DMASlvErr", 5, 1),
    ("DMADecErr", 6, 1),
    ("SGIntErr", 8, 1),
    ("SGSlvErr", 9, 1),
    ("SGDecErr", 10, 1),
    ("IOC_Irq", 12, 1),
    ("Dly_Irq", 13, 1),
    ("Err_Irq", 14, 1),
    ("IRQThresholdSts", 16, 8),
    ("IRQDelaySts", 24, 8),
)


def _dma_channel(name: str, base: int, address: str) -> Iterator[_Row]:
    yield f"{name}_DMACR", base, _BOTH, _DMACR
    yield f"{name}_DMASR", base + 0x04, _BOTH, _DMASR
    yield f"{name}_CURDESC", base + 0x08, _BOTH, (("Current_Descriptor_Pointer", 6, 26),)
    yield f"{name}_CURDESC_MSB", base + 0x0C, _BOTH, ()
    yield f"{name}_TAILDESC", base + 0x10, _BOTH, (("Tail_Descriptor_Pointer", 6, 26),)
    yield f"{name}_TAILDESC_MSB", base + 0x14, _BOTH, ()
    yield f"{name}_{address}", base + 0x18, _BOTH, ()
    yield f"{name}_{address}_MSB", base + 0x1C, _BOTH, ()
    yield f"{name}_LENGTH", base + 0x28, _BOTH, (("Length", 0, 26),)


_TABLES: dict[str, tuple[_Row, ...]] = {
    "axi_gpio": _AXI_GPIO,
    "axi_dma": (*_dma_channel("MM2S", 0x00, "SA"), *_dma_channel("S2MM", 0x30, "DA")),
}


def registers_of(kind: str) -> dict[str, Any]:
    """The registers of an IP by its type (``xilinx.com:ip:axi_gpio:2.0``); empty for one that is not known."""
    library, _, version = kind.partition(":ip:")
    table = _TABLES.get(version.partition(":")[0], ()) if library == "xilinx.com" else ()
    return {name: _register(name, offset, access, fields) for name, offset, access, fields in table}


def _register(name: str, offset: int, access: str, fields: tuple[tuple[str, int, int], ...]) -> dict[str, Any]:
    described = {
        field: {"bit_offset": first, "bit_width": width, "access": access, "description": field.replace("_", " ")}
        for field, first, width in fields
    }
    return {"address_offset": offset, "access": access, "size": 32, "description": name, "fields": described}
