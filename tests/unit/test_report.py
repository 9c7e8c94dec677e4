"""Reports: their JSON, and what makes them complete."""

from __future__ import annotations

import json

import numpy as np

from gapless.stream import Capture, Gap, Ledger, PlayReport

KEYS = [
    "board",
    "engine",
    "memory",
    "rate_sa_per_s",
    "samples_requested",
    "samples_played",
    "gap_count",
    "missing_samples",
    "gaps",
    "transfers",
    "descriptors",
    "fifo_depth_bytes",
    "fifo_low_water_bytes",
    "signal_seconds",
    "wall_seconds",
]


def play(ledger=Ledger(1000), requested=1000, **options):  # noqa: B008 - immutable
    return PlayReport(
        "virtual:x", "sg", "pl-ddr", 1e6, requested, ledger.samples, ledger, 3, 3, 65536, 4096, 0.5, **options
    )


def test_the_json_of_play_is_the_contract_in_order():
    record = play().as_dict()
    assert list(record) == KEYS
    assert record["signal_seconds"] == 1e-3
    assert list(play(played_sha256="ab").as_dict()) == [*KEYS, "played_sha256"]
    gaps = Ledger(1000, (Gap(10, 5, "late"),), 1, 5)
    record = json.loads(json.dumps(play(gaps).as_dict()))
    assert record["gaps"] == [{"index": 10, "length": 5, "cause": "late"}]
    assert (record["gap_count"], record["missing_samples"]) == (1, 5)


def test_complete_means_nothing_missing_and_all_played():
    assert play().complete
    assert play(requested=999).complete  # cyclic plays whole periods
    assert not play(requested=1001).complete
    assert not play(Ledger(1000, (), 1, 5)).complete


def test_a_capture_is_complete_with_all_samples_and_no_gap():
    def capture(count, ledger):
        return Capture("virtual:x", "sg", "pl-ddr", 1e6, 10, np.zeros(count, np.int16), ledger, 1, 1, 0.1)

    assert capture(10, Ledger(10)).complete
    assert not capture(9, Ledger(10)).complete
    assert not capture(10, Ledger(10, (Gap(1, 1, "x"),), 1, 1)).complete
    record = json.loads(json.dumps(capture(9, Ledger(10)).as_dict()))
    assert (record["samples_requested"], record["samples_recorded"]) == (10, 9)
