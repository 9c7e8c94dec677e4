"""What a pool holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class BufferCount:
    """How many buffers are allocated, and the bytes they take (rounded to the pool's granularity)."""

    bytes: int
    count: int


@dataclass(frozen=True)
class PoolStats:
    """State of a pool in bytes: ``total == used + free``; ``used`` includes what other users hold."""

    total: int
    used: int
    free: int
    largest_free: int
    buffers: BufferCount

    def as_dict(self) -> dict[str, Any]:
        """The same as a dict of plain ints, ``buffers`` as ``{"bytes": ..., "count": ...}``."""
        return asdict(self)
