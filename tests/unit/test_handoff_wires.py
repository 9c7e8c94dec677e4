"""Interrupts, GPIO and streams, followed through what lies between."""

from __future__ import annotations

import pytest
from handoffs import MPSOC, PS7, Handoff
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.boards.handoff import Design, Interrupt, InterruptController, StreamEnd
from gapless.boards.handoff.netlist import Netlist


@pytest.fixture
def load(tmp_path):
    return lambda handoff: Design.load(handoff.save(tmp_path / "tiny.hwh"))


def source(handoff, name, width=1):
    """A block with an output pin "irq_out", whose net is called after the block."""
    return handoff.block(name, "some_ip").pin(f"{name}/irq_out", "O", name, width)


# ---- interrupts


@pytest.mark.parametrize(
    ("kind", "port", "lines"),
    [
        (PS7, "IRQ_F2P", [*range(61, 69), *range(84, 92)]),
        (MPSOC, "pl_ps_irq0", list(range(121, 129))),
        (MPSOC, "pl_ps_irq1", list(range(136, 144))),
    ],
)
def test_each_input_of_the_ps_has_its_line(load, kind, port, lines):
    handoff = Handoff(kind)
    for index in range(len(lines)):
        source(handoff, f"ip{index}")
    handoff.concat("all", [(f"ip{index}", 1) for index in range(len(lines))], "irqs")
    handoff.pin(f"ps/{port}", "I", "irqs", len(lines))
    assert load(handoff).interrupts == {
        f"ip{index}/irq_out": Interrupt(f"ip{index}/irq_out", 0, "", index, line) for index, line in enumerate(lines)
    }


def test_widths_gaps_constants_and_slices_shift_what_follows(load):
    handoff = Handoff().block("zero", "xlconstant").pin("zero/dout", "O", "zeros", 2)
    source(source(source(handoff, "wide", 3), "last"), "bus", 8)
    handoff.slice("middle", "bus", 5, 4, "two")
    handoff.concat("inner", [("", 1), ("wide", 3)], "four")
    handoff.concat("outer", [("four", 4), ("zeros", 2), ("two", 2), ("last", 1)], "irqs")
    handoff.pin("ps/IRQ_F2P", "I", "irqs", 9)
    found = load(handoff).interrupts
    assert {name: (pin.index, pin.line, pin.bit) for name, pin in found.items()} == {
        "wide/irq_out[0]": (1, 62, 0),
        "wide/irq_out[1]": (2, 63, 1),
        "wide/irq_out[2]": (3, 64, 2),
        "bus/irq_out[4]": (6, 67, 4),
        "bus/irq_out[5]": (7, 68, 5),
        "last/irq_out": (8, 84, 0),
    }


def test_input_that_is_wider_than_what_drives_it(load):
    handoff = source(source(Handoff(), "narrow"), "last").concat("all", [("narrow", 3), ("last", 1)], "irqs")
    found = load(handoff.pin("ps/IRQ_F2P", "I", "irqs", 4)).interrupts
    assert {name: pin.index for name, pin in found.items()} == {"narrow/irq_out": 0, "last/irq_out": 3}


def test_controllers_in_a_cascade_all_arrive_at_one_line(load):
    handoff = Handoff(MPSOC)
    for name in ("direct", "near", "far"):
        source(handoff, name)
    for name in ("first", "second"):
        handoff.block(name, "axi_intc").pin(f"{name}/irq", "O", f"{name}_irq")
    handoff.concat("to_second", [("", 1), ("far", 1)], "second_in").pin("second/intr", "I", "second_in", 2)
    handoff.concat("to_first", [("near", 1), ("second_irq", 1)], "first_in").pin("first/intr", "I", "first_in", 2)
    handoff.concat("to_ps", [("direct", 1), ("first_irq", 1)], "irqs").pin("ps/pl_ps_irq0", "I", "irqs", 2)
    design = load(handoff)
    assert design.interrupts == {
        "direct/irq_out": Interrupt("direct/irq_out", 0, "", 0, 121),
        "near/irq_out": Interrupt("near/irq_out", 0, "first", 0, 122),
        "far/irq_out": Interrupt("far/irq_out", 0, "second", 1, 122),
    }
    assert design.interrupt_controllers == {
        "first": InterruptController("first", "", 1, 122),
        "second": InterruptController("second", "first", 1, 122),
    }
    assert design.controller_inputs == {"first": ("near/irq_out", "second/irq"), "second": ("", "far/irq_out")}


