"""How fast the virtual soft processor executes: a program of ours fills a buffer of a million words.

From the host's write that starts it to its return, which is when the program has settled: the machine code of
From the host's write that starts it to its return, when the program has settled: the machine code of
at 300 MIPS, which is what is promised, and at 100 MIPS, more than a real one does at 100 MHz; and against QEMU's
translator (the same file, plain memory, nobody else on the bus) for context.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np

import gapless

from .measure import Comparison, UnavailableError, timed

WORDS = 1 << 20
PROMISED, REAL = 300e6, 100e6  # instructions per second
RUNS = 7


def run() -> Iterator[Comparison]:
    ours, instructions = fill_ours()
    mips = instructions / statistics.median(ours) / 1e6
    name = f"soft processor, 1M words: {mips:.0f} MIPS"
    for rate, limit in ((PROMISED, 1.0), (REAL, None)):
        theirs = (instructions / rate,) * len(ours)
        yield Comparison(name, ours, theirs, theirs_name=f"{rate / 1e6:.0f} MIPS", limit=limit)
    yield Comparison(name, ours, fill_qemu(), theirs_name="QEMU, translated")


def fill_ours() -> tuple[tuple[float, ...], int]:
    """Seconds of each run, and the instructions of one."""
    with gapless.open("virtual:pynq-z2") as board, board.memory["ps-cma"].allocate(WORDS, np.uint32) as buffer:
        iop, bench = board.iop(1), board.probe.iop(1)  # type: ignore[union-attr]
        iop.load("tutorial")
        iop.start()
        buffer.fill(0)
        seconds = []
        for first in range(RUNS + 1):
            iop.mailbox[1], iop.mailbox[2] = first, WORDS
            before = bench.instructions
            seconds.append(timed(lambda: iop.mailbox.write(0, [buffer.physical_address])))
            instructions = bench.instructions - before
            assert buffer[0] == first
            assert buffer[-1] == first + WORDS - 1
    return tuple(seconds[1:]), instructions


def fill_qemu() -> tuple[float, ...]:
    """Seconds of each run."""
    try:
        from tests.peers.firmware_on_qemu import MicroBlaze
        from tests.peers.qtest import find_qemu
    except ImportError as error:
        raise UnavailableError(f"QEMU's side is in tests/peers: {error}") from None
    find_qemu("qemu-system-microblazeel")
    seconds = []
    with MicroBlaze(Path(str(files("gapless.iop.firmware") / "tutorial.bin"))) as qemu:
        buffer = qemu.ddr(0x10_0000, 4 * WORDS)
        buffer.fill(0)
        for first in range(RUNS + 1):
            qemu.mailbox[1], qemu.mailbox[2] = first, WORDS
            began = time.perf_counter()
            qemu.mailbox[0] = 0x10_0000
            while qemu.mailbox[0]:
                pass
            seconds.append(time.perf_counter() - began)
            assert buffer[-1] == first + WORDS - 1
    return tuple(seconds[1:])
