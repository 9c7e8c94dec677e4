"""A board described as data. Drivers and the virtual board read the same description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class MemoryKind(str, Enum):
    """Whose memory controller a region hangs on."""

    PS = "ps"
    PL = "pl"
    REGISTERS = "registers"


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
    ``clock`` in Hz. ``ports`` names the port that leads to each kind of memory.
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

    @property
    def max_length(self) -> int:
        """Bytes that one transfer or descriptor can move at most: 2**length_width - 1."""
        return (1 << self.length_width) - 1


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

    @property
    def beat_bytes(self) -> int:
        """Bytes of one stream beat (samples are 16 bits wide)."""
        return 2 * self.samples_per_beat


@dataclass(frozen=True)
class BoardSpec:
    """Everything gapless needs to know of a board and the design it runs."""

    name: str
    title: str
    memories: tuple[MemorySpec, ...]
    pools: tuple[PoolSpec, ...]
    ports: tuple[PortSpec, ...]
    dmas: tuple[DmaSpec, ...]
    converters: tuple[ConverterSpec, ...]
    design: str = ""

    def dma(self, name: str) -> DmaSpec:
        """The DMA instance called ``name``."""
        return next(dma for dma in self.dmas if dma.name == name)

    def port(self, name: str) -> PortSpec:
        """The memory port called ``name``."""
        return next(port for port in self.ports if port.name == name)
