"""The hand-off of pynq_tutorial and the board that is described in Python are one design."""

from __future__ import annotations

import pytest

from gapless.boards.designs import DEVICES
from gapless.boards.handoff import Design, DmaParameters
from gapless.boards.pynq_z2 import HANDOFF, pynq_z2

SPEC = pynq_z2()
KINDS = {
    "axi-gpio": "axi_gpio",
    "axi-timer": "axi_timer",
    "axi-intc": "axi_intc",
    "uart-lite": "axi_uartlite",
    "axi-iic": "axi_iic",
    "quad-spi": "axi_quad_spi",
    "pin-switch": "io_switch",
    "host-interrupt": "axi_gpio",
}


@pytest.fixture(scope="module")
def design():
    return Design.load(HANDOFF)


def test_device_and_memory(design):
    assert (design.name, design.device) == ("pynq_tutorial", DEVICES[SPEC.name])
    found = [(memory.base, memory.size) for memory in design.memories.values() if memory.kind == "ps-ddr"]
    assert found == [(memory.base, memory.size) for memory in SPEC.memories]


def test_nothing_else_is_in_it(design):
    iops = {f"{iop.name}/mb_bram_ctrl": iop.base for iop in SPEC.iops}
    dmas = {dma.name: dma.base for dma in SPEC.dmas}
    # The PS has a GPIO and a slcr of its own.
    peripherals = {part.name: part.base for part in SPEC.peripherals if part.name not in ("ps_gpio", "slcr")}
    assert {name: where.base for name, _, where in design.addressed()} == dmas | peripherals | iops


@pytest.mark.parametrize("dma", SPEC.dmas, ids=lambda dma: dma.name)
def test_dma(design, dma):
    block = design.block(dma.name)
    found = DmaParameters.of(block)
    assert (block.base, found.sg) == (dma.base, dma.sg)
    assert (found.length_width, found.address_width) == (dma.length_width, dma.address_width)
    for name, channel, line in (("mm2s", found.mm2s, dma.mm2s_interrupt), ("s2mm", found.s2mm, dma.s2mm_interrupt)):
        pin = f"{dma.name}/{name}_introut"
        if line is None:
            assert channel is None
            assert pin not in design.interrupts
        else:
            assert (channel.memory_width, channel.stream_width, channel.dre) == (
                dma.data_width,
                dma.data_width,
                dma.dre,
            )
            assert design.interrupts[pin].line == line
            assert design.interrupts[pin].controller == ""
    assert set(block.clocks.values()) == {dma.clock}
    (memory,) = SPEC.memories
    assert [(seen.base, seen.size, seen.interface) for seen in block.memory_map] == [
        (memory.base, memory.size, "S_AXI_HP0")
    ]


def test_stream(design):
    (fifo,) = SPEC.fifos
    (stream,) = design.streams
    assert (stream.source.block, stream.through, stream.sink.block) == (fifo.source, (fifo.name,), fifo.sink)
    parameters = design.block(fifo.name).parameters
    assert int(parameters["FIFO_DEPTH"]) * int(parameters["TDATA_NUM_BYTES"]) == fifo.depth


def test_gpios(design):
    for part in SPEC.peripherals:
        if part.kind == "axi-gpio":
            assert int(design.block(part.name).parameters["C_GPIO_WIDTH"]) == part.parameters["width"]


@pytest.mark.parametrize("iop", SPEC.iops, ids=lambda iop: iop.name)
def test_iop(design, iop):
    (where,) = design.block(f"{iop.name}/mb_bram_ctrl").ranges
    assert (where.base, where.size) == (iop.base, iop.size)
    reset, acknowledge = design.gpio[f"mb_{iop.name}_reset"], design.gpio[f"mb_{iop.name}_intr_ack"]
    assert (reset.index, acknowledge.index) == (iop.reset_pin, iop.acknowledge_pin)
    assert f"{iop.name}/rst_clk_wiz_1_100M/aux_reset_in" in reset.pins
    assert f"{iop.name}/dff_en_reset_vector_0/reset" in acknowledge.pins
    assert design.interrupts[f"{iop.name}/dff_en_reset_vector_0/q"].line == iop.interrupt
    mb = design.block(f"{iop.name}/mb")
    assert float(mb.parameters["C_FREQ"]) == iop.clock
    assert not iop.units
    assert {value for name, value in mb.parameters.items() if name != "C_FREQ"} == {"0"}
    assert (iop.window.base, iop.window.size) in {
        (seen.base, seen.size) for seen in mb.memory_map if seen.block == "address_remap_0"
    }


@pytest.mark.parametrize("iop", SPEC.iops, ids=lambda iop: iop.name)
def test_peripherals_of_an_iop(design, iop):
    seen = {item.block: item.base for item in design.block(f"{iop.name}/mb").memory_map if item.master == "M_AXI_DP"}
    expected = {f"{iop.name}/{part.name}": part for part in iop.peripherals}
    assert {name: part.base for name, part in expected.items()} | {"address_remap_0": iop.window.base} == seen
    assert {name: KINDS[part.kind] for name, part in expected.items()} == {
        name: design.block(name).kind for name in expected
    }
    inputs = design.controller_inputs[f"{iop.name}/intc"]
    wired = {name: part.interrupt for name, part in expected.items() if part.interrupt is not None}
    assert {pin.rpartition("/")[0]: index for index, pin in enumerate(inputs)} == wired
    (intc,) = [part for part in iop.peripherals if part.kind == "axi-intc"]
    edges = int(design.block(f"{iop.name}/intc").parameters["C_KIND_OF_INTR"], 16) & ((1 << len(inputs)) - 1)
    assert edges == intc.parameters["edges"]
