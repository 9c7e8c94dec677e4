"""What a play or a capture returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ledger import Ledger


@dataclass(frozen=True)
class PlayReport:
    """Account of one play; :meth:`as_dict` is the JSON of ``gapless play --json``.

    ``transfers`` counts the pieces the signal was moved in (direct-mode transfers or descriptors done),
    ``descriptors`` those of them that were descriptors. ``fifo_low_water_bytes`` is the lowest fill of
    the converter's FIFO between the first time it was full and the last word entering it.
    """

    board: str
    engine: str
    memory: str
    rate: float
    samples_requested: int
    samples_played: int
    ledger: Ledger
    transfers: int
    descriptors: int
    fifo_depth_bytes: int
    fifo_low_water_bytes: int
    wall_seconds: float
    played_sha256: str | None = None
    #: the first samples, or frames, converted (int16, at most what ``head=`` asked for), for looking at
    head: NDArray[np.int16] | None = None

    @property
    def complete(self) -> bool:
        """True when every sample asked for was played and none was late."""
        return self.ledger.complete and self.samples_played >= self.samples_requested

    @property
    def signal_seconds(self) -> float:
        """Duration of the signal at its rate."""
        return self.samples_requested / self.rate

    def as_dict(self) -> dict[str, Any]:
        """The JSON contract of ``gapless play``."""
        record = {
            "board": self.board,
            "engine": self.engine,
            "memory": self.memory,
            "rate_sa_per_s": self.rate,
            "samples_requested": self.samples_requested,
            "samples_played": self.samples_played,
            **self.ledger.as_dict(),
            "transfers": self.transfers,
            "descriptors": self.descriptors,
            "fifo_depth_bytes": self.fifo_depth_bytes,
            "fifo_low_water_bytes": self.fifo_low_water_bytes,
            "signal_seconds": self.signal_seconds,
            "wall_seconds": self.wall_seconds,
        }
        if self.played_sha256 is not None:
            record["played_sha256"] = self.played_sha256
        return record


@dataclass(frozen=True)
class Capture:
    """Samples recorded: ``samples`` is int16, shape (n,) or (n, channels).

    They live in DMA memory while they are referred to. ``samples.free()`` gives the memory back at once, if
    all that were asked were recorded.
    """

    board: str
    engine: str
    memory: str
    rate: float
    samples_requested: int
    samples: NDArray[np.int16]
    ledger: Ledger
    transfers: int
    descriptors: int
    wall_seconds: float

    @property
    def complete(self) -> bool:
        """True when every sample asked for was recorded and none was lost."""
        return self.ledger.complete and len(self.samples) == self.samples_requested

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``gapless record``."""
        return {
            "board": self.board,
            "engine": self.engine,
            "memory": self.memory,
            "rate_sa_per_s": self.rate,
            "samples_requested": self.samples_requested,
            "samples_recorded": len(self.samples),
            **self.ledger.as_dict(),
            "transfers": self.transfers,
            "descriptors": self.descriptors,
            "wall_seconds": self.wall_seconds,
        }
