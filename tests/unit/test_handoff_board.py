"""From a design to a board: engines, streams, interrupts and memory."""

from __future__ import annotations

import pytest
from handoffs import MPSOC, Handoff

from gapless.boards import IpSpec, MemoryKind, PeripheralSpec
from gapless.boards.handoff import Design
from gapless.boards.handoff.board_spec import board_spec
from gapless.dma.pieces import check_span
from gapless.errors import AddressError, BadArgumentError

MIB, GIB = 1 << 20, 1 << 30
PS7_DDR = {"PCW_DDR_RAM_HIGHADDR": "0x1FFFFFFF"}
BUILT = {"c_include_sg": 0, "c_sg_length_width": 16, "c_addr_width": 32}


def described(handoff, tmp_path, **options):
    return board_spec(Design.load(handoff.save(tmp_path / "design.hwh")), **options)


def with_dma(handoff, name="dma", base=0x4040_0000, **built):
    """An AXI DMA that sees all of 512 MiB through HP0, with its streams on nets called after it."""
    handoff.block(name, "axi_dma", "7.1", BUILT | built)
    handoff.address(name, base, 0x1_0000, interface="S_AXI_LITE")
    handoff.address("ps", 0, 512 * MIB, interface="S_AXI_HP0", by=name, master="M_AXI_MM2S", memory=True)
    handoff.bus(f"{name}/M_AXIS_MM2S", "MASTER", f"{name}_out")
    handoff.bus(f"{name}/S_AXIS_S2MM", "SLAVE", f"{name}_in")
    return handoff.pin(f"{name}/m_axi_mm2s_aclk", "I", "clk", SIGIS="clk", CLKFREQUENCY="125000000")


def fifo(handoff, name, before, after, depth=1024, width=4):
    handoff.block(name, "axis_data_fifo", "2.0", {"FIFO_DEPTH": depth, "TDATA_NUM_BYTES": width})
    handoff.bus(f"{name}/S_AXIS", "SLAVE", before)
    return handoff.bus(f"{name}/M_AXIS", "MASTER", after)


def test_a_dma_as_it_was_built(tmp_path):
    handoff = with_dma(
        Handoff(parameters=PS7_DDR),
        c_m_axi_mm2s_data_width=64,
        c_m_axi_s2mm_data_width=64,
        c_m_axis_mm2s_tdata_width=32,
        c_s_axis_s2mm_tdata_width=32,
        c_include_mm2s_dre=1,
    )
    handoff.pin("dma/s2mm_introut", "O", "irq").pin("ps/IRQ_F2P", "I", "irq", 1)
    handoff.bus("ps/S_AXI_HP0", "SLAVE", "memory", "aximm", DATAWIDTH="64")
    spec = described(handoff, tmp_path)
    (dma,) = spec.dmas
    assert (dma.base, dma.sg, dma.length_width, dma.address_width) == (0x4040_0000, False, 16, 32)
    # 4 bytes a clock go through it, and buffers lie on 8: only one of the channels was built with DRE.
    assert (dma.data_width, dma.memory_width, dma.dre, dma.clock) == (4, 8, False, 125e6)
    assert dma.s2mm_interrupt == 61
    assert dma.mm2s_interrupt is not None
    assert dma.mm2s_interrupt >= 1024  # connected to nothing
    assert spec.interrupt_inputs == {}
    assert dma.ports == {MemoryKind.PS: "HP0"}
    assert spec.port("HP0").bandwidth == 8 * 125e6
    assert dma.reach == ()
    with pytest.raises(AddressError, match="8-byte words"):
        check_span(dma, 0x1000_0004, 64)
    check_span(dma, 0x1000_0008, 64)


def test_a_dma_that_sees_a_part_of_memory_refuses_the_rest(tmp_path):
    handoff = Handoff(parameters=PS7_DDR).block("dma", "axi_dma", "7.1", BUILT)
    handoff.address("dma", 0x4040_0000, 0x1_0000)
    for base in (0x1000_0000, 0x1800_0000):
        handoff.address("ps", base, 128 * MIB, interface="S_AXI_HP2", by="dma", master="M_AXI_S2MM", memory=True)
    (dma,) = described(handoff, tmp_path).dmas
    assert dma.reach == ((0x1000_0000, 256 * MIB),)
    check_span(dma, 0x17FF_F000, 0x2000)
    with pytest.raises(AddressError, match=r"0xFFF_FFC0 is out of its reach: .* 0x1000_0000 to 0x1FFF_FFFF only"):
        check_span(dma, 0x0FFF_FFC0, 128)


