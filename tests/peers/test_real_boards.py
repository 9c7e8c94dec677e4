"""Designs that Vivado made, opened as virtual boards: numbers written down here, and what PYNQ's own parser says."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

import gapless
from gapless.errors import AddressError, UnmodelledIpWarning, WaitTimeoutError

from .real_handoffs import HANDOFFS, folder, pynqs_parser

DMASR, S2MM = 0x04, 0x30
#: AXI GPIO (PG144): data, and the enables and the state of its interrupt.
DATA, GLOBAL_ENABLE, ENABLE, STATUS = 0x000, 0x11C, 0x128, 0x120
#: AXI INTC (PG099): IER, IAR, IVR, MER.
INTC_ENABLE, INTC_ACKNOWLEDGE, INTC_VECTOR, INTC_MASTER = 0x08, 0x0C, 0x18, 0x1C


@contextmanager
def opened(name, options=""):
    with pytest.warns(UnmodelledIpWarning):
        board = gapless.open(f"virtual:{folder() / name}{options}")
    with board:
        yield board


@pytest.fixture(scope="module", params=HANDOFFS)
def both(request):
    """A board, and the design as PYNQ's parser reads it."""
    with opened(request.param) as board, pynqs_parser(folder() / "hwh_parser.py") as module:
        family = module._HWHUltrascale if "zcu" in request.param or "rfsoc" in request.param else module._HWHZynq
        yield board, family(str(folder() / request.param))


# ---- all seven, against PYNQ's parser


def test_everything_is_at_its_address(both):
    board, pynq = both
    spec = board.spec
    bases = {part.name: part.base for parts in (spec.dmas, spec.peripherals, spec.ips) for part in parts if part.base}
    bases |= {f"{iop.name}/mb_bram_ctrl": iop.base for iop in spec.iops}
    zynq = {"ps_gpio": 0xE000_A000, "slcr": 0xF800_0000}
    mpsoc = {"ps_gpio": 0xFF0A_0000, "crl_apb": 0xFF5E_0000, "crf_apb": 0xFD1A_0000}
    of_ps = zynq if spec.peripherals[0].kind == "ps-gpio-7000" else mpsoc
    assert {name: bases.pop(name) for name in of_ps} == of_ps
    assert bases == {name: ip["phys_addr"] for name, ip in pynq.ip_dict.items() if "phys_addr" in ip}
    for ip in pynq.ip_dict.values():
        if "phys_addr" in ip:
            board.bus.read32(ip["phys_addr"])  # a bus error where nothing answers
    sizes = {ip.name: ip.size for ip in spec.ips if ip.size} | {f"{i.name}/mb_bram_ctrl": i.size for i in spec.iops}
    assert sizes == {name: pynq.ip_dict[name]["addr_range"] for name in sizes}


def test_every_dma_is_as_it_was_built(both):
    board, pynq = both
    built = {name: ip["parameters"] for name, ip in pynq.ip_dict.items() if ":axi_dma:" in ip.get("type", "")}
    assert {dma.name for dma in board.spec.dmas} == set(built)
    for dma in board.spec.dmas:
        said = {name: int(built[dma.name][name]) for name in built[dma.name] if name.startswith("c_include")}
        assert dma.sg == said["c_include_sg"]
        assert (dma.mm2s_interrupt is not None) == said["c_include_mm2s"]
        assert (dma.s2mm_interrupt is not None) == said["c_include_s2mm"]
        assert dma.length_width == int(built[dma.name]["c_sg_length_width"])
        assert 8 * dma.data_width == int(built[dma.name]["c_s_axis_s2mm_tdata_width"])
        # After reset a channel is halted.
        assert said["c_include_mm2s"] == 0 or board.bus.read32(dma.base + DMASR) == 1
        assert said["c_include_s2mm"] == 0 or board.bus.read32(dma.base + S2MM + DMASR) == 1


def test_every_interrupt_has_a_line(both):
    board, pynq = both
    spec = board.spec
    behind = {
        (pin["controller"], pin["index"]): name
        for name, pin in pynq.interrupt_pins.items()
        if pin["controller"] and "/In" not in name
    }
    assert set(spec.interrupt_inputs) == set(behind)
    lines = {f"{dma.name}/s2mm_introut": dma.s2mm_interrupt for dma in spec.dmas if dma.s2mm_interrupt is not None}
    lines |= {f"{iop.name}/dff_en_reset_vector_0/q": iop.interrupt for iop in spec.iops}
    lines |= {f"{part.name}/ip2intc_irpt": part.interrupt for part in spec.peripherals if part.kind == "axi-gpio"}
    for where, name in behind.items():
        if name in lines:
            assert spec.interrupt_inputs[where] == lines[name] >= 1024
    arrive = {part.name: part.interrupt for part in spec.peripherals if part.kind == "axi-intc"}
    assert arrive == {name: to["raw_irq"] for name, to in pynq.interrupt_controllers.items()}


def test_soft_processors_hang_on_the_pins_of_their_hierarchy(both):
    board, pynq = both
    for iop in board.spec.iops:
        assert pynq.gpio_dict[f"mb_{iop.name}_reset"]["index"] == iop.reset_pin
        assert pynq.gpio_dict[f"mb_{iop.name}_intr_ack"]["index"] == iop.acknowledge_pin
    assert len(board.spec.iops) == sum("mb_bram_ctrl" in name for name in pynq.ip_dict)


# ---- numbers


