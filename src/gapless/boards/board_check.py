"""Whether the parts of a board fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadArgumentError
from ..units import format_address
from .unique import unique

if TYPE_CHECKING:
    from .spec import BoardSpec, ConverterSpec, PairSpec

#: Bytes of the registers of one device.
_WINDOW = 0x1000


def check_board(spec: BoardSpec) -> None:
    """BadArgumentError or UnknownNameError for names that lead nowhere, ranges that overlap, a stream with two ends."""
    engines = (spec.dmas, spec.zdmas, spec.converters, spec.pairs, spec.iops, spec.peripherals)
    for parts in (spec.memories, spec.pools, spec.ports, spec.fifos, *engines, spec.ips):
        unique(spec.name, "the name", (part.name for part in parts))
    unique(spec.name, "IOP", (iop.index for iop in spec.iops))
    bases = [part.base for parts in engines for part in parts]
    bases += (base for iop in spec.iops for base in range(iop.base + _WINDOW, iop.base + iop.size, _WINDOW))
    bases += (ip.base for ip in spec.ips if ip.size)
    unique(spec.name, "the registers at", (format_address(base // _WINDOW * _WINDOW) for base in bases))
    unique(spec.name, "converter", (f"{part.direction}{part.index}" for part in spec.converters))
    lines = [line for dma in spec.dmas for line in (dma.mm2s_interrupt, dma.s2mm_interrupt)]
    lines += (part.interrupt for parts in (spec.zdmas, spec.iops, spec.peripherals, spec.ips) for part in parts)
    unique(spec.name, "interrupt line", lines)
    unique(spec.name, "at an interrupt controller, line", spec.interrupt_inputs.values())
    for ports in (engine.ports for engines in (spec.dmas, spec.zdmas) for engine in engines):
        for port in ports.values():
            spec.port(port)
    unique(spec.name, "in a pair, converter", (name for pair in spec.pairs for name in pair.converters))
    for pair in spec.pairs:
        _check_pair(spec, pair)
    _check_streams(spec)
    if spec.iops and spec.ps_gpio is None:
        raise BadArgumentError(f"board {spec.name}: {spec.iops[0].name} needs a GPIO of the PS that holds it in reset")


def _check_pair(spec: BoardSpec, pair: PairSpec) -> None:
    members = [spec.converter(name) for name in pair.converters]
    for member in members:
        if member.direction != pair.direction:
            raise BadArgumentError(
                f"board {spec.name}: {pair.name} is a pair of {pair.direction}s; {member.name} is none"
            )
    first, second = members
    for what in ("samples_per_beat", "fifo_bytes"):
        one, other = getattr(first, what), getattr(second, what)
        if one != other:
            raise BadArgumentError(
                f"board {spec.name}: {pair.name} cannot run in step: {what} of {first.name} is {one}, "
                f"of {second.name} {other}"
            )


def _check_streams(spec: BoardSpec) -> None:
    ends: list[str] = []
    parts: tuple[ConverterSpec | PairSpec, ...] = (*spec.converters, *spec.pairs)
    for part in parts:
        channel = "MM2S" if part.direction == "dac" else "S2MM"
        ends += (f"{name} {channel}" for name in part.dmas)
    for fifo in spec.fifos:
        ends += (f"{fifo.source} MM2S", f"{fifo.sink} S2MM")
    for ip in spec.ips:
        ends += (f"{name} MM2S" for name in ip.inputs.values())
        ends += (f"{name} S2MM" for name in ip.outputs.values())
    for end in ends:
        name, _, channel = end.rpartition(" ")
        dma = spec.dma(name)
        if (dma.mm2s_interrupt if channel == "MM2S" else dma.s2mm_interrupt) is None:
            raise BadArgumentError(f"board {spec.name}: {name} was built without its {channel} channel")
    unique(spec.name, "the stream of", ends)
