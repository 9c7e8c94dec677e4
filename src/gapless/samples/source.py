"""Where samples come from: the protocol that arrays, files and generators share."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Source(Protocol):
    """A sequence of int16 samples that can write any stretch of itself into memory given to it.

    Attributes:
        name: what to call it in messages and plots.
        length: samples in it, or None when it goes on for ever (a generator).
        period: samples after which it repeats exactly, or None when it does not or that is not known.
        rate: samples per second its file states, or None.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def length(self) -> int | None: ...  # noqa: D102
    @property
    def period(self) -> int | None: ...  # noqa: D102
    @property
    def rate(self) -> float | None: ...  # noqa: D102

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous)."""
        ...
