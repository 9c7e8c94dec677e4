"""A model of IP at its place on a virtual board: what the native core calls."""

from __future__ import annotations

import operator
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._native import IpHandle
from ..boards import IpSpec
from ..errors import BadArgumentError
from .model_ports import InputPort, Inputs, OutputPort, Outputs, Registers, Timer, checked_delay

if TYPE_CHECKING:
    from .models import IpModel

_T = TypeVar("_T")


class PlacedIp:
    """Between a model and the native core, which cannot pass an exception on: an answer that is a str is one."""

    def __init__(self, model: IpModel, handle: IpHandle, spec: IpSpec) -> None:
        self._model, self.handle, self.spec = model, handle, spec
        self.registers = Registers(handle, spec.size)
        self.inputs = Inputs({name: InputPort(handle, number, name) for number, name in enumerate(spec.inputs)})
        self.outputs = Outputs({name: OutputPort(handle, number, name) for number, name in enumerate(spec.outputs)})
        self._input_names = tuple(spec.inputs)
        self._timers: dict[int, Timer] = {}

    def after(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """See :meth:`IpModel.after`."""
        if not callable(callback):
            raise BadArgumentError(f"{callback!r} cannot be called")
        timer = Timer(callback)
        self._timers[self.handle.start_timer(checked_delay(seconds))] = timer
        return timer

    def answer_read(self, offset: int, time: float) -> int | str | None:
        """For a read of a register."""
        return self._answer("read()", lambda: _register_value(self._model.read(offset, time)))

    def answer_write(self, offset: int, value: int, time: float) -> str | None:
        """For a write of a register."""
        return self._answer("write()", lambda: self._model.write(offset, value, time))

    def answer_receive(self, number: int, data: NDArray[np.uint8], last: bool) -> str | None:
        """For what an input has taken."""
        return self._answer("receive()", lambda: self._model.receive(self._input_names[number], data, last))

    def answer_timer(self, number: int) -> str | None:
        """For a timer that goes off."""
        timer = self._timers.pop(number)
        return self._answer("a timer", timer.go_off)

    def _answer(self, what: str, call: Callable[[], _T]) -> _T | str:
        try:
            return call()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._model.error = error
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            return f"{self.spec.name}: {what} of its model {type(self._model).__name__}: " + (
                f"{type(error).__name__}: {error} ({where})"
            )


def _register_value(given: object) -> int | None:
    if given is None:
        return None
    try:
        value = operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        value = -1
    if not 0 <= value <= 0xFFFFFFFF:
        raise BadArgumentError(f"it gave {given!r}; a register's value is an int from 0 to 0xFFFFFFFF, or None")
    return value
