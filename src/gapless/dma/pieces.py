"""Cutting a signal into what one transfer or descriptor can move."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..boards import DmaSpec
from ..errors import AddressError
from ..units import format_address


def piece_bytes(spec: DmaSpec) -> int:
    """Bytes of the largest piece after which the next one is still aligned for the engine.

    The length field holds 2**width - 1 at most; the next piece starts on a multiple of the data width and
    of 64 bytes, because an engine without realignment (DRE) needs it. The narrowest field, 8 bits, holds
    one word of the widest engine, 128 bytes.
    """
    return spec.max_length // _unit(spec) * _unit(spec)


def _unit(spec: DmaSpec) -> int:
    return max(spec.data_width, spec.memory_width, 64)


def check_span(spec: DmaSpec, address: int, nbytes: int) -> None:
    """Raise AddressError unless the engine can reach ``[address, address + nbytes)``."""
    if nbytes <= 0:
        raise AddressError(f"{spec.name}: asked to move {nbytes} bytes; a transfer moves at least 1")
    limit = 1 << spec.address_width
    if address < 0 or address + nbytes > limit:
        raise AddressError(
            f"{spec.name}: the buffer at {format_address(address)} ends at {format_address(address + nbytes)}, beyond "
            f"the engine's {spec.address_width}-bit addresses; allocate it with below={format_address(limit)}"
        )
    if spec.reach and not any(base <= address and address + nbytes <= base + size for base, size in spec.reach):
        ranges = ", ".join(f"{format_address(base)} to {format_address(base + size - 1)}" for base, size in spec.reach)
        raise AddressError(
            f"{spec.name}: the buffer at {format_address(address)} is out of its reach: its design lets it see "
            f"{ranges} only; allocate it there"
        )
    width = spec.memory_width or spec.data_width
    if not spec.dre and address % width:
        raise AddressError(
            f"{spec.name}: the buffer at {format_address(address)} is not aligned to the engine's "
            f"{width}-byte words, and the engine was built without realignment (DRE)"
        )


def split(spec: DmaSpec, address: int, nbytes: int, *, even: bool = False) -> NDArray[np.uint64]:
    """Pieces that cover ``[address, address + nbytes)`` in order: uint64, shape (n, 2), rows (address, length).

    All but the last are as long as the length field allows; ``even``: about as long as one another.
    """
    check_span(spec, address, nbytes)
    step = piece_bytes(spec)
    if even:
        count = -(-nbytes // step)
        step = -(-nbytes // (count * _unit(spec))) * _unit(spec)
    starts = np.arange(0, nbytes, step, dtype=np.uint64)
    pieces = np.empty((len(starts), 2), dtype=np.uint64)
    pieces[:, 0] = starts + np.uint64(address)
    pieces[:, 1] = step
    pieces[-1, 1] = nbytes - int(starts[-1])
    return pieces


def split_runs(spec: DmaSpec, runs: Iterable[tuple[int, int]], *, even: bool = False) -> NDArray[np.uint64]:
    """Pieces that cover ``runs``, rows (address, length), in order; as :func:`split` for each."""
    pieces = [split(spec, address, nbytes, even=even) for address, nbytes in runs]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def cut_runs(runs: Iterable[tuple[int, int]], nbytes: int) -> tuple[tuple[int, int], ...]:
    """The first ``nbytes`` bytes of ``runs``."""
    kept = []
    for address, length in runs:
        if nbytes <= 0:
            break
        kept.append((address, min(length, nbytes)))
        nbytes -= length
    return tuple(kept)
