"""Which interrupt line of a board is told by a UIO device, and which has to be polled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .._native import MmioBus
from ..boards import BoardSpec
from ..dma.registers import INTERRUPTS, S2MM_BASE, Offset
from ..dma.zdma_registers import ERRORS, Event
from ..dma.zdma_registers import Offset as ZdmaOffset
from ..errors import GaplessError
from .registers import Registers


class Line(NamedTuple):
    """An interrupt line of an engine whose registers start at ``base``.

    Attributes:
        name: engine and channel.
        uio: what a UIO device of this line alone is called.
        first: it is the engine's first interrupt, which a UIO device of the engine tells.
        status, mask: where it shows, for polling.
    """

    number: int
    name: str
    uio: str
    base: int
    first: bool
    status: int
    mask: int


def lines_of(spec: BoardSpec) -> Iterator[Line]:
    """The interrupt lines of a board.

    A channel of an AXI DMA holds its line up while IRQ bits are set in its DMASR (PG021, "DMASR"); a ZDMA channel
    while an event of ISR is enabled (UG1087, "ZDMA ISR"), of which the driver enables its end and errors.
    """
    for dma in spec.dmas:
        for channel, number, offset in (("mm2s", dma.mm2s_interrupt, 0), ("s2mm", dma.s2mm_interrupt, S2MM_BASE)):
            if number is None:
                continue
            first = channel == "mm2s" or dma.mm2s_interrupt is None
            status = dma.base + offset + Offset.DMASR
            name, uio = f"{dma.name} {channel.upper()}", f"{dma.name}-{channel}"
            yield Line(number, name, uio, dma.base, first, status, int(INTERRUPTS))
    for zdma in spec.zdmas:
        mask = int(ERRORS | Event.DONE | Event.PAUSED)
        yield Line(zdma.interrupt, zdma.name, zdma.name, zdma.base, True, zdma.base + ZdmaOffset.ISR, mask)


def add_lines(bus: MmioBus, spec: BoardSpec, registers: Registers) -> dict[str, str]:
    """Give ``bus`` the interrupt lines of a board; for each by name, how it is told of: ``"uio2 (name)"`` or polled."""
    return {line.name: _add(bus, line, registers) for line in lines_of(spec)}


def _add(bus: MmioBus, line: Line, registers: Registers) -> str:
    device = registers.named(line.uio) or (registers.covering(line.base) if line.first else None)
    if device is None:
        reason = f"no UIO device for {line.uio}"
    else:
        try:
            uio = registers.open(device)
            if uio.has_interrupt:
                bus.add_uio_line(line.number, uio.fileno())
                return str(device)
            reason = f"{device} has no interrupt"
        except GaplessError as error:
            reason = str(error)
    bus.add_polled_line(line.number, line.status, line.mask)
    return f"polled ({reason})"
