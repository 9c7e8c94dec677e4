"""The budget: what the board's description says a rate needs. That it is true: tests/board/test_budget_holds.py."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.boards import DmaSpec, MemoryKind
from gapless.boards.zcu111 import zcu111
from gapless.errors import BadArgumentError
from gapless.stream import compute_budget

BOARD = zcu111(ps_bytes=32 << 30)
CONVERTERS = {converter.name: converter for converter in BOARD.converters}
ROWS = ["converter", "stream clock", "memory port", "engine"]


def budget(rate, name="dac0", *, board=BOARD, memory="ps", **options):
    converter = CONVERTERS[name]
    dma = board.dma(converter.dmas[options.get("engine") == "direct"])
    return compute_budget(board, converter, dma, MemoryKind(memory), rate, **options)


def limit(found, name):
    return next(row for row in found.limits if row.name == name)


def why(found):
    return " / ".join(found.reasons)


def test_the_rows_of_each_engine():
    assert [row.name for row in budget(1e9).limits] == [*ROWS, "descriptors"]
    assert [row.name for row in budget(1e9, engine="cyclic", rearm=1.0).limits] == [*ROWS, "descriptors"]
    assert [row.name for row in budget(1e9, engine="direct").limits] == ROWS
    assert [row.name for row in budget(1e9, rearm=1e-6, producer=2e9).limits][-2:] == ["re-arm time", "producer"]
    assert budget(1e9).sustained
    assert budget(1e9).reasons == ()


@pytest.mark.parametrize(("name", "engine", "percent"), [("dac0", "sg", 99.76), ("adc0", "direct", 74.64)])
def test_the_engine_sustains_what_pg021_measured(name, engine, percent):
    """PG021, "Throughput": 100 MHz, 32 bits, packets of 10,000 bytes."""
    slow = DmaSpec("dma", 0, True, {MemoryKind.PS: "HP0"}, 0, 1, data_width=4, clock=100e6)
    found = compute_budget(BOARD, CONVERTERS[name], slow, MemoryKind.PS, 1e8, engine=engine, block=10_000)
    assert limit(found, "engine").available == pytest.approx(400e6 * percent / 100, rel=2e-4)


def test_a_recording_with_scatter_gather_is_one_packet():
    assert limit(budget(1e9, "adc0", block=64), "engine").available == 4.8e9


def test_the_port_says_which_memory_can():
    found = budget(4.096e9)
    assert limit(found, "memory port").why == (
        "4.096 GSa/s needs 8.19 GB/s, the PS port (HP0) gives 4.80 GB/s; pl-ddr can"
    )
    assert found.max_rate == pytest.approx(2.4e9, rel=1e-5)
    assert budget(4.096e9, memory="pl").sustained
    wide = dataclasses.replace(CONVERTERS["dac0"], max_rate=1e12)
    found = compute_budget(BOARD, wide, BOARD.dma("dma_dac0"), MemoryKind.PL, 1e10)
    assert "no memory of this board can: at most 9.6 GSa/s" in why(found)
    assert "dma_dac0 moves 64 bytes a clock of 300 MHz, 19.20 GB/s: at most 9.6 GSa/s" in why(found)


def test_hp1_and_hp2_share_one_port():
    assert budget(1.5e9, "dac1").sustained
    adc1, dac0 = CONVERTERS["adc1"], CONVERTERS["dac0"]
    assert budget(1.5e9, "dac1", others=[(dac0, 2e9)]).sustained
    found = budget(1.5e9, "dac1", others=[(adc1, 1e9), (dac0, 2e9)])
    assert "1.5 GSa/s needs 3.00 GB/s, adc1 2.00 GB/s, together 5.00 GB/s, the PS port (HP1+HP2) gives" in why(found)
    assert "pl-ddr can" in why(found)
    assert found.max_rate == pytest.approx(1.4e9, rel=1e-5)
    assert budget(1.5e9, "dac1", memory="pl", others=[(adc1, 1e9), (dac0, 2e9)]).sustained
    taken = budget(1.0, "dac1", others=[(adc1, 4e9)])
    assert taken.max_rate == 0
    assert not taken.sustained


def test_short_blocks_are_bound_by_packets_and_by_descriptors():
    found = budget(1.2e9, memory="pl", block=128)
    assert "in blocks of 128 B, between which 20 ns pass" not in why(found)
    assert "needs 1.88e+07 descriptors a second, the engine fetches 1.07e+07 (28 clocks each" in why(found)
    assert "use blocks of at least 256 bytes" in why(found)
    assert budget(1.2e9, memory="pl", block=256).sustained
    found = budget(2.2e9, block=1024)
    assert "between which 20 ns pass, the engine sustains 4.39 GB/s: use blocks of at least 1,088 bytes" in why(found)
    assert budget(2.2e9, block=1088).sustained


def test_direct_mode_lives_on_the_fifo_while_software_is_late():
    assert budget(2.048e9, engine="direct", rearm=255e-6).sustained
    found = budget(2.048e9, engine="direct", rearm=257e-6)
    assert why(found) == (
        "software takes 257 us to re-arm; the FIFO of 1 MiB lasts 256 us at 2.048 GSa/s: use engine sg, which is "
        "queued ahead (--engine sg), or at most 2.03987 GSa/s"
    )
    # The FIFO lasts, but what it gave while software was late is never caught up.
    found = budget(2.048e9, engine="direct", rearm=100e-6, block=1 << 20)
    assert [row.name for row in found.limits if not row.ok] == ["engine"]
    assert budget(2.048e9, rearm=1e-3, block=1 << 20).sustained
    assert "a ring of 2 blocks of 1 KiB" in why(budget(2.048e9, rearm=1e-3, block=1024, queue=2))


def test_what_the_producer_cannot_make():
    assert budget(1e9, producer=1e9).sustained
    assert "2 GSa/s are needed, the producer makes 1.5 GSa/s" in why(budget(1e9, producer=1.5e9, channels=2))
    assert "the producer takes 1 MSa/s" in why(budget(1e9, "adc0", producer=1e6))


def test_channels_in_step_need_as_many_times():
    assert budget(1.2e9, memory="pl", channels=2).sustained
    one, two = budget(1e9), budget(1e9, channels=2)
    for name in ("stream clock", "memory port", "engine"):
        assert limit(two, name).needed / limit(two, name).available == pytest.approx(
            2 * limit(one, name).needed / limit(one, name).available
        )
    with pytest.raises(BadArgumentError, match="asked 3 channels: zcu111 has 2 DACs; use 1 to 2"):
        budget(1e9, channels=3)


@given(
    st.sampled_from(sorted(CONVERTERS)),
    st.sampled_from(["sg", "direct"]),
    st.sampled_from(["ps", "pl"]),
    st.integers(0, 26).map(lambda power: 64 << power).filter(lambda block: block < 1 << 26),
    st.floats(0, 1e-2) | st.none(),
    st.sampled_from([1, 2]),
)
def test_the_highest_rate_is_where_the_budget_turns(name, engine, memory, block, rearm, channels):
    options = {"engine": engine, "memory": memory, "block": block, "rearm": rearm, "channels": channels}
    most = budget(1e6, name, **options).max_rate
    assert most > 0
    assert budget(most * 0.999, name, **options).sustained
    assert not budget(most * 1.001, name, **options).sustained
    found = budget(most * 1.001, name, **options)
    assert all(row.why for row in found.limits if not row.ok)
    assert not any(row.why for row in found.limits if row.ok)


def test_as_dict():
    record = budget(4.096e9).as_dict()
    assert list(record) == ["sustained", "max_rate_sa_per_s", "limits"]
    assert record["limits"][2] == {
        "name": "memory port",
        "needed": 8.192e9,
        "available": 4.8e9,
        "unit": "B/s",
        "headroom": 4.8 / 8.192 - 1,
        "ok": False,
        "max_rate_sa_per_s": 2.4e9,
        "why": "4.096 GSa/s needs 8.19 GB/s, the PS port (HP0) gives 4.80 GB/s; pl-ddr can",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0},
        {"rate": math.nan},
        {"block": 0},
        {"queue": 0},
        {"producer": -1},
        {"producer": math.inf},
        {"rearm": -1},
        {"rearm": math.nan},
        {"channels": 0},
    ],
)
def test_what_cannot_be_asked(wrong):
    with pytest.raises(BadArgumentError):
        budget(**{"rate": 1e9, **wrong})
