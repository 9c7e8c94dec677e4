"""SOURCE: a file or a generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError
from ..files import open_source
from ..samples import GENERATORS, Source, is_generator, parse_generator
from .values import DEFAULT_RATE

HELP = (
    "A file (.raw little-endian int16, .npy, .wav, .sigmf-meta) or a generator: counter: (counts up), "
    "tone:10e6 (Hz; tone:10e6,0.5 at half scale), noise: (noise:7 with another seed)."
)


def open_signal(text: str, rate: float | None) -> tuple[Source, float]:
    """The source that ``text`` names, and the rate it is played at: the one asked, else its own."""
    if is_generator(text):
        rate = rate or DEFAULT_RATE
        return parse_generator(text, rate), rate
    if text in GENERATORS and not Path(text).exists():
        raise BadArgumentError(f"{text}: no such file; the generator is written {GENERATORS[text]}")
    source = open_source(text)
    return source, rate or source.rate or DEFAULT_RATE


def read_all(source: Source, most: int | None = None) -> NDArray[np.int16]:
    """All samples of ``source``, or its first ``most``: one period where it repeats by itself."""
    ends = [count for count in (source.length, source.period, most) if count is not None]
    samples = np.empty(min(ends), dtype=np.int16)
    source.fill(samples, 0)
    return samples
