"""From a design to what PYNQ's own parser says of it."""

from __future__ import annotations

from typing import Any

from pynq.pl_server.hwh_parser import HWH

from ...boards.handoff import Design
from ...boards.handoff.source import read_source
from ..pynq.dictionaries import Dictionaries


def metadata(design: Design) -> Any:
    """What ``Overlay`` takes as its ``parser``: PYNQ's dictionaries of the design.

    PYNQ's older reader, which is in all of its versions and alike in them. The newer one, on pynqmetadata, has no
    interrupts without an AXI INTC between, and what of it works depends on the versions of both packages. What only
    that one gives is added here.
    """
    parser = HWH(hwh_data=read_source(design.path).data)
    parser.systemgraph = None
    for clock in design.clocks:
        if clock.index in parser.clock_dict:  # PYNQ 4 sets clocks by their frequency
            parser.clock_dict[clock.index]["frequency"] = clock.frequency / 1e6
    for name, memory in Dictionaries.of(design).mem_dict.items():
        parser.mem_dict[name] = {**memory, **parser.mem_dict.get(name, {})}
        # PYNQ's load_ip_data looks there first, and takes what it finds for registers.
        parser.ip_dict.pop(name, None)
    return parser