def test_what_does_not_reach_the_ps_is_no_interrupt_of_it(load):
    handoff = source(source(Handoff(), "local"), "outer").block("iop/intc", "axi_intc").block("iop/mb", "microblaze")
    handoff.pin("iop/intc/intr", "I", "local").pin("iop/intc/irq", "O", "to_mb").pin("iop/mb/Interrupt", "I", "to_mb")
    design = load(handoff.pin("ps/IRQ_F2P", "I", "outer"))
    assert list(design.interrupts) == ["outer/irq_out"]
    assert design.interrupt_controllers == {}
    assert design.controller_inputs == {"iop/intc": ("local/irq_out",)}


def test_interrupt_from_outside_the_block_diagram(load):
    design = load(Handoff().pin("button", "I", "pressed").pin("ps/IRQ_F2P", "I", "pressed"))
    assert design.interrupts == {"button": Interrupt("button", 0, "", 0, 61)}


def test_wires_in_a_circle_end(load):
    handoff = source(Handoff(), "ip").concat("a", [("b", 1), ("ip", 1)], "a").concat("b", [("a", 2)], "b")
    handoff.block("first", "axi_intc").pin("first/irq", "O", "x").pin("first/intr", "I", "x")
    handoff.concat("both", [("a", 3), ("x", 1)], "irqs")
    design = load(handoff.pin("ps/IRQ_F2P", "I", "irqs", 4))
    assert "ip/irq_out" in design.interrupts
    assert list(design.interrupt_controllers) == ["first"]


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_concatenations_of_concatenations_are_their_bits_in_order(groups):
    """Against the sum of the widths before each."""
    handoff, expected = Handoff(), []
    for group, widths in enumerate(groups):
        for index, width in enumerate(widths):
            source(handoff, f"ip{group}_{index}", width)
            expected += [(f"ip{group}_{index}/irq_out", bit) for bit in range(width)]
        handoff.concat(f"c{group}", [(f"ip{group}_{i}", width) for i, width in enumerate(widths)], f"n{group}")
    handoff.concat("all", [(f"n{group}", sum(widths)) for group, widths in enumerate(groups)], "irqs")
    handoff.pin("ps/IRQ_F2P", "I", "irqs", 64)
    modules = handoff.root.findall("MODULES/MODULE")
    names = {module.get("INSTANCE"): module.get("FULLNAME").lstrip("/") for module in modules}
    netlist = Netlist(handoff.root, modules, names)
    bits = netlist.bits(netlist.pins["ps/IRQ_F2P"])
    assert [(bit[0].name, bit[1]) for bit in bits] == expected


# ---- GPIO


@pytest.mark.parametrize(("kind", "port"), [(PS7, "GPIO_O"), (MPSOC, "emio_gpio_o")])
@pytest.mark.parametrize("slicer", ["xlslice", "ilslice"])
def test_gpio_pins_lead_to_resets(load, kind, port, slicer):
    handoff = Handoff(kind).pin(f"ps/{port}", "O", "gpio", 8).block("iop/reset", "proc_sys_reset")
    handoff.slice("mb_iop_reset", "gpio", 3, 3, "reset", slicer).pin("iop/reset/aux_reset_in", "I", "reset")
    handoff.slice("wide", "gpio", 7, 4, "four").slice("one_of_four", "four", 2, 2, "one")
    found = load(handoff).gpio
    assert {name: (pin.index, pin.width, pin.net) for name, pin in found.items()} == {
        "mb_iop_reset": (3, 1, "reset"),
        "wide": (4, 4, "four"),
        "one_of_four": (6, 1, "one"),
    }
    assert found["mb_iop_reset"].pins == ("iop/reset/aux_reset_in", "mb_iop_reset/Dout")


