"""The pools of a board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..errors import UnknownNameError, UnsupportedError
from .pool import Pool

if TYPE_CHECKING:
    from .providers import Mode


class Pools(dict[str, Pool]):
    """The pools of a board by name; asking for one that is not there says which are, or why it is not."""

    def __init__(self, pools: Mapping[str, Pool], modes: Iterable[Mode] = ()) -> None:
        super().__init__(pools)
        self._missing = {mode.pool: mode for mode in modes if not mode.available}

    def __missing__(self, name: str) -> Pool:
        """Raise UnknownNameError, which is a KeyError; UnsupportedError for one that this machine cannot have."""
        if name in self._missing:
            mode = self._missing[name]
            raise UnsupportedError(f"memory {name} is not there: {mode.reason}; {mode.fix}")
        raise UnknownNameError("memory", name, self)


def for_descriptors(memory: Mapping[str, Pool]) -> Pool | None:
    """Where engines and CPU see the same bytes with nothing to do; and below 4 GiB, if there is such a pool."""
    pools = [pool for pool in memory.values() if pool.size]
    return min(pools, key=lambda pool: (not pool.coherent, pool.name != "ps-cma"), default=None)
