"""Sources that are computed: a counter, a tone, noise.

Sample n of each is defined by n alone, so that any stretch of it can be asked in pieces of any size
and in any order.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._native import Tones
from ..errors import BadArgumentError, SignalError, UnknownNameError
from . import variants
from .convert import FULL_SCALE
from .multitone import turn_words
from .source import Source
from .stretch import check_stretch, copy_periodic

#: How each generator is written; what messages list.
GENERATORS = {
    "counter": "counter: or counter:<first value>",
    "tone": "tone:<Hz> or tone:<Hz>,<amplitude up to 1>",
    "noise": "noise: or noise:<seed>",
}
MAX_TONE_PERIOD = 1 << 24
NOISE_PERIOD = 1 << 24

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}\Z")
_TILE = 1 << 16  # shorter periods are copied out of a table of at least about this many samples


class CounterSource:
    """The int16 counter: ``first``, ``first + 1``, .., 32767, -32768, ..: period 65536.

    It is what :func:`check_counter` understands.
    """

    length: int | None = None
    period: int | None = 1 << 16
    rate: float | None = None

    def __init__(self, first: int = 0) -> None:
        if not -32768 <= first <= 32767:
            raise BadArgumentError(f"counter: first value {first} asked: -32768 .. 32767 is what int16 holds")
        self.name = f"counter:{first}" if first else "counter:"
        self._first = first

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous)."""
        check_stretch(self.name, None, start, len(out))
        first = (self._first + start + 32768) % 65536 - 32768
        variants.BEST.counter(out, first)


