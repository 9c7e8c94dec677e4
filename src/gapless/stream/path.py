"""How a stream reaches converters: which ones, by which engines, and who counts what passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..boards import BoardSpec, ConverterSpec
from ..bus import RegisterBus
from ..dma import AxiDma
from ..errors import BadArgumentError
from .monitor import PairMonitor, StreamMonitor

SAMPLE_BYTES = 2


@dataclass(frozen=True)
class Path:
    """The way of a stream for a number of channels, one converter each.

    Attributes:
        converters: their names; sample k of a frame is that of ``converters[k]``.
        indices: their numbers among the board's DACs, or ADCs.
        dmas: the DMA instances that reach them.
        monitor: counts what passes, in samples per converter: frames.
    """

    converters: tuple[str, ...]
    indices: tuple[int, ...]
    dmas: tuple[AxiDma, ...]
    monitor: StreamMonitor | PairMonitor

    @property
    def channels(self) -> int:
        """Samples in a frame."""
        return len(self.converters)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of each converter."""
        return SAMPLE_BYTES * self.channels

    def engines(self) -> dict[str, AxiDma]:
        """The engines it can be run with, and the DMA instance each needs."""
        found: dict[str, AxiDma] = {}
        for dma in self.dmas:
            for engine in ("sg", "cyclic") if dma.spec.sg else ("direct",):
                found.setdefault(engine, dma)
        return found


def find_path(
    bus: RegisterBus, board: BoardSpec, dmas: Mapping[str, AxiDma], converter: ConverterSpec, channels: int
) -> Path:
    """The path of ``channels`` channels from ``converter`` on; BadArgumentError when the board has none."""
    own = StreamMonitor(bus, converter)
    if channels == 1:
        return Path((converter.name,), (converter.index,), _named(dmas, converter.dmas), own)
    pair = next((pair for pair in board.pairs if converter.name in pair.converters), None)
    verb = "plays" if converter.direction == "dac" else "records"
    if pair is None or channels != 2:
        possible = f"1 ({converter.name})"
        if pair is not None:
            possible += f" or 2 ({pair.converters[0]} and {pair.converters[1]} in step)"
        raise BadArgumentError(f"{converter.name}: {channels} channels asked; this design {verb} {possible}")
    if converter.name != pair.converters[0]:
        raise BadArgumentError(
            f"{converter.name}: 2 channels asked; it {verb} the second channel of {pair.converters[0]} and "
            f"{converter.name} in step: ask {pair.converters[0]}"
        )
    second = board.converter(pair.converters[1])
    monitor = PairMonitor(bus, pair, (own, StreamMonitor(bus, second)))
    return Path(pair.converters, (converter.index, second.index), _named(dmas, pair.dmas), monitor)


def _named(dmas: Mapping[str, AxiDma], names: Iterable[str]) -> tuple[AxiDma, ...]:
    return tuple(dmas[name] for name in names)
