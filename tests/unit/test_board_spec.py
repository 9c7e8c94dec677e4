"""What a board is made of, and what does not fit together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.boards import (
    BoardSpec,
    ConverterSpec,
    DmaSpec,
    MemoryKind,
    MemorySpec,
    PairSpec,
    PoolSpec,
    PortSpec,
    StreamFifoSpec,
)
from gapless.boards.zcu111 import zcu111
from gapless.errors import BadArgumentError, UnknownNameError

GIB = 1 << 30
PORTS = {MemoryKind.PS: "HP0"}


def dma(name="a", base=0xA000_0000, tx=0, rx=1, **options):
    return DmaSpec(name, base, sg=True, ports=PORTS, mm2s_interrupt=tx, s2mm_interrupt=rx, **options)


def board(**changes):
    whole = BoardSpec(
        "bench",
        "a bench",
        (MemorySpec("ram", 0, GIB, MemoryKind.PS),),
        (PoolSpec("ram", 0, GIB, MemoryKind.PS),),
        (PortSpec("HP0", 4.8e9),),
        (dma(),),
        (ConverterSpec("dac0", "dac", 0, 0xB000_0000, 16, 6e9, ("a",)),),
    )
    return replace(whole, **changes)


def test_one_that_fits_together_finds_its_parts():
    spec = board(fifos=(), dmas=(dma(), dma("b", 0xA001_0000, 2, 3)))
    assert spec.dma("b").name == "b"
    assert spec.port("HP0").bandwidth == 4.8e9
    with pytest.raises(UnknownNameError, match="no DMA 'c': there is a, b"):
        spec.dma("c")
    with pytest.raises(UnknownNameError, match="no memory port 'HP9': there is HP0"):
        spec.port("HP9")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dmas": (dma(), dma(base=0xA001_0000, tx=2, rx=3))}, "name a is given twice"),
        ({"dmas": (dma(), dma("b", 0xA000_0800, 2, 3))}, "registers at 0xA000_0000 is given twice"),
        ({"dmas": (dma(), dma("b", 0xA001_0000, 1, 3))}, "interrupt line 1 is given twice"),
        ({"ports": ()}, "no memory port 'HP0'"),
        ({"dmas": (dma(tx=None),)}, "a was built without its MM2S channel"),
        ({"converters": (ConverterSpec("d", "dac", 0, 0xB000_0000, 16, 1e9, ("z",)),)}, "no DMA 'z'"),
        ({"fifos": (StreamFifoSpec("f", "a", "a"),)}, "the stream of a MM2S is given twice"),
        ({"fifos": (StreamFifoSpec("f", "z", "a"),), "converters": ()}, "no DMA 'z'"),
        (
            {"fifos": (StreamFifoSpec("f", "a", "a"), StreamFifoSpec("f", "a", "a")), "converters": ()},
            "name f is given twice",
        ),
        (
            {
                "converters": tuple(
                    ConverterSpec(f"d{n}", "dac", 0, 0xB000_0000 + n * 4096, 16, 1e9, ()) for n in range(2)
                )
            },
            "converter dac0 is given twice",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, words):
    with pytest.raises(BadArgumentError, match=words):
        board(**changes)


def part(name, *, beat=16, fifo=1 << 16):
    number = int(name[3:]) + (8 if name.startswith("adc") else 0)
    return ConverterSpec(name, name[:3], int(name[3:]), 0xB000_0000 + number * 4096, beat, 1e9, (), fifo)


def paired(*parts, names=("dac0", "dac1"), direction="dac", base=0xC000_0000, dmas=("a",), more=()):
    pairs = (PairSpec("pair", direction, base, names, dmas), *more)
    return board(converters=parts or (part("dac0"), part("dac1"), part("adc0")), pairs=pairs)


def test_a_pair_finds_its_converters():
    spec = paired()
    assert [spec.converter(name).index for name in spec.pairs[0].converters] == [0, 1]
    with pytest.raises(UnknownNameError, match="no converter 'dac7': there is dac0, dac1, adc0"):
        spec.converter("dac7")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: paired(names=("dac0", "dac7")), "no converter 'dac7': there is dac0, dac1, adc0"),
        (lambda: paired(names=("dac0", "dac0")), "a pair is two different ones"),
        (lambda: paired(names=("dac0",)), "a pair is two different ones"),
        (lambda: paired(direction="both"), "a pair is of dacs or of adcs"),
        (lambda: paired(direction="adc"), "pair is a pair of adcs; dac0 is none"),
        (lambda: paired(names=("dac0", "adc0")), "pair is a pair of dacs; adc0 is none"),
        (lambda: paired(part("dac0"), part("dac1", beat=8)), "samples_per_beat of dac0 is 16, of dac1 8"),
        (lambda: paired(part("dac0"), part("dac1", fifo=1 << 12)), "fifo_bytes of dac0 is 65536, of dac1 4096"),
        (lambda: paired(base=0xB000_1000), "registers at 0xB000_1000 is given twice"),
        (lambda: paired(dmas=("z",)), "no DMA 'z'"),
        (lambda: paired(dmas=("a", "a")), "the stream of a MM2S is given twice"),
        (lambda: paired(more=(PairSpec("p", "dac", 0xC001_0000, ("dac1", "dac0"), ()),)), "in a pair, converter dac1"),
    ],
)
def test_a_pair_that_cannot_run_in_step_is_refused(build, words):
    with pytest.raises(BadArgumentError, match=words):
        build()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"length_width": 7}, "length_width=7; the core is built with 8 to 26"),
        ({"length_width": 27}, "length_width=27"),
        ({"address_width": 31}, "address_width=31; the core is built with 32 to 64"),
        ({"address_width": 65}, "address_width"),
        ({"data_width": 2}, "data_width=2; the core is built with 4 to 128"),
        ({"data_width": 256}, "data_width"),
        ({"data_width": 48}, "power of two"),
        ({"clock": 0}, "clock"),
    ],
)
def test_a_core_that_cannot_be_built_is_refused(options, words):
    with pytest.raises(BadArgumentError, match=words):
        dma(**options)


def test_a_dma_without_a_port_or_a_fifo_without_room_is_refused():
    with pytest.raises(BadArgumentError, match="no memory port"):
        DmaSpec("a", 0, sg=True, ports={})
    with pytest.raises(BadArgumentError, match="at least one burst, 4096"):
        StreamFifoSpec("f", "a", "a", 4095)
    with pytest.raises(BadArgumentError, match="a dac or an adc"):
        ConverterSpec("x", "codec", 0, 0, 16, 1e9, ())
    with pytest.raises(BadArgumentError, match="16-sample words"):
        ConverterSpec("x", "dac", 0, 0, 16, 1e9, (), 1000)


@given(st.integers(8, 26))
def test_the_longest_transfer_is_all_ones(width):
    assert dma(length_width=width).max_length == int("1" * width, 2)


@pytest.mark.parametrize("ps", [3, 4, 5, 16, 32])
def test_the_zcu111_with_any_sodimm(ps):
    spec = zcu111(ps_bytes=ps * GIB)
    pools = {pool.name: pool for pool in spec.pools}
    memories = {memory.name: memory for memory in spec.memories}
    assert pools["ps-carveout"].size == max(0, ps - 4) * GIB
    high = memories["ps-ddr-high"]
    assert (
        pools["ps-carveout"].base + pools["ps-carveout"].size == high.base + high.size == 0x8_0000_0000 + (ps - 2) * GIB
    )
    assert pools["ps-cma"].base + pools["ps-cma"].size == 2 * GIB
    assert pools["pl-ddr"].size == 4 * GIB
    assert [(part.direction, part.index) for part in spec.converters] == [
        ("dac", 0),
        ("adc", 0),
        ("dac", 1),
        ("adc", 1),
    ]
    assert [(pair.direction, pair.converters) for pair in spec.pairs] == [
        ("dac", ("dac0", "dac1")),
        ("adc", ("adc0", "adc1")),
    ]
