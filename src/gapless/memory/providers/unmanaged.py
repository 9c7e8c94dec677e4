"""Which memory of the board Linux leaves alone, and why it is that which a carve-out may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...boards.spec import BoardSpec, MemoryKind
from ...units import GIB, MIB, format_address, format_size
from .device_tree import DeviceTree, Node
from .iomem import Iomem
from .ranges import Span, intersect, merge, subtract, whole_pages

#: Where the PS's memory controller answers (UG1085, "System Addresses"): the tree of a virtual machine may say more.
PS_DDR: tuple[Span, ...] = ((0, 2 * GIB), (0x8_0000_0000, 0x10_0000_0000))
#: Memory that nobody names is a carve-out from this size on. Xilinx's boards keep the last MiB of the low 2 GiB
#: from Linux, for their firmware.
LEAST = 16 * MIB
#: Kernels of arm64 have pages of 4, 16 or 64 KiB: whole pages of each.
_PAGE = 64 << 10
#: In the name or label of a reserved-memory node: it was set aside for this.
_CARVE_OUT = ("carveout", "carve-out")


@dataclass(frozen=True)
class Candidate:
    """Memory that Linux does not manage: where, why, and whether it is taken (``usable``) or why not."""

    base: int
    size: int
    reason: str
    usable: bool

    def __str__(self) -> str:
        return f"{format_size(self.size)} at {format_address(self.base)}: {self.reason}"


def ps_memory(spec: BoardSpec, tree: DeviceTree) -> tuple[Span, ...]:
    """The DDR of the PS: what the board's description has, and the memory nodes of the device tree."""
    described = [(part.base, part.base + part.size) for part in spec.memories if part.kind is MemoryKind.PS]
    return intersect([*described, *tree.memory], PS_DDR)


def candidates(spec: BoardSpec, iomem: Iomem, tree: DeviceTree) -> tuple[Candidate, ...]:
    """All memory of the PS that Linux does not manage, the one to take first; see docs/memory.md, "mode 5".

    What the device tree sets aside by name comes before what is merely left over, and large before small. Memory
    that is reserved for anybody else is among them, not usable.
    """
    busy = subtract([entry.span for entry in iomem.top], iomem.no_map)
    named = [node for node in tree.reserved if _is_carve_out(node)]
    other = [node for node in tree.reserved if not _is_carve_out(node)]
    taken = merge([*busy, *(span for node in (*other, *tree.pl_memory) for span in node.spans)])
    found = [found for node in named for found in _of_node(node, taken)]
    known = [*iomem.no_map, *(span for node in named for span in node.spans)]
    found += _left_over(subtract(ps_memory(spec, tree), [*taken, *known]), tree)
    found += [
        Candidate(base, end - base, f"reserved-memory/{node} is somebody's: its name does not say carveout", False)
        for node in other
        if node.no_map
        for base, end in subtract(node.spans, busy)
    ]
    # Sorting keeps the order of equals: nodes first.
    return tuple(sorted(found, key=lambda each: (not each.usable, each.reason.startswith(_LEFT), -each.size)))


_LEFT = "left over"


def _is_carve_out(node: Node) -> bool:
    named = any(word in text.lower() for word in _CARVE_OUT for text in (node.name, node.label))
    # A driver of the kernel's takes memory of a kind that it knows, such as shared-dma-pool.
    return named and not node.compatible


def _of_node(node: Node, taken: Iterable[Span]) -> Iterator[Candidate]:
    free = subtract(node.spans, taken)
    for span in free:
        base, end = whole_pages(span, _PAGE)
        if base < end:
            yield Candidate(base, end - base, f"reserved-memory/{node} of the device tree", True)
    if not free:
        base, end = merge(node.spans)[0]
        why = "somebody else has it, too" if node.no_map else "it has no no-map, so that Linux maps it"
        yield Candidate(base, end - base, f"reserved-memory/{node}: {why}", False)


def _left_over(spans: Iterable[Span], tree: DeviceTree) -> Iterator[Candidate]:
    why = _why(tree)
    for span in spans:
        base, end = whole_pages(span, _PAGE)
        if end - base >= LEAST:
            yield Candidate(base, end - base, f"{_LEFT}: {why}", True)
        elif base < end:
            yield Candidate(base, end - base, f"{_LEFT}, and less than {format_size(LEAST)}: firmware's", False)


def _why(tree: DeviceTree) -> str:
    if tree.usable:
        return "not in /chosen/linux,usable-memory-range"
    if tree.limit is not None:
        return f"beyond mem={format_size(tree.limit)} of the kernel's command line"
    return "DDR of the board that the kernel was not told of"
