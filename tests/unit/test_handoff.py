"""Blocks, addresses, memories, clocks and parameters from hand-offs."""

from __future__ import annotations

import dataclasses
import zipfile

import pytest
from handoffs import MPSOC, PS7, Handoff

from gapless.boards.handoff import Design, DmaChannel, DmaParameters, Memory, PlClock
from gapless.errors import BadArgumentError, UnknownNameError

DDR = {"PCW_DDR_RAM_BASEADDR": "0x00100000", "PCW_DDR_RAM_HIGHADDR": "0x1FFFFFFF"}


@pytest.fixture
def load(tmp_path):
    return lambda handoff: Design.load(handoff.save(tmp_path / "tiny.hwh"))


def test_design_says_what_it_is_for(load):
    design = load(Handoff(PS7, NAME="base", BOARD="tul.com.tw:pynq-z2:part0:1.0"))
    assert (design.name, design.device, design.part) == ("base", "xc7z020", "xc7z020clg400-1")
    assert (design.board, design.tool_version, design.ps) == ("tul.com.tw:pynq-z2:part0:1.0", "2024.1", "ps")
    design = load(Handoff(MPSOC))
    assert (design.device, design.part) == ("xczu28dr", "xczu28dr-ffvg1517-2")


def test_blocks_have_pynqs_names_and_what_the_file_says(load):
    handoff = Handoff().block("video/axi_vdma", "axi_vdma", "6.3", {"C_NUM_FSTORES": 4})
    handoff.address("video/axi_vdma", 0x4300_0000, 0x1_0000, interface="S_AXI_LITE")
    handoff.bus("video/axi_vdma/S_AXI_LITE", "SLAVE", "m00", "aximm", DATAWIDTH="32")
    handoff.bus("video/axi_vdma/M_AXI", "MASTER", "__NOC__", "aximm").bus("video/axi_vdma/probe", "MONITOR", "m00")
    handoff.register("video/axi_vdma", "SR", 0x34, {"Halted": (0, 1), "Frames": (16, 8)})
    block = load(handoff).block("video/axi_vdma")
    assert (block.kind, block.version, block.vlnv) == ("axi_vdma", "6.3", "xilinx.com:ip:axi_vdma:6.3")
    assert (block.hierarchy, block.base, block.parameters) == ("video", 0x4300_0000, {"C_NUM_FSTORES": "4"})
    (where,) = block.ranges
    assert (where.size, where.high, where.interface, where.master) == (
        0x1_0000,
        0x4300_FFFF,
        "S_AXI_LITE",
        "M_AXI_GP0",
    )
    assert where.memory_type == "register"
    assert {name: (bus.bus, bus.master, bus.data_width) for name, bus in block.interfaces.items()} == {
        "S_AXI_LITE": ("m00", False, 32),
        "M_AXI": ("", True, None),
    }
    (register,) = block.registers
    assert (register.name, register.offset, register.size, register.description) == ("SR", 0x34, 32, "The SR")
    assert [(field.name, field.offset, field.width) for field in register.fields] == [
        ("Halted", 0, 1),
        ("Frames", 16, 8),
    ]
    with pytest.raises(dataclasses.FrozenInstanceError):
        block.kind = "axi_dma"


def test_an_unknown_block_is_answered_with_those_there_are(load):
    with pytest.raises(UnknownNameError, match=r"no block of tiny 'leds': there is buttons, ps"):
        load(Handoff().block("buttons", "axi_gpio")).block("leds")


def test_only_what_the_ps_reaches_has_an_address(load):
    handoff = Handoff().block("iop/mb", "microblaze").block("iop/gpio", "axi_gpio").block("leds", "axi_gpio")
    handoff.address("iop/gpio", 0x4000_0000, 0x1_0000, by="iop/mb").address("leds", 0x4000_0000, 0x1_0000)
    design = load(handoff)
    assert design.block("iop/gpio").ranges == ()
    assert design.block("iop/gpio").base is None
    assert [(seen.block, seen.base) for seen in design.block("iop/mb").memory_map] == [("iop/gpio", 0x4000_0000)]
    assert [name for name, _, _ in design.addressed()] == ["leds"]


