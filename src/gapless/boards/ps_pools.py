"""What Linux on the PS leaves for DMA, as the virtual boards have it: its CMA area, and what it does not manage."""

from __future__ import annotations

from collections.abc import Mapping

from ..units import GIB, KIB, MIB
from .spec import MemoryKind, PoolSpec

#: Where other drivers of a running kernel hold parts of the CMA area, by family: (offset, size). Of a Zynq UltraScale+
#: 7 MiB of 128, in places that leave a largest block of 96 MiB.
CMA_USERS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "Zynq-7000": ((0, 2 * MIB), (5 * MIB, MIB)),
    "Zynq UltraScale+": ((0, 4 * MIB), (12 * MIB, MIB), (20 * MIB, MIB), (31 * MIB, MIB)),
}
#: The kernel's low memory ends here at most, by family: 768 MiB of 32-bit Arm (Linux, Documentation/arch/arm/memory);
#: what has 32-bit addresses.
LOW_MEMORY: Mapping[str, int] = {"Zynq-7000": 768 * MIB, "Zynq UltraScale+": 4 * GIB}
_LINUX_BYTES = (
    4 * GIB
)  # what Linux manages of a Zynq UltraScale+'s memory; the rest of a larger SODIMM is the carve-out
_LOW_BYTES = 2 * GIB


def ps_cma(end: int, size: int, users: tuple[tuple[int, int], ...]) -> PoolSpec:
    """``size`` bytes that end at physical ``end``, where the kernel puts them: at the top of the low memory.

    ``users`` are (offset, size) of what other drivers of a running kernel hold of it, where it is large enough.
    """
    return PoolSpec(
        "ps-cma",
        end - size,
        size,
        MemoryKind.PS,
        granularity=4 * KIB,
        other_users=tuple((at, length) for at, length in users if at + length <= size),
        size_alignment_limit=MIB,
        about="PS memory that Linux lends: contiguous, in pages, shared with its drivers",
    )


def ps_carveout(base: int, size: int) -> PoolSpec:
    """What is above Linux's memory in the upper part of a Zynq UltraScale+'s, ``size`` bytes from ``base`` on.

    It may be empty.
    """
    carveout = max(0, _LOW_BYTES + size - _LINUX_BYTES)
    return PoolSpec(
        "ps-carveout",
        base + size - carveout,
        carveout,
        MemoryKind.PS,
        about="PS memory above the 4 GiB that Linux manages"
        + ("" if carveout else ": none of this size (virtual:zcu111?ps=32GiB has 28 GiB)"),
    )
