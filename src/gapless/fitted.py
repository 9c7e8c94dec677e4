"""What changes of a virtual board when another design is put into its PL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from .boards import BoardSpec
from .memory import Pool
from .stream import Probe

if TYPE_CHECKING:
    from .iop import IopBench


class Fitted(NamedTuple):
    """See the attributes of :class:`~gapless.board.Board`; ``memory`` are all of its pools."""

    spec: BoardSpec
    memory: Mapping[str, Pool]
    probe: Probe
    iop_benches: Mapping[int, IopBench]


#: Puts another design in, or raises and changes nothing. Before the exchange, when nothing can go wrong any more, it
#: calls what ends the transfers of the old one.
Refit = Callable[[BoardSpec, Callable[[], None]], Fitted]
