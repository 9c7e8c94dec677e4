"""What a ZDMA copy moves: runs of physical memory, cut into pieces, and the descriptors of those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError
from ..memory import Runs, dma_memory
from ..units import MIB, format_address
from .zdma_registers import ADDRESS_WIDTH, DESCRIPTOR, DESCRIPTOR_BYTES, Command

#: Bytes of one piece of a list at most: a size has 30 bits, and a piece that follows keeps the first one's alignment.
PIECE_BYTES = 512 * MIB

#: A stretch of physical memory: (address, nbytes).
Run = tuple[int, int]


def runs_of(memory: object) -> Runs:
    """The stretches of physical memory that a buffer or a slice of one lies in, in order.

    Raises BadArgumentError when it is not in DMA memory, NotContiguousError when it is strided and
    BufferFreedError when it was freed.
    """
    found = dma_memory(memory).runs
    for address, nbytes in found:
        if address + nbytes > 1 << ADDRESS_WIDTH:
            raise BadArgumentError(f"{format_address(address)} is beyond the {ADDRESS_WIDTH} address bits of ZDMA")
    return found


def total(runs: Iterable[Run]) -> int:
    """Bytes."""
    return sum(nbytes for _, nbytes in runs)


def overlap(one: Iterable[Run], other: Iterable[Run]) -> int | None:
    """The first address that is in both, or None."""
    end, owner = -1, -1
    for address, nbytes, side in sorted([(*run, 0) for run in one] + [(*run, 1) for run in other]):
        if address < end and side != owner:
            return address
        if address + nbytes > end:
            end, owner = address + nbytes, side
    return None


def cut(runs: Iterable[Run], piece: int = PIECE_BYTES) -> Runs:
    """The same memory in pieces of at most ``piece`` bytes; stretches that follow each other become one first."""
    merged: list[Run] = []
    for address, nbytes in runs:
        if merged and sum(merged[-1]) == address:
            merged[-1] = (merged[-1][0], merged[-1][1] + nbytes)
        elif nbytes:
            merged.append((address, nbytes))
    return tuple(
        (address + start, min(piece, nbytes - start)) for address, nbytes in merged for start in range(0, nbytes, piece)
    )


def linked_list(pieces: Sequence[Run], at: int) -> NDArray[np.void]:
    """Descriptors for ``pieces``, shape (len(pieces),), to lie at physical address ``at``; the last one stops."""
    table = np.zeros(len(pieces), dtype=DESCRIPTOR)
    rows = np.asarray(pieces, dtype=np.uint64)
    table["address"], table["size"] = rows[:, 0], rows[:, 1]
    table["next"] = at + DESCRIPTOR_BYTES * np.arange(1, len(pieces) + 1, dtype=np.uint64)
    table["control"] = Command.LINKED
    # Linux's driver stops both lists, and the source's is what ends the transfer.
    table["control"][-1] = Command.LINKED | Command.STOP
    table["next"][-1] = 0
    return table
