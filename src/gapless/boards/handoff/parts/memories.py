"""Memories and pools: the DDR of the PS, and what memory a design has in the PL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....errors import BadArgumentError
from ....units import GIB, KIB, MIB, format_size
from ...ps_pools import CMA_USERS, LOW_MEMORY, ps_carveout, ps_cma
from ...spec import MemoryKind, MemorySpec, PoolSpec
from ..design import Design, Memory
from ..ps import PS_HIGH, PS_SIZES, ps_ddr

#: A pool in less than a page would hold hardly a buffer.
_LEAST_POOL = 4 * KIB
#: The addresses of the larger PS have 40 bits (UG1085, "System Addresses").
_ADDRESSES = 1 << 40


def memories(design: Design, ps_bytes: int | None, programs: Iterable[str]) -> tuple[MemorySpec, ...]:
    """Everything that the PS sees as memory; ``programs`` name the memories of soft processors, which are theirs.

    ``ps_bytes``: another size of the PS's memory than the design was made for, such as a larger SODIMM.
    """
    own = set(programs)
    found = [MemorySpec(part.name, part.base, part.size, MemoryKind.PS) for part in _ps(design, ps_bytes)]
    names = pl_ddr_names(design)
    for part in design.memories.values():
        if part.kind != "ps-ddr" and part.name not in own:
            if part.base + part.size > _ADDRESSES:
                raise BadArgumentError(
                    f"{design.path}: {part.name} is beyond the PS's 40-bit addresses: export it again"
                )
            found.append(MemorySpec(names.get(part.name, part.name), part.base, part.size, MemoryKind.PL))
    return tuple(found)


def pl_ddr_names(design: Design) -> dict[str, str]:
    """From PYNQ's names of the DDR in the PL to ours: "pl-ddr" where there is one only."""
    names = [part.name for part in design.memories.values() if part.kind == "pl-ddr"]
    return {names[0]: "pl-ddr"} if len(names) == 1 else {name: name for name in names}


def pools(design: Design, spaces: Iterable[MemorySpec], family: str, cma_bytes: int) -> Iterator[PoolSpec]:
    """The CMA area, the carve-out above what Linux manages, and a pool in each memory of the PL."""
    named = {part.base: part for part in design.memories.values()}
    for space in spaces:
        if space.kind is MemoryKind.PL:
            if space.size >= _LEAST_POOL:
                part = named[space.base]
                yield PoolSpec(space.name, space.base, space.size, MemoryKind.PL, about=_about(part))
        elif space.base >= PS_HIGH:
            yield ps_carveout(PS_HIGH, space.size)
        else:
            end = min(space.base + space.size, LOW_MEMORY[family])
            most = min(space.size // 2, GIB)
            if not 0 < cma_bytes <= most or cma_bytes % MIB:
                raise BadArgumentError(
                    f"a CMA area of {format_size(cma_bytes)}: it is whole MiB, and of the {format_size(space.size)} of "
                    f"{design.name} at most {format_size(most)}, since Linux lives in the rest"
                )
            yield ps_cma(end, cma_bytes, CMA_USERS[family])


def _ps(design: Design, ps_bytes: int | None) -> Iterable[Memory]:
    made_for = [part for part in design.memories.values() if part.kind == "ps-ddr"]
    if not made_for:
        raise BadArgumentError(
            f"{design.path}: it does not say how much memory the PS has (PCW_DDR_RAM_HIGHADDR or "
            "PSU_DDR_RAM_HIGHADDR): export it again"
        )
    kind = design.blocks[design.ps].kind
    least, most = PS_SIZES[kind]
    if ps_bytes is None:
        if (size := sum(part.size for part in made_for)) > most:
            raise BadArgumentError(
                f"{design.path}: {format_size(size)} of memory of the PS, which has {format_size(most)} at most: "
                "export it again"
            )
        return made_for
    if not least <= ps_bytes <= most or ps_bytes % least:
        raise BadArgumentError(
            f"ps={format_size(ps_bytes)}: the PS of {design.name} has from {format_size(least)} to {format_size(most)} "
            f"of memory, in steps of {format_size(least)}"
        )
    return ps_ddr(kind, ps_bytes)


def _about(part: Memory) -> str:
    return f"DDR of the PL ({part.name})" if part.kind == "pl-ddr" else f"{part.kind} in the PL"
