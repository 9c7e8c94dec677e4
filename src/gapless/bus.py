"""The register seam: every driver is written once, against :class:`RegisterBus`."""

from __future__ import annotations

from typing import Protocol


class RegisterBus(Protocol):
    """32-bit register access by physical address, interrupts, and the time they are measured in.

    On a board this is a mapping of device registers; on the virtual board it is the model's bus, and
    ``time`` is the virtual clock of the actor (thread of control) that uses the bus.
    """

    def read32(self, address: int) -> int:
        """Read the 32-bit register at ``address`` (bytes, multiple of 4)."""
        ...

    def write32(self, address: int, value: int) -> None:
        """Write ``value`` (32-bit) to the register at ``address`` (bytes, multiple of 4)."""
        ...

    def wait_interrupt(self, line: int, timeout: float) -> bool:
        """Wait until interrupt ``line`` is asserted; False when ``timeout`` (seconds) passed first."""
        ...

    def time(self) -> float:
        """Seconds on this bus's clock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass on this bus's clock."""
        ...
