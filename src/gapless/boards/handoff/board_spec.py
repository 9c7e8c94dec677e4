"""The board that a design describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...units import MIB
from ..iop_spec import IopSpec, PeripheralSpec, ps_gpio
from ..ip_spec import IpSpec
from ..ps_clocks import ps_clocks
from ..spec import BoardSpec, ZdmaSpec
from ..zynqmp import zdmas
from .design import Design
from .parts import engines
from .parts.iops import iops, programs
from .parts.lines import Lines
from .parts.memories import memories, pools
from .parts.peripherals import peripheral
from .parts.ports import Ports
from .parts.streams import Streams
from .ps import FAMILIES

_PS_GPIO = {"Zynq-7000": "ps-gpio-7000", "Zynq UltraScale+": "ps-gpio-mp"}


def board_spec(
    design: Design, *, cma_bytes: int = 128 * MIB, ps_bytes: int | None = None, fifo_bytes: int | None = None
) -> BoardSpec:
    """The board on which ``design`` runs. Its parts have the names of their blocks, as in PYNQ.

    Args:
        design: what the hand-off says.
        cma_bytes: size of the CMA area, which no hand-off knows.
        ps_bytes: size of the PS's memory, where it is not the one that the design was made for.
        fifo_bytes: depth of every stream FIFO, instead of the design's.

    Raises BadArgumentError when it describes nothing that can be, such as a DMA with 30-bit lengths.
    """
    family = FAMILIES[design.blocks[design.ps].kind].family
    lines = Lines(design)
    local = programs(design)
    spaces = memories(design, ps_bytes, local)
    ports = Ports(design, family, local)
    dmas = tuple(
        engines.dma(block, lines, ports, spaces) for block in design.blocks.values() if engines.modelled(block)
    )
    streams = Streams.of(design, (dma.name for dma in dmas), fifo_bytes)
    processors = iops(design, lines)
    host = tuple(_peripherals(design, lines))
    described = {part.name for part in dmas} | {part.name for part in host}
    described |= {part.name for part in streams.converters} | {part.name for part in streams.pairs}
    channels: tuple[ZdmaSpec, ...] = ()
    if family == "Zynq UltraScale+":
        gdma, adma = ports.of_zdmas()
        channels = zdmas(gdma_ports=gdma, adma_ports=adma)
    return BoardSpec(
        _board_name(design),
        f"{family} {design.part}",
        spaces,
        tuple(pools(design, spaces, family, cma_bytes)),
        ports.specs,
        dmas,
        streams.converters,
        design=_about(design, len(dmas), len(streams.converters), len(processors), len(host)),
        fifos=streams.fifos,
        pairs=streams.pairs,
        zdmas=channels,
        iops=processors,
        peripherals=(ps_gpio(_PS_GPIO[family]), *ps_clocks(family, design.blocks[design.ps].parameters), *host),
        handoff=design.path,
        ips=tuple(_ips(design, lines, streams, described, processors)),
        interrupt_inputs=lines.inputs,
    )


def _board_name(design: Design) -> str:
    """That of Vivado's board file ("tul.com.tw:pynq-z2:part0:1.0"), or the device."""
    parts = design.board.split(":")
    return parts[1] if len(parts) > 1 and parts[1] else design.device


def _peripherals(design: Design, lines: Lines) -> Iterator[PeripheralSpec]:
    for name, block, where in design.addressed():
        if where.memory_type == "register":
            part = peripheral(name, block, where.base, lines.of_block(block))
            if part is not None:
                yield part


def _ips(
    design: Design, lines: Lines, streams: Streams, described: set[str], processors: Iterable[IopSpec]
) -> Iterator[IpSpec]:
    """What is left: with registers, at the end of a DMA's stream, or a processor that cannot be started."""
    started = {iop.name for iop in processors}
    for block in design.blocks.values():
        if block.name == design.ps or block.name in described:
            continue
        registers = [
            (name, where)
            for name, part, where in design.addressed()
            if part is block and where.memory_type == "register"
        ]
        left = [(name, where.base, where.size) for name, where in registers if name not in described]
        inputs, outputs = streams.inputs.get(block.name, {}), streams.outputs.get(block.name, {})
        idle = block.kind == "microblaze" and block.hierarchy not in started
        if not left and (inputs or outputs or idle):
            left = [(block.name, 0, 0)]
        for number, (name, base, size) in enumerate(left):
            first = number == 0  # streams and the interrupt are the block's, not those of one of its interfaces
            yield IpSpec(
                name,
                block.vlnv,
                base,
                size,
                inputs if first else {},
                outputs if first else {},
                lines.of_block(block) if first else None,
                block.parameters,
            )


def _about(design: Design, dmas: int, converters: int, processors: int, peripherals: int) -> str:
    counts = {"AXI DMA": dmas, "converter": converters, "soft processor": processors, "peripheral": peripherals}
    parts = [
        f"{count} {what}{'s' if count > 1 and what != 'AXI DMA' else ''}" for what, count in counts.items() if count
    ]
    return f"{design.name}: {', '.join(parts) or 'no part that gapless has a model of'}"
