"""From a design to a board: soft processors."""

from __future__ import annotations

import pytest
from handoffs import Handoff

from gapless.boards import PeripheralSpec, WindowSpec
from gapless.boards.handoff import Design
from gapless.boards.handoff.board_spec import board_spec
from gapless.errors import BadArgumentError

MIB = 1 << 20


def described(handoff, tmp_path):
    return board_spec(Design.load(handoff.save(tmp_path / "design.hwh")))


def with_iop(handoff, name="iop", base=0x4000_0000, reset=3, acknowledge=5, **options):
    handoff.block(f"{name}/mb", "microblaze", "11.0", options)
    handoff.block(f"{name}/bram", "axi_bram_ctrl", "4.1").address(f"{name}/bram", base, 0x8000, memory=True)
    handoff.block(f"{name}/rst", "proc_sys_reset").pin(f"{name}/rst/aux_reset_in", "I", f"{name}_reset")
    handoff.block(f"{name}/dff", "dff_en_reset_vector").pin(f"{name}/dff/reset", "I", f"{name}_ack")
    handoff.slice(f"{name}_reset", "gpio", reset, reset, f"{name}_reset")
    return handoff.slice(f"{name}_ack", "gpio", acknowledge, acknowledge, f"{name}_ack")


def one_with_gpio():
    return Handoff(parameters={"PCW_DDR_RAM_HIGHADDR": "0x1FFFFFFF"}).pin("ps/GPIO_O", "O", "gpio", 8)


def test_a_soft_processor(tmp_path):
    handoff = with_iop(one_with_gpio(), C_USE_BARREL=1, C_USE_HW_MUL=2, C_USE_FPU=1, C_FREQ=50_000_000)
    handoff.block("iop/intr", "axi_gpio").address("iop/intr", 0x4001_0000, 0x1_0000, by="iop/mb")
    handoff.block("iop/odd", "thing").address("iop/odd", 0x44A0_0000, 0x1_0000, by="iop/mb")
    handoff.address("ps", 0x1000_0000, 256 * MIB, by="iop/mb", interface="S_AXI_GP0", memory=True)
    spec = described(handoff, tmp_path)
    (iop,) = spec.iops
    assert (iop.name, iop.index, iop.base, iop.size, iop.clock) == ("iop", 1, 0x4000_0000, 0x8000, 50e6)
    assert (iop.reset_pin, iop.acknowledge_pin, iop.interrupt) == (3, 5, None)
    assert iop.units == {"barrel-shifter", "multiplier64"}
    assert iop.window == WindowSpec(0x1000_0000, 256 * MIB, 0x1000_0000)
    assert iop.peripherals == (PeripheralSpec("intr", "host-interrupt", 0x4001_0000),)
    assert iop.unmodelled == ("odd (thing)", "FPU")
    assert [part.name for part in spec.memories] == ["ps-ddr"]  # its local memory is no memory of the board


def test_soft_processors_are_counted_by_address(tmp_path):
    handoff = with_iop(with_iop(one_with_gpio(), "b", 0x4200_0000), "a", 0x4400_0000, reset=1, acknowledge=2)
    iops = described(handoff, tmp_path).iops
    assert [(iop.name, iop.index) for iop in iops] == [("b", 1), ("a", 2)]
    assert {iop.window for iop in iops} == {WindowSpec(0, 0)}


def test_a_reset_by_a_pin_that_no_ps_has(tmp_path):
    with pytest.raises(BadArgumentError, match="iop: pins 96 and 5 of the PS's GPIO; 96 at most lead to the PL"):
        described(with_iop(one_with_gpio(), reset=96), tmp_path)


def test_a_processor_that_nobody_holds_in_reset_has_no_model(tmp_path):
    handoff = one_with_gpio().block("soft/mb", "microblaze", "11.0")
    spec = described(handoff, tmp_path)
    assert spec.iops == ()
    assert [(ip.name, ip.kind, ip.size) for ip in spec.ips] == [("soft/mb", "microblaze", 0)]
