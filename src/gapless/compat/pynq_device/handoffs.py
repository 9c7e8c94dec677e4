"""From the name of a bitstream to what PYNQ's own parser says of its design."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pynq.pl_server.hwh_parser import HWH

from ... import boards
from ...boards.handoff import Design
from ...boards.handoff.source import read_source

_BUILT_IN = Path(boards.__file__).parent / "handoff" / "designs"


def handoff_file(bitfile: str) -> Path | None:
    """The file that describes the design: beside the .bit, which may be missing, or the built-in one of its name."""
    path = Path(bitfile)
    if path.suffix.lower() in (".hwh", ".xsa") and path.is_file():
        return path
    for found in (path.with_suffix(".hwh"), _BUILT_IN / f"{path.stem}.hwh"):
        if found.is_file():
            return found
    return None


def metadata(file: Path) -> Any:
    """What ``Overlay`` takes as its ``parser``: PYNQ's dictionaries of the design.

    PYNQ's older reader, which is in all of its versions and alike in them. The newer one, on pynqmetadata, has no
    interrupts without an AXI INTC between, and what of it works depends on the versions of both packages. What only
    that one gives is added here.
    """
    parser = HWH(hwh_data=read_source(file).data)
    parser.systemgraph = None
    for clock in Design.load(file).clocks:
        if clock.index in parser.clock_dict:  # PYNQ 4 sets clocks by their frequency
            parser.clock_dict[clock.index]["frequency"] = clock.frequency / 1e6
    for index, (name, memory) in enumerate(parser.mem_dict.items(), start=1):
        if "dfx" not in memory:
            where = {"base_address": memory["phys_addr"], "size": memory["addr_range"]}
            memory.update(where, used=1, streaming=False, idx=index, tag=f"MIG{index}")
            # PYNQ's load_ip_data looks there first, and takes what it finds for registers.
            parser.ip_dict.pop(name, None)
    return parser
