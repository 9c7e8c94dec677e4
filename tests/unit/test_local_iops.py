"""Soft processors of the board that a program runs on: memory, reset line, interrupt, and who has one."""

import os
import subprocess
import sys

import numpy as np
import pytest
from fake_gpio import FakeGpio
from fake_uio import FakeUio
from local_tree import ZCU111, add_mem, add_uio, make_tree

import gapless
from gapless._native import HostMemory
from gapless.boards import BoardSpec, IopSpec, PeripheralSpec, WindowSpec
from gapless.boards.zcu111 import zcu111
from gapless.errors import BoardClosedError, IopError, TakenError, UnsupportedError, WaitTimeoutError
from gapless.iop import Program
from gapless.local import UioDevice, build_board, open_board
from gapless.local.registers import Registers, needed_windows
from gapless.memory import MappedRegion
from gapless.memory.claims import Claims
from gapless.memory.range_pool import RangePool

BASE, GPIO, MEMORY = 0xA100_0000, 0xFF0A_0000, 0x7000_0000
RESET, ACKNOWLEDGE = 78 + 4, 78 + 5
SPEC = BoardSpec(
    "bench",
    "bench",
    (),
    (),
    (),
    (),
    (),
    iops=(
        IopSpec("iop1", 1, BASE, WindowSpec(0x8000_0000, 1 << 31), reset_pin=4, acknowledge_pin=5, interrupt=9),
        IopSpec("iop2", 2, BASE + 0x2_0000, WindowSpec(0x8000_0000, 1 << 31), reset_pin=6, acknowledge_pin=7),
    ),
    peripherals=(PeripheralSpec("ps_gpio", "ps-gpio-mp", GPIO),),
)


@pytest.fixture
def chip(tmp_path, monkeypatch):
    """A machine with /dev/mem and the GPIO's driver."""
    add_mem(make_tree(tmp_path), 0x1_0000_0000)
    return FakeGpio(tmp_path, 0, "zynqmp_gpio", 174, monkeypatch)


def at(root, address, count):
    """Words of the machine's memory."""
    with (root / "dev/mem").open("rb") as file:
        file.seek(address)
        return np.frombuffer(file.read(4 * count), np.uint32)


