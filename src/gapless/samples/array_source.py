"""An array as a source of samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .convert import to_int16
from .stretch import check_stretch


class ArraySource:
    """The samples of an array, played once.

    Args:
        array: anything :func:`to_int16` takes; an int16 array is used in place, not copied.
        name: what to call it in messages and plots.
        rate: samples per second it was made for, or None.
    """

    def __init__(self, array: ArrayLike, *, name: str = "signal", rate: float | None = None) -> None:
        self._samples = to_int16(array, name=name)
        self.name = name
        self.rate = rate
        self.period: int | None = None

    @property
    def length(self) -> int:
        """Samples in it."""
        return len(self._samples)

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous)."""
        check_stretch(self.name, self.length, start, len(out))
        out[:] = self._samples[start : start + len(out)]
