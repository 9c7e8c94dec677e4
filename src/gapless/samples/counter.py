"""What is wrong with a capture of the counter pattern.

The pattern is int16, goes up by one each sample and wraps from 32767 to -32768. A capture of it is cut
into runs: stretches that count up by one, each with the samples held (repeated without change) at its
end. Where a run does not start with the value expected, the first of these that fits is reported:

1. *out-of-order*, swapped: this run and the next have changed places, and what follows continues after
   both. Length: both runs.
2. *out-of-order*, away and back: the values leave for less than the distance jumped, and then go on
   where they left off, or where they would have been by then. Length: the time they were away. A glitch
   in one sample, zeros put in by a converter that ran dry, an old block played again.
3. *missing*: the values step forward by up to 32767 too many.
4. *repeated*: the values step back and run again through what was already captured. Length: the samples
   seen again. Repeats that touch, such as a word held by a converter for many samples, are one finding.

What 16 bits cannot tell:

- A loss or a repeat of a multiple of 65536 samples is invisible, and so is a change of places by one.
  Up to 32767 samples, index and length are exact; beyond, another edit may give the same samples.
- A loss of d and a repeat of 65536 - d look the same. The smaller is reported; but a step back further
  than the capture is old cannot be a repeat, and is reported as missing.
- What was lost before the first sample or after the last is not seen.
- Edits closer to each other than they are long may be reported as others that give the same samples.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import SignalError
from . import variants

Kind = Literal["missing", "repeated", "out-of-order"]

_CHUNK = 1 << 12  # samples of a strided capture that are copied to be looked at


@dataclass(frozen=True)
class Finding:
    """One thing wrong in a capture, ``length`` in samples.

    ``index`` is the position in the capture: of the first sample after the hole (missing), of the first
    sample seen again (repeated), of the first sample out of place (out-of-order).
    """

    kind: Kind
    index: int
    length: int

    def __str__(self) -> str:
        return f"{self.length} samples {self.kind} at index {self.index}"


@dataclass(frozen=True)
class _Run:
    """Samples that count up from ``first``, then ``held`` more that repeat the last."""

    index: int
    first: int
    count: int
    held: int

    @property
    def extent(self) -> int:
        return self.count + self.held

    @property
    def next(self) -> int:
        """The value that should follow."""
        return self.first + self.count


def check_counter(samples: NDArray[np.int16], *, limit: int = 10_000) -> list[Finding]:
    """Missing, repeated and out-of-order samples in a capture of the counter, in order of index.

    The rules, and what 16 bits cannot tell, are in this module's description.

    Args:
        samples: int16, shape (n,), n >= 1; the counter may start at any value.
        limit: stop looking after this many findings, so that a capture of something else altogether
            does not fill the memory.

    Raises:
        SignalError: not int16, not one-dimensional, or empty: of that nothing can be said.
    """
    if samples.dtype != np.int16 or samples.ndim != 1 or len(samples) == 0:
        raise SignalError(
            f"counter check: got dtype {samples.dtype}, shape {samples.shape}; "
            "a capture of the counter is int16, shape (n,), with at least one sample"
        )
    findings: list[Finding] = []
    plain = np.asarray(samples[:])  # of a DmaBuffer, which [:] refuses if it was freed
    for finding in _classify(_runs(plain)):
        last = findings[-1] if findings else None
        if last is not None and last.kind == finding.kind == "repeated" and last.index + last.length == finding.index:
            findings[-1] = Finding("repeated", last.index, last.length + finding.length)
        elif len(findings) == limit:
            break
        else:
            findings.append(finding)
    return findings


def _classify(runs: Iterator[_Run]) -> Iterator[Finding]:
    window = _Window(runs)
    expected = yield from _start(window)
    while (run := window.at(0)) is not None:
        after, later = window.at(1), window.at(2)
        jump = _signed(run.first - expected)
        if jump == 0:  # only after held samples
            expected = run.next
            yield from _held(run)
            window.drop(1)
        elif after is not None and _are_swapped(run, after, later, expected):
            yield Finding("out-of-order", run.index, run.count + after.count)
            expected += run.count + after.count
            yield from _held(after)
            window.drop(2)
        elif after is not None and (away := _away(run, after, expected, jump)) is not None:
            yield Finding("out-of-order", run.index, run.extent)
            expected += away
            window.drop(1)
        else:
            expected = yield from _missing_or_repeated(run, expected, jump)
            yield from _held(run)
            window.drop(1)


class _Window:
    """The next few runs, looked at before they are taken."""

    def __init__(self, runs: Iterator[_Run]) -> None:
        self._runs = runs
        self._ahead: list[_Run] = []

    def at(self, position: int) -> _Run | None:
        while len(self._ahead) <= position:
            run = next(self._runs, None)
            if run is None:
                return None
            self._ahead.append(run)
        return self._ahead[position]

    def drop(self, count: int) -> None:
        del self._ahead[:count]


def _start(window: _Window) -> Generator[Finding, None, int]:
    """Take the first run, and the second where they have changed places; return the value expected next."""
    run, after, later = window.at(0), window.at(1), window.at(2)
    assert run is not None  # a capture has at least one sample
    if (
        after is not None
        and not run.held
        and _signed(after.first - run.next) < 0
        and _signed(after.next - run.first) == 0
        and (later is None or _signed(later.first - run.next) == 0)
    ):
        yield Finding("out-of-order", 0, run.count + after.count)
        yield from _held(after)
        window.drop(2)
    else:
        yield from _held(run)
        window.drop(1)
    return run.next


def _held(run: _Run) -> Iterator[Finding]:
    if run.held:
        yield Finding("repeated", run.index + run.count, run.held)


def _are_swapped(run: _Run, after: _Run, later: _Run | None, expected: int) -> bool:
    """True when ``after`` should have come first, ``run`` follows it, and ``later`` follows both."""
    return (
        not run.held
        and _signed(after.first - expected) == 0
        and _signed(run.first - after.next) == 0
        and (later is None or _signed(later.first - run.next) == 0)
    )


def _away(run: _Run, after: _Run, expected: int, jump: int) -> int | None:
    """How far the pattern went on while the values were away, or None when they did not just come back."""
    if jump == -32768 or run.count + abs(jump) >= 32768:
        return None  # so far apart that losses look the same
    if run.count >= abs(jump) and (jump < 0 or _signed(after.first - expected) != 0):
        return None  # a whole repeat, or two edits that cancel
    if _signed(after.first - expected) == 0:
        return 0
    if _signed(after.first - expected - run.extent) == 0:
        return run.extent
    return None


def _missing_or_repeated(run: _Run, expected: int, jump: int) -> Generator[Finding, None, int]:
    """Report a jump that nothing undoes; return the value expected after the run."""
    if jump > 0:
        yield Finding("missing", run.index, jump)
        return run.next
    back = -jump
    if back > run.index:  # further back than the capture is old: not seen before
        yield Finding("missing", run.index, 65536 - back)
        return run.next
    yield Finding("repeated", run.index, min(back, run.count))
    # a repeat that was itself cut short has not moved on: what should come next is unchanged
    return run.next if run.count >= back else expected


def _runs(samples: NDArray[np.int16]) -> Iterator[_Run]:
    """Cut a capture into runs."""
    start, held_at, held = 0, 0, 0

    def run(end: int) -> _Run:
        return _Run(start, int(samples[start]), end - start, held)

    for at, count in _breaks(samples):
        if held:
            yield run(held_at)
            start, held = held_at + held, 0
        if count:
            held_at, held = at, count
        elif start < at:
            yield run(at)
            start = at
    if held:
        yield run(held_at)
        start, held = held_at + held, 0
    if start < len(samples):
        yield run(len(samples))


def _breaks(samples: NDArray[np.int16]) -> Iterator[tuple[int, int]]:
    """Positions of samples that are not one above the one before, with how many repeat it (0: a jump)."""
    at = 0
    while (at := _step_break(samples, at, 1)) < len(samples):
        held = _step_break(samples, at - 1, 0) - at
        yield at, held
        at += max(held - 1, 0)


def _step_break(samples: NDArray[np.int16], start: int, step: int) -> int:
    """The first index above ``start`` whose sample is not ``step`` above the one before, or their number."""
    if samples.flags.c_contiguous and samples.flags.aligned:
        return variants.BEST.step_break(samples, start, step)
    for low in range(start, len(samples), _CHUNK):
        chunk = np.array(samples[low : low + _CHUNK + 1])
        if (found := variants.BEST.step_break(chunk, 0, step)) < len(chunk):
            return low + found
    return len(samples)


def _signed(value: int) -> int:
    """``value`` modulo 65536, within -32768 .. 32767."""
    return (value + 32768) % 65536 - 32768
