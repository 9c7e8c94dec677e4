"""The clocks that the PS gives to the PL, and that of its processors, in its registers.

Sources: UG585, "Clocks" and register details of slcr; UG1087, CRL_APB and CRF_APB. What PYNQ leaves out is left out
here, too: a PLL is taken to have the crystal as its input, and the DPLL to reach the PL undivided.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ...boards.ps_clocks import CRF_APB, CRL_APB, SLCR
from ...errors import AccessDeniedError, AddressError, BadArgumentError, BusAccessError, UnsupportedError
from . import in_pl
from .device import Device

#: Fields of these registers: lowest bit and number of bits.
_Field = tuple[int, int]
_DIVISOR0: _Field = (8, 6)
_MOST = 63
#: Frequencies that are this far from what was asked are told of.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Family:
    """Where a PS has its clocks: addresses, and which PLL each source is.

    ``crystal``: the parameter of the PS with its frequency, ``usual``: what it is else (MHz). ``gate``: the bit that
    lets a clock through, where there is one.
    """

    crystal: str
    usual: float
    feedback: _Field
    halved: int | None
    clocks: tuple[int, ...]
    sources: Mapping[int, int]
    source: _Field
    divisor1: _Field
    gate: int | None
    cpu: int
    cpu_sources: Mapping[int, int]


_ARM_PLL, _DDR_PLL, _IO_PLL = (SLCR + offset for offset in (0x100, 0x104, 0x108))
_APLL, _DPLL, _VPLL = (CRF_APB + offset for offset in (0x20, 0x2C, 0x38))
FAMILIES: Mapping[str, Family] = {
    "armv7l": Family(
        crystal="PCW_CRYSTAL_PERIPHERAL_FREQMHZ",
        usual=50.0,
        feedback=(12, 7),
        halved=None,
        clocks=tuple(SLCR + 0x170 + 0x10 * number for number in range(4)),
        sources={0: _IO_PLL, 1: _IO_PLL, 2: _ARM_PLL, 3: _DDR_PLL},
        source=(4, 2),
        divisor1=(20, 6),
        gate=None,
        cpu=SLCR + 0x120,
        cpu_sources={0: _ARM_PLL, 1: _ARM_PLL, 2: _DDR_PLL, 3: _IO_PLL},
    ),
    "aarch64": Family(
        crystal="PSU__PSS_REF_CLK__FREQMHZ",
        usual=33.333,
        feedback=(8, 7),
        halved=16,
        clocks=tuple(CRL_APB + 0xC0 + 4 * number for number in range(4)),
        sources={0: CRL_APB + 0x20, 2: CRL_APB + 0x30, 3: _DPLL},
        source=(0, 3),
        divisor1=(16, 6),
        gate=24,
        cpu=CRF_APB + 0x60,
        cpu_sources={0: _APLL, 2: _DPLL, 3: _VPLL},
    ),
}


class ClockRegisters:
    """The clocks of a device. Frequencies are in MHz; UnsupportedError where the registers are out of reach."""

    def __init__(self, device: Device) -> None:
        self._device, self._family = device, FAMILIES[device.arch]

    def cpu(self) -> float:
        """The frequency of the processors."""
        family, value = self._family, self._read(self._family.cpu)
        divisor = _get(value, _DIVISOR0)
        return round(self._pll(family.cpu_sources, _get(value, family.source)) / _divisible(divisor), 6)

    def get(self, index: int) -> float:
        """The frequency of clock ``index`` of the PL, 0 to 3."""
        value = self._read(self._clock(index))
        divisors = _get(value, _DIVISOR0) * _get(value, self._family.divisor1)
        return round(self._source(value) / _divisible(divisors), 6)

    def set(self, index: int, div0: int | None, div1: int | None, clk_mhz: float) -> None:
        """Set it, as ``Clocks.set_pl_clk``."""
        family, address = self._family, self._clock(index)
        value = self._read(address)
        if div0 is None or div1 is None:
            if not (clk_mhz > 0 and math.isfinite(clk_mhz)):
                raise BadArgumentError(f"clk_mhz={clk_mhz}: a frequency above 0")
            div0, div1 = _divisors(self._source(value), clk_mhz, div0, div1)
        for number, divisor in enumerate((div0, div1)):
            if not 1 <= divisor <= _MOST:
                raise BadArgumentError(f"Frequency divider {number} value out of range: {divisor}, of 1 to {_MOST}")
        value = _put(_put(value, _DIVISOR0, div0), family.divisor1, div1)
        if family.gate is not None:
            value |= 1 << family.gate
        with self._reachable():
            self._device.board.bus.write32(address, value)

    def _clock(self, index: int) -> int:
        if index not in range(len(self._family.clocks)):
            raise BadArgumentError(f"clock {index!r}: Valid PL clock index is 0 - 3.")
        return self._family.clocks[index]

    def _source(self, value: int) -> float:
        return self._pll(self._family.sources, _get(value, self._family.source))

    def _pll(self, sources: Mapping[int, int], source: int) -> float:
        if source not in sources:
            raise UnsupportedError(f"a clock comes from source {source}, which is no PLL of the PS")
        family, value = self._family, self._read(sources[source])
        halved = family.halved is not None and value >> family.halved & 1
        return self._crystal() * _get(value, family.feedback) / (2 if halved else 1)

    def _crystal(self) -> float:
        with suppress(UnsupportedError, ValueError, KeyError):
            design = in_pl.design_of(self._device.board)
            return float(design.block(design.ps).parameters[self._family.crystal])
        return self._family.usual

    def _read(self, address: int) -> int:
        with self._reachable():
            return self._device.board.bus.read32(address)

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except (BusAccessError, AddressError, AccessDeniedError) as error:
            raise UnsupportedError(
                f"{self._device.tag}: the PS's clock registers are not to be had there: {error}"
            ) from error


def set_clocks(device: Device, clock_dict: Mapping[int, Mapping[str, Any]]) -> None:
    """Set the clocks of the PL to what a design says, where the registers can be reached."""
    registers = ClockRegisters(device)
    with suppress(UnsupportedError):
        for index, clock in clock_dict.items():
            if clock["enable"]:
                registers.set(index, clock["divisor0"], clock["divisor1"], 0.0)


def _divisors(source: float, asked: float, div0: int | None, div1: int | None) -> tuple[int, int]:
    """Two divisors for a frequency, as near as can be; a UserWarning when that is more than 1 % off."""
    if div0 is not None:
        found = div0, round(source / asked / max(div0, 1))
    elif div1 is not None:
        found = round(source / asked / max(div1, 1)), div1
    else:
        pairs = ((first, second) for first in range(1, _MOST + 1) for second in range(1, _MOST + 1))
        found = min(pairs, key=lambda pair: abs(pair[0] * pair[1] - source / asked))
    product = found[0] * found[1]
    if product and abs(source / product - asked) > _TOLERANCE * asked:
        warnings.warn(f"Setting frequency to the closest possible value {source / product:.5f}MHz.", stacklevel=5)
    return found


def _divisible(divisor: int) -> int:
    if not divisor:
        raise UnsupportedError("a clock has divisor 0 in its register: it was never set up")
    return divisor


def _get(value: int, field: _Field) -> int:
    first, count = field
    return value >> first & (1 << count) - 1


def _put(value: int, field: _Field, bits: int) -> int:
    first, count = field
    return value & ~((1 << count) - 1 << first) | bits << first
