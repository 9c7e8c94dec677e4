"""Assembly of a virtual board from its description."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .._native import HostMemory, Machine, Peripheral
from ..board import Board
from ..boards import BoardSpec, DmaSpec, MemoryKind, PoolSpec, ZdmaSpec
from ..errors import BadArgumentError, SignalError, UnknownNameError, UnmodelledIpWarning
from ..memory import AddressMap, MappedRegion, Pool, RangePool, Region
from .faults import Faults
from .iop import VirtualIop
from .ips import Models, add_ips, remove_models
from .models import IpModel
from .processors import add_iops, add_peripherals
from .unmodelled import unmodelled
from .uri import parse_uri

#: The model knows kinds of memory by number; 0 is no memory.
_KINDS = {MemoryKind.PS: 1, MemoryKind.PL: 2}


class VirtualProbe:
    """The bench around a virtual board; see :class:`~gapless.stream.Probe`."""

    def __init__(
        self,
        machine: Machine,
        dacs: dict[int, int],
        adcs: dict[int, int],
        faults: Faults,
        peripherals: Mapping[str, Peripheral],
        iops: Mapping[int, VirtualIop],
        models: Mapping[str, IpModel],
    ) -> None:
        self._machine, self._dacs, self._adcs, self.faults = machine, dacs, adcs, faults
        self._peripherals, self._iops, self._models = peripherals, iops, models
        self._wires: dict[str, int] = {}  # DAC to ADC

    def tap(self, dac: int, callback: Callable[[memoryview], object] | None) -> None:
        """Hand every sample that DAC ``dac`` converts to ``callback``; None ends it."""
        self._machine.set_tap(self._number(self._dacs, "DAC", dac), callback)

    def flush(self, dac: int) -> None:
        """Hand over what was converted and is still held back."""
        self._machine.flush_tap(self._number(self._dacs, "DAC", dac))

    def connect(self, adc: int, source: str | NDArray[np.int16]) -> None:
        """Set what is at the input of ADC ``adc``: ``"counter"``, ``"dac0"`` or an int16 array."""
        number = self._number(self._adcs, "ADC", adc)
        names = {f"dac{index}": dac for index, dac in self._dacs.items()}
        if isinstance(source, str) and self._wires.get(source, adc) != adc:
            raise BadArgumentError(f"{source} is wired to ADC {self._wires[source]}: connect that one elsewhere first")
        if isinstance(source, np.ndarray):
            if source.dtype != np.int16 or source.ndim != 1 or len(source) == 0:
                raise SignalError(
                    f"an array of {source.dtype} with shape {source.shape}: an ADC's input is int16, shape (n,), n > 0"
                )
            self._machine.set_adc_waveform(number, np.ascontiguousarray(source).view(np.uint8))
        elif source == "counter":
            self._machine.set_adc_counter(number)
        elif source in names:
            self._machine.set_adc_loopback(number, names[source])
        else:
            raise UnknownNameError("source for an ADC", source, ("counter", *names, "an int16 array"))
        self._wires = {name: wired for name, wired in self._wires.items() if wired != adc}
        if isinstance(source, str) and source in names:
            self._wires[source] = adc

    def iop(self, number: int = 1) -> VirtualIop:
        """The bench around the soft processor with this number."""
        if number not in self._iops:
            raise UnknownNameError("IOP", number, self._iops)
        return self._iops[number]

    def model(self, name: str) -> IpModel:
        """The model of the design's own IP with this name."""
        if name not in self._models:
            raise UnknownNameError("model of an IP called", name, self._models)
        return self._models[name]

    def peripheral(self, name: str) -> Peripheral:
        """What is on the host's bus under this name: to set inputs of, to read outputs of."""
        if name not in self._peripherals:
            raise UnknownNameError("peripheral", name, self._peripherals)
        return self._peripherals[name]

    @staticmethod
    def _number(known: dict[int, int], what: str, index: int) -> int:
        if index not in known:
            raise UnknownNameError(what, index, known)
        return known[index]


def open_board(uri: str) -> Board:
    """Build the virtual board that ``uri`` asks for."""
    options = parse_uri(uri.partition(":")[2])
    if text := unmodelled(options.spec):
        warnings.warn(text, UnmodelledIpWarning, stacklevel=3)  # where gapless.open() was called
    return build_board(
        options.spec,
        uri=uri,
        read_cost=options.read_cost,
        write_cost=options.write_cost,
        slowdown=options.slowdown,
        wall_clock=options.wall_clock,
    )


