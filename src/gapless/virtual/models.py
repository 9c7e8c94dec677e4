"""Models of a design's own IP, written in Python, for virtual boards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..boards import IpSpec
from ..errors import BadArgumentError
from .model_ports import Inputs, Outputs, Registers, Timer
from .placed_ip import PlacedIp

#: Who models an IP, by its VLNV or by that without the version.
_bound: dict[str, type[IpModel]] = {}


def model_for(vlnv: str) -> type[IpModel] | None:
    """The class bound last to this VLNV; without one, to its vendor, library and name."""
    return _bound.get(vlnv) or _bound.get(vlnv.rpartition(":")[0])


class IpModel:
    """What an IP of a user's design does on a virtual board; a subclass says it.

    Every method below that a subclass defines is called at one moment of virtual time: it computes, and the board's
    time stands still. What takes the IP time is said by rates, delays and timers. It cannot use the board's bus, DMA
    and streams (BusAccessError), which are for programs. An exception ends the access that it was called for with
    BusAccessError; out of :meth:`receive` or a timer it stops the model, and transfers with it end with
    DmaInternalError. Either is in ``board.findings``, and in :attr:`error`.

    Attributes:
        bindto: the VLNVs that it models, as ``"xilinx.com:hls:resize_accel:1.0"``, or without the version for all
            of them. Of two classes for one VLNV the one defined last counts.
        error: what a method raised last, with its traceback.
    """

    bindto: ClassVar[tuple[str, ...]] = ()
    error: BaseException | None = None
    _placed: PlacedIp | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Bind it."""
        super().__init_subclass__(**kwargs)
        names = cls.__dict__.get("bindto", ())
        if not isinstance(names, (tuple, list)):
            raise BadArgumentError(f"{cls.__name__}.bindto is {names!r}: it is a tuple of VLNVs, ({names!r},)")
        for name in names:
            if not isinstance(name, str) or name.count(":") not in (2, 3):
                raise BadArgumentError(f"{cls.__name__}.bindto: {name!r} is no vendor:library:name or ...:version")
        _bound.update(dict.fromkeys(names, cls))

    # ---- what a subclass defines -----------------------------------------------------------------------

    def start(self) -> None:
        """The design is in the PL: set up ports and registers. What it raises reaches who opens the board."""

    def read(self, offset: int, time: float) -> int | None:
        """The value of the register at ``offset`` (bytes) at ``time`` (seconds).

        None, or no method: what :attr:`registers` has there.
        """

    def write(self, offset: int, value: int, time: float) -> None:
        """``value`` was written to the register at ``offset``; :attr:`registers` has it already."""

    def receive(self, port: str, data: NDArray[np.uint8], last: bool) -> None:
        """The input ``port`` has taken a packet, or ``chunk`` bytes of one; ``last``: it ended with TLAST.

        ``data`` (uint8, shape (n,)) is the model's to keep and change. Without this method nothing is taken.
        """

    # ---- what it has -----------------------------------------------------------------------------------

    @property
    def spec(self) -> IpSpec:
        """Name, VLNV, addresses and streams."""
        return self._ip.spec

    @property
    def name(self) -> str:
        """Of this instance, in its design."""
        return self.spec.name

    @property
    def parameters(self) -> Mapping[str, str]:
        """Those that the design was built with."""
        return self.spec.parameters

    @property
    def registers(self) -> Registers:
        """What was written last, by offset; the model may change it."""
        return self._ip.registers

    @property
    def inputs(self) -> Inputs:
        """The stream ports that take data, by name."""
        return self._ip.inputs

    @property
    def outputs(self) -> Outputs:
        """The stream ports that give data, by name."""
        return self._ip.outputs

    @property
    def time(self) -> float:
        """Seconds of virtual time."""
        return self._ip.handle.time()

    def after(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback()`` when so much virtual time has passed, unless the timer is cancelled before.

        To the picosecond. Timers of one moment go off in the order in which they were started.
        """
        return self._ip.after(seconds, callback)

    def interrupt(self, level: bool = True) -> None:
        """Drive the interrupt output, high until it is driven low."""
        self._ip.handle.set_interrupt(bool(level))

    @property
    def _ip(self) -> PlacedIp:
        if self._placed is None:
            raise BadArgumentError(
                f"{type(self).__name__} is on no board yet: what it has is there from start() on, not in __init__()"
            )
        return self._placed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._placed.spec.name if self._placed else 'on no board'}>"