def test_a_program_is_loaded_in_reset_and_started(tmp_path, chip):
    with build_board(SPEC, root=tmp_path) as board:
        assert chip.driven == []  # opening a board leaves what runs there alone
        iop = board.iop(1)
        iop.mailbox[1023] = 7
        image = Program.load("tutorial").image
        iop.load("tutorial")
        assert chip.driven == [(RESET, True), (ACKNOWLEDGE, True), (ACKNOWLEDGE, False)]
        local = at(tmp_path, BASE, 0x4000)
        assert local.tobytes()[: len(image)] == image
        assert not local[-(-len(image) // 4) : 0x3FFD].any()  # all of the 64 KiB but the word of the window
        assert local[0x3FFD] == 0x8000_0000
        assert local[0x3FFE:].tolist() == [0, 0]
        iop.start()
        assert chip.level(RESET) is False
        with pytest.raises(WaitTimeoutError, match="tutorial may have crashed"):
            iop.wait_word(3, [1], 0.01)
        iop.mailbox.write(0, [1, 2])
        assert at(tmp_path, BASE + 0xF000, 2).tolist() == [1, 2]
        assert chip.consumer(78 + 6) == ""  # nobody used the other
    assert chip.level(RESET) is True
    assert (chip.consumer(RESET), chip.consumer(ACKNOWLEDGE)) == ("", "")
    with pytest.raises(BoardClosedError):
        iop.start()
    assert chip.level(RESET) is True


def test_an_iop_is_one_programs_from_its_first_use_to_the_end_of_the_board(tmp_path, chip):
    first, second = build_board(SPEC, root=tmp_path), build_board(SPEC, root=tmp_path)
    first.iop(1).load("echo")
    with pytest.raises(TakenError, match=rf"iop1 \(iop at 0xA100_0000\) is taken: pid {os.getpid()} "):
        second.iop(1).load("echo")
    second.iop(2).load("echo")
    assert len(chip.driven) == 6
    first.close()
    second.iop(1).load("echo")
    second.close()


def test_a_line_that_pynq_has_is_named_and_another_try_works(tmp_path, chip):
    chip.owners[RESET] = "sysfs"
    with build_board(SPEC, root=tmp_path) as board:
        with pytest.raises(IopError, match=f"line {RESET} of gpiochip0 is taken: sysfs has it"):
            board.iop(1).load("echo")
        assert not at(tmp_path, BASE, 0x4000).any()
        del chip.owners[RESET]
        board.iop(1).load("echo")
        board.iop(1).start()


#: Has memory and the IOP, and ends as one that is killed does: without giving anything back.
ANOTHER_PROGRAM = """
import os, pathlib, sys
from gapless.memory.claims import Claims
claims = Claims(pathlib.Path(sys.argv[1]))
with claims.session() as session:
    session.add(0x7000_0000, 0x1_0000, "buffer")
claims.take_engine("iop", 0xA100_0000, "iop1")
os._exit(0)
"""


def test_a_program_that_was_killed_leaves_its_iop_to_the_next_to_stop(tmp_path, chip):
    """Its buffers are given out only then: it may still write to them."""
    region = MappedRegion("ps", MEMORY, 1 << 20, HostMemory(1 << 20))
    subprocess.run([sys.executable, "-c", ANOTHER_PROGRAM, tmp_path], check=True)
    assert chip.driven == []
    with build_board(SPEC, root=tmp_path) as board:
        pool = RangePool(region, MEMORY, 1 << 20, name="ps-carveout", claims=Claims(tmp_path))
        with pytest.raises(TakenError, match="cannot be stopped by a program that has not opened its board"):
            pool.allocate(4096, np.uint8, address=MEMORY)
        board.iop(2).load("echo")  # any session of this board takes back what the dead had
        assert chip.driven[0] == (RESET, True)
        assert chip.consumer(RESET) == ""  # for whoever is next
        pool.allocate(4096, np.uint8, address=MEMORY).free()


#: Starts a program, and ends without closing the board.
LEAVES = """
import pathlib, sys
from gapless.boards import BoardSpec, DmaSpec, IopSpec, MemoryKind, PeripheralSpec, PortSpec, WindowSpec
from gapless.local import build_board
iop = IopSpec("iop1", 1, 0xA100_0000, WindowSpec(0x8000_0000, 1 << 31), reset_pin=4, acknowledge_pin=5)
dma = DmaSpec("dma", 0xA000_0000, sg=True, ports={MemoryKind.PS: "HP0"}, mm2s_interrupt=3)
gpio = PeripheralSpec("ps_gpio", "ps-gpio-mp", 0xFF0A_0000)
spec = BoardSpec("b", "b", (), (), (PortSpec("HP0", 1e9),), (dma,), (), iops=(iop,), peripherals=(gpio,))
board = build_board(spec, root=pathlib.Path(sys.argv[1]))
board.iop(1).load("echo")
board.iop(1).start()
print(hex(board.bus.read32(0xFF0A_0018)))
"""


def test_the_end_of_the_program_holds_it_in_reset(tmp_path):
    """Even where a DMA engine cannot be stopped, and by registers, which need the bus."""
    add_mem(make_tree(tmp_path), 0x1_0000_0000)
    command = [sys.executable, "-c", LEAVES, tmp_path]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "0xffef0000\n"
    assert at(tmp_path, GPIO + 0x18, 1)[0] == 0xFFEF_0010


def test_an_interrupt_comes_by_the_uio_device_of_its_name(tmp_path, chip, monkeypatch):
    with FakeUio() as uio:

        class Open:
            has_interrupt = True
            fileno = staticmethod(uio.fileno)

        device = UioDevice("uio3", "iop1", ())
        monkeypatch.setattr(Registers, "named", lambda _self, name: device if name == "iop1" else None)
        monkeypatch.setattr(Registers, "open", lambda _self, _device: Open())
        with build_board(SPEC, root=tmp_path) as board:
            assert board.interrupts == {"iop1": "uio3 (iop1)"}
            iop = board.iop(1)
            with pytest.raises(WaitTimeoutError, match=r"iop1: waited 0\.01 s for its interrupt"):
                iop.wait_interrupt(0.01)
            uio.set(True)
            iop.wait_interrupt(1.0)
            assert chip.driven == [(ACKNOWLEDGE, True), (ACKNOWLEDGE, False)]


def test_without_a_uio_device_there_is_no_interrupt_to_wait_for(tmp_path, chip):
    add_uio(tmp_path, 0, "fabric", (BASE, 0x1_0000, 0))  # PYNQ's, whose interrupt is another one
    with build_board(SPEC, root=tmp_path) as board:
        assert board.interrupts == {"iop1": "none (no UIO device for iop1)"}
        board.iop(1).mailbox[0] = 5
        with (tmp_path / "dev/uio0").open("rb") as file:  # but its map is as good as /dev/mem
            file.seek(0xF000)
            assert file.read(1) == b"\5"
        with pytest.raises(UnsupportedError, match=r"board\.interrupts.*wait_word\(\) need none"):
            board.iop(1).wait_interrupt(1.0)


def test_without_the_driver_registers_do(tmp_path):
    add_mem(make_tree(tmp_path), 0x1_0000_0000)
    with build_board(SPEC, root=tmp_path) as board:
        board.iop(1).load("echo")
        mask_data, enables = at(tmp_path, GPIO + 0x18, 1)[0], at(tmp_path, GPIO + 0x2C4, 2)
        assert mask_data == 0xFFDF_0000  # the acknowledge, last; 5 of bank 3
        assert enables.tolist() == [0x30, 0x30]
        board.iop(1).start()
        assert at(tmp_path, GPIO + 0x18, 1)[0] == 0xFFEF_0000
    assert at(tmp_path, GPIO + 0x18, 1)[0] == 0xFFEF_0010  # in reset


def test_a_kernel_with_an_older_interface_has_registers(tmp_path, monkeypatch):
    add_mem(make_tree(tmp_path), 0x1_0000_0000)
    FakeGpio(tmp_path, 0, "zynqmp_gpio", 174, monkeypatch, old=True)
    with build_board(SPEC, root=tmp_path) as board:
        board.iop(1).load("echo")
        assert at(tmp_path, GPIO + 0x18, 1)[0] == 0xFFDF_0000


def test_what_cannot_be_had_leaves_the_board_open_and_says_why(tmp_path, monkeypatch):
    make_tree(tmp_path)
    with build_board(SPEC, root=tmp_path) as board:
        with pytest.raises(UnsupportedError, match=r"iop1 of local.*no /dev/gpiochip\* is .*ps_gpio at 0xFF0A_0000"):
            board.iop(1)
        assert board.interrupts["iop2"].startswith("not there: no way to the pin")
    FakeGpio(tmp_path, 0, "zynqmp_gpio", 174, monkeypatch)
    add_uio(tmp_path, 0, "iop2", (BASE + 0x2_0000, 0x1_0000, 0))
    with build_board(SPEC, root=tmp_path) as board:
        with pytest.raises(UnsupportedError, match="iop1 of local cannot be used: the registers of iop1 at"):
            board.iop(1)
        board.iop(2).load("echo")
        with pytest.raises(gapless.errors.UnknownNameError, match="no IOP 3"):
            board.iop(3)


def test_the_pynq_z2_is_known_by_the_name_that_its_image_gives(tmp_path, monkeypatch):
    add_mem(make_tree(tmp_path, ("xlnx,zynq-7000",), "Xilinx Zynq"), 0x1_0000_0000)
    chip = FakeGpio(tmp_path, 0, "zynq_gpio", 118, monkeypatch)
    chosen = tmp_path / "proc/device-tree/chosen"
    chosen.mkdir()
    (chosen / "pynq_board").write_bytes(b"Unknown\0")
    with open_board("local", root=tmp_path) as board:
        assert board.spec.name == "zynq-7000"
    (chosen / "pynq_board").write_bytes(b"Pynq-Z2\0")
    with open_board("local", root=tmp_path) as board:
        assert board.spec.name == "pynq-z2"
    board = open_board("local?design=pynq_tutorial", root=tmp_path)
    board.iop(2).load("tutorial")
    assert chip.driven[0] == (54 + 1, True)
    board.iop(2).start()
    assert chip.level(54 + 1) is False
    with pytest.raises(WaitTimeoutError, match="the reset to end"):  # no DMA engine behind this /dev/mem
        board.close()
    assert chip.level(54 + 1) is True


def test_awg_opens_without_its_iop(tmp_path):
    """Registers by UIO, as a design's author gives them to users; nothing for the IOP, and no /dev/mem."""
    make_tree(tmp_path, ZCU111, "ZCU111")
    for number, needed in enumerate(needed_windows(zcu111())):
        add_uio(tmp_path, number, needed.name, (needed.base, 0x1000, 0))
    board = open_board("local?design=awg", root=tmp_path)
    with pytest.raises(UnsupportedError, match=r"iop1 of local\?design=awg cannot be used: no way to the pin"):
        board.iop(1)
    with pytest.raises(WaitTimeoutError, match="the reset to end"):  # nothing answers behind these files
        board.close()
