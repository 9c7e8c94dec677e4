"""Whether a rate can be sustained, and why not: from the board's description alone, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..boards import BoardSpec, ConverterSpec, DmaSpec, MemoryKind
from ..dma import piece_bytes
from ..dma.channel import RING_DESCRIPTORS
from ..errors import BadArgumentError
from ..units import format_bandwidth, format_rate, format_size, format_time
from .monitor import rate_register

_SAMPLE = 2  # bytes

# Clocks of the engine. PG021 v7.1, "Latency": SG read to first data read; data read to stream valid (MM2S);
# stream valid to first write (S2MM). A packet's own overhead is what makes the throughput of PG021's
# "Throughput" out of its 10,000-byte packets: 99.76 % (MM2S) and 74.64 % (S2MM) of 2500 clocks at 32 bits.
_FETCH = 28
_START = {"dac": 6, "adc": 39}
_PACKET = {"dac": 6, "adc": 849}


@dataclass(frozen=True)
class Limit:
    """One thing a stream needs, and how much of it there is; both in ``unit``.

    ``max_rate`` is the rate (Sa/s of each channel) at which this limit is reached; ``why`` is a sentence
    where it is exceeded, else empty.
    """

    name: str
    needed: float
    available: float
    unit: str
    max_rate: float
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is enough."""
        return self.needed <= self.available

    def as_dict(self) -> dict[str, Any]:
        """One entry of ``limits`` in the JSON of ``gapless budget``; ``headroom`` is a share of what is needed."""
        headroom = self.available / self.needed - 1
        record = asdict(self) | {"ok": self.ok, "headroom": headroom, "max_rate_sa_per_s": self.max_rate}
        return {key: record[key] for key in _KEYS}


_KEYS = ("name", "needed", "available", "unit", "headroom", "ok", "max_rate_sa_per_s", "why")


