"""A soft processor's memory and reset line on a real kernel, with the driver of the PS's GPIO.

QEMU has neither. Ordinary memory stands in for both (zcu102.dts): the driver writes its registers there, and nothing
runs in the local memory. What the driver wrote is read by DMA, as the kernel lets nobody map registers of a driver.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from device_memory import in_child
from numpy.typing import NDArray
from physical import move, peek

from gapless.board import Board
from gapless.boards import BoardSpec, IopSpec, PeripheralSpec, WindowSpec
from gapless.errors import IopError, TakenError, UnsupportedError
from gapless.iop import Program
from gapless.local import build_board, local_machine
from gapless.local.gpio import LinePin

BRAM, GPIO = 0xF_FFF0_0000, 0xF_FFFE_0000
IOP = IopSpec("iop1", 1, BRAM, WindowSpec(0x8000_0000, 1 << 31), reset_pin=4, acknowledge_pin=5)
#: The line of pin 4: lines 0 to 77 are MIO.
LINE = 82
#: Registers of bank 3, by word: MASK_DATA_LSW, DIRM, OEN.
MASK_DATA, DIRECTION, ENABLE = 0x18 // 4, 0x2C4 // 4, 0x2C8 // 4
RUNNING, IN_RESET = 0xFFEF_0000, 0xFFEF_0010


def spec() -> BoardSpec:
    """This machine, with an IOP and a GPIO where the device tree has them."""
    known = local_machine().board
    assert known is not None
    return replace(known.spec(), iops=(IOP,), peripherals=(PeripheralSpec("ps_gpio", "ps-gpio-mp", GPIO),))


def registers(board: Board) -> NDArray[np.uint32]:
    """What the GPIO's registers have."""
    with board.memory["ps-carveout"].allocate(0x400, np.uint8) as copy:
        move(copy.physical_address, GPIO, 0x400)
        return copy.read().view(np.uint32).copy()


@pytest.fixture(scope="module")
def chip() -> Iterator[Path]:
    """The chip's device, with its driver."""
    module = Path("/job/modules", platform.release(), "gpio-zynq.ko")
    if not module.exists():
        pytest.skip("this kernel has no gpio-zynq")
    subprocess.run(["insmod", module], check=True)
    yield Path("/dev/gpiochip0")
    subprocess.run(["rmmod", "gpio_zynq"], check=True)


@pytest.mark.claim("a soft processor without the GPIO's driver: its reset line by registers")
def test_registers_without_the_driver() -> None:
    with build_board(spec()) as board:
        board.iop(1).load("echo")
        board.iop(1).start()
        found = registers(board)
        assert (found[MASK_DATA], found[DIRECTION] & 0x30, found[ENABLE] & 0x30) == (RUNNING, 0x30, 0x30)
        board.iop(1).stop()
        assert registers(board)[MASK_DATA] == IN_RESET
        board.map_physical(GPIO, 0x400).fill(0)


@pytest.mark.needs("gpio-zynq")
@pytest.mark.claim("a soft processor's memory and reset line, by the GPIO's driver; the line keeps its level")
def test_load_and_start(chip: Path) -> None:
    image = Program.load("tutorial").image
    with build_board(spec()) as board:
        before = registers(board)
        assert before[DIRECTION] == before[ENABLE] == 0  # opening takes no line
        iop = board.iop(1)
        iop.mailbox[0x3F0] = 5
        iop.load("tutorial")
        assert peek(BRAM, len(image)).tobytes() == image
        assert peek(BRAM, 0x1_0000).view(np.uint32)[0x3C00:].nonzero()[0].tolist() == [0x3FD]
        iop.start()
        found = registers(board)
        assert (found[MASK_DATA], found[DIRECTION], found[ENABLE]) == (RUNNING, 0x30, 0x30)
        said = Path("/sys/kernel/debug/gpio").read_text()
        assert said.count("gapless") == 2, said
        iop.reset()
        assert registers(board)[MASK_DATA] == RUNNING
    with build_board(spec()) as board:
        found = registers(board)
        assert (found[MASK_DATA], found[DIRECTION], found[ENABLE]) == (IN_RESET, 0x30, 0x30)
    assert "gapless" not in Path("/sys/kernel/debug/gpio").read_text()


@pytest.mark.needs("gpio-zynq")
@pytest.mark.claim("a reset line that somebody has: the error names them")
def test_a_line_that_is_taken(chip: Path) -> None:
    base = next(
        int((path / "base").read_text())
        for path in Path("/sys/class/gpio").glob("gpiochip*")
        if (path / "label").read_text() == "zynqmp_gpio\n"
    )
    with build_board(spec()) as board:
        Path("/sys/class/gpio/export").write_text(str(base + LINE))  # what PYNQ does
        try:
            with pytest.raises(IopError, match="line 82 of gpiochip0 is taken: sysfs has it") as refused:
                board.iop(1).load("echo")
            print(refused.value)
        finally:
            Path("/sys/class/gpio/unexport").write_text(str(base + LINE))
        board.iop(1).load("echo")
        with pytest.raises(IopError, match="is taken: gapless has it"):
            LinePin(chip, LINE).set(True)


@contextmanager
def another_program(address: int) -> Iterator[int]:
    """One that has memory at ``address`` and a running IOP: its process id. It is killed at the end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        board = build_board(spec())
        board.iop(1).load("echo")
        board.iop(1).start()
        buffer = board.memory["ps-carveout"].allocate(4096, np.uint8, address=address)
        os.write(writing, b"ready" if not buffer.freed else b"")
        signal.pause()
        os._exit(70)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            assert pipe.read(5) == b"ready"
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.needs("gpio-zynq")
@pytest.mark.claim("a program killed while its soft processor runs: in reset before its memory is given out")
def test_killed_while_it_runs(chip: Path) -> None:
    with build_board(spec()) as board:
        pool = board.memory["ps-carveout"]
        address = pool.base + (1 << 29)
        copy = pool.allocate(0x400, np.uint8)  # now: an allocation takes back what the dead had
        with another_program(address) as other:
            with pytest.raises(TakenError, match=rf"iop1 .* is taken: pid {other} "):
                board.iop(1).load("echo")
            assert registers(board)[MASK_DATA] == RUNNING
        move(copy.physical_address, GPIO, 0x400)
        assert copy.read().view(np.uint32)[MASK_DATA] == RUNNING  # the driver leaves a line as it is
        pool.allocate(4096, np.uint8, address=address).free()
        assert registers(board)[MASK_DATA] == IN_RESET
        board.iop(1).load("echo")


@pytest.mark.needs("gpio-zynq")
@pytest.mark.claim("without the right to the GPIO's device the board opens, and the error has the udev rule")
def test_without_the_right(chip: Path) -> None:
    def look() -> None:
        os.setuid(1000)
        with build_board(spec()) as board:
            with pytest.raises(UnsupportedError, match=r"iop1 .* may not open /dev/gpiochip0; .*udev rule") as said:
                board.iop(1)
            os.write(1, str(said.value).encode())

    status, said = in_child(look)
    assert status == 0, said
    print(said)
