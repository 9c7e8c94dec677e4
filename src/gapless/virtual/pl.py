"""What a design puts into the PL of a virtual board."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from .._native import HostMemory, Machine, Parts, Peripheral
from ..boards import BoardSpec, DmaSpec, MemoryKind, MemorySpec, PoolSpec
from ..errors import BadArgumentError
from ..memory import MappedRegion, Pool, RangePool, Region
from .faults import Faults
from .ips import Models, add_ips
from .models import IpModel
from .probe import VirtualProbe
from .processors import add_iops, add_peripherals, connect_controllers

#: The model knows kinds of memory by number; 0 is no memory.
KINDS = {MemoryKind.PS: 1, MemoryKind.PL: 2}


class Pl:
    """The parts of one design, assembled; they act from :meth:`Machine.load` on.

    Args:
        machine: the board's.
        spec: the board with this design.
        ports: the memory ports that are there anyhow, by name.
        zdmas: the numbers of the PS's DMA channels.
        host: what is there anyhow on the host's bus, by name.
        hints: all pools of the board.

    Attributes:
        parts: for the machine.
        regions, pools: the memory in the PL.
        iops: the benches of its processors, by number.
        models: of the design's own IP, by its name.
        probe: the bench around the board with this design.
    """

    def __init__(
        self,
        machine: Machine,
        spec: BoardSpec,
        *,
        ports: Mapping[str, int],
        zdmas: dict[str, int],
        host: Mapping[str, Peripheral],
        hints: Callable[[], Iterable[Pool]],
    ) -> None:
        self.spec, self.parts = spec, machine.make_parts()
        self.regions = [add_memory(self.parts, memory) for memory in spec.memories if memory.kind is MemoryKind.PL]
        self.pools = {
            pool.name: make_pool(pool, self.regions, machine, hints)
            for pool in spec.pools
            if pool.kind is MemoryKind.PL
        }
        numbers = {
            port.name: ports[port.name] if port.name in ports else machine.add_port(port.bandwidth)
            for port in spec.ports
        }
        dmas = {dma.name: _add_dma(self.parts, dma, numbers) for dma in spec.dmas}
        converters = _add_converters(self.parts, spec, dmas)
        _add_pairs(self.parts, spec, dmas, converters)
        for fifo in spec.fifos:
            self.parts.connect_fifo(dmas[fifo.source], dmas[fifo.sink], fifo.depth)
        peripherals = {**host, **add_peripherals(self.parts, [p for p in spec.peripherals if p.name not in host])}
        connect_controllers(self.parts, spec, peripherals)
        self.iops = add_iops(self.parts, spec, peripherals)
        self.models: dict[str, IpModel] = {}
        self._dmas = dmas
        faults = Faults(machine, self.parts, dmas, numbers, zdmas)
        self.probe = VirtualProbe(
            self.parts, converters["dac"], converters["adc"], faults, peripherals, self.iops, self.models
        )

    def place(self, models: Models, again: Collection[IpModel] = ()) -> None:
        """Put the design's own IP in, with models of it; ``again`` are of the design that was there before.

        What a model's start() raises leaves all models as they were.
        """
        before = [(model, model._placed) for model in again]
        try:
            self.models.update(add_ips(self.parts, self.spec, self._dmas, models, again))
        except BaseException:
            for model, placed in before:
                model._placed = placed
            raise


def add_memory(parts: Parts, memory: MemorySpec) -> MappedRegion:
    """Memory of the board, sparse."""
    host = HostMemory(memory.size)
    parts.add_memory(memory.base, memory.size, host, 0, KINDS[memory.kind], True)
    return MappedRegion(memory.name, memory.base, memory.size, host, kind=memory.kind)


def make_pool(
    pool: PoolSpec, regions: Iterable[Region], guard: Machine, hints: Callable[[], Iterable[Pool]]
) -> RangePool:
    """A pool in one of these regions."""
    return RangePool(
        _region_of(pool, regions),
        pool.base,
        pool.size,
        name=pool.name,
        granularity=pool.granularity,
        other_users=pool.other_users,
        size_alignment_limit=pool.size_alignment_limit,
        hints=hints,
        guard=guard,
        about=pool.about,
    )


def _region_of(pool: PoolSpec, regions: Iterable[Region]) -> Region:
    # An empty pool lies at the very end of the region it would continue.
    for region in regions:
        if region.base <= pool.base and pool.base + pool.size <= region.base + region.size:
            return region
    raise BadArgumentError(f"pool {pool.name} lies in no memory of the board")


def by_kind(ports: Mapping[MemoryKind, str], numbers: Mapping[str, int]) -> list[int]:
    """The number of the port to each kind of memory: any, where there is none to this kind."""
    known = {KINDS[kind]: numbers[name] for kind, name in ports.items()}
    any_port = next(iter(known.values()))
    return [known.get(kind, any_port) for kind in range(4)]


def _add_dma(parts: Parts, dma: DmaSpec, ports: Mapping[str, int]) -> int:
    try:
        return parts.add_dma(
            dma.base,
            dma.name,
            dma.sg,
            dma.length_width,
            dma.address_width,
            dma.data_width,
            dma.dre,
            dma.clock,
            -1 if dma.mm2s_interrupt is None else dma.mm2s_interrupt,
            -1 if dma.s2mm_interrupt is None else dma.s2mm_interrupt,
            by_kind(dma.ports, ports),
            dma.memory_width,
            dma.reach,
        )
    except ValueError as error:
        raise BadArgumentError(f"{dma.name}: {error}") from None


def _add_converters(parts: Parts, spec: BoardSpec, dmas: dict[str, int]) -> dict[str, dict[int, int]]:
    numbers: dict[str, dict[int, int]] = {"dac": {}, "adc": {}}
    for converter in spec.converters:
        add = parts.add_dac if converter.direction == "dac" else parts.add_adc
        connect = parts.connect_dac if converter.direction == "dac" else parts.connect_adc
        number = add(converter.base, converter.samples_per_beat, converter.fifo_bytes)
        for name in converter.dmas:
            connect(dmas[name], number)
        numbers[converter.direction][converter.index] = number
    return numbers


def _add_pairs(parts: Parts, spec: BoardSpec, dmas: dict[str, int], converters: dict[str, dict[int, int]]) -> None:
    for pair in spec.pairs:
        add = parts.add_splitter if pair.direction == "dac" else parts.add_combiner
        connect = parts.connect_splitter if pair.direction == "dac" else parts.connect_combiner
        indices = (spec.converter(name).index for name in pair.converters)
        number = add(pair.base, [converters[pair.direction][index] for index in indices])
        for name in pair.dmas:
            connect(dmas[name], number)
