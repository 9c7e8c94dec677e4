"""How an AXI DMA was built, from its parameters.

Source: PG021, "Customizing and Generating the Core" and "User Parameters", whose defaults hold where a hand-off
leaves a parameter out.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import BadArgumentError
from .design import Block
from .numbers import number


@dataclass(frozen=True)
class DmaChannel:
    """One direction. ``memory_width`` and ``stream_width`` in bytes; ``dre``: buffers may start at any byte."""

    memory_width: int
    stream_width: int
    dre: bool
    burst: int


@dataclass(frozen=True)
class DmaParameters:
    """The options of an AXI DMA: ``length_width`` and ``address_width`` in bits, None for a channel it has not."""

    sg: bool
    length_width: int
    address_width: int
    mm2s: DmaChannel | None
    s2mm: DmaChannel | None
    micro: bool
    multi_channel: bool

    @classmethod
    def of(cls, block: Block) -> DmaParameters:
        """Those of ``block``. BadArgumentError when it is no AXI DMA, or a parameter is no number."""
        if block.kind != "axi_dma":
            raise BadArgumentError(f"{block.name} is a {block.kind}: only an axi_dma has these parameters")
        # Vivado writes most of them twice, in capitals and not.
        given = {name.lower(): value for name, value in block.parameters.items()}

        def value(name: str, default: int) -> int:
            return number(given.get(name, str(default)), f"{name} of {block.name}")

        def channel(name: str, stream: str) -> DmaChannel | None:
            if not value(f"c_include_{name}", 1):
                return None
            return DmaChannel(
                value(f"c_m_axi_{name}_data_width", 32) // 8,
                value(stream, 32) // 8,
                bool(value(f"c_include_{name}_dre", 0)),
                value(f"c_{name}_burst_size", 16),
            )

        return cls(
            sg=bool(value("c_include_sg", 1)),
            length_width=value("c_sg_length_width", 14),
            address_width=value("c_addr_width", 32),
            mm2s=channel("mm2s", "c_m_axis_mm2s_tdata_width"),
            s2mm=channel("s2mm", "c_s_axis_s2mm_tdata_width"),
            micro=bool(value("c_micro_dma", 0)),
            multi_channel=bool(value("c_enable_multi_channel", 0)),
        )