def build_board(
    spec: BoardSpec,
    *,
    uri: str | None = None,
    read_cost: float = 200e-9,
    write_cost: float = 100e-9,
    slowdown: float = 0.0,
    wall_clock: bool = False,
    models: Models = MappingProxyType({}),
) -> Board:
    """Build a virtual board of any design.

    Args:
        spec: what it is made of.
        uri: what the board and its reports say it was opened as; by default ``virtual:`` and its name.
        read_cost, write_cost: seconds that a register access takes.
        slowdown: 0 is the deterministic clock, on which software takes no time but for its accesses. Above 0 the
            CPU time it spends between two accesses counts, too, that many times over.
        wall_clock: while nobody touches the bus time passes as on the wall, so that a program that sleeps
            finds done what would be done on a board. The same run is then no longer the same twice.
        models: of the design's own IP, by its name: an :class:`IpModel`, or a class of one. For an IP that is not
            in here, the class that is bound to its VLNV.
    """
    machine = Machine(read_cost, write_cost, slowdown)
    ports = {port.name: machine.add_port(port.bandwidth) for port in spec.ports}
    address_map = AddressMap()
    for memory in spec.memories:
        host = HostMemory(memory.size)
        machine.add_memory(memory.base, memory.size, host, 0, _KINDS[memory.kind], True)
        address_map.add(MappedRegion(memory.name, memory.base, memory.size, host, kind=memory.kind))
    pools: dict[str, Pool] = {}
    for pool in spec.pools:
        pools[pool.name] = RangePool(
            _region_of(pool, address_map),
            pool.base,
            pool.size,
            name=pool.name,
            granularity=pool.granularity,
            other_users=pool.other_users,
            size_alignment_limit=pool.size_alignment_limit,
            hints=pools.values,
            guard=machine,
            about=pool.about,
        )
    dmas = {dma.name: _add_dma(machine, dma, ports) for dma in spec.dmas}
    converters = _add_converters(machine, spec, dmas)
    _add_pairs(machine, spec, dmas, converters)
    for fifo in spec.fifos:
        machine.connect_fifo(dmas[fifo.source], dmas[fifo.sink], fifo.depth)
    zdmas = {zdma.name: _add_zdma(machine, zdma, ports) for zdma in spec.zdmas}
    peripherals = add_peripherals(machine, spec)
    iops = add_iops(machine, spec, peripherals)
    placed = add_ips(machine, spec, dmas, models)
    faults = Faults(machine, dmas, ports, zdmas)
    probe = VirtualProbe(machine, converters["dac"], converters["adc"], faults, peripherals, iops, placed)
    bus = machine.bus()

    def closed() -> None:
        machine.stop_wall_clock()
        bus.cancel()  # else who waits on it may hold the models for long
        remove_models(placed)

    board = Board(
        uri or f"virtual:{spec.name}",
        spec,
        bus,
        address_map,
        pools,
        probe=probe,
        findings=machine.findings,
        closed=closed,
        iop_benches=iops,
    )
    if wall_clock:
        machine.follow_wall_clock()
        # Its thread may be in a device written in Python, which must not be while the interpreter is torn down.
        weakref.finalize(board, machine.stop_wall_clock)
    return board


def _region_of(pool: PoolSpec, address_map: AddressMap) -> Region:
    # An empty pool lies at the very end of the region it would continue.
    for region in address_map:
        if region.base <= pool.base and pool.base + pool.size <= region.base + region.size:
            return region
    raise BadArgumentError(f"pool {pool.name} lies in no memory of the board")


def _add_zdma(machine: Machine, zdma: ZdmaSpec, ports: dict[str, int]) -> int:
    if not zdma.ports:
        raise BadArgumentError(f"{zdma.name} has no memory port: a virtual board needs to know how fast it is")
    by_kind = {_KINDS[kind]: ports[name] for kind, name in zdma.ports.items()}
    any_port = next(iter(by_kind.values()))
    lines = [by_kind.get(kind, any_port) for kind in range(4)]
    try:
        return machine.add_zdma(zdma.base, zdma.name, zdma.bus_width // 8, zdma.interrupt, lines)
    except ValueError as error:
        raise BadArgumentError(f"{zdma.name}: {error}") from None


def _add_dma(machine: Machine, dma: DmaSpec, ports: dict[str, int]) -> int:
    by_kind = {_KINDS[kind]: ports[name] for kind, name in dma.ports.items()}
    any_port = next(iter(by_kind.values()))
    try:
        return machine.add_dma(
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
            [by_kind.get(kind, any_port) for kind in range(4)],
        )
    except ValueError as error:
        raise BadArgumentError(f"{dma.name}: {error}") from None


def _add_converters(machine: Machine, spec: BoardSpec, dmas: dict[str, int]) -> dict[str, dict[int, int]]:
    numbers: dict[str, dict[int, int]] = {"dac": {}, "adc": {}}
    for converter in spec.converters:
        add = machine.add_dac if converter.direction == "dac" else machine.add_adc
        connect = machine.connect_dac if converter.direction == "dac" else machine.connect_adc
        number = add(converter.base, converter.samples_per_beat, converter.fifo_bytes)
        for name in converter.dmas:
            connect(dmas[name], number)
        numbers[converter.direction][converter.index] = number
    return numbers


def _add_pairs(machine: Machine, spec: BoardSpec, dmas: dict[str, int], converters: dict[str, dict[int, int]]) -> None:
    for pair in spec.pairs:
        add = machine.add_splitter if pair.direction == "dac" else machine.add_combiner
        connect = machine.connect_splitter if pair.direction == "dac" else machine.connect_combiner
        indices = (spec.converter(name).index for name in pair.converters)
        number = add(pair.base, [converters[pair.direction][index] for index in indices])
        for name in pair.dmas:
            connect(dmas[name], number)
