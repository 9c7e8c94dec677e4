"""Our reader on designs that Vivado made, against numbers, and against PYNQ's own parser."""

from __future__ import annotations

from pathlib import Path

import pytest

from gapless.boards.handoff import Design, DmaChannel, DmaParameters
from gapless.boards.pynq_z2 import HANDOFF

from .real_handoffs import HANDOFFS, folder, pynqs_parser

#: Those that Vivado did not make: PYNQ's parser can read them, too.
OWN = tuple(sorted(HANDOFF.parent.glob("*.hwh")))


@pytest.fixture(scope="module")
def design():
    return {name: Design.load(folder() / name) for name in HANDOFFS}


# ---- numbers


@pytest.mark.parametrize(
    ("name", "part", "tool", "blocks", "addressed"),
    [
        ("pynq-z1-base.hwh", "xc7z020clg400-1", "2024.1", 139, 23),
        ("pynq-z1-logictools.hwh", "xc7z020clg400-1", "2024.1", 126, 4),
        ("pynq-z2-base.hwh", "xc7z020clg400-1", "2024.1", 187, 24),
        ("pynq-z2-logictools.hwh", "xc7z020clg400-1", "2024.1", 179, 4),
        ("zcu104-base.hwh", "xczu7ev-ffvc1156-2", "2024.1", 84, 19),
        ("resizer.hwh", "xc7z020clg400-1", "2019.2", 8, 2),
        ("rfsoc-sam.hwh", "xczu48dr-ffvg1517-2", "2020.2", 30, 11),
    ],
)
def test_what_it_is_and_how_much_is_in_it(design, name, part, tool, blocks, addressed):
    found = design[name]
    assert (found.part, found.tool_version, len(found.blocks)) == (part, tool, blocks)
    assert len(list(found.addressed())) == addressed


@pytest.mark.parametrize(
    ("name", "block", "base", "size"),
    [
        ("pynq-z1-base.hwh", "iop_arduino/mb_bram_ctrl", 0x4400_0000, 0x1_0000),
        ("pynq-z1-base.hwh", "trace_analyzer_arduino/axi_dma_0", 0x8041_0000, 0x1_0000),
        ("pynq-z1-logictools.hwh", "lcp_ar/mb_bram_ctrl", 0x4400_0000, 0x1_0000),
        ("pynq-z2-base.hwh", "btns_gpio", 0x4121_0000, 0x1_0000),
        ("pynq-z2-base.hwh", "iop_rpi/mb_bram_ctrl", 0x4600_0000, 0x1_0000),
        ("pynq-z2-base.hwh", "video/axi_vdma", 0x4300_0000, 0x1_0000),
        ("pynq-z2-logictools.hwh", "system_interrupts", 0x4180_0000, 0x1_0000),
        ("zcu104-base.hwh", "axi_intc_0", 0x8004_3000, 0x1000),
        ("zcu104-base.hwh", "iop_pmod1/mb_bram_ctrl", 0x800B_0000, 0x1_0000),
        ("zcu104-base.hwh", "video/hdmi_out/frontend", 0x8002_0000, 0x2_0000),
        ("resizer.hwh", "axi_dma_0", 0x4040_0000, 0x1_0000),
        ("rfsoc-sam.hwh", "radio/rfdc", 0xB000_0000, 0x4_0000),
    ],
)
def test_addresses(design, name, block, base, size):
    (where,) = design[name].block(block).ranges
    assert (where.base, where.size) == (base, size)


@pytest.mark.parametrize(
    ("name", "memories"),
    [
        ("pynq-z2-base.hwh", {"ps-ddr": (0, 512 << 20)}),
        ("zcu104-base.hwh", {"ps-ddr-low": (0, 2 << 30)}),
        ("rfsoc-sam.hwh", {"ps-ddr-low": (0, 2 << 30), "ps-ddr-high": (0x8_0000_0000, 6 << 30)}),
    ],
)
def test_ddr_of_the_ps(design, name, memories):
    found = {m.name: (m.base, m.size) for m in design[name].memories.values() if m.kind == "ps-ddr"}
    assert found == memories


@pytest.mark.parametrize(
    ("name", "block", "length_width", "mm2s", "s2mm"),
    [
        ("pynq-z1-base.hwh", "trace_analyzer_pmoda/axi_dma_0", 23, None, DmaChannel(4, 4, False, 64)),
        ("pynq-z2-base.hwh", "trace_analyzer_pi/axi_dma_0", 23, None, DmaChannel(8, 8, False, 64)),
        ("pynq-z2-logictools.hwh", "lcp_ar/trace_analyzer/axi_dma_0", 23, None, DmaChannel(8, 8, True, 64)),
        ("resizer.hwh", "axi_dma_0", 26, DmaChannel(4, 4, False, 256), DmaChannel(4, 4, False, 256)),
    ],
)
def test_dma_parameters(design, name, block, length_width, mm2s, s2mm):
    found = DmaParameters.of(design[name].block(block))
    assert (found.sg, found.length_width, found.address_width) == (False, length_width, 32)
    assert (found.mm2s, found.s2mm) == (mm2s, s2mm)


def test_memory_that_a_dma_sees(design):
    seen = design["pynq-z2-base.hwh"].block("trace_analyzer_pi/axi_dma_0").memory_map
    assert [(item.interface, item.base, item.high) for item in seen] == [("S_AXI_HP2", 0x1000_0000, 0x1FFF_FFFF)]


