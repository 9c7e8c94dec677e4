"""The same run twice gives the same report, whatever the host's scheduler does."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from dataclasses import fields

import numpy as np
import pytest
from driver_designs import both_ways, samples

import gapless

#: Sanitizers look at each access; whether it comes out the same is seen by the other build, which is faster.
AGAIN = 2 if os.environ.get("GAPLESS_SANITIZED") else 8


@pytest.fixture
def noisy():
    """Threads that come and go, and an interpreter that switches at every turn."""
    stop, interval = threading.Event(), sys.getswitchinterval()

    def disturb(seed):
        chance = random.Random(seed)
        while not stop.is_set():
            time.sleep(chance.random() * 2e-3)
            sum(range(chance.randrange(20_000)))

    threads = [threading.Thread(target=disturb, args=(seed,)) for seed in range(4)]
    sys.setswitchinterval(1e-5)
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)


def facts(report):
    """Every field but the real time, arrays as bytes."""
    values = {field.name: getattr(report, field.name) for field in fields(report) if field.name != "wall_seconds"}
    return {name: value.tobytes() if isinstance(value, np.ndarray) else value for name, value in values.items()}


def session(out, back):
    """A play and a recording at once, and what follows them on the same clock."""
    seen = []
    with gapless.open("virtual:zcu111?fifo=65536") as board:
        board.probe.connect(0, "dac0")
        signal = samples(200_000)
        recording = board.adc(0).start(150_000, rate=1.3e9, engine=back)
        report = board.dac(0).play(signal, rate=1.3e9, engine=out, sha256=True, head=9, software_delay=1e-4)
        seen += [facts(report), board.bus.time()]
        # while the first recording is not waited for, others come and go
        board.probe.connect(1, "dac1")
        other = board.adc(1).start(300_000, rate=1e9, engine=out if out != "cyclic" else "sg")
        seen.append(facts(board.dac(1).play(signal, rate=1e9, engine=back)))
        other.cancel()
        seen.append(board.bus.time())
        seen += [facts(recording.wait()), board.bus.time()]
        board.probe.connect(0, "counter")
        seen += [facts(board.adc(0).record(50_000, rate=2e9, engine=back)), board.bus.time()]
        seen.append(board.findings)
    return seen


@pytest.mark.parametrize("out", ["sg", "direct", "cyclic"])
@pytest.mark.parametrize("back", ["sg", "direct"])
def test_the_same_session_again_and_again(noisy, out, back):
    first = session(out, back)
    for _ in range(AGAIN):
        assert session(out, back) == first


def gaps_and_overruns():
    board = both_ways(sg=False, length_width=14, fifo=16384)
    recording = board.adc(0).start(100_000, rate=1.1e9, memory="low", software_delay=13e-6)
    report = board.dac(0).play(samples(100_000), rate=0.9e9, memory="low", software_delay=17e-6, sha256=True)
    capture = recording.wait()
    assert not report.complete
    assert not capture.complete
    return facts(report), facts(capture), board.bus.time()


def test_two_loops_on_one_port_give_the_same_gaps_every_time(noisy):
    first = gaps_and_overruns()
    for _ in range(AGAIN):
        assert gaps_and_overruns() == first


def streams(sg):
    """Blocks out, blocks in, and a file, with a user that is late now and then."""
    seen = []
    board = both_ways(sg=sg, fifo=16384)
    sizes = {"rate": 0.3e9, "memory": "low", "block_samples": 4000, "blocks": 3, "force": True}
    with board.dac(0).stream(**sizes, sha256=True) as output, board.adc(0).stream(**sizes) as incoming:
        for number in range(60):
            if number % 13 == 5:
                board.bus.sleep(150e-6)
            block = output.acquire()
            block[:] = number
            output.submit(block)
            came = incoming.acquire()
            seen.append((came.index, came.gaps, board.bus.time()))
            incoming.release(came)
    seen += [facts(output.report), facts(incoming.report), board.bus.time()]
    with open(os.devnull, "wb") as file:
        with board.adc(0).record_to(file.fileno(), **sizes) as recording:
            board.dac(0).play((samples(999) for _ in range(40)), rate=0.2e9, memory="low")
        seen += [facts(recording.report), board.bus.time()]
    assert not output.report.complete
    assert not incoming.report.complete
    return seen


@pytest.mark.parametrize("sg", [True, False])
def test_streams_are_the_same_every_time(noisy, sg):
    first = streams(sg)
    for _ in range(AGAIN):
        assert streams(sg) == first