class ToneSource:
    """A sine: sample n is ``round(amplitude * 32767 * sin(2 pi f n / rate))``.

    ``f / rate`` is kept as a fraction of integers, and the phase of sample n is taken from it with an
    error below 2**-62 turn, less than a float64 can show, for any n. The sine is
    computed in float64. ``period`` is the denominator of that fraction where it is at most 2**24; a tone
    with a longer one has None.

    Args:
        frequency: in Hz, above 0 and below rate / 2; a Fraction states a decimal number exactly.
        rate: samples per second it is made for.
        amplitude: of full scale, in (0, 1].
    """

    length: int | None = None

    def __init__(self, frequency: Fraction | float, rate: float, amplitude: float = 0.9) -> None:
        if not (math.isfinite(rate) and rate > 0):
            raise BadArgumentError(f"tone: rate {rate} asked: it must be above 0 Sa/s")
        exact_rate = Fraction(repr(float(rate)))  # the decimal number that was meant, not its binary neighbour
        if not 0 < frequency < exact_rate / 2:
            raise SignalError(
                f"tone: {float(frequency):g} Hz asked at {float(rate):g} Sa/s: "
                f"a tone lies above 0 Hz and below half the rate, {float(rate) / 2:g} Hz"
            )
        if not 0 < amplitude <= 1:
            raise SignalError(f"tone: amplitude {amplitude:g} asked: above 0 and at most 1 (full scale)")
        self.name = f"tone:{float(frequency):g}"
        self.rate: float | None = float(rate)
        self._scale = float(amplitude) * FULL_SCALE
        self._turns = Fraction(frequency) / exact_rate
        self.period = self._turns.denominator if self._turns.denominator <= MAX_TONE_PERIOD else None
        self._table: NDArray[np.int16] | None = None
        self._tones: Tones | None = None

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous)."""
        check_stretch(self.name, None, start, len(out))
        if self.period is None:
            self._compute(out, start)
            return
        if self._table is None:
            repeats = -(-_TILE // self.period)
            period = np.empty(self.period, dtype=np.int16)
            self._compute(period, 0)
            self._table = np.tile(period, repeats)
        copy_periodic(out, self._table, start)

    def _compute(self, out: NDArray[np.int16], start: int) -> None:
        """From a phase that is exact at sample 0, or at ``start`` where that is beyond what is counted in 64 bits."""
        if start + len(out) <= 1 << 63:
            if self._tones is None:
                self._tones = self._from(0)
            self._tones.fill(variants.BEST, out, start)
        else:
            self._from(start).fill(variants.BEST, out, 0)

    def _from(self, start: int) -> Tones:
        step, phase = self._turns, self._turns * start % 1
        return Tones([(*turn_words(step), *turn_words(phase), self._scale)])


class NoiseSource:
    """Uniform full-scale int16 noise: 2**24 samples, fixed by the seed, that repeat exactly.

    Sample n is 16 bits of word ``n // 4`` of numpy's PCG64 stream, least significant first. That stream
    is the same in every version of numpy, and can be entered at any word.
    """

    length: int | None = None
    period: int | None = NOISE_PERIOD
    rate: float | None = None
    _BLOCK = 1 << 16

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise BadArgumentError(f"noise: seed {seed} asked: 0 or above")
        self.name = f"noise:{seed}" if seed else "noise:"
        self._seed = seed

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous)."""
        check_stretch(self.name, None, start, len(out))
        done = 0
        while done < len(out):
            at = (start + done) % NOISE_PERIOD
            block, skip = divmod(at, self._BLOCK)
            part = self._block(block)[skip : skip + len(out) - done]
            out[done : done + len(part)] = part
            done += len(part)

    def _block(self, block: int) -> NDArray[np.int16]:
        bits = np.random.PCG64(self._seed)
        bits.advance(block * (self._BLOCK // 4))
        words: NDArray[np.uint64] = bits.random_raw(self._BLOCK // 4)
        return words.astype("<u8", copy=False).view("<i2")


def is_generator(text: str) -> bool:
    """True when ``text`` is written like a generator (``word:..``) and not like a path to a file."""
    name, colon, rest = text.partition(":")
    if not colon:
        return False
    looks_like_file = "/" in rest or re.search(r"\.[A-Za-z][\w-]*\Z", rest) is not None
    return name in GENERATORS or (name.isalpha() and not looks_like_file)


def parse_generator(text: str, rate: float) -> Source:
    """The source that ``counter:``, ``tone:10e6,0.5`` or ``noise:7`` stands for, at ``rate`` Sa/s.

    Raises:
        BadArgumentError: no such generator, or its numbers are not numbers; the message lists them all.
        SignalError: a tone that cannot be at that rate, or an amplitude that cannot be.
    """
    name, colon, rest = text.partition(":")
    if not colon or name not in GENERATORS:
        raise UnknownNameError("generator", text, GENERATORS.values())
    fields = [field.strip() for field in rest.split(",")] if rest.strip() else []
    most = 2 if name == "tone" else 1
    if len(fields) > most:
        raise _not_understood(text)
    if name == "counter":
        return CounterSource(_integer(fields[0], text) if fields else 0)
    if name == "noise":
        return NoiseSource(_integer(fields[0], text) if fields else 0)
    if not fields:
        raise _not_understood(text)
    amplitude = float(_number(fields[1], text)) if len(fields) == 2 else 0.9
    tone = ToneSource(_number(fields[0], text), rate, amplitude)
    tone.name = text  # as it was asked for
    return tone


def _not_understood(text: str) -> BadArgumentError:
    return BadArgumentError(f"generator {text!r} is not understood: write {'; '.join(GENERATORS.values())}")


def _integer(field: str, text: str) -> int:
    if not _INTEGER.match(field):
        raise _not_understood(text)
    return int(field)


def _number(field: str, text: str) -> Fraction:
    # float() first: the Fraction of "1e999999999" would be computed digit by digit
    if len(field) > 60 or not _NUMBER.match(field) or not 1e-300 < abs(float(field)) < 1e300:
        if _NUMBER.match(field) and float(field) == 0:
            return Fraction(0)
        raise _not_understood(text)
    return Fraction(field)
