"""What a DAC and an ADC of a board have in common: which engine, which port, at which rate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np

from .._native import Bus, Scheduling
from ..boards import BoardSpec, ConverterSpec
from ..dma import AxiDma
from ..errors import BadArgumentError, DmaStateError, RateError, UnknownNameError
from ..memory import Buffer, Pool
from ..units import format_rate
from .layout import whole_number
from .monitor import StreamMonitor, rate_register
from .path import Path, find_path
from .probe import Probe

#: Called about twenty times a second with the bytes moved so far and the bytes in all.
Progress = Callable[[int, int], None]

#: Seconds; 11 days.
_LONGEST = 1e6
_ENGINES = ("auto", "sg", "direct", "cyclic")


@dataclass(frozen=True)
class Bench:
    """What the converters of one board share."""

    name: str
    spec: BoardSpec
    bus: Bus
    pools: Mapping[str, Pool]
    dmas: Mapping[str, AxiDma]
    probe: Probe | None
    #: where descriptors are allocated
    descriptor_pool: Pool
    #: who runs a converter holds its lock, by name
    locks: dict[str, threading.Lock] = field(default_factory=dict)

    def default_pool(self) -> Pool:
        """The pool a signal goes to when none is named: the fastest memory, which is the PL's."""
        return self.pools.get("pl-ddr") or next(iter(self.pools.values()))


class Converter:
    """A DAC or an ADC, with the DMA instances that reach it and its stream monitor."""

    def __init__(self, bench: Bench, spec: ConverterSpec) -> None:
        self.bench, self.spec = bench, spec
        self.monitor = StreamMonitor(bench.bus, spec)
        bench.locks[spec.name] = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self.spec.name} of {self.bench.name}, up to {format_rate(self.spec.max_rate)}>"

    def path(self, channels: int = 1) -> Path:
        """How a stream of ``channels`` channels reaches this converter and those in step with it.

        2 are asked of the first of a pair. BadArgumentError for what the board does not have.
        """
        asked = whole_number(channels, "channels")
        return find_path(self.bench.bus, self.bench.spec, self.bench.dmas, self.spec, asked)

    def take(self, path: Path | None = None) -> None:
        """Have the converter, or all that are on ``path``, for oneself, until :meth:`give_back`.

        DmaStateError when somebody else has one of them.
        """
        with ExitStack() as undo:
            for name in self._names(path):
                if not self.bench.locks[name].acquire(blocking=False):
                    doing = "playing" if self.spec.direction == "dac" else "recording"
                    raise DmaStateError(f"{name} is {doing}: wait until it ends, or cancel it")
                undo.callback(self.bench.locks[name].release)
            undo.pop_all()

    def give_back(self, path: Path | None = None) -> None:
        """Undo :meth:`take`."""
        for name in self._names(path):
            self.bench.locks[name].release()

    @contextmanager
    def taken(self, path: Path | None = None) -> Iterator[None]:
        """:meth:`take` it inside a ``with`` block."""
        self.take(path)
        try:
            yield
        finally:
            self.give_back(path)

    def _names(self, path: Path | None) -> tuple[str, ...]:
        return (self.spec.name,) if path is None else path.converters

    def engines(self) -> dict[str, AxiDma]:
        """The engines this converter can be run with by itself, and the DMA instance each needs."""
        return self.path().engines()

    def choose_engine(self, engine: str, path: Path | None = None) -> tuple[str, AxiDma]:
        """The engine's name and its DMA instance; ``auto`` prefers scatter-gather."""
        possible = (path or self.path()).engines()
        if engine not in _ENGINES:
            raise UnknownNameError("engine", engine, _ENGINES)
        if engine == "auto":
            engine = "sg" if "sg" in possible else "direct"
        if engine not in possible:
            raise BadArgumentError(
                f"engine {engine}: the DMA of {self.spec.name} is not built for it; "
                f"this design has {', '.join(possible)}"
            )
        return engine, possible[engine]

    def choose_pool(self, memory: str | None) -> Pool:
        """The pool called ``memory``."""
        if memory is None:
            return self.bench.default_pool()
        if memory not in self.bench.pools:
            raise UnknownNameError("memory", memory, self.bench.pools)
        return self.bench.pools[memory]

    def check_rate(
        self,
        rate: float,
        pool: Pool,
        dma: AxiDma,
        samples: int,
        channels: int = 1,
        *,
        block: int | None = None,
        packets: bool = False,
        force: bool = False,
    ) -> None:
        """Raise RateError unless the converter, the memory port and the engine sustain ``rate`` (Sa/s).

        ``samples`` at that rate last no longer than bus time is counted; ``block`` is the bytes of one
        descriptor or transfer, each a packet of its own with ``packets``. How late software may be is not
        looked at. ``force`` refuses only what no converter or register can be set to.
        """
        rate_register(rate)
        if samples / rate > _LONGEST:
            raise RateError(
                f"{samples} samples at {format_rate(rate)} last {samples / rate:.3g} s; at most {_LONGEST:.0e} s"
            )
        from .budget import compute_budget

        budget = compute_budget(
            self.bench.spec,
            self.spec,
            dma.spec,
            pool.kind,
            rate,
            engine="sg" if dma.spec.sg else "direct",
            channels=channels,
            block=block,
            packets=packets,
        )
        for limit in budget.limits:
            # A converter cannot even be set to more than it converts.
            if not limit.ok and (not force or limit.name == "converter"):
                raise RateError(limit.why)


def buffer_alignment(dma: AxiDma) -> int:
    """Bytes that a buffer for ``dma`` is aligned to: a word of the engine, and a line of the processor's cache."""
    return max(64, dma.spec.data_width)


def allocate(
    pool: Pool, samples: int | tuple[int, int], dma: AxiDma, address: int | None = None, *, contiguous: bool = False
) -> Buffer:
    """A buffer that ``dma`` reaches, of so many samples or (frames, channels), at ``address`` if that is given."""
    below, align = 1 << dma.spec.address_width, buffer_alignment(dma)
    return pool.allocate(samples, np.int16, align=align, address=address, below=below, contiguous=contiguous)


def timeout_for(seconds: float) -> float:
    """Seconds of bus time to wait for what lasts ``seconds``: four times that, and 50 ms."""
    return 4 * seconds + 0.05


def check_delay(software_delay: float) -> None:
    """BadArgumentError for a delay that cannot be."""
    if not 0 <= software_delay < 1e3:
        raise BadArgumentError(f"software delay of {software_delay!r} s: it is from 0 to 1000 s")


def scheduling(realtime: int, cpu: int | None) -> Scheduling:
    """How a native thread is to be run; BadArgumentError for what no system knows."""
    if not _is_number(realtime) or not 0 <= realtime <= 99:
        raise BadArgumentError(f"realtime={realtime!r}: a SCHED_FIFO priority is 1 to 99; 0 asks for none")
    if cpu is not None and not (_is_number(cpu) and 0 <= cpu < 1024):
        raise BadArgumentError(f"cpu={cpu!r}: it is the number of a CPU, from 0 on")
    return Scheduling(realtime, -1 if cpu is None else cpu)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