@pytest.mark.parametrize(
    ("name", "pin", "controller", "index", "line"),
    [
        ("pynq-z1-base.hwh", "trace_analyzer_arduino/axi_dma_0/s2mm_introut", "system_interrupts", 7, 61),
        ("pynq-z1-logictools.hwh", "lcp_ar/dff_en_reset_vector_0/q", "system_interrupts", 2, 61),
        ("pynq-z2-base.hwh", "video/axi_vdma/mm2s_introut", "system_interrupts", 1, 61),
        ("pynq-z2-base.hwh", "leds_gpio/ip2intc_irpt", "system_interrupts", 8, 61),
        ("pynq-z2-base.hwh", "switches_gpio/ip2intc_irpt", "system_interrupts", 14, 61),
        ("zcu104-base.hwh", "video/phy/vid_phy_controller/irq", "axi_intc_0", 0, 121),
        ("zcu104-base.hwh", "gpio_btns/ip2intc_irpt", "axi_intc_0", 8, 121),
    ],
)
def test_interrupts(design, name, pin, controller, index, line):
    found = design[name].interrupts[pin]
    assert (found.controller, found.index, found.line) == (controller, index, line)


def test_gpio_of_the_iops(design):
    found = design["pynq-z2-base.hwh"].gpio
    assert [found[f"mb_iop_{name}_reset"].index for name in ("pmoda", "pmodb", "arduino", "rpi")] == [0, 1, 2, 3]
    assert [found[f"mb_iop_{name}_intr_ack"].index for name in ("pmoda", "pmodb", "arduino", "rpi")] == [4, 5, 6, 7]
    assert "iop_rpi/rst_clk_wiz_1_100M/aux_reset_in" in found["mb_iop_rpi_reset"].pins


def streams(design):
    return {(str(stream.source), str(stream.sink)): stream.through for stream in design.streams}


def test_streams(design):
    assert streams(design["resizer.hwh"]) == {
        ("axi_dma_0.M_AXIS_MM2S", "resize_accel_0.src"): ("axis_dwidth_converter_0",),
        ("resize_accel_0.dst", "axi_dma_0.S_AXIS_S2MM"): ("axis_dwidth_converter_1",),
    }
    sam = streams(design["rfsoc-sam.hwh"])
    assert sam["radio/rfdc.m00_axis", "radio/receiver/channel_00/decimator.s_axis_re"] == ()
    channel = "radio/transmitter/channel_00"
    through = (f"{channel}/axis_broadcaster", f"{channel}/axis_combiner")
    assert sam[f"{channel}/control.AXI4_Stream_Master", "radio/rfdc.s00_axis"] == through


# ---- PYNQ's parser: everything that both know, of everything in the design


@pytest.fixture(scope="module", params=[*HANDOFFS, *OWN], ids=lambda given: Path(given).name)
def both(request, design):
    ours = Design.load(request.param) if request.param in OWN else design[request.param]
    with pynqs_parser(folder() / "hwh_parser.py") as module:
        family = module._HWHZynq if ours.device.startswith("xc7z") else module._HWHUltrascale
        return ours, family(str(ours.path))


def test_pynq_finds_the_same_ip(both):
    ours, pynq = both
    # The PS itself is there, too, without an address.
    theirs = {name: ip for name, ip in pynq.ip_dict.items() if "phys_addr" in ip}
    assert {name: (where.base, where.size, block.vlnv) for name, block, where in ours.addressed()} == {
        name: (ip["phys_addr"], ip["addr_range"], ip["type"]) for name, ip in theirs.items()
    }
    for name, block, where in ours.addressed():
        assert block.parameters == theirs[name]["parameters"]
        assert where.memory_type.upper() == theirs[name]["memtype"]
        assert {register.name: _register(register) for register in block.registers} == {
            key: (
                value["address_offset"],
                value["size"],
                value["access"],
                value["description"],
                {field: (at["bit_offset"], at["bit_width"], at["access"]) for field, at in value["fields"].items()},
            )
            for key, value in theirs[name]["registers"].items()
        }


def _register(register):
    fields = {field.name: (field.offset, field.width, field.access) for field in register.fields}
    return register.offset, register.size, register.access, register.description, fields


def test_pynq_finds_the_same_interrupts(both):
    ours, pynq = both
    # It lists the inputs of concatenations as well, which are the other ends of the same nets.
    theirs = {name: pin for name, pin in pynq.interrupt_pins.items() if "/In" not in name}
    assert {pin.pin: (pin.controller, pin.index) for pin in ours.interrupts.values()} == {
        name: (pin["controller"], pin["index"]) for name, pin in theirs.items()
    }
    assert {name: (to.parent, to.index, to.line) for name, to in ours.interrupt_controllers.items()} == {
        name: (to["parent"], to["index"], to["raw_irq"]) for name, to in pynq.interrupt_controllers.items()
    }


def test_pynq_finds_the_same_gpio_and_clocks(both):
    ours, pynq = both
    assert {name: (pin.index, set(pin.pins)) for name, pin in ours.gpio.items()} == {
        name: (pin["index"], pin["pins"]) for name, pin in pynq.gpio_dict.items()
    }
    assert {clock.index: (*clock.divisors, int(clock.enabled)) for clock in ours.clocks} == {
        index: (clock["divisor0"], clock["divisor1"], clock["enable"]) for index, clock in pynq.clock_dict.items()
    }


def test_pynqs_memories_and_hierarchies_are_among_ours(both):
    ours, pynq = both
    assert set(pynq.mem_dict) == {memory.name for memory in ours.memories.values() if memory.kind != "ps-ddr"}
    for name, inside in pynq.hierarchy_dict.items():
        members = {f"{name}/{part}" for kind in ("ip", "hierarchies", "memories") for part in inside[kind]}
        assert members <= set(ours.hierarchies[name])
