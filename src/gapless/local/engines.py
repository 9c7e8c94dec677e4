"""Engines in the registry of claims: taken, given back, and stopped for a program that was killed.

A soft processor is an engine to the registry: it writes to memory by itself, and goes on when its program is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .._native import MmioBus
from ..boards import BoardSpec
from ..dma import AxiDma, Zdma
from ..errors import AccessDeniedError, BoardClosedError, DmaStateError, TakenError
from ..memory.claims import Claims, EngineClaim
from ..units import format_address

#: Kinds of engines in the registry of claims.
AXI_DMA, ZDMA, IOP = "axi-dma", "zdma", "iop"


class EngineStopper:
    """``Claims.stop_engine`` of a board: stops the engines that its bus reaches, and refuses the others.

    A design that is not loaded answers to nothing: only registers that this board has mapped are touched.

    Args:
        bus: the register bus.
        spec: the board.
        hold_iop: holds a soft processor in reset, by its base.
    """

    def __init__(
        self, bus: MmioBus, spec: BoardSpec, hold_iop: Mapping[int, Callable[[], None]] = MappingProxyType({})
    ) -> None:
        self._hold_iop = hold_iop
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
        elif kind == IOP and base in self._hold_iop:
            self._hold_iop[base]()
        else:
            raise DmaStateError(
                f"{name} ({kind} at {format_address(base)}) is none of the engines of this board: open the board with "
                "the design that has it",
                address=base,
            )


class Engines:
    """What a board has for itself to its end: AXI DMA instances from its opening on, an IOP from its first use on."""

    def __init__(self, claims: Claims, stopper: EngineStopper, spec: BoardSpec) -> None:
        self._claims, self._stopper = claims, stopper
        self._held: dict[int, tuple[str, str]] = {}
        self._released = False
        try:
            for dma in spec.dmas:
                self.take(AXI_DMA, dma.base, dma.name)
        except BaseException:
            self._give_back()
            raise

    def take(self, kind: str, base: int, name: str) -> None:
        """Have one, if it is not ours yet. TakenError when another program has it, BoardClosedError after release."""
        if self._released:
            raise BoardClosedError(f"the board was closed: {name} is not its any more")
        if base not in self._held:
            self._claims.take_engine(kind, base, name)
            self._held[base] = (kind, name)

    def release(self) -> None:
        """Stop them and let others have them. One that cannot be stopped stays ours; a second call does nothing."""
        self._released = True
        for base, (kind, name) in reversed(self._held.items()):  # IOPs first: a DMA engine may fail to stop
            self._stopper.stop(kind, base, name)
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