@dataclass(frozen=True)
class Budget:
    """Everything a stream at ``rate`` (Sa/s of each channel) needs."""

    rate: float
    limits: tuple[Limit, ...]

    @property
    def sustained(self) -> bool:
        """Whether the rate can go on for ever with no gap."""
        return all(limit.ok for limit in self.limits)

    @property
    def max_rate(self) -> float:
        """The highest rate that can be sustained, in Sa/s of each channel; 0 when none can."""
        return max(0.0, min(limit.max_rate for limit in self.limits))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it cannot be sustained: a sentence for each limit exceeded."""
        return tuple(limit.why for limit in self.limits if not limit.ok)

    def as_dict(self) -> dict[str, Any]:
        """The part of the JSON of ``gapless budget`` that was computed."""
        return {
            "sustained": self.sustained,
            "max_rate_sa_per_s": self.max_rate,
            "limits": [limit.as_dict() for limit in self.limits],
        }


def compute_budget(
    board: BoardSpec,
    converter: ConverterSpec,
    dma: DmaSpec,
    memory: MemoryKind,
    rate: float,
    *,
    engine: str = "sg",
    channels: int = 1,
    block: int | None = None,
    packets: bool = False,
    queue: int = RING_DESCRIPTORS,
    rearm: float | None = None,
    producer: float | None = None,
    others: Sequence[tuple[ConverterSpec, float]] = (),
) -> Budget:
    """What a stream needs, and what there is.

    Args:
        board, converter, dma: the design, the converter, and the DMA instance that reaches it.
        memory: the kind of memory the samples lie in, which decides the port.
        rate: samples per second of each channel.
        engine: ``sg``, ``direct`` or ``cyclic``.
        channels: converters in step that share the stream.
        block: bytes of one descriptor or direct-mode transfer; by default the longest there can be.
        packets: each block is a packet, as in a stream; else a recording with scatter-gather is one.
        queue: descriptors in the ring (scatter-gather).
        rearm: seconds from a completion until software has started the next transfer (direct) or
            extended the ring (scatter-gather). None: software is not looked at.
        producer: samples per second, of all channels together, that whoever makes (a DAC's) or takes (an
            ADC's) samples can do. None: it is not looked at.
        others: converters that run at the same time from or to the same kind of memory, and their rates.

    Raises BadArgumentError for what is not a number, or more channels than the board has.
    """
    rate_register(rate)
    _check(board, converter, channels, block, queue, rearm, producer)
    return Budget(
        float(rate),
        tuple(
            _Stream(
                board,
                converter,
                dma,
                memory,
                float(rate),
                engine,
                channels,
                piece_bytes(dma) if block is None else block,
                packets,
                queue,
                rearm,
                producer,
                tuple(others),
            ).limits()
        ),
    )


def _check(
    board: BoardSpec,
    converter: ConverterSpec,
    channels: int,
    block: int | None,
    queue: int,
    rearm: float | None,
    producer: float | None,
) -> None:
    there = sum(other.direction == converter.direction for other in board.converters)
    if not 1 <= channels <= there:
        raise BadArgumentError(
            f"asked {channels} channels: {board.name} has {there} {converter.direction.upper()}s; use 1 to {there}"
        )
    for what, value in (("block", block), ("queue", queue), ("producer rate", producer)):
        if value is not None and not 0 < value < math.inf:
            raise BadArgumentError(f"{what} of {value!r}: it must be above 0")
    if rearm is not None and not 0 <= rearm < math.inf:
        raise BadArgumentError(f"re-arm time of {rearm!r} s: it must be 0 or more")


@dataclass(frozen=True)
class _Stream:
    board: BoardSpec
    converter: ConverterSpec
    dma: DmaSpec
    memory: MemoryKind
    rate: float
    engine: str
    channels: int
    block: int
    packets: bool
    queue: int
    rearm: float | None
    producer: float | None
    others: tuple[tuple[ConverterSpec, float], ...]

    @property
    def need(self) -> float:
        """B/s of the stream."""
        return self.rate * _SAMPLE * self.channels

    @property
    def asked(self) -> str:
        """What was asked, in words."""
        return format_rate(self.rate) + (f" on {self.channels} channels" if self.channels > 1 else "")

    @property
    def data_path(self) -> float:
        """B/s that the engine itself moves."""
        return self.dma.data_width * self.dma.clock

    @property
    def path(self) -> float:
        """B/s from memory to the stream, with no overhead."""
        return min(self.data_path, max(0.0, self._left(self.memory)))

    def limits(self) -> list[Limit]:
        found = [self._converter(), self._stream_clock(), self._port(), self._engine()]
        if self.engine != "direct":
            found.append(self._descriptors())
        if self.rearm is not None and self.engine != "cyclic":
            found.append(self._slack(self.rearm))
        if self.producer is not None:
            found.append(self._producer(self.producer))
        return found

    # ---- what the hardware gives

    def _converter(self) -> Limit:
        name, most = self.converter.name, self.converter.max_rate
        why = f"{name} converts at most {format_rate(most)}; asked {format_rate(self.rate)}"
        return _limit("converter", self.rate, most, "Sa/s", most, why)

    def _stream_clock(self) -> Limit:
        # Converters in step share one stream, as many times as wide.
        needed = self.rate / self.converter.samples_per_beat
        available = self.data_path / (self.converter.beat_bytes * self.channels)
        most = self._rate(self.data_path)
        why = (
            f"{self.asked} needs {format_bandwidth(self.need)}, {self.dma.name} moves "
            f"{self.dma.data_width} bytes a clock of {self.dma.clock / 1e6:g} MHz, {format_bandwidth(self.data_path)}: "
            f"at most {format_rate(most)}"
        )
        return _limit("stream clock", needed, available, "Hz", most, why)

    def _port(self) -> Limit:
        port = self.board.port(self.dma.ports[self.memory])
        sharing = self._sharing(self.memory)
        total, most = self.need + sum(need for _, need in sharing), self._rate(self._left(self.memory))
        kind = self.memory.value.upper()
        asked = f"{self.asked} needs {format_bandwidth(self.need)}"
        if sharing:
            asked += "".join(f", {name} {format_bandwidth(need)}" for name, need in sharing)
            asked += f", together {format_bandwidth(total)}"
        why = f"{asked}, the {kind} port ({port.name}) gives {format_bandwidth(port.bandwidth)}; {self._better(most)}"
        return _limit("memory port", total, port.bandwidth, "B/s", most, why)

    def _engine(self) -> Limit:
        """What the engine sustains of its path: every packet, and every start in direct mode, takes its own time."""
        overhead = self._overhead()
        sustained = self.block / (self.block / self.path + overhead) if self.path else 0.0
        if self.need >= self.path:
            why = (
                f"{self.asked} needs {format_bandwidth(self.need)}, all that the memory port and the engine's own data "
                f"path give, and the engine sustains less: {self._better(self._rate(sustained))}"
            )
        else:
            least = _up(overhead * self.need / (1 - self.need / self.path), self.dma.data_width)
            why = (
                f"{self.asked} needs {format_bandwidth(self.need)}; in blocks of "
                f"{format_size(self.block)}, between which {format_time(overhead)} pass, the engine sustains "
                f"{format_bandwidth(sustained)}: "
                f"{self._longer(least)}at most {format_rate(self._rate(sustained))}"
            )
        return _limit("engine", self.need, sustained, "B/s", self._rate(sustained), why)

    def _overhead(self) -> float:
        """Seconds from one block to the next in which nothing is moved."""
        direction = self.converter.direction
        # A recording with scatter-gather is one packet, unless it is a stream; otherwise each block ends one.
        one = direction == "adc" and self.engine != "direct" and not self.packets
        packet = 0 if one else _PACKET[direction]
        if self.engine != "direct":
            return packet / self.dma.clock
        return max(packet / self.dma.clock, self._dead(self.rearm or 0.0))

    def _dead(self, rearm: float) -> float:
        """Seconds from a direct-mode completion until data moves again."""
        return rearm + _START[self.converter.direction] / self.dma.clock

    def _descriptors(self) -> Limit:
        needed, fetched = self.need / self.block, self.dma.clock / _FETCH
        most = self._rate(fetched * self.block)
        least = _up(self.need / fetched, self.dma.data_width)
        why = (
            f"{self.asked} in blocks of {format_size(self.block)} needs {needed:.3g} descriptors a second, "
            f"the engine fetches {fetched:.3g} ({_FETCH} clocks each, PG021): {self._longer(least)}"
            f"at most {format_rate(most)}"
        )
        return _limit("descriptors", needed, fetched, "1/s", most, why)

    # ---- what software has to do in time

    def _slack(self, rearm: float) -> Limit:
        """While software is late, the FIFO goes on; or what is queued in the ring, each time once at most."""
        fifo = self.converter.fifo_bytes * self.channels  # each converter has its own
        if self.engine == "direct":
            late, held, what = self._dead(rearm), fifo, f"the FIFO of {format_size(fifo)}"
        else:
            late, held = rearm, max(1, self.queue - 1) * self.block  # one is done when software is told
            what = f"a ring of {self.queue} blocks of {format_size(self.block)}"
        slack = held / self.need
        most = self._rate(held / late) if late else math.inf
        advice = "use engine sg, which is queued ahead (--engine sg), or " if self._may_queue() else ""
        why = (
            f"software takes {format_time(late)} to re-arm; {what} lasts {format_time(slack)} at "
            f"{format_rate(self.rate)}: {advice}at most {format_rate(most)}"
        )
        return _limit("re-arm time", late, slack, "s", most, why)

    def _producer(self, producer: float) -> Limit:
        needed, most = self.rate * self.channels, producer / self.channels
        does = "makes" if self.converter.direction == "dac" else "takes"
        why = (
            f"{format_rate(needed)} are needed, the producer {does} {format_rate(producer)}: prepare the samples "
            f"before, or at most {format_rate(most)}"
        )
        return _limit("producer", needed, producer, "Sa/s", most, why)

    # ---- sentences

    def _rate(self, bandwidth: float) -> float:
        return max(0.0, bandwidth) / (_SAMPLE * self.channels)

    def _left(self, memory: MemoryKind) -> float:
        return self.board.port(self.dma.ports[memory]).bandwidth - sum(need for _, need in self._sharing(memory))

    def _sharing(self, memory: MemoryKind) -> list[tuple[str, float]]:
        """Name and B/s of the others whose port to ``memory`` is ours."""
        port = self.dma.ports[memory]
        return [
            (other.name, rate * _SAMPLE)
            for other, rate in self.others
            if self.board.dma(other.dmas[0]).ports.get(memory) == port
        ]

    def _better(self, most: float) -> str:
        able = [
            pool.name
            for pool in self.board.pools
            if pool.size and pool.kind in self.dma.ports and self._left(pool.kind) >= self.need
        ]
        return f"{', '.join(able)} can" if able else f"no memory of this board can: at most {format_rate(most)}"

    def _longer(self, least: int) -> str:
        return f"use blocks of at least {least:,} bytes, or " if least <= piece_bytes(self.dma) else ""

    def _may_queue(self) -> bool:
        return self.engine == "direct" and any(self.board.dma(name).sg for name in self.converter.dmas)


def _limit(name: str, needed: float, available: float, unit: str, most: float, why: str) -> Limit:
    return Limit(name, needed, available, unit, most, "" if needed <= available else why)


def _up(nbytes: float, unit: int) -> int:
    return math.ceil(nbytes / unit) * unit
