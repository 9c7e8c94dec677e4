"""AXI DMA engines."""

from __future__ import annotations

from collections.abc import Iterable

from ....errors import BadArgumentError
from ...spec import DmaSpec, MemorySpec
from ..axi_dma import DmaChannel, DmaParameters
from ..design import AddressRange, Block
from .lines import Lines
from .ports import Ports

#: Clock inputs, those of the memory side first (PG021, "Clocking").
_CLOCKS = ("m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "m_axi_sg_aclk", "s_axi_lite_aclk")
_CLOCK = 100e6
#: Bytes of the narrowest stream that the model has. One of 8 or 16 bits moves as much in a clock.
_NARROWEST = 4


def modelled(block: Block) -> bool:
    """Whether a block is an AXI DMA as gapless knows it, which the host reaches and which reaches memory.

    Micro DMA takes no more than a burst at a time, and multichannel mode has other registers (PG021).
    """
    if block.kind != "axi_dma" or not block.ranges:
        return False
    built = DmaParameters.of(block)
    return bool(built.mm2s or built.s2mm) and not built.micro and not built.multi_channel and bool(_seen(block))


def dma(block: Block, lines: Lines, ports: Ports, memories: Iterable[MemorySpec]) -> DmaSpec:
    """The engine that a block is. BadArgumentError when the core cannot be built so."""
    built = DmaParameters.of(block)
    channels = [channel for channel in (built.mm2s, built.s2mm) if channel is not None]
    clock = next((block.clocks[name] for name in _CLOCKS if name in block.clocks), _CLOCK)
    data_width = max(_NARROWEST, min(channel.stream_width for channel in channels))
    memory_width = max(channel.memory_width for channel in channels)
    seen = _seen(block)
    base = block.base
    if base is None:
        raise BadArgumentError(f"{block.name} has no registers on the host's bus")
    return DmaSpec(
        block.name,
        base,
        built.sg,
        ports.of(seen, clock),
        mm2s_interrupt=_interrupt(block, "mm2s", built.mm2s, lines),
        s2mm_interrupt=_interrupt(block, "s2mm", built.s2mm, lines),
        length_width=built.length_width,
        address_width=built.address_width,
        data_width=data_width,
        clock=clock,
        dre=all(channel.dre for channel in channels),
        memory_width=memory_width if memory_width > data_width else 0,
        reach=_reach(seen, memories),
    )


def _interrupt(block: Block, name: str, channel: DmaChannel | None, lines: Lines) -> int | None:
    if channel is None:
        return None
    line = lines.of_pin(f"{block.name}/{name}_introut")
    return lines.unconnected() if line is None else line


def _seen(block: Block) -> list[AddressRange]:
    return [item for item in block.memory_map if item.memory_type == "memory"]


def _reach(seen: Iterable[AddressRange], memories: Iterable[MemorySpec]) -> tuple[tuple[int, int], ...]:
    """The ranges, joined where they touch; none when they hold all of the board's memory."""
    joined: list[tuple[int, int]] = []
    for item in sorted(seen, key=lambda item: item.base):
        if joined and item.base <= joined[-1][0] + joined[-1][1]:
            base, size = joined[-1]
            joined[-1] = base, max(size, item.base + item.size - base)
        else:
            joined.append((item.base, item.size))
    if all(
        any(base <= part.base and part.base + part.size <= base + size for base, size in joined) for part in memories
    ):
        return ()
    return tuple(joined)
