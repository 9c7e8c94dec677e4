"""The sample kernels against a memory copy of as many bytes, and tones against the numpy expression.

Arrays are made and touched before anything is timed. Interleaving and packing are measured on one core with
64 MiB of samples, which is more than any cache holds here and what a signal is: against ``np.copyto`` of half as many
bytes as the kernel reads and writes together, so that both move the same: the counter is only written, and its check
only reads, so that the copy reads half as many bytes and writes the other half. Tones are measured on two cores, as
two halves, into int16: against numpy's expression on one core, which is what a notebook does, and against 1 GSa/s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from gapless import samples
from gapless.samples import MultiToneSource, Tone, variants

from .measure import Comparison, compare, timed

SAMPLES = 1 << 25
TONE_SAMPLES = 1 << 25
COPY_LIMIT = 1 / 0.6
RATE = 4.9152e9
FREQUENCY = 123_456_789.0


def run() -> Iterator[Comparison]:
    stream = np.random.default_rng(1).integers(-(1 << 15), 1 << 15, SAMPLES, dtype=np.int16)
    back = np.zeros_like(stream)
    for count in samples.interleaving.CHANNELS:
        channels = np.zeros((count, SAMPLES // count), dtype=np.int16)
        yield against_copy(
            f"deinterleave {count} channels",
            lambda n=count, c=channels: samples.deinterleave(stream, n, c),
            4 * SAMPLES,
        )
        yield against_copy(f"interleave {count} channels", lambda c=channels: samples.interleave(c, back), 4 * SAMPLES)
        if not np.array_equal(stream, back):
            raise SystemExit("what was taken apart did not come together again")
    words = np.zeros(SAMPLES // 4 * 3, dtype=np.uint16)
    moved = stream.nbytes + words.nbytes
    yield against_copy("pack 12 bit", lambda: samples.pack12(stream, words), moved)
    yield against_copy("unpack 12 bit", lambda: samples.unpack12(words, back), moved)
    yield from counter(back)
    yield from tones()


def counter(out: NDArray[np.int16]) -> Iterator[Comparison]:
    yield against_copy("counter", lambda: samples.CounterSource().fill(out, 0), out.nbytes)
    yield against_copy("check of the counter", lambda: samples.check_counter(out), out.nbytes)
    if samples.check_counter(out):
        raise SystemExit("the counter is not one")


def against_copy(name: str, kernel: Callable[[], object], moved: int) -> Comparison:
    source, target = np.ones(moved // 2, dtype=np.uint8), np.zeros(moved // 2, dtype=np.uint8)
    return compare(
        f"{name} ({variants.BEST.name})",
        lambda: timed(kernel),
        lambda: timed(lambda: np.copyto(target, source)),
        theirs_name="np.copyto, as many bytes moved",
        limit=COPY_LIMIT,
    )


def tones() -> Iterator[Comparison]:
    source = MultiToneSource([Tone(FREQUENCY, 0.9)], RATE)
    out = np.zeros(TONE_SAMPLES, dtype=np.int16)
    half = TONE_SAMPLES // 2
    index = np.arange(TONE_SAMPLES, dtype=np.float64)

    def expression() -> object:
        return (np.sin((2 * np.pi * FREQUENCY / RATE) * index) * (0.9 * 32767)).astype(np.int16)

    with ThreadPoolExecutor(2) as pool:

        def ours() -> None:
            for _ in pool.map(source.fill, (out[:half], out[half:]), (0, half)):
                pass

        yield compare(
            f"tone to int16, two cores ({variants.BEST.name})",
            lambda: timed(ours),
            lambda: timed(expression),
            theirs_name="(np.sin(..) * a).astype(np.int16)",
            limit=1 / 40,
        )
        yield compare(
            f"tone to int16, two cores ({variants.BEST.name})",
            lambda: timed(ours),
            lambda: TONE_SAMPLES / 1e9,
            theirs_name="1 GSa/s",
            limit=1.0,
        )