def test_block_with_two_interfaces_has_two_names(load):
    handoff = Handoff(MPSOC).block("ddr4_0", "ddr4")
    handoff.address("ddr4_0", 0x10_0000_0000, 0x1_0000_0000, interface="C0_DDR4_S_AXI", memory=True)
    handoff.address("ddr4_0", 0xA000_0000, 0x1000, interface="C0_DDR4_S_AXI_CTRL")
    design = load(handoff)
    assert [(name, where.base) for name, _, where in design.addressed()] == [
        ("ddr4_0/C0_DDR4_S_AXI", 0x10_0000_0000),
        ("ddr4_0/C0_DDR4_S_AXI_CTRL", 0xA000_0000),
    ]
    assert design.memories == {
        "ddr4_0/C0_DDR4_S_AXI": Memory("ddr4_0/C0_DDR4_S_AXI", 0x10_0000_0000, 0x1_0000_0000, "pl-ddr")
    }


def test_what_has_a_hand_off_of_its_own_is_left_out(load):
    """A reconfigurable partition: its addresses are given again for what is in it."""
    handoff = Handoff().block("partition", "rp", BDTYPE="BLOCK_CONTAINER").block("leds", "axi_gpio")
    handoff.address("partition", 0x4120_0000, 0x10_0000).address("leds", 0x4120_0000, 0x1_0000)
    handoff.address("somewhere/else", 0x4120_0000, 0x1000)
    assert [name for name, _, _ in load(handoff).addressed()] == ["leds"]


def test_a_range_listed_twice_is_one(load):
    handoff = Handoff().block("leds", "axi_gpio")
    handoff.address("leds", 0x4120_0000, 0x1_0000).address("leds", 0x4120_0000, 0x1_0000)
    assert [name for name, _, _ in load(handoff).addressed()] == ["leds"]


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (0x7FFF_FFFF, [("ps-ddr-low", 0, 0x8000_0000)]),
        (0x3FFF_FFFF, [("ps-ddr-low", 0, 0x4000_0000)]),
        (0xFFFF_FFFF, [("ps-ddr-low", 0, 0x8000_0000), ("ps-ddr-high", 0x8_0000_0000, 0x8000_0000)]),
    ],
)
def test_ddr_of_an_mpsoc_is_in_two_pieces(load, high, expected):
    design = load(Handoff(MPSOC, {"PSU_DDR_RAM_HIGHADDR": f"0x{high:X}"}))
    assert [(memory.name, memory.base, memory.size) for memory in design.memories.values()] == expected


def test_ddr_of_a_zynq_and_bram_are_memories(load):
    handoff = Handoff(PS7, DDR).block("bram", "axi_bram_ctrl").block("window", "address_remap")
    handoff.address("bram", 0x4000_0000, 0x1_0000, memory=True).address("window", 0x5000_0000, 0x1000, memory=True)
    assert [(m.name, m.base, m.size, m.kind) for m in load(handoff).memories.values()] == [
        ("ps-ddr", 0, 0x2000_0000, "ps-ddr"),
        ("bram", 0x4000_0000, 0x1_0000, "bram"),
        ("window", 0x5000_0000, 0x1000, "memory"),
    ]


def test_clocks_of_the_ps_and_of_blocks(load):
    mpsoc = {"PSU__FPGA_PL1_ENABLE": 1, "PSU__CRL_APB__PL1_REF_CTRL__ACT_FREQMHZ": "299.997009"}
    mpsoc |= {"PSU__CRL_APB__PL1_REF_CTRL__DIVISOR0": 5, "PSU__CRL_APB__PL1_REF_CTRL__DIVISOR1": 1}
    assert load(Handoff(MPSOC, mpsoc)).clocks == (PlClock(1, True, pytest.approx(299_997_009), (5, 1)),)

    zynq = {"PCW_FPGA_FCLK0_ENABLE": 0, "PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ": "100.000000"}
    zynq |= {"PCW_FCLK0_PERIPHERAL_DIVISOR0": 5, "PCW_FCLK0_PERIPHERAL_DIVISOR1": 2}
    handoff = Handoff(PS7, zynq).block("leds", "axi_gpio")
    # One end of the net states the frequency, or both do, or none.
    handoff.pin("ps/FCLK_CLK0", "O", "fclk", CLKFREQUENCY="100000000", SIGIS="clk")
    handoff.pin("leds/s_axi_aclk", "I", "fclk", SIGIS="clk").pin("leds/slow", "I", "other", SIGIS="clk")
    handoff.pin("leds/fast", "I", "fclk2", SIGIS="clk", CLKFREQUENCY="142857132")
    design = load(handoff)
    assert design.clocks == (PlClock(0, False, 100e6, (5, 2)),)
    assert design.block("leds").clocks == {"s_axi_aclk": 100e6, "fast": 142857132}


