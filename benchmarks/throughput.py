"""Playing large signals through the virtual board, every sample accounted for, against ``np.copyto``.

The signal lies in the board's memory (ps-carveout of ``virtual:zcu111?ps=32GiB``), where it was written before; it
is played from there by scatter-gather at 2.048 GSa/s, which nearly fills the port. The run fails unless every
sample was converted, without a gap. The copy is of as many bytes, into an array that was touched before.

The board computes when every word moves and is converted. It copies bytes only where somebody looks at them
(docs/decisions/0004-two-planes.md), so the two rows without a limit look: one takes every sample the DAC
converted out of the model into an array, which is compared with the signal; the other hashes them, as
``sha256=True`` does.

The 8 GiB are allocated, and so have their physical addresses and descriptors, but only the first and the last MiB
are written: a machine with less memory can run it, and the time of a play that nobody looks at does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import gapless
from gapless.memory import DmaBuffer

from .measure import Comparison, compare, timed

GIB = 1 << 30
MIB_SAMPLES = (1 << 20) // 2
RATE = 2.048e9
BOARD = "virtual:zcu111?ps=32GiB"
_COPY = "np.copyto, 1 GiB"


def run() -> Iterator[Comparison]:
    with gapless.open(BOARD) as board:
        pool = board.memory["ps-carveout"]
        with pool.allocate(GIB // 2, np.int16) as buffer:
            signal = np.asarray(buffer)
            blocks = signal.reshape(-1, 1 << 16)  # a ramp, which starts one higher in every block
            blocks[:] = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
            blocks += np.arange(len(blocks), dtype=np.int16)[:, np.newaxis]
            copy = np.zeros_like(signal)

            def copied() -> float:
                return timed(lambda: np.copyto(copy, signal))

            yield compare("play 1 GiB (sg)", lambda: play(board, buffer), copied, theirs_name=_COPY, limit=1 / 0.4)
            yield compare(
                "play 1 GiB (sg), all bytes taken and compared",
                lambda: play_and_look(board, buffer, copy),
                copied,
                theirs_name=_COPY,
                runs=5,
            )
            yield compare(
                "play 1 GiB (sg), sha256",
                lambda: play(board, buffer, sha256=True),
                copied,
                theirs_name=_COPY,
                runs=5,
            )
            with pool.allocate(8 * GIB // 2, np.int16) as large:
                np.asarray(large)[:MIB_SAMPLES] = np.asarray(large)[-MIB_SAMPLES:] = signal[:MIB_SAMPLES]
                yield compare(
                    "play 8 GiB (sg), each GiB",
                    lambda: play(board, large) / 8,
                    lambda: play(board, buffer),
                    theirs_name="play 1 GiB (sg)",
                    limit=1.1,
                )


def play(board: gapless.Board, buffer: DmaBuffer, *, sha256: bool = False) -> float:
    """Seconds; the report has to say that nothing is missing."""
    seconds = timed(lambda: check(board.dac(0).play(buffer, rate=RATE, engine="sg", sha256=sha256), len(buffer)))
    if board.findings:
        raise SystemExit(f"the virtual board found fault: {board.findings}")
    return seconds


def play_and_look(board: gapless.Board, buffer: DmaBuffer, into: np.ndarray) -> float:
    seen = into.view(np.uint8)
    position = 0

    def take(data: memoryview) -> None:
        nonlocal position
        seen[position : position + len(data)] = data
        position += len(data)

    into[:] = 0
    board.probe.tap(0, take)
    seconds = play(board, buffer)
    board.probe.tap(0, None)
    if position != buffer.nbytes or not np.array_equal(into, np.asarray(buffer)):
        raise SystemExit("what the DAC converted is not what was played")
    return seconds


def check(report: gapless.stream.PlayReport, samples: int) -> None:
    if not report.complete or report.samples_played != samples:
        raise SystemExit(f"not every sample was played: {report.as_dict()}")
