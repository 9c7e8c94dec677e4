"""How a signal is stored, and that playing its pieces gives it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.boards import DmaSpec, MemoryKind
from gapless.errors import SignalError
from gapless.samples import ArraySource, CounterSource, NoiseSource, ToneSource
from gapless.stream.layout import fill, lay_out, lay_out_in_place, samples_to_play


def spec(length_width=26, data_width=64):
    return DmaSpec(
        "d", 0, sg=True, ports={MemoryKind.PS: "p"}, mm2s_interrupt=0, length_width=length_width, data_width=data_width
    )


class Endless:
    """Sample n is n // 3: never repeats within a test."""

    name, length, period, rate = "endless", None, None, None

    def fill(self, out, start):
        out[:] = (np.arange(start, start + len(out)) // 3).astype(np.int16)


def first(source, count):
    if source.length is not None:
        whole = np.empty(source.length, np.int16)
        source.fill(whole, 0)
        return np.resize(whole, count)
    out = np.empty(count, np.int16)
    source.fill(out, 0)
    return out


def played(layout, source, dma, pages=1 << 30):
    block = np.empty(layout.stored, np.int16)
    fill(source, layout, block)
    # Runs of ``pages`` pages each, the later ones at lower addresses.
    run = 4096 * pages
    starts = range(0, 2 * layout.stored, run)
    offsets = {(len(starts) - number) << 33: start for number, start in enumerate(starts)}
    pieces, rest = layout.pieces(dma, tuple((at, min(run, 2 * layout.stored - start)) for at, start in offsets.items()))
    stream = []
    for some, times in ((pieces, layout.repeat), (rest, 1)):
        places = [(offsets[at >> 33 << 33] + at % (1 << 33), nbytes) for at, nbytes in some.tolist()]
        stream += [block[at // 2 : (at + nbytes) // 2] for at, nbytes in places] * times
    return np.concatenate(stream), pieces


sources = st.one_of(
    st.integers(1, 3000).map(lambda n: ArraySource(np.arange(n, dtype=np.int16), name="array")),
    st.just(CounterSource()),
    st.just(Endless()),
    st.sampled_from([10e6, 7e6, 333e3]).map(lambda f: ToneSource(f, 1e9)),
)
dmas = st.builds(spec, st.sampled_from([8, 10, 14, 23, 26]), st.sampled_from([4, 32, 64, 128]))


@given(sources, st.integers(1, 200_000), dmas, st.integers(1, 40))
def test_what_is_played_is_the_signal_and_every_repetition_is_whole_words(source, total, dma, pages):
    if source.length is not None:
        total = min(total, 300 * source.length)
    layout = lay_out(source, total, dma)
    assert layout.total == total
    stream, pieces = played(layout, source, dma, pages)
    assert np.array_equal(stream, first(source, total))
    if layout.repeat > 1 or layout.rest:
        assert layout.stored * 2 % max(64, dma.data_width) == 0
    assert all(at % dma.data_width == 0 for at in pieces[:, 0].tolist())


@given(sources, st.integers(1, 100_000), dmas)
def test_cyclic_stores_whole_periods_in_whole_words(source, total, dma):
    if source.length is not None:
        total = min(total, 30 * source.length)
    layout = lay_out(source, total, dma, cyclic=True)
    assert layout.rest == 0
    assert layout.total >= total
    assert layout.total - total < max(layout.stored, 1 << 15)
    assert layout.stored * 2 % max(64, dma.data_width) == 0
    stream, _ = played(layout, source, dma)
    unit = source.period if source.length is None else min(source.length, total)
    if unit is None:
        assert np.array_equal(stream, first(source, layout.total))
    else:
        assert layout.stored % unit == 0
        assert np.array_equal(stream, np.resize(first(source, unit), layout.total))


@pytest.mark.parametrize("source", [CounterSource(), NoiseSource(), ToneSource(10e6, 2.048e9)])
def test_a_generator_is_stored_once_however_much_is_played(source):
    layout = lay_out(source, 14_000_000_000, spec())
    assert layout.total == 14_000_000_000
    assert layout.stored * 2 <= 1 << 26
    pieces, _ = layout.pieces(spec(), ((0, 1 << 40),))
    assert len(pieces) == 1


def test_short_arrays_are_unrolled_so_that_descriptors_are_long():
    layout = lay_out(ArraySource(np.zeros(1, np.int16)), 10_000_000, spec())
    assert layout.stored * 2 == 1 << 20
    assert lay_out(ArraySource(np.zeros(1, np.int16)), 5, spec()).stored == 5


def test_in_place_only_whole_words_can_be_repeated():
    layout = lay_out_in_place(1600, 4000, 16)
    assert (layout.stored, layout.repeat, layout.rest, layout.total) == (1600, 2, 800, 4000)
    assert lay_out_in_place(1601, 1601, 16).total == 1601
    assert lay_out_in_place(1601, 100, 16).stored == 100
    assert lay_out_in_place(160, 170, 16, cyclic=True).total == 320
    for length, total, cyclic in [(1601, 1602, False), (1601, 1601, True), (1600, 1599, True)]:
        with pytest.raises(SignalError, match=r"whole number of the converter's 16-sample words: \d+ samples are not"):
            lay_out_in_place(length, total, 16, cyclic=cyclic)


def test_how_many_samples_a_signal_gives():
    array = ArraySource(np.zeros(100, np.int16), name="short")
    assert samples_to_play(array, None, 1) == 100
    assert samples_to_play(array, None, 3) == 300
    assert samples_to_play(array, 250, 3) == 250
    assert samples_to_play(array, 5, 1) == 5
    assert samples_to_play(CounterSource(), 14e9, 1) == 14_000_000_000
    assert samples_to_play(CounterSource(), np.int64(7), np.int8(2)) == 14
    with pytest.raises(
        SignalError, match=r"asked 250 samples of short, which has 100 and is repeated 2 times: use repeat=3"
    ):
        samples_to_play(array, 250, 2)
    with pytest.raises(SignalError, match="counter: never ends: say how many samples"):
        samples_to_play(CounterSource(), None, 1)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "3", float("nan"), float("inf")])
def test_counts_that_cannot_be_are_refused(bad):
    array = ArraySource(np.zeros(100, np.int16))
    with pytest.raises(SignalError, match=r"repeat=.*a whole number, at least 1"):
        samples_to_play(array, None, bad)
    with pytest.raises(SignalError, match=r"samples=.*a whole number, at least 1"):
        samples_to_play(array, bad, 1)
