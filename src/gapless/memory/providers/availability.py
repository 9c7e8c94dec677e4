"""What a machine offers of the five ways to memory, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..pool import Pool


@dataclass(frozen=True)
class Unavailable:
    """Why a way to memory is not there (``reason``), and what would give it (``fix``)."""

    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.fix}" if self.fix else self.reason


class Denied(Unavailable):
    """It is there, and not this user's."""


@dataclass(frozen=True)
class Mode:
    """One of the five ways to memory: ``pools`` names what it gives here, ``pool`` what it would be called.

    ``reason`` and ``fix`` are empty when it is available.
    """

    number: int
    title: str
    pool: str
    pools: tuple[str, ...] = ()
    reason: str = ""
    fix: str = ""

    @property
    def available(self) -> bool:
        """True when there is a pool."""
        return bool(self.pools)


@dataclass(frozen=True)
class Discovery:
    """The pools that were found, by name, and the five modes in order."""

    pools: dict[str, Pool] = field(default_factory=dict)
    modes: tuple[Mode, ...] = ()
