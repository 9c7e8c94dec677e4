"""The bench around a virtual soft processor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._native import ExecutionLog, Parts, Peripheral
from ..errors import BadArgumentError, UnknownNameError

if TYPE_CHECKING:
    from ..iop import Fault

KEEP = ("nothing", "stores", "accesses", "everything")


class VirtualIop:
    """What can be seen and set at a virtual IOP: ``board.probe.iop(number)``.

    Attributes:
        peripherals: what is on its bus, by name.
    """

    def __init__(self, parts: Parts, number: int, name: str, peripherals: Mapping[str, Peripheral]) -> None:
        self._parts, self._number, self.name, self.peripherals = parts, number, name, peripherals

    @property
    def fault(self) -> Fault | None:
        """Why it stopped, if it did; reset ends it."""
        from ..iop import Fault

        found = self._parts.iop_fault(self._number)
        return None if found is None else Fault(*found)

    @property
    def state(self) -> str:
        """``"held"`` in reset, ``"running"``, ``"settled"`` (it waits), or ``"faulted"``."""
        return self._parts.iop_state(self._number)[0]

    @property
    def pc(self) -> int:
        """The address of its next instruction."""
        return self._parts.iop_state(self._number)[1]

    @property
    def cycles(self) -> int:
        """Of its clock, up to now; while it waits, up to when it was last disturbed."""
        return self._parts.iop_state(self._number)[2]

    @property
    def instructions(self) -> int:
        """That it executed up to the same moment; of a loop in which it waits, what it would have executed."""
        return self._parts.iop_state(self._number)[3]

    @property
    def lag(self) -> float:
        """Seconds after which it takes notice of the host when it waits.

        0: the host's access returns when the program has settled, as if the host were slow. Above 0 the host goes
        on at once: what it does without waiting for the program, it does too early.
        """
        return self._parts.iop_lag(self._number)

    @lag.setter
    def lag(self, seconds: float) -> None:
        if not 0 <= seconds <= 10:
            raise BadArgumentError(f"lag={seconds!r}: 0 to 10 s")
        self._parts.set_iop_lag(self._number, seconds)

    def observe(self, keep: str = "stores", limit: int = 100_000) -> ExecutionLog:
        """Log what it executes from now on: up to ``limit`` records of a kind, and how often each instruction ran.

        ``keep`` is "nothing", "stores", "accesses" (loads, too) or "everything". It takes three times as long.
        """
        if keep not in KEEP:
            raise UnknownNameError("kind of records", keep, KEEP)
        return self._parts.observe_iop(self._number, keep, limit)

    def forget(self) -> None:
        """Log nothing any more."""
        self._parts.forget_iop(self._number)

    def peripheral(self, name: str) -> Peripheral:
        """What is on its bus under this name: to attach devices to, to set inputs of, to read outputs of."""
        if name not in self.peripherals:
            raise UnknownNameError(f"peripheral of {self.name}", name, self.peripherals)
        return self.peripherals[name]
