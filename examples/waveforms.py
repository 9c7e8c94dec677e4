"""Repeat a waveform, change it while it plays, and show by a capture that only whole periods were played."""

import numpy as np

import gapless
from gapless.samples import to_int16

RATE = 1.024e9  # samples per second
turn = np.arange(1000) / 1000
waveforms = {
    "sine": np.sin(2 * np.pi * turn),  # 1000 samples a period
    "square": np.where(turn[:600] < 0.3, 0.5, -0.5),  # 600
    "sawtooth": turn[:750] - 0.25,  # 750
}

with gapless.open("virtual:zcu111?fifo=64KiB") as board:
    assert board.probe is not None  # a virtual board: we choose what is at the ADC's input
    board.probe.connect(0, "dac0")
    recording = board.adc(0).start(1_000_000, rate=RATE)
    first, *others = waveforms.values()
    with board.dac(0).loop(first, rate=RATE) as loop:
        for waveform in others:
            board.bus.sleep(0.2e-3)  # it plays by itself meanwhile
            loop.switch(waveform)  # at the end of a period
        captured = np.array(recording.wait().samples)

at = 0
for name, waveform in waveforms.items():
    period = to_int16(waveform)
    count = 0
    while np.array_equal(captured[at : at + len(period)], period):
        at, count = at + len(period), count + 1
    print(f"{name:<9} {count:>4} whole periods of {len(period):>4} samples, to sample {at:,}")
rest = captured[at:]
print("then the beginning of one more:", np.array_equal(rest, period[: len(rest)]))
print(f"{loop.report.ledger.gap_count} gaps")
