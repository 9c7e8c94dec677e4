"""The bench around a virtual board."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from .._native import Parts, Peripheral
from ..errors import BadArgumentError, SignalError, UnknownNameError
from .faults import Faults
from .iop import VirtualIop
from .models import IpModel


class VirtualProbe:
    """See :class:`~gapless.stream.Probe`. It is of one design: the board has another when another was loaded."""

    def __init__(
        self,
        parts: Parts,
        dacs: dict[int, int],
        adcs: dict[int, int],
        faults: Faults,
        peripherals: Mapping[str, Peripheral],
        iops: Mapping[int, VirtualIop],
        models: Mapping[str, IpModel],
    ) -> None:
        self._parts, self._dacs, self._adcs, self.faults = parts, dacs, adcs, faults
        self._peripherals, self._iops, self._models = peripherals, iops, models
        self._wires: dict[str, int] = {}  # DAC to ADC

    def tap(self, dac: int, callback: Callable[[memoryview], object] | None) -> None:
        """Hand every sample that DAC ``dac`` converts to ``callback``; None ends it."""
        self._parts.set_tap(self._number(self._dacs, "DAC", dac), callback)

    def flush(self, dac: int) -> None:
        """Hand over what was converted and is still held back."""
        self._parts.flush_tap(self._number(self._dacs, "DAC", dac))

    def connect(self, adc: int, source: str | NDArray[np.int16]) -> None:
        """Set what is at the input of ADC ``adc``: ``"counter"``, ``"dac0"`` or an int16 array."""
        number = self._number(self._adcs, "ADC", adc)
        names = {f"dac{index}": dac for index, dac in self._dacs.items()}
        if isinstance(source, str) and self._wires.get(source, adc) != adc:
            raise BadArgumentError(f"{source} is wired to ADC {self._wires[source]}: connect that one elsewhere first")
        if isinstance(source, np.ndarray):
            if source.dtype != np.int16 or source.ndim != 1 or len(source) == 0:
                raise SignalError(
                    f"an array of {source.dtype} with shape {source.shape}: an ADC's input is int16, shape (n,), n > 0"
                )
            self._parts.set_adc_waveform(number, np.ascontiguousarray(source).view(np.uint8))
        elif source == "counter":
            self._parts.set_adc_counter(number)
        elif source in names:
            self._parts.set_adc_loopback(number, names[source])
        else:
            raise UnknownNameError("source for an ADC", source, ("counter", *names, "an int16 array"))
        self._wires = {name: wired for name, wired in self._wires.items() if wired != adc}
        if isinstance(source, str) and source in names:
            self._wires[source] = adc

    def iop(self, number: int = 1) -> VirtualIop:
        """The bench around the soft processor with this number."""
        if number not in self._iops:
            raise UnknownNameError("IOP", number, self._iops)
        return self._iops[number]

    def model(self, name: str) -> IpModel:
        """The model of the design's own IP with this name."""
        if name not in self._models:
            raise UnknownNameError("model of an IP called", name, self._models)
        return self._models[name]

    def peripheral(self, name: str) -> Peripheral:
        """What is on the host's bus under this name: to set inputs of, to read outputs of."""
        if name not in self._peripherals:
            raise UnknownNameError("peripheral", name, self._peripherals)
        return self._peripherals[name]

    @staticmethod
    def _number(known: dict[int, int], what: str, index: int) -> int:
        if index not in known:
            raise UnknownNameError(what, index, known)
        return known[index]
