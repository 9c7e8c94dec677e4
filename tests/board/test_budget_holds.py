"""What the budget says is what happens: just below it nothing is missing on the virtual board, just above it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from driver_designs import converter, dma, spec
from hypothesis import given, settings
from hypothesis import strategies as st

import gapless
from gapless.boards import MemoryKind
from gapless.cli import main
from gapless.errors import RateError
from gapless.stream import compute_budget
from gapless.virtual import build_board

KIB = 1024
#: Seconds from a completion until the native loop has written LENGTH, on a virtual board with its default costs:
#: DMASR read and acknowledged, the lower half of the address (the upper stays the same), LENGTH; an S2MM channel reads
#: LENGTH as well.
REARM = {"dac": 400e-9, "adc": 600e-9}


def design(direction, *, sg=True, bits=26, fifo=64 * KIB, bandwidth=4.8e9, data_width=32):
    channels = {"mm2s": direction == "dac", "s2mm": direction == "adc"}
    return spec(
        dma(sg=sg, length_width=bits, data_width=data_width, **channels),
        converters=[converter(direction, ["dma"], fifo=fifo)],
        bandwidth=bandwidth,
    )


def budget(board, rate, **options):
    engine = "sg" if board.dmas[0].sg else "direct"
    return compute_budget(board, board.converters[0], board.dmas[0], MemoryKind.PS, rate, engine=engine, **options)


def gaps(board, rate, samples, **options):
    with build_board(board) as opened:
        options.update(rate=rate, force=True)
        if board.converters[0].direction == "dac":
            return opened.dac(0).play(np.zeros(samples, np.int16), **options).ledger.gap_count
        return opened.adc(0).record(samples, **options).ledger.gap_count


def pieces(board, count):
    return count * (board.dmas[0].max_length // 64 * 64) // 2


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 16, 20])
@pytest.mark.parametrize("bandwidth", [1.2e9, 4.8e9, 9.6e9])
def test_scatter_gather_is_bound_by_port_packets_and_fetches(bits, bandwidth):
    board = design("dac", bits=bits, bandwidth=bandwidth)
    most = budget(board, 1e6).max_rate
    samples = min(pieces(board, 500), 2_000_000)
    assert gaps(board, most * 0.995, samples) == 0
    # Bursts that overlap the fetch of a descriptor hide some of a packet's own clocks; never more than these 6.
    assert most == 8e9 or gaps(board, most * (1.06 if bits == 9 else 1.005), samples) > 0


@pytest.mark.parametrize("bits", [10, 12, 14, 18])
@pytest.mark.parametrize("bandwidth", [4.8e9, 9.6e9])
def test_direct_mode_is_bound_by_its_restarts(bits, bandwidth):
    board = design("dac", sg=False, bits=bits, bandwidth=bandwidth)
    most = budget(board, 1e6, rearm=REARM["dac"]).max_rate
    samples = min(pieces(board, 200), 2_000_000)
    assert gaps(board, most * 0.99, samples) == 0
    assert most == 8e9 or gaps(board, most * 1.01, samples) > 0


@pytest.mark.parametrize("bits", [10, 12, 14, 18])
def test_direct_recordings_sustain_what_is_promised(bits):
    # The budget counts PG021's 849 clocks a packet; the model has them overlap with software.
    board = design("adc", sg=False, bits=bits)
    most = budget(board, 1e6, rearm=REARM["adc"]).max_rate
    assert gaps(board, most * 0.99, min(pieces(board, 200), 2_000_000)) == 0


@given(
    st.sampled_from(["dac", "adc"]),
    st.sampled_from([16 * KIB, 64 * KIB, 256 * KIB]),
    st.floats(2e8, 2e9),
    st.sampled_from([4.8e9, 9.6e9]),
)
@settings(max_examples=25, deadline=None)
def test_direct_mode_lives_as_long_as_its_fifo(direction, fifo, rate, bandwidth):
    board = design(direction, sg=False, bits=22, fifo=fifo, bandwidth=bandwidth)
    samples = pieces(board, 3)
    # The time at which software is just too late, at this rate: a beat and a burst of the engine are the margin.
    late = fifo / (2 * rate)
    margin = (4096 + 64) / (2 * rate) + REARM[direction]
    start = {"dac": 6, "adc": 39}[direction] / 300e6
    below, above = late - margin, late + margin
    assert budget(board, rate, rearm=below - start).sustained
    assert gaps(board, rate, samples, software_delay=below) == 0
    assert not budget(board, rate, rearm=above - start).sustained
    assert gaps(board, rate, samples, software_delay=above) == 2


@pytest.mark.parametrize(("share", "complete"), [(0.98, True), (1.02, False)])
def test_two_in_step_live_as_long_as_their_fifos(share, complete):
    with gapless.open("virtual:zcu111?fifo=64KiB") as board:
        dac = board.dac(0)
        _, dma = dac.choose_engine("direct", dac.path(2))
        late = share * 64 * KIB / (2 * 1e9)
        found = compute_budget(
            board.spec, dac.spec, dma.spec, MemoryKind.PL, 1e9, engine="direct", channels=2, rearm=late
        )
        assert found.sustained == complete
        signal = np.zeros((20_000_000, 2), np.int16)  # 80 MB: two transfers
        report = dac.play(signal, rate=1e9, engine="direct", channels=2, software_delay=late)
        assert report.complete == complete


@pytest.mark.parametrize("rate", [1e9, 2e9])
def test_a_ring_lives_as_long_as_what_is_queued(rate):
    board = design("dac", bits=12)
    samples = pieces(board, 1100)  # more than two rings of 512
    late = 511 * 4032 / (2 * rate)
    for rearm, complete in ((late * 0.98, True), (late * 1.02, False)):
        assert budget(board, rate, rearm=rearm).sustained == complete
        assert (gaps(board, rate, samples, software_delay=rearm) == 0) == complete


@pytest.mark.parametrize("bandwidth", [1.2e9, 4.8e9])
def test_a_recording_is_bound_by_the_port(bandwidth):
    board = design("adc", bandwidth=bandwidth, fifo=16 * KIB)
    most = budget(board, 1e6).max_rate
    assert gaps(board, most * 0.999, 20_000_000) == 0
    assert gaps(board, most * 1.005, 20_000_000) > 0


# A DAC begins with an empty FIFO: so near the limit that it takes long to fill, the first burst of the other is a gap.
@pytest.mark.parametrize(("other", "complete"), [(0.7e9, True), (0.95e9, False)])
def test_two_converters_share_hp1_and_hp2(other, complete):
    with gapless.open("virtual:zcu111?fifo=64KiB") as board:
        dac, adc = board.dac(1), board.adc(1)
        found = compute_budget(
            board.spec, dac.spec, board.spec.dma("dma_dac1"), MemoryKind.PS, 1.5e9, others=[(adc.spec, other)]
        )
        assert found.sustained == complete
        with adc.start(8_000_000, rate=other, memory="ps-cma") as recording:
            played = dac.play(np.zeros(10_000_000, np.int16), rate=1.5e9, memory="ps-cma")
            recorded = recording.wait()
        assert (played.complete and recorded.complete) == complete


# ---- play and record


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_force_plays_with_gaps_what_is_refused_without(engine):
    with gapless.open() as board:
        signal = np.zeros(1_000_000, np.int16)
        with pytest.raises(RateError, match=r"pl-ddr can$"):
            board.dac(0).play(signal, rate=3e9, memory="ps-cma", engine=engine)
        report = board.dac(0).play(signal, rate=3e9, memory="ps-cma", engine=engine, force=True)
        assert report.samples_played == 1_000_000
        assert report.ledger.gaps[0].cause == "underrun: the memory port is slower than the converter"
        capture = board.adc(0).record(4_000_000, rate=3e9, memory="ps-cma", engine=engine, force=True)
        assert not capture.complete
        with pytest.raises(RateError, match=r"at most 6.554 GSa/s; asked 7 GSa/s"):
            board.dac(0).play(signal, rate=7e9, force=True)


def test_a_short_buffer_repeated_in_place_is_bound_by_its_descriptors():
    with gapless.open() as board, board.memory["pl-ddr"].allocate(32, np.int16) as buffer:
        buffer[...] = 0
        with pytest.raises(RateError, match="in blocks of 64 B needs"):
            board.dac(0).play(buffer, rate=1e9, repeat=1000)
        assert board.dac(0).play(buffer, rate=1e9).complete
        assert not board.dac(0).play(buffer, rate=1e9, repeat=1000, force=True).complete
        assert board.dac(0).play(buffer, rate=0.3e9, repeat=400).complete


# ---- gapless budget


def run(capsys, command, status=0):
    assert main(["budget", *command.split(), "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_the_command(capsys):
    found = run(capsys, "--rate 2.048e9")
    assert list(found) == [
        "board",
        "converter",
        "engine",
        "memory",
        "rate_sa_per_s",
        "channels",
        "block_bytes",
        "fifo_depth_bytes",
        "rearm_seconds",
        "producer_rate_sa_per_s",
        "with",
        "sustained",
        "max_rate_sa_per_s",
        "limits",
    ]
    assert (found["converter"], found["engine"], found["memory"]) == ("dac0", "sg", "pl-ddr")
    assert (found["sustained"], found["max_rate_sa_per_s"], found["rearm_seconds"]) == (True, 6.554e9, None)
    found = run(capsys, "--rate 4.096e9 --memory ps-cma --engine cyclic", 3)
    assert found["limits"][2]["why"].endswith("the PS port (HP0) gives 4.80 GB/s; pl-ddr can")
    found = run(capsys, "--rate 1.5e9 --dac 1 --memory ps-cma --with adc1=1e9", 3)
    assert found["with"] == {"adc1": 1e9}
    assert found["max_rate_sa_per_s"] == pytest.approx(1.4e9, rel=1e-5)
    found = run(capsys, "--rate 1e9 --adc 0 --engine direct --rearm 20us --block 1e6 --fifo-depth 64KiB")
    assert (found["rearm_seconds"], found["block_bytes"], found["fifo_depth_bytes"]) == (20e-6, 2_000_000, 65536)
    assert run(capsys, "--rate 1e9 --channels 2 --producer-rate 1.9e9", 3)["limits"][-1]["name"] == "producer"


def test_the_command_in_words(capsys):
    assert main(["budget", "--rate", "2.048e9"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("\n\ncan be sustained; at most 6.554 GSa/s\n")
    assert "memory port     4.10 GB/s" in out
    assert main(["budget", "--rate", "2.048e9", "--engine", "direct", "--rearm", "1ms"]) == 3
    out = capsys.readouterr().out
    assert "re-arm time          1 ms       256 us    -74.4%  NO" in out
    assert "cannot be sustained, at most 524.278 MSa/s can:\n  software takes 1 ms to re-arm" in out


def test_play_and_record_are_forced_by_an_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["play", "noise:", "--samples", "1e6", "--rate", "3e9", "--memory", "ps-cma", "--force"]) == 3
    assert main(["record", "c.npy", "--samples", "4e6", "--rate", "3e9", "--memory", "ps-cma", "--force"]) == 3
