"""What is at the other end of each stream of a DMA: another DMA, a converter of ours, or an IP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ....errors import BadArgumentError
from ...spec import ConverterSpec, PairSpec, StreamFifoSpec
from ..design import Block, Design, Stream
from ..numbers import number

#: Our own IP, by name and direction. Of a converter's parameters INDEX, SAMPLES_PER_BEAT and MAX_RATE are needed.
_CONVERTERS = {"stream_dac": "dac", "stream_adc": "adc"}
_PAIRS = {"dac_pair": "dac", "adc_pair": "adc"}
_LIBRARY = "gapless:ip:"
#: Where nothing on the way holds anything, the model still passes on a burst at a time (4 KiB, AXI4).
_LEAST_FIFO = 4096


@dataclass
class Streams:
    """The streams of the DMA engines of a design.

    ``inputs`` and ``outputs``: of each other block, from its stream interface to the DMA at the other end.
    """

    converters: tuple[ConverterSpec, ...] = ()
    pairs: tuple[PairSpec, ...] = ()
    fifos: tuple[StreamFifoSpec, ...] = ()
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, design: Design, engines: Iterable[str], fifo_bytes: int | None) -> Streams:
        """Follow them; ``fifo_bytes``: how deep every FIFO is, instead of what the design says."""
        known = frozenset(engines)
        found = cls()
        found.converters = tuple(_converters(design, known, fifo_bytes))
        found.pairs = tuple(_pairs(design, known))
        taken = {name for part in found.converters for name in part.dmas}
        taken |= {name for pair in found.pairs for name in pair.dmas}
        found.fifos = tuple(_loops(design, known, fifo_bytes))
        sending = {fifo.source for fifo in found.fifos} | taken
        receiving = {fifo.sink for fifo in found.fifos} | taken
        for stream in design.streams:
            source, sink = stream.source, stream.sink
            if source.block in known - sending and source.interface == "M_AXIS_MM2S" and sink.block:
                sending.add(source.block)
                found.inputs.setdefault(sink.block, {})[sink.interface] = source.block
            if sink.block in known - receiving and sink.interface == "S_AXIS_S2MM" and source.block:
                receiving.add(sink.block)
                found.outputs.setdefault(source.block, {})[source.interface] = sink.block
        return found


def is_converter(block: Block) -> bool:
    """Whether a block is a converter of ours, or a pair of them."""
    return block.vlnv.startswith(_LIBRARY) and block.kind in _CONVERTERS | _PAIRS


def _loops(design: Design, engines: frozenset[str], fifo_bytes: int | None) -> Iterator[StreamFifoSpec]:
    """Streams from one DMA to one DMA, with nothing else on either."""
    for stream in design.streams:
        source, sink = stream.source, stream.sink
        if source.block not in engines or sink.block not in engines or source.interface != "M_AXIS_MM2S":
            continue
        shared = [other for other in design.streams if other.source == source or other.sink == sink]
        if len(shared) > 1:
            continue
        names = _fifos(design, stream)
        name = names[0] if len(names) == 1 else f"{source.block} to {sink.block}"
        yield StreamFifoSpec(name, source.block, sink.block, fifo_bytes or max(_LEAST_FIFO, _depth(design, stream)))


def _converters(design: Design, engines: frozenset[str], fifo_bytes: int | None) -> Iterator[ConverterSpec]:
    for block, direction, base in _ours(design, _CONVERTERS):
        ways = [stream for stream in design.streams if block.name in (stream.source.block, stream.sink.block)]
        samples = _parameter(block, "SAMPLES_PER_BEAT")
        least = 2 * samples
        depth = max((_depth(design, way) for way in ways), default=0)
        yield ConverterSpec(
            block.name,
            direction,
            _parameter(block, "INDEX"),
            base,
            samples,
            float(_parameter(block, "MAX_RATE")),
            _engines(ways, direction, engines),
            fifo_bytes or max(least, depth),
        )


def _pairs(design: Design, engines: frozenset[str]) -> Iterator[PairSpec]:
    for block, direction, base in _ours(design, _PAIRS):
        ways = [stream for stream in design.streams if block.name in (stream.source.block, stream.sink.block)]
        # The first interface is that of the first converter.
        members = {
            (way.source.interface, way.sink.block) if direction == "dac" else (way.sink.interface, way.source.block)
            for way in ways
            if (way.source if direction == "dac" else way.sink).block == block.name
        }
        names = [name for _, name in sorted(members) if name in design.blocks and is_converter(design.blocks[name])]
        if len(names) != 2:
            raise BadArgumentError(f"{design.path}: {block.name} joins {len(names)} converters; a pair is of two")
        yield PairSpec(block.name, direction, base, (names[0], names[1]), _engines(ways, direction, engines))


def _ours(design: Design, kinds: Mapping[str, str]) -> Iterator[tuple[Block, str, int]]:
    for block in design.blocks.values():
        if is_converter(block) and block.kind in kinds and block.base is not None:
            yield block, kinds[block.kind], block.base


def _engines(ways: Iterable[Stream], direction: str, engines: frozenset[str]) -> tuple[str, ...]:
    ends = (way.source.block if direction == "dac" else way.sink.block for way in ways)
    return tuple(dict.fromkeys(name for name in ends if name in engines))


def _fifos(design: Design, stream: Stream) -> list[str]:
    return [name for name in stream.through if design.blocks[name].kind == "axis_data_fifo"]


def _depth(design: Design, stream: Stream) -> int:
    """Bytes that all FIFOs on the way hold together (PG085: FIFO_DEPTH words)."""
    return sum(
        _parameter(design.blocks[name], "FIFO_DEPTH") * _parameter(design.blocks[name], "TDATA_NUM_BYTES")
        for name in _fifos(design, stream)
    )


def _parameter(block: Block, name: str) -> int:
    return number(block.parameters.get(name), f"{name} of {block.name}")