def test_hierarchies_have_what_is_directly_in_them(load):
    handoff = Handoff().block("video/hdmi_in/frontend/gpio", "axi_gpio").block("video/axi_vdma", "axi_vdma")
    assert load(handoff).hierarchies == {
        "video": ("video/hdmi_in", "video/axi_vdma"),
        "video/hdmi_in": ("video/hdmi_in/frontend",),
        "video/hdmi_in/frontend": ("video/hdmi_in/frontend/gpio",),
    }


def dma(**parameters: object) -> Handoff:
    return Handoff().block("dma", "axi_dma", "7.1", parameters)


def test_dma_parameters_of_a_core_with_one_channel(load):
    design = load(
        dma(
            C_INCLUDE_SG=0,
            c_include_sg=0,
            c_sg_length_width=23,
            c_addr_width=40,
            c_include_mm2s=0,
            c_include_s2mm=1,
            c_include_s2mm_dre=1,
            c_m_axi_s2mm_data_width=128,
            c_s_axis_s2mm_tdata_width=64,
            c_s2mm_burst_size=256,
        )
    )
    found = DmaParameters.of(design.block("dma"))
    assert (found.sg, found.length_width, found.address_width) == (False, 23, 40)
    assert found.mm2s is None
    assert found.s2mm == DmaChannel(memory_width=16, stream_width=8, dre=True, burst=256)


def test_dma_parameters_that_are_left_out_are_the_cores_defaults(load):
    found = DmaParameters.of(load(dma()).block("dma"))
    assert (found.sg, found.length_width, found.address_width, found.micro) == (True, 14, 32, False)
    assert found.mm2s == found.s2mm == DmaChannel(4, 4, False, 16)


def test_dma_parameters_are_of_a_dma_and_numbers(load):
    with pytest.raises(BadArgumentError, match="ps is a processing_system7"):
        DmaParameters.of(load(dma()).block("ps"))
    for wrong in ("wide", "-8", ""):
        with pytest.raises(BadArgumentError, match=f"c_sg_length_width of dma is '?{wrong}"):
            DmaParameters.of(load(dma(c_sg_length_width=wrong)).block("dma"))


# ---- from a .bit and an .xsa


def test_a_bit_file_is_known_by_the_hwh_beside_it(tmp_path):
    path = Handoff().save(tmp_path / "base.hwh")
    assert Design.load(path).bitstream == ""
    # As in PYNQ, the design is known without the .bit.
    assert Design.load(tmp_path / "base.bit").bitstream == ""
    (tmp_path / "base.bit").write_bytes(b"bits")
    for asked in (path, tmp_path / "base.bit", str(tmp_path / "base.bit")):
        assert Design.load(asked).bitstream == str(tmp_path / "base.bit")


def xsa(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


LISTED = (
    "<Project><File Type='HW_HANDOFF' Name='inner.hwh' BD_TYPE='SCOPED_BD'/>"
    "<File Type='HW_HANDOFF' Name='top.hwh' BD_TYPE='DEFAULT_BD'/><File Type='BIT' Name='top_wrapper.bit'/></Project>"
)


@pytest.mark.parametrize("listing", ["sysdef.xml", "hwdef.xml"])
def test_xsa_says_which_of_its_hand_offs_is_the_top(tmp_path, listing):
    inner, top = Handoff(NAME="inner").text(), Handoff(NAME="top").text()
    members = {"inner.hwh": inner, "top.hwh": top, listing: LISTED, "top_wrapper.bit": "bits", "other.bit": "bits"}
    design = Design.load(xsa(tmp_path / "platform.xsa", members))
    assert (design.name, design.bitstream) == ("top", "top_wrapper.bit")
    assert design.path == tmp_path / "platform.xsa"


def test_xsa_may_list_other_files_of_the_top_design(tmp_path):
    listed = "<Project><File Name='top.bd' BD_TYPE='DEFAULT_BD'/><File Name='b.hwh' BD_TYPE='DEFAULT_BD'/></Project>"
    members = {"a.hwh": Handoff(NAME="a").text(), "b.hwh": Handoff(NAME="b").text(), "top.bd": "{}"}
    assert Design.load(xsa(tmp_path / "platform.xsa", members | {"sysdef.xml": listed})).name == "b"


def test_xsa_without_a_list_has_one_hand_off(tmp_path):
    members = {"top.hwh": Handoff(NAME="top").text(), "a.bit": "bits"}
    design = Design.load(xsa(tmp_path / "platform.xsa", members))
    assert (design.name, design.bitstream) == ("top", "a.bit")
