"""The PS's clock registers: their first values, the lock, and that PYNQ's arithmetic finds the design's clocks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driver_designs import spec
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import PeripheralBench
from gapless.boards.ps_clocks import CRF_APB, CRL_APB, SLCR, crf_apb, crl_apb, ps_clocks, slcr
from gapless.virtual import build_board

LOCK, UNLOCK, LOCK_STATUS = 0x004, 0x008, 0x00C
CRYSTAL = {"Zynq-7000": 50.0, "Zynq UltraScale+": 33.333}


def field(value, low, width):
    return value >> low & (1 << width) - 1


def pl_clock(read, family, index):
    """MHz of a clock of the PL, as pynq/ps.py of PYNQ 4.0 computes it."""
    if family == "Zynq-7000":
        value = read(SLCR + 0x170 + 0x10 * index)
        pll = read(SLCR + {0: 0x108, 1: 0x108, 2: 0x100, 3: 0x104}[field(value, 4, 2)])
        source = CRYSTAL[family] * field(pll, 12, 7)
        return source / (field(value, 8, 6) * field(value, 20, 6))
    value = read(CRL_APB + 0xC0 + 4 * index)
    pll = read({0: CRL_APB + 0x20, 2: CRL_APB + 0x30, 3: CRF_APB + 0x2C}[field(value, 0, 3)])
    source = CRYSTAL[family] * field(pll, 8, 7) / (1 + field(pll, 16, 1))
    return source / (field(value, 8, 6) * field(value, 16, 6))


def cpu(read, family):
    """MHz of the processors, as PYNQ computes it."""
    if family == "Zynq-7000":
        value = read(SLCR + 0x120)
        pll = read(SLCR + {0: 0x100, 1: 0x100, 2: 0x104, 3: 0x108}[field(value, 4, 2)])
        return CRYSTAL[family] * field(pll, 12, 7) / field(value, 8, 6)
    value = read(CRF_APB + 0x60)
    pll = read(CRF_APB + {0: 0x20, 2: 0x2C, 3: 0x38}[field(value, 0, 3)])
    return CRYSTAL[family] * field(pll, 8, 7) / (1 + field(pll, 16, 1)) / field(value, 8, 6)


def board(*parts):
    return build_board(replace(spec(), peripherals=parts))


# At reset a clock is its source by 24, or by 32 and 5 (UG585, UG1087).
@pytest.mark.parametrize(
    ("family", "clock", "idle", "processors"),
    [("Zynq-7000", 100.0, 1000 / 24, 650.0), ("Zynq UltraScale+", 99.999, 1499.985 / 32 / 5, 1199.988)],
)
def test_without_parameters(family, clock, idle, processors):
    with board(*ps_clocks(family)) as opened:
        read = opened.bus.read32
        assert [pl_clock(read, family, index) for index in range(4)] == pytest.approx([clock, idle, idle, idle])
        assert cpu(read, family) == pytest.approx(processors)


six_bits = st.integers(1, 63)


@settings(max_examples=40)
@given(
    st.sampled_from(["IO PLL", "ARM PLL", "DDR PLL"]),
    st.tuples(*[st.integers(13, 66)] * 3),
    st.integers(0, 3),
    six_bits,
    six_bits,
)
def test_what_a_zynq_was_built_with(source, feedback, index, first, second):
    names = ("IO", "ARM", "DDR")
    parameters = {f"PCW_{name}PLL_CTRL_FBDIV": str(value) for name, value in zip(names, feedback, strict=True)}
    clock = f"PCW_FCLK{index}_PERIPHERAL_"
    parameters[f"PCW_FPGA_FCLK{index}_ENABLE"] = "1"
    parameters |= {f"{clock}CLKSRC": source, f"{clock}DIVISOR0": str(first), f"{clock}DIVISOR1": str(second)}
    bench = PeripheralBench("slcr", dict(slcr(parameters).parameters))
    expected = 50.0 * feedback[names.index(source.split()[0])] / first / second
    assert pl_clock(lambda address: bench.read(address - SLCR), "Zynq-7000", index) == pytest.approx(expected)


@settings(max_examples=40)
@given(
    st.sampled_from(["IOPLL", "RPLL", "DPLL"]),
    st.integers(25, 125),
    st.booleans(),
    st.integers(0, 3),
    six_bits,
    six_bits,
)
def test_what_a_zynqmp_was_built_with(source, feedback, halved, index, first, second):
    group = "CRF_APB" if source == "DPLL" else "CRL_APB"
    clock = f"PSU__CRL_APB__PL{index}_REF_CTRL__"
    parameters = {
        f"PSU__{group}__{source}_CTRL__FBDIV": str(feedback),
        f"PSU__{group}__{source}_CTRL__DIV2": str(int(halved)),
        f"PSU__FPGA_PL{index}_ENABLE": "1",
        f"{clock}SRCSEL": source,
        f"{clock}DIVISOR0": str(first),
        f"{clock}DIVISOR1": str(second),
    }
    low = PeripheralBench("crl-apb", dict(crl_apb(parameters).parameters))
    full = PeripheralBench("crf-apb", dict(crf_apb(parameters).parameters))

    def read(address):
        return low.read(address - CRL_APB) if address >= CRL_APB else full.read(address - CRF_APB)

    expected = 33.333 * feedback / (2 if halved else 1) / first / second
    assert pl_clock(read, "Zynq UltraScale+", index) == pytest.approx(expected)


def test_the_lock_of_the_slcr():
    bench = PeripheralBench("slcr")
    assert (bench.read(LOCK_STATUS), bench.read(0x170)) == (1, 0x0010_1800)  # at reset (UG585)
    bench.write(0x170, 0x123)
    assert bench.read(0x170) == 0x0010_1800
    for wrong in (0x767B, 0xDF0C, 0):
        bench.write(UNLOCK, wrong)
        assert bench.read(LOCK_STATUS) == 1
    bench.write(UNLOCK, 0xDF0D)
    assert (bench.read(LOCK_STATUS), bench.read(UNLOCK)) == (0, 0)
    bench.write(0x170, 0x0020_0500)
    bench.write(0x900, 0xF)
    bench.write(LOCK_STATUS, 1)
    assert (bench.read(0x170), bench.read(0x900), bench.read(LOCK_STATUS)) == (0x0020_0500, 0xF, 0)
    bench.write(LOCK, 0xDF0D)
    assert bench.read(LOCK_STATUS) == 0
    bench.write(LOCK, 0x767B)
    bench.write(0x170, 0)
    assert (bench.read(LOCK_STATUS), bench.read(0x170)) == (1, 0x0020_0500)


def test_a_program_sets_a_clock():
    with board(*ps_clocks("Zynq-7000")) as opened:
        opened.bus.write32(SLCR + 0x180, 0x0010_0A00)  # Linux has unlocked them
        assert pl_clock(opened.bus.read32, "Zynq-7000", 1) == 100.0
        assert opened.bus.read32(SLCR + 0x10C) == 0x3F
    with board(*ps_clocks("Zynq UltraScale+")) as opened:
        opened.bus.write32(CRL_APB + 0xC8, 0x0101_0A00)
        assert pl_clock(opened.bus.read32, "Zynq UltraScale+", 2) == pytest.approx(150.0, rel=1e-4)


def test_a_design_that_is_loaded_changes_no_clock():
    with board(*ps_clocks("Zynq-7000")) as opened:
        opened.bus.write32(SLCR + 0x170, 0x0010_0A00)
        design = replace(spec(), peripherals=(slcr({"PCW_FCLK0_PERIPHERAL_DIVISOR0": "7"}),))
        opened._replace(opened._refit, design)
        assert opened.bus.read32(SLCR + 0x170) == 0x0010_0A00
        assert [part.name for part in opened.spec.peripherals] == ["slcr"]


def test_no_other_parameters():
    with pytest.raises(ValueError, match="crl-apb has no parameter 'locked'"):
        PeripheralBench("crl-apb", {"locked": 1})
