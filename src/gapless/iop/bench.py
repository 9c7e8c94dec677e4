"""What a virtual board tells of a soft processor besides its registers."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Fault(NamedTuple):
    """Why a processor stopped: ``kind`` is the name of the cause, ``text`` one line with all of it."""

    kind: str
    pc: int
    opcode: int
    address: int
    text: str


class IopBench(Protocol):
    """The bench around a virtual IOP: ``board.probe.iop(number)``."""

    @property
    def fault(self) -> Fault | None:
        """Why it stopped, if it did; reset ends it."""
        ...

    @property
    def pc(self) -> int:
        """The address of its next instruction."""
        ...
