"""A register bus for registers that are ordinary memory, which somebody looks at now and then."""

from __future__ import annotations

import time

from gapless._native import MmioBus

from .design import LOOKS

_TIMEOUT = 20.0
_PAUSE = 50e-6


class PageBus(MmioBus):
    """What Python reads is never older than the call, and what it writes has happened when the call returns.

    The native loops, of a ring of descriptors, go past this; what they do works without.
    """

    def read32(self, address: int) -> int:
        self._wait_for_a_look()
        return super().read32(address)

    def write32(self, address: int, value: int) -> None:
        super().write32(address, value)
        self._wait_for_a_look()

    def _wait_for_a_look(self) -> None:
        """Until the host has begun a look and ended it: the one that is under way may have begun before."""
        before = super().read32(LOOKS)
        deadline = time.monotonic() + _TIMEOUT
        while (super().read32(LOOKS) - before) % (1 << 32) < 2:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the host has not looked at the registers for {_TIMEOUT:g} s")
            time.sleep(_PAUSE)
