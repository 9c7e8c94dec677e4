"""What a play or a capture returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ledger import Counters, Ledger


@dataclass(frozen=True)
class Queue:
    """The ring of a stream: ``blocks`` of ``block_samples`` samples (frames) each.

    ``refused``: what the system refused of the scheduling that was asked for the native thread; empty when nothing.
    """

    block_samples: int
    blocks: int
    refused: str = ""

    def as_dict(self, counters: Counters | None) -> dict[str, Any]:
        """The part of a report's JSON that is about the ring; late events and samples lost are counted apart."""
        record: dict[str, Any] = {"block_samples": self.block_samples, "blocks": self.blocks}
        if counters is not None:
            record |= asdict(counters)
        if self.refused:
            record["scheduling_refused"] = self.refused
        return record


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
    channels: int = 1
    #: the ring, where it was streamed
    queue: Queue | None = None
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
        if self.channels > 1:
            record["channels"] = self.channels
        if self.queue is not None:
            record["queue"] = self.queue.as_dict(self.ledger.counters)
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


@dataclass(frozen=True)
class StreamReport:
    """Account of a capture that was handed out block by block, or written to a file.

    ``samples_requested`` is None where no end was asked for. The ledger is that of the samples handed out.
    """

    board: str
    engine: str
    memory: str
    rate: float
    channels: int
    samples_requested: int | None
    ledger: Ledger
    transfers: int
    descriptors: int
    queue: Queue
    wall_seconds: float

    @property
    def samples_recorded(self) -> int:
        """Samples (frames) handed out."""
        return self.ledger.samples

    @property
    def complete(self) -> bool:
        """True when none was lost between, and none that was asked for is missing at the end."""
        return self.ledger.complete and self.ledger.samples >= (self.samples_requested or 0)

    def as_dict(self) -> dict[str, Any]:
        """The JSON of ``gapless record``."""
        record = {
            "board": self.board,
            "engine": self.engine,
            "memory": self.memory,
            "rate_sa_per_s": self.rate,
            "samples_requested": self.samples_requested,
            "samples_recorded": self.samples_recorded,
            **self.ledger.as_dict(),
            "transfers": self.transfers,
            "descriptors": self.descriptors,
            "wall_seconds": self.wall_seconds,
            "queue": self.queue.as_dict(self.ledger.counters),
            "ended": self.ledger.ended,
        }
        if self.channels > 1:
            record["channels"] = self.channels
        return record
