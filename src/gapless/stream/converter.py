"""What a DAC and an ADC of a board have in common: which engine, which port, at which rate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from .._native import Bus
from ..boards import BoardSpec, ConverterSpec
from ..dma import AxiDma, piece_bytes
from ..errors import BadArgumentError, DmaStateError, RateError, UnknownNameError
from ..memory import DmaBuffer, Pool
from ..units import format_rate
from .budget import compute_budget
from .monitor import StreamMonitor, rate_register
from .probe import Probe

#: Called about twenty times a second with the bytes moved so far and the bytes in all.
Progress = Callable[[int, int], None]

SAMPLE_BYTES = 2
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

    def default_pool(self) -> Pool:
        """The pool a signal goes to when none is named: the fastest memory, which is the PL's."""
        return self.pools.get("pl-ddr") or next(iter(self.pools.values()))


class Converter:
    """A DAC or an ADC, with the DMA instances that reach it and its stream monitor."""

    def __init__(self, bench: Bench, spec: ConverterSpec) -> None:
        self.bench, self.spec = bench, spec
        self.monitor = StreamMonitor(bench.bus, spec)
        self._taken = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self.spec.name} of {self.bench.name}, up to {format_rate(self.spec.max_rate)}>"

    def take(self) -> None:
        """Have the converter for oneself, until :meth:`give_back`; DmaStateError when somebody else has it."""
        if not self._taken.acquire(blocking=False):
            doing = "playing" if self.spec.direction == "dac" else "recording"
            raise DmaStateError(f"{self.spec.name} is {doing}: wait until it ends, or cancel it")

    def give_back(self) -> None:
        """Undo :meth:`take`."""
        self._taken.release()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """:meth:`take` it inside a ``with`` block."""
        self.take()
        try:
            yield
        finally:
            self.give_back()

    def engines(self) -> dict[str, AxiDma]:
        """The engines this converter can be run with, and the DMA instance each needs."""
        found: dict[str, AxiDma] = {}
        for name in self.spec.dmas:
            dma = self.bench.dmas[name]
            for engine in ("sg", "cyclic") if dma.spec.sg else ("direct",):
                found.setdefault(engine, dma)
        return found

    def choose_engine(self, engine: str) -> tuple[str, AxiDma]:
        """The engine's name and its DMA instance; ``auto`` prefers scatter-gather."""
        possible = self.engines()
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
        self, rate: float, pool: Pool, dma: AxiDma, samples: int, *, block: int | None = None, force: bool = False
    ) -> None:
        """Raise RateError unless the converter, the memory port and the engine sustain ``rate`` (Sa/s).

        ``samples`` at that rate last no longer than bus time is counted; ``block`` is the bytes of one
        descriptor or transfer. How late software may be is not looked at. ``force`` refuses only what no
        converter or register can be set to.
        """
        rate_register(rate)
        if samples / rate > _LONGEST:
            raise RateError(
                f"{samples} samples at {format_rate(rate)} last {samples / rate:.3g} s; at most {_LONGEST:.0e} s"
            )
        budget = compute_budget(
            self.bench.spec,
            self.spec,
            dma.spec,
            pool.region.kind,
            rate,
            engine="sg" if dma.spec.sg else "direct",
            block=block,
        )
        alone = samples * SAMPLE_BYTES <= (block or piece_bytes(dma.spec))
        for limit in budget.limits:
            # Nothing comes between blocks where there is only one.
            if alone and limit.name in ("engine", "descriptors"):
                continue
            # A converter cannot even be set to more than it converts.
            if not limit.ok and (not force or limit.name == "converter"):
                raise RateError(limit.why)

    def allocate(self, pool: Pool, samples: int, dma: AxiDma, address: int | None) -> DmaBuffer:
        """A buffer for ``samples`` samples that ``dma`` reaches, at ``address`` if that is given."""
        align = max(64, dma.spec.data_width)
        return pool.allocate(samples, np.int16, align=align, address=address, below=1 << dma.spec.address_width)

    def piece_timeout(self, nbytes: int, rate: float) -> float:
        """Seconds of bus time to wait for one piece: four times what it lasts, and 50 ms."""
        return 4 * nbytes / (rate * SAMPLE_BYTES) + 0.05
