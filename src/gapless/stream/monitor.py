"""Driver of the stream monitor: the counters beside a converter, or beside two in step (docs/stream-monitor.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..boards import ConverterSpec, PairSpec
from ..bus import RegisterBus
from ..errors import BadArgumentError, OutOfStepError

if TYPE_CHECKING:  # loaded when there is an account to give
    from .ledger import Gap, Ledger

IDENTITY = 0x47504C31  # "GPL1"

_CONTROL, _STATUS, _RATE, _SAMPLES, _MISSING, _GAP_COUNT = 0x00, 0x04, 0x08, 0x10, 0x18, 0x20
_GAP_SELECT, _GAP_INDEX, _GAP_LENGTH, _GAP_CAUSE, _GAP_LOGGED = 0x24, 0x28, 0x30, 0x38, 0x3C
_FIFO_LEVEL, _FIFO_LOW, _FIFO_HIGH, _FIFO_DEPTH = 0x40, 0x44, 0x48, 0x4C
_CAPTURE, _PACKET, _IDENT = 0x50, 0x58, 0x60
_ENABLE, _CLEAR, _ZERO_IN_GAP = 1, 2, 4

_CAUSES = {
    "dac": {
        1: "underrun: the next transfer was started too late",
        2: "underrun: the memory port is slower than the converter",
        3: "underrun: the stream was stalled",
        4: "partial word inside the stream",
        5: "underrun: the next descriptor was not fetched in time",
    },
    "adc": {
        1: "overrun: the next transfer was started too late",
        2: "overrun: the memory port is slower than the converter",
        3: "overrun: the stream was stalled",
    },
}


class _Registers:
    """The registers at ``base``, and what is written alike for one converter and for two."""

    def __init__(self, bus: RegisterBus, base: int) -> None:
        self._bus, self._base = bus, base

    def start(self, rate: float, *, capture: int = 0, packet: int = 0, zero_in_gap: bool = False) -> None:
        """Forget all counts, and convert at ``rate`` (Sa/s) from now on.

        A DAC's sample 0 is the first word that reaches it. An ADC captures ``capture`` samples (0: no
        end) and sets TLAST after every ``packet`` samples (0: only at the end of the capture).
        """
        self.prepare(rate, capture=capture, packet=packet)
        self._write(_CONTROL, _ENABLE | _CLEAR | (_ZERO_IN_GAP if zero_in_gap else 0))

    def prepare(self, rate: float, *, capture: int = 0, packet: int = 0) -> None:
        """All of :meth:`start` but to convert: :meth:`go` does that, when the engine is waiting."""
        value = rate_register(rate)
        self._write(_CONTROL, _CLEAR)
        self._write_wide(_RATE, value)
        self._write_wide(_CAPTURE, capture)
        self._write_wide(_PACKET, packet)

    def go(self) -> None:
        """Convert from now on."""
        self._write(_CONTROL, _ENABLE | _CLEAR)

    def stop(self) -> None:
        """Stop converting; the counts stay."""
        self._write(_CONTROL, 0)

    def _read(self, offset: int) -> int:
        return self._bus.read32(self._base + offset)

    def _write(self, offset: int, value: int) -> None:
        self._bus.write32(self._base + offset, value)

    def _read_wide(self, offset: int) -> int:
        # The lower half first: reading it holds the upper half still.
        low = self._read(offset)
        return self._read(offset + 4) << 32 | low

    def _write_wide(self, offset: int, value: int) -> None:
        self._write(offset, value & 0xFFFFFFFF)
        self._write(offset + 4, value >> 32)


class StreamMonitor(_Registers):
    """Counts what passes a converter and logs every gap."""

    def __init__(self, bus: RegisterBus, spec: ConverterSpec) -> None:
        super().__init__(bus, spec.base)
        self._spec = spec

    @property
    def samples(self) -> int:
        """Samples that passed: converted by a DAC, taken into the FIFO by an ADC."""
        return self._read_wide(_SAMPLES)

    @property
    def fifo_level(self) -> int:
        """Bytes in the FIFO."""
        return self._read(_FIFO_LEVEL)

    @property
    def fifo_low_water(self) -> int:
        """Lowest level, in bytes, between the first time the FIFO was full and the last word entering it."""
        return self._read(_FIFO_LOW)

    @property
    def fifo_depth(self) -> int:
        """Bytes the FIFO holds."""
        return self._read(_FIFO_DEPTH)

    def gaps_from(self, first: int) -> list[Gap]:
        """The gaps logged so far, but for the ``first`` ones; the last of them may still be growing."""
        from .ledger import Gap

        causes = _CAUSES[self._spec.direction]
        gaps = []
        for number in range(first, self._read(_GAP_LOGGED)):
            self._write(_GAP_SELECT, number)
            cause = self._read(_GAP_CAUSE)
            gaps.append(
                Gap(
                    self._read_wide(_GAP_INDEX),
                    self._read_wide(_GAP_LENGTH),
                    causes.get(cause, f"unknown cause {cause}"),
                )
            )
        return gaps

    def ledger(self) -> Ledger:
        """The account so far."""
        from .ledger import Ledger

        gaps = tuple(self.gaps_from(0))
        return Ledger(
            self.samples,
            gaps,
            self._read(_GAP_COUNT),
            self._read_wide(_MISSING),
            rate=self._read_wide(_RATE) / 1000 or None,
            direction=self._spec.direction,
        )


class PairMonitor(_Registers):
    """The stream monitors of two converters in step: started and stopped in the same instant, by the pair's registers.

    What is read is of both: a sample is one of each converter, a frame. FIFO figures are in bytes of the
    stream they share.
    """

    def __init__(self, bus: RegisterBus, spec: PairSpec, members: tuple[StreamMonitor, StreamMonitor]) -> None:
        super().__init__(bus, spec.base)
        self._spec, self._members = spec, members

    @property
    def samples(self) -> int:
        """Frames that passed: samples that passed both."""
        return min(member.samples for member in self._members)

    @property
    def fifo_level(self) -> int:
        """Bytes in both FIFOs together."""
        return sum(member.fifo_level for member in self._members)

    @property
    def fifo_low_water(self) -> int:
        """Twice the lowest level of either, in bytes; see :attr:`StreamMonitor.fifo_low_water`."""
        return 2 * min(member.fifo_low_water for member in self._members)

    @property
    def fifo_depth(self) -> int:
        """Bytes both FIFOs hold together."""
        return sum(member.fifo_depth for member in self._members)

    def gaps_from(self, first: int) -> list[Gap]:
        """As :meth:`StreamMonitor.gaps_from`; the two have the same, being in step."""
        return self._members[0].gaps_from(first)

    def ledger(self) -> Ledger:
        """The account that both agree on, when nothing passes any more; OutOfStepError when they do not agree."""
        first, second = (member.ledger() for member in self._members)
        if first != second:
            said = " and ".join(
                f"{name} {ledger.samples} samples and {ledger.missing_samples} missing in {ledger.gap_count} gaps"
                for name, ledger in zip(self._spec.converters, (first, second), strict=True)
            )
            raise OutOfStepError(
                f"{self._spec.name}: its converters are not in step: {said}; was one of them run by itself meanwhile?"
            )
        return first


def rate_register(rate: float) -> int:
    """RATE holds thousandths of a sample per second; BadArgumentError for what does not fit or is not above 0."""
    try:
        value = round(rate * 1000)
    except (OverflowError, ValueError, TypeError):
        value = 0
    if not 0 < value < 1 << 63:
        raise BadArgumentError(
            f"rate {rate!r}: it must be a number of samples per second above 0, from 0.001 to {(1 << 63) / 1e3:.3g}"
        )
    return value
