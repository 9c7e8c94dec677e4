"""Play without end, block by block, and record the same way: a sweep whose phase goes on from block to block."""

import hashlib

import numpy as np

import gapless

RATE = 1.024e9  # samples per second
BLOCK = 1 << 18  # samples: 256 us
SECONDS = 0.02  # it could go on for ever: no more memory is used

blocks = int(SECONDS * RATE / BLOCK)
steps = 2 * np.pi * np.linspace(0.01, 0.2, BLOCK)  # from 1 % to 20 % of the rate in each block
sweep = np.cumsum(steps) - steps[0]
phase = 0.0

with gapless.open("virtual:zcu111") as board:
    assert board.probe is not None  # a virtual board: we choose what is at the ADC's input
    board.probe.connect(0, "dac0")
    sent, received = hashlib.sha256(), hashlib.sha256()
    with (
        board.adc(0).stream(rate=RATE, samples=blocks * BLOCK, block_samples=BLOCK) as capture,
        board.dac(0).stream(rate=RATE, block_samples=BLOCK) as output,
    ):
        for number in range(blocks):
            block = output.acquire()  # waits when the engine has all others
            block[:] = 30_000 * np.sin(phase + sweep)
            phase = (phase + sweep[-1] + steps[-1]) % (2 * np.pi)
            sent.update(block)
            output.submit(block)
            if number >= 8:  # the first eight start the engine: take what has come since
                one = capture.acquire()
                assert one is not None
                received.update(one.samples)
                capture.release(one)
        output.finish()
        for one in capture:  # the rest, up to the last sample
            received.update(one.samples)

    for what, ledger in (("played", output.report.ledger), ("captured", capture.report.ledger)):
        counters = ledger.counters
        assert counters is not None
        print(
            f"{what} {ledger.samples:,} samples, {ledger.gap_count} gaps, {ledger.missing_samples} missing; "
            f"{counters.queue_low_water} to {counters.queue_high_water} blocks with the engine, "
            f"{counters.late_events} times late"
        )
    print("what came back is what was sent:", received.digest() == sent.digest())