@pytest.mark.parametrize("built", [{"c_micro_dma": 1}, {"c_enable_multi_channel": 1}])
def test_dmas_of_other_kinds_have_no_model(tmp_path, built):
    spec = described(with_dma(Handoff(parameters=PS7_DDR), **built), tmp_path)
    assert spec.dmas == ()
    assert [(ip.name, ip.kind, ip.base) for ip in spec.ips] == [("dma", "axi_dma", 0x4040_0000)]


def test_a_stream_of_one_byte(tmp_path):
    built = {"c_m_axis_mm2s_tdata_width": 8, "c_s_axis_s2mm_tdata_width": 8}
    (dma,) = described(with_dma(Handoff(parameters=PS7_DDR), **built), tmp_path).dmas
    assert (dma.data_width, dma.memory_width) == (4, 0)


def test_a_loop_is_as_deep_as_all_its_fifos(tmp_path):
    handoff = with_dma(Handoff(parameters=PS7_DDR))
    fifo(handoff, "one", "dma_out", "between", 1024, 4)
    fifo(handoff, "two", "between", "dma_in", 512, 8)
    spec = described(handoff, tmp_path)
    assert [(part.source, part.sink, part.depth) for part in spec.fifos] == [("dma", "dma", 8192)]
    assert spec.ips == ()


def test_a_loop_without_a_fifo_still_passes_a_burst(tmp_path):
    handoff = with_dma(Handoff(parameters=PS7_DDR)).passing("slice", "axis_register_slice", ["dma_out"], ["dma_in"])
    assert [part.depth for part in described(handoff, tmp_path).fifos] == [4096]


def test_a_stream_through_an_ip_ends_there(tmp_path):
    handoff = with_dma(Handoff(parameters=PS7_DDR)).block("filter", "fir", "1.0", {"TAPS": 5})
    handoff.bus("filter/in", "SLAVE", "dma_out").bus("filter/out", "MASTER", "slow")
    fifo(handoff, "fifo", "slow", "dma_in")
    spec = described(handoff, tmp_path)
    assert spec.fifos == ()
    assert spec.ips == (
        IpSpec("filter", "xilinx.com:ip:fir:1.0", 0, 0, {"in": "dma"}, {"out": "dma"}, None, {"TAPS": "5"}),
    )


def test_a_dma_that_two_others_send_to_is_in_no_loop(tmp_path):
    handoff = with_dma(with_dma(Handoff(parameters=PS7_DDR)), "other", 0x4041_0000)
    handoff.passing("switch", "axis_switch", ["dma_out", "other_out"], ["dma_in"])
    assert described(handoff, tmp_path).fifos == ()


def test_interrupts_behind_a_controller_have_lines_of_their_own(tmp_path):
    handoff = Handoff(parameters=PS7_DDR).block("intc", "axi_intc", "4.1", {"C_NUM_INTR_INPUTS": 3})
    handoff.address("intc", 0x4180_0000, 0x1_0000)
    for number, name in enumerate(("leds", "keys")):
        handoff.block(name, "axi_gpio", "2.0", {"C_GPIO_WIDTH": 4, "C_ALL_INPUTS": number})
        handoff.address(name, 0x4120_0000 + 0x1_0000 * number, 0x1_0000)
        handoff.pin(f"{name}/ip2intc_irpt", "O", name)
    handoff.concat("concat", [("keys", 1), ("", 1), ("leds", 1)], "all")
    handoff.pin("intc/intr", "I", "all", 3).pin("intc/irq", "O", "irq").pin("ps/IRQ_F2P", "I", "irq")
    spec = described(handoff, tmp_path)
    parts = {part.name: part for part in spec.peripherals}
    assert parts["intc"] == PeripheralSpec("intc", "axi-intc", 0x4180_0000, 61, {"inputs": 3, "edges": 0})
    lines = {(name, index): parts[pin].interrupt for name, index, pin in (("intc", 0, "keys"), ("intc", 2, "leds"))}
    assert spec.interrupt_inputs == lines
    assert min(lines.values()) >= 1024
    assert parts["keys"].parameters == {"width": 4, "all_inputs": 1}


def test_more_inputs_than_an_interrupt_controller_has(tmp_path):
    stated = {"C_NUM_INTR_INPUTS": 1 << 40, "C_KIND_OF_INTR": "0xFFFFFFFF"}
    handoff = Handoff(parameters=PS7_DDR).block("intc", "axi_intc", "4.1", stated)
    *_, intc = described(handoff.address("intc", 0x4180_0000, 0x1_0000), tmp_path).peripherals
    assert intc.parameters == {"inputs": 1 << 40, "edges": 0xFFFF_FFFF}  # the model refuses it


