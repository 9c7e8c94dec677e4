"""IP of a design that no other part of a board's description is for, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import BadArgumentError


@dataclass(frozen=True)
class IpSpec:
    """An IP block with registers or AXI4-Streams of which gapless knows no more than its name.

    ``vlnv`` is its vendor, library, name and version (``"xilinx.com:hls:resize_accel:1.0"``). ``base`` and ``size``
    (bytes) are where its registers are; ``size`` is 0 for one that has none. ``inputs`` gives for each stream port
    that takes data the DMA whose MM2S feeds it, ``outputs`` for each that gives data the DMA whose S2MM takes it.
    ``interrupt`` is the line that it drives; ``parameters`` are those that it was built with.
    """

    name: str
    vlnv: str
    base: int
    size: int
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    interrupt: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """BadArgumentError for registers that cannot be."""
        if self.base % 4 or self.size % 4 or self.base < 0 or self.size < 0:
            raise BadArgumentError(f"{self.name}: base=0x{self.base:X}, size={self.size}; both are multiples of 4")
