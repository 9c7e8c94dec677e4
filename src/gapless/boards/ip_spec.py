"""An IP of a design that gapless has no model of, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import BadArgumentError


@dataclass(frozen=True)
class IpSpec:
    """An IP that no other part of a board describes.

    ``vlnv``: vendor, library, name and version, as "xilinx.com:hls:resize_accel:1.0". ``base`` and ``size`` (bytes):
    its registers on the host's bus; ``size`` is 0 where the host reaches none. ``inputs``: from the name of a stream
    input to the DMA whose MM2S sends to it; ``outputs``: from a stream output to the DMA whose S2MM takes it.
    ``interrupt``: the line of its first interrupt. ``parameters``: those in the hand-off.
    """

    name: str
    vlnv: str
    base: int
    size: int
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    interrupt: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """BadArgumentError for registers that cannot be."""
        if self.base < 0 or self.size < 0 or self.size % 4 or self.base % 4:
            raise BadArgumentError(f"{self.name}: {self.size} bytes of registers at {self.base:#x}; both count words")

    @property
    def kind(self) -> str:
        """The third part of its VLNV: which IP it is."""
        parts = self.vlnv.split(":")
        return parts[2] if len(parts) == 4 else self.vlnv
