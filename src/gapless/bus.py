"""The register seam: every driver is written once, against :class:`RegisterBus`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._native import Bus


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


def native_bus(target: RegisterBus) -> Bus:
    """A bus of one's own, for every driver: the native loops, too, go through the methods of ``target``.

    For transports that the native core does not know, such as a debug port or an emulator's socket. Each
    access takes the interpreter, so this is for reach, not for speed: a loop re-arms within tens of
    microseconds at best.

    ``target`` has ``read32``, ``write32`` and ``wait_interrupt``, which any thread may call; time is real
    time, so its ``time`` and ``sleep`` are not asked. ``wait_interrupt`` is asked for at most 10 ms at a
    time. What it raises reaches the caller; out of a native loop as BusAccessError.
    """
    from ._native import python_bus

    return python_bus(target)
