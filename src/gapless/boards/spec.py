"""A board described as data. Drivers and the virtual board read the same description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadArgumentError, UnknownNameError
from ..units import format_size
from .board_check import check_board

if TYPE_CHECKING:
    from .iop_spec import IopSpec, PeripheralSpec
    from .ip_spec import IpSpec


class MemoryKind(str, Enum):
    """Whose memory controller a region hangs on."""

    PS = "ps"
    PL = "pl"
    REGISTERS = "registers"


#: AXI4: no burst is longer. A FIFO that holds less than one would never take it.
_BURST_BYTES = 4096
#: What 32 bits count.
_MOST_FIFO = 1 << 32


@dataclass(frozen=True)
class MemorySpec:
    """A range of physical addresses: ``base`` and ``size`` in bytes."""

    name: str
    base: int
    size: int
    kind: MemoryKind


@dataclass(frozen=True)
class PoolSpec:
    """A range that buffers are allocated from.

    ``granularity`` is the allocation unit in bytes (4096 where an operating system hands out pages);
    ``size_alignment_limit``: buffers are aligned to their size up to this, as CMA does (0: they are not).
    ``other_users`` are (offset, size) ranges that somebody else holds from the start, as the drivers
    of a running kernel hold parts of its CMA area.
    """

    name: str
    base: int
    size: int
    kind: MemoryKind
    granularity: int = 64
    other_users: tuple[tuple[int, int], ...] = ()
    size_alignment_limit: int = 0
    about: str = ""


@dataclass(frozen=True)
class PortSpec:
    """A path from the PL to a memory: ``bandwidth`` in B/s, shared by all that use it."""

    name: str
    bandwidth: float


@dataclass(frozen=True)
class DmaSpec:
    """One AXI DMA instance (PG021, "Customizing and Generating the Core").

    ``length_width`` in bits (8..26), ``address_width`` in bits (32..64), ``data_width`` in bytes,
    ``clock`` in Hz. ``ports`` names the port that leads to each kind of memory. ``memory_width`` in bytes, where it is
    wider than ``data_width``: without DRE buffers are aligned to it. ``reach``: the (base, size) ranges that the design
    lets it see; empty where it sees all memory of the board.
    """

    name: str
    base: int
    sg: bool
    ports: Mapping[MemoryKind, str]
    mm2s_interrupt: int | None = None
    s2mm_interrupt: int | None = None
    length_width: int = 26
    address_width: int = 40
    data_width: int = 32
    clock: float = 300e6
    dre: bool = False
    memory_width: int = 0
    reach: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        """BadArgumentError for what the core cannot be built with."""
        for what, value, least, most in (
            ("length_width", self.length_width, 8, 26),
            ("address_width", self.address_width, 32, 64),
            ("data_width", self.data_width, 4, 128),
        ):
            if not least <= value <= most:
                raise BadArgumentError(f"{self.name}: {what}={value}; the core is built with {least} to {most}")
        if self.data_width & (self.data_width - 1):
            raise BadArgumentError(f"{self.name}: data_width={self.data_width} bytes; it is a power of two")
        if self.dre and self.data_width > 8:
            raise BadArgumentError(f"{self.name}: realignment (DRE) is there up to 64-bit streams only")
        if not self.ports:
            raise BadArgumentError(f"{self.name} has no memory port")
        if self.memory_width and not self.data_width < self.memory_width <= 128:
            raise BadArgumentError(f"{self.name}: memory_width={self.memory_width}; it is 0, or wider than the stream")
        if not self.clock > 0:
            raise BadArgumentError(f"{self.name}: clock={self.clock} Hz")

    @property
    def max_length(self) -> int:
        """Bytes that one transfer or descriptor can move at most: 2**length_width - 1."""
        return (1 << self.length_width) - 1


@dataclass(frozen=True)
class ZdmaSpec:
    """A channel of the PS's own DMA controllers (UG1085, "DMA Controller").

    ``bus_width`` in bits: 128 for GDMA, 64 for ADMA. ``ports`` names, for a virtual board, the port that leads to
    each kind of memory: every byte takes it once to be read and once to be written.
    """

    name: str
    base: int
    interrupt: int
    bus_width: int
    ports: Mapping[MemoryKind, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """BadArgumentError for what there is not."""
        if self.bus_width not in (64, 128):
            raise BadArgumentError(f"{self.name}: bus_width={self.bus_width}; ADMA has 64 bits, GDMA 128")


@dataclass(frozen=True)
class ConverterSpec:
    """A DAC or ADC, its stream FIFO and the registers of its stream monitor.

    ``fifo_bytes`` is the FIFO's depth; ``dmas`` names the DMA instances that reach the converter
    (through an AXI4-Stream switch when there are several).
    """

    name: str
    direction: str  # "dac" or "adc"
    index: int
    base: int
    samples_per_beat: int
    max_rate: float
    dmas: tuple[str, ...]
    fifo_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        """BadArgumentError for a converter that cannot be."""
        if self.direction not in ("dac", "adc"):
            raise BadArgumentError(f"{self.name}: direction {self.direction!r}; a converter is a dac or an adc")
        whole = self.samples_per_beat >= 1 and self.fifo_bytes % self.beat_bytes == 0
        if not whole or not self.beat_bytes <= self.fifo_bytes < _MOST_FIFO:
            raise BadArgumentError(
                f"{self.name}: a FIFO of {format_size(self.fifo_bytes)} is not a whole number of "
                f"{self.samples_per_beat}-sample words"
            )

    @property
    def beat_bytes(self) -> int:
        """Bytes of one stream beat (samples are 16 bits wide)."""
        return 2 * self.samples_per_beat


@dataclass(frozen=True)
class PairSpec:
    """Two converters that share one stream and run in step.

    Samples alternate in the stream: the first converter's, the second's, the first's. ``base`` is where a
    write reaches the stream monitors of both in the same instant; ``dmas`` names the DMA instances that
    reach the pair. Each converter may have DMA instances of its own besides.
    """

    name: str
    direction: str  # "dac" or "adc"
    base: int
    converters: tuple[str, str]
    dmas: tuple[str, ...]

    def __post_init__(self) -> None:
        """BadArgumentError for a pair that cannot be."""
        if self.direction not in ("dac", "adc"):
            raise BadArgumentError(f"{self.name}: direction {self.direction!r}; a pair is of dacs or of adcs")
        if len(self.converters) != 2 or len(set(self.converters)) != 2:
            raise BadArgumentError(f"{self.name}: converters {self.converters!r}; a pair is two different ones")


@dataclass(frozen=True)
class StreamFifoSpec:
    """An AXI4-Stream FIFO of ``depth`` bytes from the MM2S of DMA ``source`` to the S2MM of DMA ``sink``.

    The two may be one instance: a loop-back.
    """

    name: str
    source: str
    sink: str
    depth: int = 1 << 16

    def __post_init__(self) -> None:
        """BadArgumentError for a FIFO that cannot be."""
        if not _BURST_BYTES <= self.depth < _MOST_FIFO:
            raise BadArgumentError(
                f"{self.name}: {self.depth} bytes deep; at least one burst, {_BURST_BYTES}, and less than 4 GiB"
            )


@dataclass(frozen=True)
class BoardSpec:
    """Everything gapless needs to know of a board and the design it runs.

    ``handoff``: the file that describes the design, where there is one (see :mod:`gapless.boards.handoff`). ``ips``:
    what is in the PL and described by no other field. ``interrupt_inputs``: the line at each input of an AXI INTC of
    the board, by the controller's name and the input's number.

    Interrupt lines below 1024 are those of the PS's interrupt controller (GIC). From 1024 on are those that never
    arrive there as they are: the inputs of AXI INTCs, and interrupts that are connected to nothing.
    A real board's pools in PS memory are found on the machine; ``memories`` and ``pools`` are then those of the PL.
    What does not fit together (names that lead nowhere, ranges that overlap, a stream with two ends)
    raises BadArgumentError or UnknownNameError.
    """

    name: str
    title: str
    memories: tuple[MemorySpec, ...]
    pools: tuple[PoolSpec, ...]
    ports: tuple[PortSpec, ...]
    dmas: tuple[DmaSpec, ...]
    converters: tuple[ConverterSpec, ...]
    design: str = ""
    fifos: tuple[StreamFifoSpec, ...] = ()
    pairs: tuple[PairSpec, ...] = ()
    zdmas: tuple[ZdmaSpec, ...] = ()
    iops: tuple[IopSpec, ...] = ()
    peripherals: tuple[PeripheralSpec, ...] = ()
    handoff: Path | None = None
    ips: tuple[IpSpec, ...] = ()
    interrupt_inputs: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        check_board(self)

    def dma(self, name: str) -> DmaSpec:
        """The DMA instance called ``name``."""
        for dma in self.dmas:
            if dma.name == name:
                return dma
        raise UnknownNameError("DMA", name, (dma.name for dma in self.dmas))

    @property
    def ps_gpio(self) -> PeripheralSpec | None:
        """The PS's GPIO, whose pins hold IOPs in reset."""
        return next((part for part in self.peripherals if part.kind.startswith("ps-gpio")), None)

    def converter(self, name: str) -> ConverterSpec:
        """The converter called ``name``."""
        for converter in self.converters:
            if converter.name == name:
                return converter
        raise UnknownNameError("converter", name, (converter.name for converter in self.converters))

    def port(self, name: str) -> PortSpec:
        """The memory port called ``name``."""
        for port in self.ports:
            if port.name == name:
                return port
        raise UnknownNameError("memory port", name, (port.name for port in self.ports))
