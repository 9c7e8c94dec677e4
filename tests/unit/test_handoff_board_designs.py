"""The built-in designs as boards: against the descriptions in Python, and with numbers that no design has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gapless.boards.designs import DEVICES
from gapless.boards.handoff import Design
from gapless.boards.handoff.board_spec import board_spec
from gapless.boards.handoff.checked import built_in
from gapless.boards.pynq_z2 import HANDOFF, pynq_z2
from gapless.boards.zcu111 import zcu111
from gapless.errors import BadArgumentError

MIB, GIB = 1 << 20, 1 << 30


def test_the_tutorial_is_the_board_described_in_python():
    spec = pynq_z2(cma_bytes=64 * MIB, fifo_bytes=4096)
    found = board_spec(Design.load(HANDOFF), cma_bytes=64 * MIB, fifo_bytes=4096)
    assert replace(found, title=spec.title, design=spec.design) == spec
    assert board_spec(Design.load(HANDOFF)).fifos == pynq_z2().fifos


def test_awg_is_the_board_described_in_python():
    spec = zcu111(ps_bytes=32 * GIB, cma_bytes=64 * MIB, fifo_bytes=4096)
    found = board_spec(Design.load(zcu111().handoff), ps_bytes=32 * GIB, cma_bytes=64 * MIB, fifo_bytes=4096)
    assert replace(found, title=spec.title, design=spec.design) == spec
    as_it_is = board_spec(Design.load(zcu111().handoff))
    assert replace(as_it_is, title=spec.title, design=spec.design) == zcu111()


def test_digitizer():
    design = Design.load(built_in()["digitizer"])
    spec = board_spec(design)
    assert (design.name, design.device, spec.name) == ("digitizer", DEVICES["zcu111"], "zcu111")
    assert [(part.name, part.index, part.fifo_bytes, part.max_rate) for part in spec.converters] == [
        ("adc0", 0, 4 * MIB, 4.096e9),
        ("adc1", 1, 4 * MIB, 4.096e9),
    ]
    assert [(pair.name, pair.converters, pair.dmas) for pair in spec.pairs] == [
        ("adc01", ("adc0", "adc1"), ("dma_adc01", "dma_adc01_direct"))
    ]
    assert [(dma.name, dma.sg, dma.s2mm_interrupt) for dma in spec.dmas] == [
        (f"dma_{name}{suffix}", not suffix, 121 + 2 * number + (suffix != ""))
        for number, name in enumerate(("adc0", "adc1", "adc01"))
        for suffix in ("", "_direct")
    ]
    assert spec.pools[-1].name == "pl-ddr"
    assert spec.ips == ()


def test_a_pair_of_one_is_no_pair(tmp_path):
    text = built_in()["digitizer"].read_text().replace('BUSNAME="adc1_to_adc01"', 'BUSNAME="__NOC__"')
    (tmp_path / "odd.hwh").write_text(text)
    with pytest.raises(BadArgumentError, match="adc01 joins 1 converters; a pair is of two"):
        board_spec(Design.load(tmp_path / "odd.hwh"))


@pytest.mark.parametrize(
    ("name", "text", "instead", "says"),
    [
        ("dma_loopback", 'NAME="FIFO_DEPTH" VALUE="', "9999999999", "less than 4 GiB"),
        ("digitizer", 'NAME="FIFO_DEPTH" VALUE="', "0x100000000", "FIFO of"),
        ("digitizer", 'NAME="SAMPLES_PER_BEAT" VALUE="', "0", "FIFO of"),
        ("digitizer", 'BASEVALUE="0x1000000000" HIGHVALUE="', "0xFFFFFFFFFFFFFFFF", "40-bit addresses"),
        ("digitizer", 'NAME="PSU_DDR_RAM_HIGHADDR" VALUE="', "0xFFFFFFFFFFFFFFFF", "the PS, which has 32 GiB at most"),
        ("pynq_tutorial", 'NAME="C_FREQ" VALUE="', "often", "C_FREQ of iop1/mb is 'often'"),
    ],
)
def test_numbers_that_cannot_be(tmp_path, name, text, instead, says):
    whole = built_in()[name].read_text()
    at = whole.index(text) + len(text)
    path = tmp_path / "odd.hwh"
    path.write_text(whole[:at] + instead + whole[whole.index('"', at) :])
    if name == "pynq_tutorial":  # the clock input says it otherwise
        path.write_text(path.read_text().replace('NAME="Clk" DIR="I" SIGIS="clk"', 'NAME="Clk" DIR="I"'))
    with pytest.raises(BadArgumentError, match=says):
        board_spec(Design.load(path))