def test_two_channels_of_a_gpio(tmp_path):
    stated = {"C_IS_DUAL": 1, "C_GPIO_WIDTH": 1, "C_GPIO2_WIDTH": 3, "C_TRI_DEFAULT_2": "0xFFFFFFF0"}
    handoff = Handoff(parameters=PS7_DDR).block("gpio", "axi_gpio", "2.0", stated)
    *_, gpio = described(handoff.address("gpio", 0x4120_0000, 0x1_0000), tmp_path).peripherals
    assert gpio.parameters == {"width": 1, "width2": 3, "tristate2": 0xFFFF_FFF0}


def test_an_spi_without_fifos_has_no_model(tmp_path):
    handoff = Handoff(parameters=PS7_DDR).block("spi", "axi_quad_spi", "3.2", {"C_FIFO_DEPTH": 0})
    spec = described(handoff.address("spi", 0x41E0_0000, 0x1_0000), tmp_path)
    assert [ip.name for ip in spec.ips] == ["spi"]


def test_an_ip_with_two_interfaces_is_there_twice(tmp_path):
    handoff = Handoff(parameters=PS7_DDR).block("both", "thing")
    handoff.address("both", 0x43C0_0000, 0x1_0000, interface="A").address("both", 0x43C1_0000, 0x1000, interface="B")
    assert [(ip.name, ip.base, ip.size) for ip in described(handoff, tmp_path).ips] == [
        ("both/A", 0x43C0_0000, 0x1_0000),
        ("both/B", 0x43C1_0000, 0x1000),
    ]


# ---- memory


def test_memory_of_the_pl_becomes_pools(tmp_path):
    handoff = Handoff(MPSOC, {"PSU_DDR_RAM_HIGHADDR": "0xFFFFFFFF"})
    handoff.block("ddr4_0", "ddr4", "2.2")
    handoff.bus("ddr4_0/S", "SLAVE", "a", "aximm", DATAWIDTH="512")
    handoff.address("ddr4_0", 0x10_0000_0000, 4 * GIB, interface="S", master="M_AXI_HPM0_FPD", memory=True)
    handoff.block("bram", "axi_bram_ctrl", "4.1").address("bram", 0xA000_0000, 0x2000, memory=True)
    spec = described(handoff, tmp_path, cma_bytes=64 * MIB, ps_bytes=6 * GIB)
    assert [(part.name, part.base, part.size) for part in spec.memories] == [
        ("ps-ddr-low", 0, 2 * GIB),
        ("ps-ddr-high", 0x8_0000_0000, 4 * GIB),
        ("pl-ddr", 0x10_0000_0000, 4 * GIB),
        ("bram", 0xA000_0000, 0x2000),
    ]
    assert [(pool.name, pool.base, pool.size) for pool in spec.pools] == [
        ("ps-cma", 2 * GIB - 64 * MIB, 64 * MIB),
        ("ps-carveout", 0x8_8000_0000, 2 * GIB),
        ("pl-ddr", 0x10_0000_0000, 4 * GIB),
        ("bram", 0xA000_0000, 0x2000),
    ]
    assert "ddr4_0" in spec.pools[2].about
    assert [port.name for port in spec.ports] == ["GDMA", "ADMA", "HPM0"]
    assert spec.zdmas[0].ports == {MemoryKind.PS: "GDMA", MemoryKind.PL: "HPM0"}


def test_two_memories_of_the_pl_keep_their_names(tmp_path):
    handoff = Handoff(MPSOC, {"PSU_DDR_RAM_HIGHADDR": "0x7FFFFFFF"})
    for number in range(2):
        handoff.block(f"ddr4_{number}", "ddr4", "2.2")
        handoff.address(f"ddr4_{number}", 0x10_0000_0000 + number * GIB, GIB, master="M_AXI_HPM0_FPD", memory=True)
    spec = described(handoff, tmp_path)
    assert [pool.name for pool in spec.pools] == ["ps-cma", "ddr4_0", "ddr4_1"]


@pytest.mark.parametrize("cma", [0, 257 * MIB, MIB + 4096])
def test_a_cma_area_that_cannot_be(tmp_path, cma):
    with pytest.raises(BadArgumentError, match=r"a CMA area of .*of the 512 MiB of tiny at most 256 MiB"):
        described(Handoff(parameters=PS7_DDR), tmp_path, cma_bytes=cma)


def test_a_ps_of_unknown_memory(tmp_path):
    with pytest.raises(BadArgumentError, match="does not say how much memory the PS has"):
        described(Handoff(), tmp_path)
