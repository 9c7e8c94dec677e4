"""Register access from Python and direct-mode re-arming: ours, a loop in plain C, and PYNQ's own driver.

All sides work on the bus of the virtual ZCU111, on the registers of the direct-mode DMA of DAC 0, which plays at
2.048 GSa/s. The native sides run in ``gapless_bench`` (benchmarks/native), the Python sides in one process in the
environment of PYNQ 4.0.0 (benchmarks/pynq_side.py). The sides take turns, a few tens of milliseconds each.

Register access: a loop around one call with constant arguments; the loop is part of the figure. PYNQ's MMIO goes
the way it goes on a Zynq board, where registers are mapped as an array of words. The array is ours and passes each
word on to the bus: about 0.1 us of the figure, as much as numpy takes there for an element of a real mapping. On a
device that offers calls instead of a mapping (REGISTER_RW) MMIO is slower still. C goes through a table of two
functions.

Re-arm: from the moment the first DMASR read that shows the transfer complete has returned to the moment the write
of LENGTH is entered. The same stopwatch is around the bus of our loop and of the C loop; PYNQ's is in ``Words``, on
the same clock. Ours and C acknowledge between, and write SA; C writes SA_MSB, ours only where it changes, since the
register keeps it. (Ours waits for the interrupt and reads DMASR once, C polls DMASR; what comes before completion is
seen does not count.) PYNQ does not acknowledge; it reads DMASR up to four times more, and LENGTH. It sends whole
buffers, as its users do: ``transfer(buffer)``, ``wait()``. On a board each transfer also flushes the cache, which is
left out here. What reading the clock takes is taken off, on all sides.

The last rows have no limit. They show the loops alone: whole turns on registers that are plain memory, where a
transfer is complete at once and no model has a cost.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import gapless

from . import register_access
from .measure import Comparison, NotRun, UnavailableError
from .native_build import gapless_bench
from .pynq_venv import pynq_python

RUNS = 31
_TRANSFERS, _NBYTES = "4000", "65536"
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

Figures = dict[str, float]


def run() -> Iterator[Comparison | NotRun]:
    native = [str(gapless_bench()), _TRANSFERS, _NBYTES, "1"]
    missing = ""
    with ExitStack() as stack:
        try:
            python = _pynq_side(stack)
        except UnavailableError as error:
            missing = str(error)
            python = _our_side(stack)
        figures = []
        for _ in range(RUNS + 1):
            done = subprocess.run(native, check=True, stdout=subprocess.PIPE, text=True)
            figures.append({**json.loads(done.stdout), **python()})
    del figures[0]  # warm-up
    for name, ours, theirs, theirs_name, limit, at_least in _ROWS:
        if theirs in figures[0]:
            sides = (tuple(run[side] for run in figures) for side in (ours, theirs))
            yield Comparison(name, *sides, theirs_name, limit, at_least)
        else:
            yield NotRun(name, f"{theirs_name}: {missing}")


def _pynq_side(stack: ExitStack) -> Callable[[], Figures]:
    """Start it; each call measures once."""
    command = [pynq_python(), "-W", "ignore", Path(__file__).with_name("pynq_side.py")]
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gapless-bench-"))
    # gapless alone, not all that is installed beside it: PYNQ has its own numpy.
    (Path(folder) / "gapless").symlink_to(Path(gapless.__file__).parent)
    environment = os.environ | {"PYTHONPATH": folder}
    process = stack.enter_context(
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )

    def measure() -> Figures:
        process.stdin.write("\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the side of PYNQ ended (see above)")
        return json.loads(line)

    return measure


def _our_side(stack: ExitStack) -> Callable[[], Figures]:
    """Without PYNQ there is still C to compare with."""
    board = stack.enter_context(gapless.open("virtual:zcu111"))
    bus, base = board.bus, board.spec.dma("dma_dac0_direct").base
    return lambda: {
        "read_ours": register_access.seconds_per_read(bus.read32, base + register_access.DMASR),
        "write_ours": register_access.seconds_per_write(bus.write32, base + register_access.SOURCE_ADDRESS),
    }