def test_gpio_that_no_slice_takes_is_named_by_the_pin(load):
    handoff = Handoff().pin("ps/GPIO_O", "O", "gpio", 2).block("mux", "mux").pin("mux/sel", "I", "gpio", 2)
    (pin,) = load(handoff).gpio.values()
    assert (pin.name, pin.index, pin.width, pin.net, pin.pins) == ("mux/sel", 0, 2, "gpio", ("mux/sel",))


# ---- streams


def ends(design):
    return {(str(stream.source), str(stream.sink)): stream.through for stream in design.streams}


def dma_and(handoff):
    handoff.block("dma", "axi_dma").bus("dma/M_AXIS_MM2S", "INITIATOR", "out").bus("dma/S_AXIS_S2MM", "TARGET", "in")
    return handoff


def test_loop_back_through_all_that_passes_a_stream_on(load):
    handoff = dma_and(Handoff()).passing("fifo", "axis_data_fifo", ["out"], ["a"])
    handoff.passing("clock", "axis_clock_converter", ["a"], ["b"])
    handoff.passing("wide", "axis_dwidth_converter", ["b"], ["c"])
    handoff.passing("slice", "axis_register_slice", ["c"], ["d"])
    handoff.passing("subset", "axis_subset_converter", ["d"], ["in"])
    (stream,) = load(handoff).streams
    assert stream.source == StreamEnd("dma", "M_AXIS_MM2S")
    assert stream.sink == StreamEnd("dma", "S_AXIS_S2MM")
    assert stream.through == ("fifo", "clock", "wide", "slice", "subset")


def test_ip_that_computes_ends_a_stream_and_starts_another(load):
    design = load(dma_and(Handoff()).passing("filter", "fir_compiler", ["out"], ["in"]))
    assert ends(design) == {
        ("dma.M_AXIS_MM2S", "filter.S00_AXIS"): (),
        ("filter.M00_AXIS", "dma.S_AXIS_S2MM"): (),
    }


def test_broadcaster_and_switch_have_several_ends(load):
    handoff = dma_and(Handoff()).block("sink", "dac").bus("sink/S_AXIS", "SLAVE", "left")
    handoff.block("adc", "adc").bus("adc/M_AXIS", "MASTER", "sampled")
    handoff.passing("copy", "axis_broadcaster", ["out"], ["left", "right"])
    handoff.passing("select", "axis_switch", ["right", "sampled"], ["in"])
    assert ends(load(handoff)) == {
        ("dma.M_AXIS_MM2S", "sink.S_AXIS"): ("copy",),
        ("dma.M_AXIS_MM2S", "dma.S_AXIS_S2MM"): ("copy", "select"),
        ("adc.M_AXIS", "dma.S_AXIS_S2MM"): ("select",),
    }


def test_two_ways_to_one_end_are_one_stream_and_a_circle_ends(load):
    handoff = dma_and(Handoff()).passing("copy", "axis_broadcaster", ["out"], ["left", "right"])
    handoff.passing("join", "axis_combiner", ["left", "right"], ["joined"])
    handoff.passing("select", "axis_switch", ["joined", "again"], ["in", "again"])
    assert len(load(handoff).streams) == 1


def test_streams_that_leave_the_block_diagram(load):
    handoff = dma_and(Handoff()).bus("to_pins", "INITIATOR", "out").bus("from_pins", "TARGET", "in")
    assert ends(load(handoff)) == {("dma.M_AXIS_MM2S", "to_pins"): (), ("from_pins", "dma.S_AXIS_S2MM"): ()}


def test_stream_that_ends_inside_and_outside(load):
    handoff = dma_and(Handoff()).block("sink", "dac").bus("sink/S_AXIS", "SLAVE", "out")
    assert ends(load(handoff.bus("to_pins", "INITIATOR", "out"))) == {
        ("dma.M_AXIS_MM2S", "sink.S_AXIS"): (),
        ("dma.M_AXIS_MM2S", "to_pins"): (),
    }


def test_an_interface_that_is_not_connected_has_no_stream(load):
    handoff = Handoff().block("dma", "axi_dma").bus("dma/M_AXIS_MM2S", "INITIATOR", "__NOC__")
    handoff.bus("dma/S_AXIS_S2MM", "TARGET", "__NOC__")
    assert load(handoff).streams == ()
