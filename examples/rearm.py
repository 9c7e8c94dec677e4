"""Why a driver in Python cannot keep a DAC fed: one signal, one engine, three ways to start its transfers.

The board charges software the CPU time that it takes between two register accesses, 15 times as long as here: about
what a Cortex-A53 takes. Exit status: 0 the table is as docs/streaming.md says, 3 it is not.
"""

from __future__ import annotations

import argparse

import numpy as np

import gapless
from gapless.dma import piece_bytes
from gapless.memory import DmaBuffer
from gapless.stream import Ledger

RATE = 1.024e9  # samples per second
SAMPLES = 150_000_000  # five transfers
FIFO = "512KiB"  # lasts 256 us at this rate
RUNS = 5  # the middle one counts: a machine that others use as well interrupts one of them now and then


def play_from_python(board: gapless.Board, buffer: DmaBuffer) -> Ledger:
    """Start a transfer, wait for it, start the next."""
    dma, monitor = board.dma("dma_dac0_direct"), board.dac(0).monitor
    step = piece_bytes(dma.spec) // buffer.itemsize
    monitor.start(RATE)
    for start in range(0, len(buffer), step):
        dma.mm2s.transfer(buffer[start : start + step])
    board.bus.sleep(1e-3)  # what is in the FIFO
    ledger = monitor.ledger()
    monitor.stop()
    return ledger


def main() -> int:
    """Print the table; the exit status."""
    parser = argparse.ArgumentParser(description="Play a signal in three ways, and count what is missing.")
    parser.add_argument("--clock", choices=("measured", "virtual"), default="measured")
    parser.add_argument("--slowdown", type=float, default=15)
    asked = parser.parse_args()
    measured = asked.clock == "measured"
    clock = f"clock=measured&slowdown={asked.slowdown:g}" if measured else "clock=virtual"
    uri = f"virtual:zcu111?fifo={FIFO}&{clock}"

    with gapless.open(uri) as board, board.memory["pl-ddr"].allocate(SAMPLES, np.int16) as buffer:
        dac = board.dac(0)
        ways = {
            "Python: transfer, wait": lambda: play_from_python(board, buffer),
            "native loop, direct mode": lambda: dac.play(buffer, rate=RATE, engine="direct").ledger,
            "scatter-gather": lambda: dac.play(buffer, rate=RATE, engine="sg").ledger,
        }
        runs = {name: [play() for _ in range(RUNS)] for name, play in ways.items()}

    print(f"{SAMPLES:,} samples in 5 transfers, the middle of {RUNS} runs")
    print(f"on {uri}\n")
    print("started by                gaps  missing samples  longest gap")
    ledgers = [sorted(found, key=lambda ledger: ledger.missing_samples)[RUNS // 2] for found in runs.values()]
    for name, ledger in zip(runs, ledgers, strict=True):
        longest = max((gap.length for gap in ledger.gaps), default=0) / RATE
        print(f"{name:<24}  {ledger.gap_count:>4}  {ledger.missing_samples:>15,}  {longest * 1e6:>8,.0f} us")

    python, *native = ledgers
    # Where software takes no time Python is never late; a processor that is fast enough may be in time.
    expected = python.gap_count == 0 or measured
    if measured and asked.slowdown >= 15:
        expected = python.gap_count > 0
    return 0 if expected and all(ledger.complete for ledger in native) else 3


if __name__ == "__main__":
    raise SystemExit(main())
