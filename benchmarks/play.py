"""Playing a 300,000,000-byte file through the virtual board, against a numpy copy of the same bytes.

Two comparisons. Inside the program: what ``gapless play`` reports as wall_seconds (reading the file into
the board's memory and playing it, every sample accounted for) against ``array.copy()``. And as whole
processes: the command against a Python that loads the file with numpy and copies it, both with their
start-up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .measure import Comparison, compare, timed

NBYTES = 300_000_000
LIMIT = 4.0
_COPY = "import sys, numpy; numpy.fromfile(sys.argv[1], dtype=numpy.int16).copy()"


def run() -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory(prefix="gapless-bench-") as folder:
        file = Path(folder) / "signal.raw"
        samples = np.random.default_rng(1).integers(-(1 << 15), 1 << 15, NBYTES // 2, dtype=np.int16)
        samples.tofile(file)
        command = [sys.executable, "-m", "gapless.cli", "play", str(file), "--rate", "2.048e9"]
        command += ["--memory", "pl-ddr", "--engine", "sg", "--json"]

        def play() -> float:
            result = subprocess.run(command, check=True, capture_output=True, text=True)
            report = json.loads(result.stdout)
            if report["gap_count"] or report["samples_played"] != NBYTES // 2:
                raise SystemExit(f"the signal was not played whole: {report}")
            return float(report["wall_seconds"])

        yield compare(
            "play 300 MB (sg, pl-ddr), wall_seconds",
            play,
            lambda: timed(samples.copy),
            theirs_name="numpy copy",
            limit=LIMIT,
        )
        yield compare(
            "play 300 MB (sg, pl-ddr), whole process",
            lambda: timed(play),
            lambda: timed(lambda: subprocess.run([sys.executable, "-c", _COPY, str(file)], check=True)),
            theirs_name="python: numpy load + copy",
            limit=LIMIT,
        )
