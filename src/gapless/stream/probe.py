"""What can be seen and set at a converter's analog side. Only a virtual board has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Probe(Protocol):
    """The bench around a virtual board."""

    def tap(self, dac: int, callback: Callable[[memoryview], object] | None) -> None:
        """Hand every sample that DAC ``dac`` converts (little-endian int16 bytes, in order) to ``callback``.

        What a gap is filled with is not handed over. The memoryview is valid during the call only. None
        ends it.
        """
        ...

    def flush(self, dac: int) -> None:
        """Hand over what was converted and is still held back."""
        ...

    def connect(self, adc: int, source: str | NDArray[np.int16]) -> None:
        """Set what is at the input of ADC ``adc``.

        ``"counter"``, the name of a DAC (``"dac0"``: a wire between the two; the capture's sample 0 is
        the DAC's sample 0), or an int16 array that repeats.
        """
        ...
