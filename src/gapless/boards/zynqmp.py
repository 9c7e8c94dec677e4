"""What every Zynq UltraScale+ MPSoC and RFSoC has in its processing system.

Sources: UG1085 ("System Addresses", "System Interrupts", "DMA Controller"), UG1087 (ZDMA), DS926 (clocks).
"""

from __future__ import annotations

from collections.abc import Mapping

from .spec import MemoryKind, ZdmaSpec

GDMA = 0xFD50_0000
ADMA = 0xFFA8_0000
_STRIDE = 0x1_0000
_CHANNELS = 8
#: GIC interrupt IDs of channel 0 (UG1085, "System Interrupts").
_GDMA_INTERRUPT, _ADMA_INTERRUPT = 156, 109
#: 128 bits at 600 MHz and 64 bits at 500 MHz (DS926, "PS Switching Characteristics"), in B/s.
GDMA_BANDWIDTH = 16 * 600e6
ADMA_BANDWIDTH = 8 * 500e6


def zdmas(
    *, gdma_ports: Mapping[MemoryKind, str] | None = None, adma_ports: Mapping[MemoryKind, str] | None = None
) -> tuple[ZdmaSpec, ...]:
    """The 8 GDMA channels (full-power domain, 128 bits) and the 8 ADMA channels (low-power domain, 64 bits).

    The ports name, for a virtual board, the memory ports that the channels of each controller share.
    """
    kinds = (
        ("gdma", GDMA, _GDMA_INTERRUPT, 128, gdma_ports or {}),
        ("adma", ADMA, _ADMA_INTERRUPT, 64, adma_ports or {}),
    )
    return tuple(
        ZdmaSpec(f"{name}{number}", base + _STRIDE * number, interrupt + number, width, ports)
        for name, base, interrupt, width, ports in kinds
        for number in range(_CHANNELS)
    )
