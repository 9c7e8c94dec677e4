"""Stopping an engine that a program left running, before its memory is given out again."""

from __future__ import annotations

from .._native import MmioBus
from ..boards import BoardSpec
from ..dma import AxiDma, Zdma
from ..errors import DmaStateError
from ..memory.claims import EngineClaim
from ..units import format_address

#: Kinds of engines in the registry of claims.
AXI_DMA, ZDMA = "axi-dma", "zdma"


class EngineStopper:
    """``Claims.stop_engine`` of a board: stops the engines that its bus reaches, and refuses the others.

    A design that is not loaded answers to nothing: only registers that this board has mapped are touched.
    """

    def __init__(self, bus: MmioBus, spec: BoardSpec) -> None:
        self._axi = {dma.base: AxiDma(bus, dma) for dma in spec.dmas}
        self._zdma = {zdma.spec.base: zdma for zdma in Zdma(bus, spec.zdmas)}

    def __call__(self, engine: EngineClaim) -> None:
        """Stop it, or raise what says why that cannot be."""
        if engine.kind == AXI_DMA and engine.base in self._axi:
            self._axi[engine.base].reset()
        elif engine.kind == ZDMA and engine.base in self._zdma:
            self._zdma[engine.base].stop()
        else:
            raise DmaStateError(
                f"{engine.name} ({engine.kind} at {format_address(engine.base)}) is none of the engines of this board: "
                "open the board with the design that has it",
                address=engine.base,
            )
