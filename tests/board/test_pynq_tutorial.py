"""The tutorial's wrapper and program, and wrappers that others wrote, on a virtual IOP."""

from __future__ import annotations

import pydoc
from collections.abc import Iterator
from importlib.resources import as_file, files

import numpy as np
import pytest

import gapless
from gapless.compat import pynq
from gapless.compat.iop.pynq_tutorial import Pynq_Tutorial
from gapless.compat.pynq import Overlay, Xlnk
from gapless.compat.pynq.lib import Pmod
from gapless.errors import AddressError, BadArgumentError, UnknownNameError, WaitTimeoutError


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with gapless.open("virtual:pynq-z2") as opened:
        pynq.use(opened)
        yield opened
        pynq.close()


@pytest.fixture
def overlay(board: gapless.Board) -> Overlay:
    return Overlay("./bitstream/pynq_tutorial.bit")


@pytest.fixture(params=["iop1", "iop2"])
def iop(request: pytest.FixtureRequest, overlay: Overlay) -> Pynq_Tutorial:
    return Pynq_Tutorial(getattr(overlay, request.param).mb_info)


def test_the_lesson(iop: Pynq_Tutorial) -> None:
    buffer = Xlnk().cma_array(shape=(1000,), dtype=np.int32)
    buffer[:] = -1
    iop.write_to_buffer(buffer.physical_address, 10, 1)
    assert buffer[:11].tolist() == [*range(1, 11), -1]
    iop.write_to_buffer(buffer[500:], 500, -3)
    assert buffer[498:504].tolist() == [-1, -1, -3, -2, -1, 0]
    assert buffer[999] == 496
    buffer.freebuffer()


def test_what_cannot_be_is_refused_before_the_program_hears_of_it(iop: Pynq_Tutorial, board: gapless.Board) -> None:
    buffer = Xlnk().cma_array(1000, np.int32)
    buffer[:] = 7
    for address in (buffer.physical_address - 4096, buffer.physical_address + 4000, 0x0010_0000, 0x9000_0000):
        with pytest.raises(AddressError):
            iop.write_to_buffer(address, 10, 1)
    for place in (buffer, buffer.physical_address):
        with pytest.raises((AddressError, BadArgumentError)):
            iop.write_to_buffer(place, 1001, 1)
    for length, data in ((0, 1), (-1, 1), (1, 1 << 32), (1, -(1 << 31) - 1)):
        with pytest.raises(BadArgumentError, match=r"length=|data="):
            iop.write_to_buffer(buffer, length, data)
    assert set(buffer.tolist()) == {7}
    assert board.findings == ()
    iop.write_to_buffer(buffer, 1, 1)


def test_a_program_that_does_not_answer(iop: Pynq_Tutorial) -> None:
    buffer = Xlnk().cma_array(10, np.int32)
    iop.iop.stop()
    with pytest.raises((WaitTimeoutError, gapless.errors.IopError)):
        iop.write_to_buffer(buffer, 10, 1, timeout=0.01)


def test_help_says_where_it_runs(iop: Pynq_Tutorial, overlay: Overlay) -> None:
    text = pydoc.render_doc(iop, renderer=pydoc.plaintext)
    base = {"iop1": "0x4000_0000", "iop2": "0x4200_0000"}[iop.iop.name]
    for words in (
        "fills a buffer",
        f"{iop.iop.name} is a MicroBlaze at 100 MHz",
        base,
        "write_to_buffer(self",
        "AddressError",
    ):
        assert words in text


def test_a_wrapper_of_ones_own(overlay: Overlay) -> None:
    class Filler:
        def __init__(self, mb_info: dict[str, str]) -> None:
            with as_file(files("gapless.iop.firmware") / "tutorial.bin") as program:
                self.microblaze = Pmod(mb_info, str(program))

        def fill(self, address: int, length: int, first: int) -> None:
            self.microblaze.write_mailbox(4, [first, length])
            self.microblaze.write_mailbox(0, address)

    buffer = Xlnk().cma_array(10, np.uint32)
    filler = Filler(overlay.iop1.mb_info)
    assert filler.microblaze.state == "RUNNING"
    filler.fill(buffer.physical_address, 10, 100)
    assert buffer.tolist() == list(range(100, 110))
    assert filler.microblaze.read_mailbox(0) in (0, 0xDEAD_BEEF)
    assert filler.microblaze.read_mailbox(4, 2) == [100, 10]
    filler.microblaze.reset()
    assert filler.microblaze.state == "STOPPED"
    filler.fill(buffer.physical_address, 10, 200)
    assert buffer[0] == 100
    filler.microblaze.program()
    filler.fill(buffer.physical_address, 1, 300)
    assert buffer[:2].tolist() == [300, 101]


def test_what_a_microblaze_cannot_be_made_of(overlay: Overlay, tmp_path: object) -> None:
    with pytest.raises(ValueError, match=r"nothing.bin does not exist\.$"):
        Pmod(overlay.iop1.mb_info, "nothing.bin")
    with pytest.raises(UnknownNameError, match="there is iop1/mb_bram_ctrl, iop2/mb_bram_ctrl"):
        Pynq_Tutorial({"ip_name": "iop3/mb_bram_ctrl"})
    for wrong in ({}, "iop1", None):
        with pytest.raises(BadArgumentError, match="mb_info"):
            Pynq_Tutorial(wrong)  # type: ignore[arg-type]