@pytest.mark.parametrize(
    ("name", "iops", "ps_bytes"),
    [
        ("pynq-z1-base.hwh", ["iop_pmoda", "iop_pmodb", "iop_arduino"], 512 << 20),
        ("pynq-z1-logictools.hwh", ["iop_pmoda", "iop_pmodb", "lcp_ar"], 512 << 20),
        ("pynq-z2-base.hwh", ["iop_pmoda", "iop_pmodb", "iop_arduino", "iop_rpi"], 512 << 20),
        ("pynq-z2-logictools.hwh", ["lcp_rp", "iop_pmodb", "lcp_ar"], 512 << 20),
        ("zcu104-base.hwh", ["iop_pmod0", "iop_pmod1"], 2 << 30),
        ("resizer.hwh", [], 512 << 20),
        ("rfsoc-sam.hwh", [], 8 << 30),
    ],
)
def test_processors_and_memory(name, iops, ps_bytes):
    with opened(name) as board:
        assert [iop.name for iop in board.spec.iops] == iops
        assert sum(region.size for region in board.address_map) == ps_bytes
        assert board.memory["ps-cma"].size == 128 << 20


def test_engines_of_the_pynq_z2():
    with opened("pynq-z2-base.hwh") as board:
        dma = board.spec.dma("trace_analyzer_pi/axi_dma_0")
        assert (dma.base, dma.sg, dma.length_width, dma.address_width) == (0x8043_0000, False, 23, 32)
        assert (dma.data_width, dma.dre, dma.clock) == (8, False, 100e6)
        assert dma.reach == ((0x1000_0000, 0x1000_0000),)
        assert board.spec.port("HP2").bandwidth == 800e6
        assert board.bus.read32(0x8043_0034) == 1
        assert board.spec.interrupt_inputs["system_interrupts", 7] == dma.s2mm_interrupt


def test_an_ip_without_a_model_keeps_what_is_written():
    with opened("rfsoc-sam.hwh") as board:
        converters = {ip.name: ip for ip in board.spec.ips}["radio/rfdc"]
        assert (converters.base, converters.size, converters.kind) == (0xB000_0000, 0x4_0000, "usp_rf_data_converter")
        board.bus.write32(0xB003_FFFC, 0x1234_5678)
        assert board.bus.read32(0xB003_FFFC) == 0x1234_5678
        assert board.bus.read32(0xB000_0000) == 0


def test_a_stream_that_ends_in_an_unknown_ip_is_never_taken():
    with opened("resizer.hwh") as board, board.memory["ps-cma"].allocate(1 << 16, np.uint32) as buffer:
        (ip,) = board.spec.ips
        assert (ip.name, ip.base, ip.size) == ("resize_accel_0", 0x43C0_0000, 0x1_0000)
        assert (ip.inputs, ip.outputs) == ({"src": "axi_dma_0"}, {"dst": "axi_dma_0"})
        with pytest.raises(WaitTimeoutError):
            board.dma("axi_dma_0").mm2s.transfer(buffer, timeout=1e-3)


@pytest.mark.parametrize(("name", "number"), [("pynq-z1-base.hwh", 3), ("pynq-z2-base.hwh", 1), ("zcu104-base.hwh", 2)])
def test_a_soft_processor_writes_to_memory(name, number):
    with opened(name) as board, board.memory["ps-cma"].allocate(1000, np.uint32) as buffer:
        iop = board.iop(number)
        iop.load("tutorial")
        iop.start()
        iop.mailbox[1], iop.mailbox[2] = 100, 1000
        iop.mailbox[0] = iop.device_address(buffer)
        iop.wait_idle()
        assert np.array_equal(buffer, np.arange(100, 1100))


def test_a_soft_processor_without_a_way_to_memory():
    with opened("pynq-z1-logictools.hwh") as board, board.memory["ps-cma"].allocate(16, np.uint32) as buffer:
        iop = board.iop(1)
        iop.load("tutorial")
        iop.start()
        with pytest.raises(AddressError, match="iop_pmoda sees none of the board's memory"):
            iop.device_address(buffer)


def test_leds_and_buttons_of_the_pynq_z2():
    with opened("pynq-z2-base.hwh") as board:
        board.bus.write32(0x4125_0000 + DATA, 0xFF)
        assert board.probe.peripheral("leds_gpio").output() == 0xF  # there are four
        board.probe.peripheral("btns_gpio").set_input(0b1001)
        assert board.bus.read32(0x4121_0000 + DATA) == 0b1001


@pytest.mark.parametrize(
    ("name", "gpio", "base", "controller", "index", "line"),
    [
        ("pynq-z2-base.hwh", "btns_gpio", 0x4121_0000, 0x4180_0000, 13, 61),
        ("zcu104-base.hwh", "gpio_btns", 0x8004_5000, 0x8004_3000, 8, 121),
    ],
)
def test_a_button_interrupts(name, gpio, base, controller, index, line):
    with opened(name) as board:
        (own,) = [number for where, number in board.spec.interrupt_inputs.items() if where[1] == index]
        board.bus.write32(base + GLOBAL_ENABLE, 1 << 31)
        board.bus.write32(base + ENABLE, 1)
        board.bus.write32(controller + INTC_ENABLE, 1 << index)
        board.bus.write32(controller + INTC_MASTER, 3)
        assert not board.bus.wait_interrupt(own, 1e-6)
        assert not board.bus.wait_interrupt(line, 1e-6)
        board.probe.peripheral(gpio).set_input(1)
        # As Linux tells it, and as the PS has it.
        assert board.bus.wait_interrupt(own, 1e-3)
        assert board.bus.wait_interrupt(line, 1e-3)
        assert board.bus.read32(controller + INTC_VECTOR) == index
        board.bus.write32(base + STATUS, 1)
        board.bus.write32(controller + INTC_ACKNOWLEDGE, 1 << index)
        assert not board.bus.wait_interrupt(own, 1e-6)
        assert not board.bus.wait_interrupt(line, 1e-6)
