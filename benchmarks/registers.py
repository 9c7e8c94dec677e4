"""Register access from Python and direct-mode re-arming: ours, a loop in plain C, and PYNQ's own driver.

All sides work on the bus of the virtual ZCU111, on the registers of the direct-mode DMA of DAC 0, which plays at
2.048 GSa/s. The native sides run in ``gapless_bench`` (benchmarks/native), the Python sides in one process in the
environment of PYNQ 4.0.0 (benchmarks/pynq_side.py); the two processes take turns.

Register access: a loop around one call with constant arguments; the loop is part of the figure. PYNQ's MMIO goes
the way it goes on a Zynq board, where registers are mapped as an array of words; the array is ours and passes each
word on to the bus (``Words``: about 0.1 us of the figure). On a device that offers calls instead of a mapping
(REGISTER_RW) MMIO is slower still. C goes through a table of two functions.

Re-arm: from the moment the first DMASR read that shows the transfer complete has returned to the moment the write
of LENGTH is entered. The same stopwatch is around the bus of our loop and of the C loop; PYNQ's is in ``Words``, on
the same clock. Ours and C make the same accesses between: acknowledge, SA, SA_MSB. (Ours waits for the interrupt and
reads DMASR once, C polls DMASR; what comes before completion is seen does not count.) PYNQ does not acknowledge;
it reads DMASR up to four times more, and LENGTH. It sends whole buffers, as its users do: ``transfer(buffer)``,
``wait()``. On a board each transfer also flushes the cache, which is left out here. Where a figure is a duration
of some ten nanoseconds, the reading of the clock is some twenty of them, on all sides.

The last rows have no limit. They show the loops alone: whole turns on registers that are plain memory, where a
transfer is complete at once and no model has a cost.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gapless

from .measure import Comparison, NotRun, UnavailableError
from .native_build import gapless_bench
from .pynq_venv import pynq_python

RUNS = 7
_C, _LOOP, _MMIO, _DMA = "C", "C loop, -O2", "PYNQ MMIO", "PYNQ transfer + wait"

#: row, ours, theirs, its name, limit, at least
_ROWS: tuple[tuple[str, str, str, str, float | None, float | None], ...] = (
    ("register read from Python", "read_ours", "read_pynq", _MMIO, None, 5.0),
    ("register read from Python", "read_ours", "read", _C, 4.0, None),
    ("register write from Python", "write_ours", "write_pynq", _MMIO, None, 5.0),
    ("register write from Python", "write_ours", "write", _C, 4.0, None),
    ("direct mode, re-arm", "rearm_ours", "rearm_c", _LOOP, 1.2, None),
    ("direct mode, re-arm", "rearm_ours", "rearm_pynq", _DMA, None, 100.0),
    ("direct mode, turn, registers in plain memory", "plain_turn_ours", "plain_turn_c", _LOOP, None, None),
    ("direct mode, turn, registers in plain memory", "plain_turn_ours", "plain_turn_pynq", _DMA, None, None),
)


def run() -> Iterator[Comparison | NotRun]:
    native = [str(gapless_bench())]
    missing = ""
    python: list[str] = []
    try:
        python = [str(pynq_python()), "-W", "ignore", str(Path(__file__).with_name("pynq_side.py"))]
    except UnavailableError as error:
        missing = str(error)
    with tempfile.TemporaryDirectory(prefix="gapless-bench-") as folder:
        # gapless alone, not all that is installed beside it: PYNQ has its own numpy.
        (Path(folder) / "gapless").symlink_to(Path(gapless.__file__).parent)
        environment = os.environ | {"PYTHONPATH": folder}
        figures = [
            _figures(native, dict(os.environ)) | (_figures(python, environment) if python else {}) for _ in range(RUNS)
        ]
    for name, ours, theirs, theirs_name, limit, at_least in _ROWS:
        if ours in figures[0] and theirs in figures[0]:
            sides = (tuple(run[side] for run in figures) for side in (ours, theirs))
            yield Comparison(name, *sides, theirs_name, limit, at_least)
        else:
            yield NotRun(name, f"{theirs_name}: {missing}")


def _figures(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{command[-1]} failed:\n{result.stdout}{result.stderr}")
    found: dict[str, float] = json.loads(result.stdout)
    return found
