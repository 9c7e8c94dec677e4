"""A device-tree overlay that has the kernel load a bitstream.

Source: Devicetree Specification 0.4, chapter 5 (flattened format); Linux,
Documentation/devicetree/bindings/fpga/fpga-region.yaml.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from ..errors import UnsupportedError

_BEGIN_NODE, _END_NODE, _PROPERTY, _END = 1, 2, 3, 9
_MAGIC, _VERSION, _COMPATIBLE_WITH, _HEADER_BYTES = 0xD00D_FEED, 17, 16, 40


def find_region(tree: Path) -> str:
    """Path of the node that stands for the whole PL (``compatible = "fpga-region"``) below ``tree``, /proc/device-tree.

    UnsupportedError when there is none.
    """
    for folder, names, files in os.walk(tree):
        names.sort()
        if "compatible" in files and b"fpga-region" in (Path(folder) / "compatible").read_bytes().split(b"\0"):
            return "/" + str(Path(folder).relative_to(tree))
    raise UnsupportedError("the device tree has no fpga-region: this kernel knows of no PL to load")


def make_overlay(target: str, firmware: str, *, partial: bool = False) -> bytes:
    """A .dtbo that gives the node ``target`` the bitstream ``firmware``."""
    tree = _Tree()
    for name in ("", "fragment@0"):
        tree.begin(name)
    tree.property("target-path", target.encode() + b"\0")
    tree.begin("__overlay__")
    tree.property("firmware-name", firmware.encode() + b"\0")
    if partial:
        tree.property("partial-fpga-config", b"")
    for _ in range(3):
        tree.end()
    return tree.blob()


class _Tree:
    """Writes the structure block; property names go into the strings block."""

    def __init__(self) -> None:
        self._structure, self._strings = bytearray(), bytearray()

    def begin(self, name: str) -> None:
        self._put(struct.pack(">I", _BEGIN_NODE) + name.encode() + b"\0")

    def property(self, name: str, value: bytes) -> None:
        self._put(struct.pack(">III", _PROPERTY, len(value), len(self._strings)) + value)
        self._strings += name.encode() + b"\0"

    def end(self) -> None:
        self._put(struct.pack(">I", _END_NODE))

    def blob(self) -> bytes:
        structure = bytes(self._structure) + struct.pack(">I", _END)
        reserved = bytes(16)  # the list of reserved memory: its end and nothing else
        at_structure = _HEADER_BYTES + len(reserved)
        at_strings = at_structure + len(structure)
        total = at_strings + len(self._strings)
        header = struct.pack(
            ">10I",
            _MAGIC,
            total,
            at_structure,
            at_strings,
            _HEADER_BYTES,
            _VERSION,
            _COMPATIBLE_WITH,
            0,  # the processor that boots
            len(self._strings),
            len(structure),
        )
        return header + reserved + structure + bytes(self._strings)

    def _put(self, data: bytes) -> None:
        self._structure += data + bytes(-len(data) % 4)
