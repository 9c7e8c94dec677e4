"""A design as its hardware hand-off describes it: values only, nothing is opened or looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...errors import UnknownNameError

MemoryType = Literal["memory", "register"]


@dataclass(frozen=True)
class AddressRange:
    """``size`` bytes from ``base`` on, where a master reaches an interface of a block.

    ``block`` and ``interface``: who answers; ``master``: the master's own interface, such as "M_AXI_GP0";
    ``segment``: Vivado's name of the address block, such as "Reg" or "HP0_DDR_LOW".
    """

    block: str
    interface: str
    master: str
    segment: str
    base: int
    size: int
    memory_type: MemoryType

    @property
    def high(self) -> int:
        """The last address."""
        return self.base + self.size - 1


@dataclass(frozen=True)
class Interface:
    """A bus interface of a block.

    ``protocol`` is the third part of its VLNV: "aximm", "axis", "gpio", ... ``master``: it is the one that starts
    transfers or sends. ``bus`` is the same for all that are connected, and empty where nothing is. ``data_width``
    in bits where it is stated.
    """

    name: str
    protocol: str
    master: bool
    bus: str
    data_width: int | None
    parameters: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class RegisterField:
    """``width`` bits of a register from bit ``offset`` on."""

    name: str
    offset: int
    width: int
    access: str
    description: str


@dataclass(frozen=True)
class Register:
    """``size`` bits at ``offset`` bytes from the base of ``interface``."""

    name: str
    interface: str
    offset: int
    size: int
    access: str
    description: str
    fields: tuple[RegisterField, ...]


@dataclass(frozen=True)
class Block:
    """An instance of an IP.

    ``name`` is the path in the block diagram, as PYNQ has it: "video/axi_vdma". ``kind`` is the name of the IP
    ("axi_dma"), ``version`` its version ("7.1"). ``ranges``: where the PS sees it; ``memory_map``: what it sees as a
    master itself. ``clocks``: the clock inputs whose frequency is stated, in Hz.
    """

    name: str
    vlnv: str
    kind: str
    version: str
    parameters: Mapping[str, str] = field(repr=False)
    ranges: tuple[AddressRange, ...]
    memory_map: tuple[AddressRange, ...] = field(repr=False)
    interfaces: Mapping[str, Interface] = field(repr=False)
    clocks: Mapping[str, float] = field(repr=False)
    registers: tuple[Register, ...] = field(repr=False)

    @property
    def hierarchy(self) -> str:
        """The hierarchy that it is in, or empty."""
        return self.name.rpartition("/")[0]

    @property
    def base(self) -> int | None:
        """Where the PS sees it first, or None."""
        return self.ranges[0].base if self.ranges else None


@dataclass(frozen=True)
class Memory:
    """Memory that the PS sees.

    ``kind``: "ps-ddr"; "pl-ddr" behind a memory controller in the PL; "bram"; or "memory", anything else that the
    design calls so. ``name``: that of the block and, where the block has several, of the interface.
    """

    name: str
    base: int
    size: int
    kind: Literal["ps-ddr", "pl-ddr", "bram", "memory"]


@dataclass(frozen=True)
class Interrupt:
    """A pin that raises an interrupt of the PS.

    ``controller``: the AXI INTC that it is connected to, or empty for the PS itself, and ``index`` its input there.
    ``line``: the id at the PS's interrupt controller (GIC), 32 for the first shared one, at which it arrives in the
    end. ``bit``: of the pin, when it is wider than one.
    """

    pin: str
    bit: int
    controller: str
    index: int
    line: int


@dataclass(frozen=True)
class InterruptController:
    """An AXI INTC on the way to the PS. ``parent``, ``index`` and ``line``: where its output goes, as of a pin."""

    name: str
    parent: str
    index: int
    line: int


@dataclass(frozen=True)
class GpioPin:
    """``width`` pins of the PS's GPIO from ``index`` on, counted from the first that leads to the PL (EMIO).

    ``name``: the slice that takes them, as in PYNQ, or the input pin where there is no slice. ``net`` and ``pins``:
    the net that they drive, and every pin on it.
    """

    name: str
    index: int
    width: int
    net: str
    pins: tuple[str, ...]


@dataclass(frozen=True)
class PlClock:
    """A clock of the PS for the PL: ``frequency`` in Hz as configured, from a PLL through two ``divisors``."""

    index: int
    enabled: bool
    frequency: float
    divisors: tuple[int, int]


@dataclass(frozen=True)
class StreamEnd:
    """A stream interface of a block; ``block`` is empty where the stream leaves the block diagram."""

    block: str
    interface: str

    def __str__(self) -> str:
        return f"{self.block}.{self.interface}" if self.block else self.interface


@dataclass(frozen=True)
class Stream:
    """An AXI4-Stream from what makes it to what ends it. ``through``: the blocks between, which only pass it on."""

    source: StreamEnd
    sink: StreamEnd
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """What is in a design.

    ``device`` is the bare device ("xczu28dr"), ``part`` with package and speed grade. ``board`` is Vivado's name of the
    board, or empty. ``tool_version``: Vivado's. ``path``: the file that was read; ``bitstream``: the .bit file that
    belongs to it, a path or a name inside the .xsa, or empty.
    ``controller_inputs``: the pin at each input of every AXI INTC, also of those that belong to a soft processor;
    empty for an input that nothing drives.
    ``hierarchies``: the blocks and hierarchies directly in each, by their full names.
    """

    name: str
    device: str
    part: str
    board: str
    tool_version: str
    path: Path
    bitstream: str
    ps: str
    blocks: Mapping[str, Block] = field(repr=False)
    memories: Mapping[str, Memory] = field(repr=False)
    interrupts: Mapping[str, Interrupt] = field(repr=False)
    interrupt_controllers: Mapping[str, InterruptController] = field(repr=False)
    gpio: Mapping[str, GpioPin] = field(repr=False)
    clocks: tuple[PlClock, ...] = field(repr=False)
    streams: tuple[Stream, ...] = field(repr=False)
    controller_inputs: Mapping[str, tuple[str, ...]] = field(repr=False)
    hierarchies: Mapping[str, tuple[str, ...]] = field(repr=False)

    @classmethod
    def load(cls, path: str | Path) -> Design:
        """Read a .hwh, the .hwh beside a .bit, or the top design's in an .xsa.

        Raises:
            BadArgumentError: it is missing, damaged, no hand-off, of no Zynq, or two blocks have one address.
            AccessDeniedError: the file may not be read.
        """
        from .loading import load_design

        return load_design(Path(path))

    def block(self, name: str) -> Block:
        """The block of that name. UnknownNameError when there is none."""
        try:
            return self.blocks[name]
        except KeyError:
            raise UnknownNameError(f"block of {self.name}", name, sorted(self.blocks)) from None

    def of_kind(self, kind: str) -> tuple[Block, ...]:
        """All blocks of a kind ("axi_dma"), in the order of the file."""
        return tuple(block for block in self.blocks.values() if block.kind == kind)

    def addressed(self) -> Iterator[tuple[str, Block, AddressRange]]:
        """All that the PS reaches, under PYNQ's names: a block with several interfaces has an entry for each."""
        return addressed(self.blocks.values())


def addressed(blocks: Iterable[Block]) -> Iterator[tuple[str, Block, AddressRange]]:
    """See :meth:`Design.addressed`."""
    for block in blocks:
        for item in block.ranges:
            yield (f"{block.name}/{item.interface}" if len(block.ranges) > 1 else block.name), block, item
