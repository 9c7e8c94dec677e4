"""AXI4-Streams, followed from what makes them to what ends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from .design import Block, Stream, StreamEnd

#: Blocks that pass a stream on, whole or in parts (PG085, "AXI4-Stream Infrastructure IP Suite"; PG035, the
#: interconnect of older designs). Everything else makes or ends streams.
PASSING = frozenset(
    {
        "axis_broadcaster",
        "axis_clock_converter",
        "axis_combiner",
        "axis_data_fifo",
        "axis_dwidth_converter",
        "axis_interconnect",
        "axis_register_slice",
        "axis_subset_converter",
        "axis_switch",
    }
)


def streams(blocks: Iterable[Block], root: Element) -> Iterator[Stream]:
    """Every stream of a design once, even where it takes two ways to the same end."""
    passing = {block.name: block for block in blocks if block.kind in PASSING}
    sinks: dict[str, list[StreamEnd]] = {}
    sources: list[tuple[StreamEnd, str]] = []
    for block in blocks:
        for item in block.interfaces.values():
            if item.protocol != "axis" or not item.bus:
                continue
            end = StreamEnd(block.name, item.name)
            if not item.master:
                sinks.setdefault(item.bus, []).append(end)
            elif block.name not in passing:
                sources.append((end, item.bus))
    made_inside = {item.bus for block in blocks for item in block.interfaces.values() if item.master}
    for outside in root.iterfind("EXTERNALINTERFACES/BUSINTERFACE"):
        # It has no VLNV: it is a stream when the bus is one inside. A sender outside is what no block inside makes.
        bus, end = outside.get("BUSNAME", ""), StreamEnd("", outside.get("NAME", ""))
        if bus in sinks and bus not in made_inside:
            sources.append((end, bus))
        else:
            sinks.setdefault(bus, []).append(end)
    found = (
        Stream(source, sink, through) for source, bus in sources for sink, through in _ends(bus, sinks, passing, ())
    )
    yield from dict.fromkeys(found)


def _ends(
    bus: str, sinks: dict[str, list[StreamEnd]], passing: dict[str, Block], through: tuple[str, ...]
) -> Iterator[tuple[StreamEnd, tuple[str, ...]]]:
    for end in sinks.get(bus, ()):
        if end.block not in passing:
            yield end, through
        elif end.block not in through:
            for item in passing[end.block].interfaces.values():
                if item.protocol == "axis" and item.master and item.bus:
                    yield from _ends(item.bus, sinks, passing, (*through, end.block))
