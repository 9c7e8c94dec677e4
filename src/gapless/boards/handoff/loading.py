"""A hand-off put together: from the file to a Design."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from ...errors import BadArgumentError
from ...units import format_address
from .design import AddressRange, Block, Design, Memory, addressed
from .document import parse
from .gpio import gpio_pins
from .interrupts import Interrupts, controller_inputs
from .modules import block_names, make_block, memory_map
from .netlist import Netlist
from .ps import FAMILIES, clocks, ps_memories
from .source import read_source
from .streams import streams

#: A part of the design that is built, and described, by itself: its addresses are given again for what is in it.
_CONTAINER = "BLOCK_CONTAINER"
_PL_DDR = frozenset({"ddr3", "ddr4", "mig_7series"})


def load_design(path: Path) -> Design:
    """See :meth:`Design.load`."""
    source = read_source(path)
    title = source.title
    root = parse(source.data, title)
    if root.tag != "EDKSYSTEM":
        raise BadArgumentError(f"{title} is XML, but no hardware hand-off: it begins with {root.tag}, not EDKSYSTEM")
    modules = root.findall("MODULES/MODULE")
    names = block_names(modules, title)
    processors = [module for module in modules if module.get("MODTYPE") in FAMILIES]
    if len(processors) != 1:
        raise BadArgumentError(
            f"{title} has {len(processors) or 'no'} blocks of kind {' or '.join(FAMILIES)}: "
            "a design for a Zynq-7000 or Zynq UltraScale+ has one"
        )
    ps_name = names[processors[0].get("INSTANCE", "")]
    ps = FAMILIES[processors[0].get("MODTYPE", "")]
    containers = frozenset(m.get("INSTANCE", "") for m in modules if m.get("BDTYPE") == _CONTAINER)
    netlist = Netlist(root, modules, names)
    seen = {names[m.get("INSTANCE", "")]: tuple(memory_map(m, names, containers, title)) for m in modules}
    _check_overlaps(seen[ps_name], title)
    blocks = {
        name: make_block(module, name, tuple(r for r in seen[ps_name] if r.block == name), seen[name], netlist)
        for module, name in zip(modules, names.values(), strict=True)
    }
    interrupts = Interrupts(netlist, ps_name, ps)
    info = root.find("SYSTEMINFO")
    about = {} if info is None else info.attrib
    device, part = _part(about)
    return Design(
        name=about.get("NAME", path.stem),
        device=device,
        part=part,
        board=about.get("BOARD", ""),
        tool_version=root.get("VIVADOVERSION", ""),
        path=path,
        bitstream=source.bitstream,
        ps=ps_name,
        blocks=blocks,
        memories={memory.name: memory for memory in _memories(blocks, ps_name)},
        interrupts=interrupts.pins,
        interrupt_controllers=interrupts.controllers,
        gpio={pin.name: pin for pin in gpio_pins(netlist, ps_name, ps)},
        clocks=tuple(clocks(ps, blocks[ps_name].parameters)),
        streams=tuple(streams(tuple(blocks.values()), root)),
        controller_inputs=dict(controller_inputs(netlist)),
        hierarchies=_hierarchies(blocks),
    )


def _part(about: Mapping[str, str]) -> tuple[str, str]:
    """The device and the part. Of a Zynq-7000 Vivado leaves out the xc, and writes the package without a dash."""
    device, package, speed = (about.get(name, "") for name in ("DEVICE", "PACKAGE", "SPEEDGRADE"))
    if device.startswith("7z"):
        return f"xc{device}", f"xc{device}{package}{speed}"
    return device, f"{device}-{package}{speed}"


def _check_overlaps(ranges: Iterable[AddressRange], title: str) -> None:
    """BadArgumentError when two blocks answer at one address: a read would give either, or a bus error."""
    ordered = sorted(ranges, key=lambda item: (item.base, item.high))
    last: AddressRange | None = None
    for item in ordered:
        if last is not None and item.base <= last.high and item.block != last.block:
            raise BadArgumentError(
                f"{title}: {last.block} and {item.block} are both at {format_address(item.base)}: "
                "give each its own addresses (Vivado, Address Editor) and export it again"
            )
        if last is None or item.high > last.high:
            last = item


def _memories(blocks: Mapping[str, Block], ps_name: str) -> Iterator[Memory]:
    yield from ps_memories(blocks[ps_name].kind, blocks[ps_name].parameters)
    for name, block, item in addressed(blocks.values()):
        if item.memory_type == "memory":
            yield Memory(name, item.base, item.size, _memory_kind(block))


def _memory_kind(block: Block) -> Literal["pl-ddr", "bram", "memory"]:
    if block.kind in _PL_DDR:
        return "pl-ddr"
    return "bram" if "bram" in block.kind else "memory"


def _hierarchies(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in names:
        inner = name
        while outer := inner.rpartition("/")[0]:
            inside = found.setdefault(outer, [])
            if inner not in inside:
                inside.append(inner)
            inner = outer
    return {name: tuple(inside) for name, inside in found.items()}
