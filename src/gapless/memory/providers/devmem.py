"""Memory that Linux leaves alone, through /dev/mem: carve-outs (mode 5), the PL's (modes 2 and 3), or any address."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...boards.spec import BoardSpec, MemoryKind
from ...errors import AddressError, BadArgumentError, GaplessError
from ...units import MIB, format_address, format_size
from ..buffer import Buffer
from ..pool import Pool
from ..range_pool import RangePool
from .availability import Unavailable
from .device_tree import DeviceTree
from .iomem import ROOT_FIX, ROOT_NEEDED, Iomem
from .physical_region import not_a_zynqmp, open_dev_mem, physical_region, raised
from .ranges import Span, total, whole_pages
from .unmanaged import candidates, ps_memory

_PAGE = 64 << 10  # whole pages of any arm64 kernel
_HOW = (
    "keep memory from Linux: a node in /reserved-memory with no-map and carveout in its name or label, "
    "/chosen/linux,usable-memory-range, or mem= on the kernel's command line"
)


def carve_out(spec: BoardSpec, *, root: Path = Path("/"), claims: Any = None) -> RangePool | Unavailable:
    """Mode 5: the pool ``ps-carveout`` on DDR of the PS that Linux does not manage; Device memory.

    Args:
        spec: the board; it says how much DDR there is, besides the device tree.
        root: where /proc and /dev are.
        claims: where programs that share the memory tell each other what they have.
    """
    iomem, tree = Iomem.read(root), DeviceTree.read(root)
    if (other := not_a_zynqmp(tree.compatible)) is not None:
        return other
    if not iomem.readable:
        return Unavailable(ROOT_NEEDED, ROOT_FIX)
    found = candidates(spec, iomem, tree)
    if not found or not found[0].usable:
        size = format_size(total(ps_memory(spec, tree)))
        rest = "; ".join(str(candidate) for candidate in found)
        return Unavailable(f"Linux manages all of the board's {size}" + (f", but for {rest}" if rest else ""), _HOW)
    chosen = found[0]
    about = f"PS memory that Linux does not manage, by /dev/mem; {chosen.reason}"
    return _pool("ps-carveout", chosen.base, chosen.size, MemoryKind.PS, about, root, claims)


def pl_memory(spec: BoardSpec, *, root: Path = Path("/"), claims: Any = None) -> RangePool | Unavailable:
    """Modes 2 and 3: the pool ``pl-ddr`` on the memory of the PL; Device memory. Arguments as of :func:`carve_out`.

    Its range is the board's, or, where that has none, the device tree's (docs/memory.md, "modes 2 and 3").
    """
    iomem, tree = Iomem.read(root), DeviceTree.read(root)
    if (other := not_a_zynqmp(tree.compatible)) is not None:
        return other
    if not iomem.readable:
        return Unavailable(ROOT_NEEDED, ROOT_FIX)
    place = _pl_place(spec, tree)
    if place is None:
        return Unavailable(
            f"{spec.title} has no PL memory, and no node of the device tree names one",
            "a design with a DDR4 controller, and its node in the device tree (label pl-ddr)",
        )
    if (state := _fpga_state(root)) not in ("", "operating"):
        # An access to a PL without a design is never answered: the CPU would hang.
        return Unavailable(
            f"no design is in the PL (the FPGA manager says {state!r})", "load a bitstream with PL memory"
        )
    (base, end), source = place
    try:
        iomem.refuse_used(base, end - base)
    except AddressError as error:
        return Unavailable(str(error), "keep it out of the memory nodes of the device tree")
    return _pool("pl-ddr", base, end - base, MemoryKind.PL, f"memory of the PL, by /dev/mem; {source}", root, claims)


def map_physical(
    base: int, nbytes: int, *, root: Path = Path("/"), claims: Any = None, pools: Iterable[Pool] = ()
) -> Buffer:
    """Mode 3, by address: a buffer (uint8, shape (nbytes,)) on ``nbytes`` of physical memory from ``base`` on.

    For memory outside ``pools``, such as what a design has in the PL. Whether anything answers there is the
    caller's to know: an access to nothing ends the process with SIGBUS, or hangs the board.

    Args:
        base, nbytes: bytes, at any alignment.
        root, claims: as of :func:`carve_out`.
        pools: those of the board: what is in one is allocated there.

    Raises:
        BadArgumentError: no such range can be.
        AddressError: Linux, a driver, a pool or another program has part of it; the message names it.
        AccessDeniedError: not root, or the kernel refuses.
    """
    if base < 0 or nbytes < 1 or base + nbytes > 1 << 63:
        raise BadArgumentError(f"{nbytes} bytes at address {base}: there is no such memory")
    asked = f"{format_size(nbytes)} at {format_address(base)}"
    first, end = base // _PAGE * _PAGE, -(-(base + nbytes) // _PAGE) * _PAGE
    for pool in pools:
        if isinstance(pool, RangePool) and pool.base < base + nbytes and base < pool.base + pool.size:
            raise AddressError(f"{asked} is in pool {pool.name}: allocate it there, with address=")
    Iomem.read(root).refuse_used(base, nbytes)
    descriptor = open_dev_mem(root)
    if isinstance(descriptor, Unavailable):
        raise raised(descriptor, f"{asked} (mode 3, /dev/mem)")
    try:
        region = physical_region("physical memory", first, end - first, MemoryKind.PL, descriptor)
    finally:
        os.close(descriptor)
    unit = min(64, base & -base) if base else 64
    only = RangePool(region, first, end - first, name="physical memory", granularity=unit, claims=claims)
    return only.allocate(nbytes, np.uint8, align=1, address=base)


def _pool(
    name: str, base: int, size: int, kind: MemoryKind, about: str, root: Path, claims: Any
) -> RangePool | Unavailable:
    descriptor = open_dev_mem(root)
    if isinstance(descriptor, Unavailable):
        return descriptor
    try:
        region = physical_region(name, base, size, kind, descriptor)
    except GaplessError as error:
        return Unavailable(str(error), "")
    finally:
        os.close(descriptor)
    return RangePool(region, base, size, name=name, about=about, claims=claims)


def _pl_place(spec: BoardSpec, tree: DeviceTree) -> tuple[Span, str] | None:
    places = [((part.base, part.base + part.size), spec.title) for part in spec.memories if part.kind is MemoryKind.PL]
    places += [(span, f"{node} of the device tree") for node in tree.pl_memory for span in node.spans]
    for span, source in places:
        base, end = whole_pages(span, _PAGE)
        if end - base >= MIB:
            return (base, end), source
    return None


def _fpga_state(root: Path) -> str:
    """Of the first FPGA manager; empty where there is none."""
    for path in sorted((root / "sys/class/fpga_manager").glob("*/state")):
        return path.read_text(encoding="ascii", errors="replace").strip()
    return ""
