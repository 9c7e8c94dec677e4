"""QEMU's xlnx-zcu102 with 34 GiB, and gapless pools on its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from gapless.boards.zynqmp import zdmas
from gapless.dma import Zdma
from gapless.memory import MappedRegion, Pool, RangePool

from .qtest import Qtest, SharedRam, find_qemu

GIB = 1 << 30
LOW, HIGH = 0x0, 0x8_0000_0000
RANGES = ((LOW, 2 * GIB), (HIGH, 32 * GIB))
#: Bytes at three places: below 4 GiB, beyond 35 bits of address, and at the very end, beyond 36.
PLACES = {"low": 0x1000_0000, "high": 0x9_0000_0000, "top": 0xF_F000_0000}
POOL_BYTES = 64 << 20


def pools(ram: SharedRam) -> dict[str, Pool]:
    regions = []
    start = 0
    for base, nbytes in RANGES:
        regions.append(MappedRegion(f"ddr@{base:#x}", base, nbytes, ram, offset=start))
        start += nbytes
    return {
        name: RangePool(next(r for r in regions if r.base <= base < r.base + r.size), base, POOL_BYTES, name=name)
        for name, base in PLACES.items()
    }


@contextmanager
def zcu102() -> Iterator[tuple[Qtest, SharedRam]]:
    """The machine and its memory; interrupt lines are the inputs of its GIC, 32 below the GIC's own numbers."""
    ram = SharedRam(RANGES)
    arguments = [
        find_qemu("qemu-system-aarch64"),
        *("-M", "xlnx-zcu102,memory-backend=ram"),
        *("-object", f"memory-backend-file,id=ram,size={ram.size},mem-path={{ram}},share=on"),
        *("-global", "cortex-a53-arm-cpu.start-powered-off=on"),
    ]
    with Qtest(arguments, "/machine/soc/gic", ram=ram) as machine:
        yield machine, ram


def zdma(machine: Qtest, pool: Pool) -> Zdma:
    specs = (replace(spec, interrupt=spec.interrupt - 32) for spec in zdmas())
    return Zdma(machine, specs, pool=pool)
