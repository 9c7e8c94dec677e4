"""Allocating and freeing in a pool of 28 GiB, one buffer at a time, against 3 us.

100,000 times, one of the live buffers, chosen at random, is freed and another is allocated: of random size from
64 B to 1 MiB, so that the pool is full of holes of all sizes. What is compared are medians over all of them: one
call of ``free()``, with nothing else that keeps the memory, and one of ``allocate(nbytes, uint8)``, on a virtual board
that is told of both. A thousand live buffers against 3 us each; ten thousand against a hundred, both together.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import gapless
from gapless.memory import Pool

from .measure import Comparison, compare

BOARD = "virtual:zcu111?ps=32GiB"
POOL = "ps-carveout"
OPERATIONS = 100_000
SMALLEST, LARGEST = 64, 1 << 20
ALLOWED = 3e-6
RUNS = 3
SEED = 1


@dataclass(frozen=True)
class Medians:
    """Seconds of one call."""

    allocate: float
    free: float


def run() -> Iterator[Comparison]:
    with gapless.open(BOARD) as board:
        pool = board.memory[POOL]
        runs = [measure(pool, 1000) for _ in range(RUNS)]
        for name, ours in (("allocate", [m.allocate for m in runs]), ("free", [m.free for m in runs])):
            yield Comparison(
                f"pool {name}, 1,000 live of 28 GiB", tuple(ours), (ALLOWED,) * RUNS, theirs_name="3 us", limit=1.0
            )
        yield compare(
            "allocate+free at 10,000 live",
            lambda: both(measure(pool, 10_000)),
            lambda: both(measure(pool, 100)),
            theirs_name="at 100 live",
            limit=2.0,
            runs=RUNS,
        )


def both(medians: Medians) -> float:
    return medians.allocate + medians.free


def measure(pool: Pool, live: int) -> Medians:
    choose = random.Random(SEED)
    held = [pool.allocate(choose.randint(SMALLEST, LARGEST), np.uint8) for _ in range(live)]
    allocations, frees = [], []
    clock = time.perf_counter_ns
    for _ in range(OPERATIONS):
        at, nbytes = choose.randrange(live), choose.randint(SMALLEST, LARGEST)
        buffer = held[at]
        began = clock()
        buffer.free()
        freed = clock()
        held[at] = pool.allocate(nbytes, np.uint8)
        allocated = clock()
        frees.append(freed - began)
        allocations.append(allocated - freed)
    for buffer in held:
        buffer.free()
    return Medians(statistics.median(allocations) * 1e-9, statistics.median(frees) * 1e-9)
