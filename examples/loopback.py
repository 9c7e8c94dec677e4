"""Play an array on a DAC, record it on the ADC that is wired to it, and compare."""

import numpy as np

import gapless

RATE = 2.048e9  # samples per second
signal = np.random.default_rng(1).integers(-(1 << 15), 1 << 15, 50_000_000, dtype=np.int16)

with gapless.open("virtual:zcu111") as board:
    assert board.probe is not None  # a virtual board: we choose what is at the ADC's input
    board.probe.connect(0, "dac0")
    recording = board.adc(0).start(len(signal), rate=RATE, memory="pl-ddr")
    report = board.dac(0).play(signal, rate=RATE, memory="pl-ddr")
    capture = recording.wait()

    print(f"played {report.samples_played:,} samples in {report.transfers} transfers, {report.ledger.gap_count} gaps")
    print("the capture equals the source:", np.array_equal(capture.samples, signal))
