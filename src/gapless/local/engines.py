"""Engines in the registry of claims: taken, given back, and stopped for a program that was killed."""

from __future__ import annotations

from collections.abc import Callable

from .._native import MmioBus
from ..boards import BoardSpec
from ..dma import AxiDma, Zdma
from ..errors import AccessDeniedError, DmaStateError, TakenError
from ..memory.claims import Claims, EngineClaim
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
        self.stop(engine.kind, engine.base, engine.name)

    def stop(self, kind: str, base: int, name: str) -> None:
        """Stop an engine by its register ``base``; it moves nothing any more when this returns."""
        if kind == AXI_DMA and base in self._axi:
            self._axi[base].reset()
        elif kind == ZDMA and base in self._zdma:
            self._zdma[base].stop()
        else:
            raise DmaStateError(
                f"{name} ({kind} at {format_address(base)}) is none of the engines of this board: open the board with "
                "the design that has it",
                address=base,
            )


class Engines:
    """The AXI DMA instances that a board has for itself, from its opening to its end."""

    def __init__(self, claims: Claims, stopper: EngineStopper, spec: BoardSpec) -> None:
        self._claims, self._stopper = claims, stopper
        self._held: dict[int, str] = {}
        try:
            for dma in spec.dmas:
                claims.take_engine(AXI_DMA, dma.base, dma.name)
                self._held[dma.base] = dma.name
        except BaseException:
            self._give_back()
            raise

    def release(self) -> None:
        """Stop them and let others have them. One that cannot be stopped stays ours; a second call does nothing."""
        for base, name in self._held.items():
            self._stopper.stop(AXI_DMA, base, name)
        self._give_back()

    def _give_back(self) -> None:
        for base in list(self._held):
            self._claims.release_engine(base)
            del self._held[base]


def reserve(claims: Claims, spec: BoardSpec) -> Callable[[str], Callable[[], None] | None]:
    """Keeps other programs off a ZDMA channel while it is used, as :class:`~gapless.dma.Zdma` asks."""
    bases = {zdma.name: zdma.base for zdma in spec.zdmas}

    def take(name: str) -> Callable[[], None] | None:
        try:
            claims.take_engine(ZDMA, bases[name], name)
        except TakenError:
            return None
        except AccessDeniedError:  # who may not write the registry cannot be told of others, either
            return lambda: None
        return lambda: claims.release_engine(bases[name])

    return take
