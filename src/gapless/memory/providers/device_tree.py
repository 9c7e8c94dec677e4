"""What the device tree says of memory: /proc/device-tree, and ``mem=`` on the kernel's command line.

Sources: Devicetree Specification 0.4 (2.3 standard properties, 3.4 memory, 3.5 reserved memory); Linux,
Documentation/devicetree/bindings/reserved-memory and drivers/of/fdt.c (linux,usable-memory-range).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .ranges import Span, merge

TREE = "proc/device-tree"
#: Compatible strings of the memory controllers that designs have in the PL.
_PL_CONTROLLERS = ("xlnx,ddr4", "xlnx,mig")
_SUFFIX = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True)
class Node:
    """A node that describes memory: its name, label, ``compatible`` strings and ranges (``reg``)."""

    name: str
    label: str
    compatible: tuple[str, ...]
    spans: tuple[Span, ...]
    no_map: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.label})" if self.label else self.name


@dataclass(frozen=True)
class DeviceTree:
    """What the tree has on memory. All empty where there is no tree.

    Attributes:
        compatible: what the board says it is, the most exact first.
        memory: the memory of the board, as the boot loader left it.
        usable: what of it Linux may use (``/chosen/linux,usable-memory-range``); empty: all.
        reserved: the children of /reserved-memory that have an address.
        pl_memory: memory that a design has in the PL.
        limit: ``mem=`` of the kernel's command line in bytes, or None.
    """

    compatible: tuple[str, ...] = ()
    memory: tuple[Span, ...] = ()
    usable: tuple[Span, ...] = ()
    reserved: tuple[Node, ...] = ()
    pl_memory: tuple[Node, ...] = ()
    limit: int | None = None

    @classmethod
    def read(cls, root: Path = Path("/")) -> DeviceTree:
        """Of this machine, or of what stands for it."""
        top = root / TREE
        limit = _limit(root / "proc/cmdline")
        if not top.is_dir():
            return cls(limit=limit)
        memory = [node for node in _children(top) if _text(node, "device_type") == "memory"]
        reserved = [_node(node) for node in _children(top / "reserved-memory")]
        fabric = [_node(node) for bus in _children(top) if _cells(bus, "ranges") == () for node in _children(bus)]
        return cls(
            strings(top, "compatible"),
            merge(span for node in memory for span in _spans(node)),
            merge(_pairs(_cells(top / "chosen", "linux,usable-memory-range"), 2, 2)),
            tuple(node for node in reserved if node.spans),
            tuple(node for node in fabric if node.spans and _is_pl_memory(node)),
            limit,
        )


def strings(node: Path, name: str) -> tuple[str, ...]:
    """A property that is a list of strings, such as ``compatible``; empty where it is missing."""
    return tuple(part for part in _raw(node, name).decode(errors="replace").split("\0") if part)


def _is_pl_memory(node: Node) -> bool:
    return node.label == "pl-ddr" or any(name.startswith(_PL_CONTROLLERS) for name in node.compatible)


def _node(node: Path) -> Node:
    return Node(node.name, _text(node, "label"), strings(node, "compatible"), _spans(node), (node / "no-map").exists())


def _children(node: Path) -> list[Path]:
    return sorted(child for child in node.iterdir() if child.is_dir()) if node.is_dir() else []


def _spans(node: Path) -> tuple[Span, ...]:
    """Its ``reg``, in the parent's cells."""
    address, size = (_cells(node.parent, f"#{what}-cells") or (default,) for what, default in _DEFAULT_CELLS)
    return _pairs(_cells(node, "reg") or (), address[0], size[0])


#: Where a node does not say (2.3.5).
_DEFAULT_CELLS = (("address", 2), ("size", 1))


def _pairs(cells: tuple[int, ...] | None, address: int, size: int) -> tuple[Span, ...]:
    if not cells or not size or len(cells) % (address + size):
        return ()
    rows = [cells[at : at + address + size] for at in range(0, len(cells), address + size)]
    pairs = [(_number(row[:address]), _number(row[address:])) for row in rows]
    return tuple((base, base + nbytes) for base, nbytes in pairs if nbytes)


def _number(cells: tuple[int, ...]) -> int:
    return sum(cell << 32 * place for place, cell in enumerate(reversed(cells)))


def _cells(node: Path, name: str) -> tuple[int, ...] | None:
    """A property as 32-bit big-endian cells; None where it is missing."""
    if not (node / name).is_file():
        return None
    raw = _raw(node, name)
    return tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(0, len(raw), 4))


def _text(node: Path, name: str) -> str:
    return _raw(node, name).rstrip(b"\0").decode("ascii", "replace")


def _raw(node: Path, name: str) -> bytes:
    try:
        return (node / name).read_bytes()
    except OSError:
        return b""


def _limit(command_line: Path) -> int | None:
    try:
        text = command_line.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # As lib/cmdline.c, memparse(); the last one counts.
    found = re.findall(r"(?:^|\s)mem=(0x[0-9a-f]+|\d+)([KMGT]?)", text, re.IGNORECASE)
    return int(found[-1][0], 0) * _SUFFIX[found[-1][1].upper()] if found else None
