"""A capture straight into a file, against a plain write of the same bytes to the same disk.

Both write 512 MiB into a new file in blocks of 2 MiB and leave it to the system when the disk gets them, as dd does.
The bytes of the plain write lie ready in memory, all of them; ours are made by the model of the ADC, go through its
FIFO and through the engine into a ring of 8 blocks, and from there into the file. Every file is looked at, untimed.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import gapless
from gapless.samples import CounterSource, check_counter

from .measure import Comparison, compare

SAMPLES = 1 << 28
BLOCK = 1 << 21  # bytes
RATE = 2.048e9


def run() -> Iterator[Comparison]:
    signal = np.empty(SAMPLES, dtype=np.int16)
    CounterSource().fill(signal, 0)
    with tempfile.TemporaryDirectory(prefix="gapless-bench-") as folder, gapless.open("virtual:zcu111") as board:
        file = Path(folder) / "capture.raw"

        def ours() -> float:
            began = time.perf_counter()
            with file.open("wb", buffering=0) as out:
                recording = board.adc(0).record_to(out.fileno(), rate=RATE, samples=SAMPLES, block_samples=BLOCK // 2)
                recording.wait()
                report = recording.stop()
            seconds = time.perf_counter() - began
            if not report.complete:
                raise SystemExit(f"samples are missing: {report.ledger}")
            check(file)
            return seconds

        def theirs() -> float:
            view = memoryview(signal.data).cast("B")
            began = time.perf_counter()
            with file.open("wb", buffering=0) as out:
                for start in range(0, len(view), BLOCK):
                    os.write(out.fileno(), view[start : start + BLOCK])
            seconds = time.perf_counter() - began
            check(file)
            return seconds

        yield compare("record 512 MiB into a file", ours, theirs, theirs_name="plain write", limit=1 / 0.8)


def check(file: Path) -> None:
    samples = np.fromfile(file, dtype=np.int16)
    if len(samples) != SAMPLES or samples[0] != 0 or check_counter(samples):
        raise SystemExit(f"{file.name} is not the counter that was at the input")
    file.unlink()
