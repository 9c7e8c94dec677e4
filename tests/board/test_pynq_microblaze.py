"""PynqMicroblaze, and what an overlay says of its IOPs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from pynq_board import in_use

import gapless
from gapless.compat.pynq import PL, Overlay
from gapless.compat.pynq.lib import MicroblazeHierarchy, MicroblazeLibrary, MicroblazeRPC, Pmod, PynqMicroblaze
from gapless.compat.pynq.lib.arduino import Arduino
from gapless.compat.pynq.lib.pynqmicroblaze import MicroblazeProgram
from gapless.errors import BadArgumentError, UnknownNameError, UnsupportedError, WaitTimeoutError


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with in_use(gapless.open("virtual:pynq-z2")) as board:
        yield board


@pytest.fixture
def overlay(board: gapless.Board) -> Overlay:
    return Overlay("pynq_tutorial.bit")


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """Answers word 0 with its successor in word 1 and an interrupt."""
    with as_file(files("gapless.iop.firmware") / "echo.bin") as path:
        yield str(path)


def test_what_wrappers_look_at(overlay: Overlay, board: gapless.Board, echo: str) -> None:
    iop = PynqMicroblaze(overlay.iop2.mb_info, echo)
    assert (iop.ip_name, iop.rst_name, iop.mb_program) == ("iop2/mb_bram_ctrl", "mb_iop2_reset", echo)
    assert (iop.mmio.base_addr, iop.mmio.length) == (0x4200_0000, 0x1_0000)
    assert (iop.state, iop.iop) == ("RUNNING", board.iop(2))
    assert PL.mem_dict["iop2/mb_bram_ctrl"]["state"] == echo
    iop.write(0xF000, 41)
    assert iop.read(0xF004) == 42
    iop.reset()
    iop.write(0xF000, [1, 7])
    assert (iop.state, iop.read(0xF000, 2)) == ("STOPPED", [1, 7])
    iop.run()
    assert (iop.state, iop.read(0xF004)) == ("RUNNING", 2)


def test_its_interrupt(overlay: Overlay, board: gapless.Board, echo: str) -> None:
    iop = Arduino(overlay.iop1.mb_info, echo)
    board.probe.iop(1).lag = 1e-4
    event = iop.interrupt
    assert event is not None

    async def answers(word: int) -> Any:
        event.clear()
        iop.write_mailbox(0, word)
        await event.wait(timeout=1)
        return iop.read_mailbox(4)

    assert [asyncio.run(answers(word)) for word in (1, 5)] == [2, 6]
    event.clear()
    with pytest.raises(WaitTimeoutError, match="line 63 was low"):
        asyncio.run(event.wait(timeout=1e-3))


def test_without_an_interrupt(overlay: Overlay, echo: str) -> None:
    names = ("ip_name", "rst_name")
    iop = PynqMicroblaze({name: overlay.iop1.mb_info[name] for name in names}, echo, force=True)
    assert iop.interrupt is None
    iop.write(0xF000, 1)
    assert iop.read(0xF004) == 2


def test_another_program_takes_its_place(overlay: Overlay, echo: str) -> None:
    """PYNQ: RuntimeError unless force is given."""
    with as_file(files("gapless.iop.firmware") / "tutorial.bin") as tutorial:
        Pmod(overlay.iop1.mb_info, str(tutorial))
        iop = Pmod(overlay.iop1.mb_info, echo)
    iop.write_mailbox(0, 1)
    assert iop.read_mailbox(4) == 2


def test_a_command_that_is_never_answered(overlay: Overlay, board: gapless.Board, firmware: Any) -> None:
    """PYNQ: ``write_blocking_command`` spins for ever."""
    iop = Pmod(overlay.iop1.mb_info, str(firmware("mute")))
    begun = board.bus.time()
    with pytest.raises(WaitTimeoutError, match=r"mute.bin did not clear command 0x3 within 0.02 s"):
        iop.write_blocking_command(3, timeout=0.02)
    assert 0.02 <= board.bus.time() - begun < 1.5  # a mute program costs a second once, when it is started


@pytest.mark.parametrize("wrong", ["rst_name", "intr_pin_name", "intr_ack_name"])
def test_names_that_the_design_has_not(overlay: Overlay, echo: str, wrong: str) -> None:
    with pytest.raises(UnknownNameError, match=f"no pin of the design for {wrong} 'nowhere'"):
        PynqMicroblaze({**overlay.iop1.mb_info, wrong: "nowhere"}, echo)


def test_words_that_are_not_there(overlay: Overlay, echo: str) -> None:
    """PYNQ: a list that is too long is written as far as it goes."""
    iop = PynqMicroblaze(overlay.iop1.mb_info, echo)
    before = iop.read(0xFFFC)
    for offset, words in ((0xFFFC, [5, 6]), (-4, [5]), (2, [5]), (0x1_0000, [5])):
        with pytest.raises(BadArgumentError, match="all within the 0x10000 bytes of iop1/mb_bram_ctrl"):
            iop.write(offset, words)
        with pytest.raises(BadArgumentError, match="all within"):
            iop.read(offset, len(words))
    assert iop.read(0xFFFC) == before
    with pytest.raises(BadArgumentError, match="int or lists"):
        iop.write(0, "5")  # type: ignore[arg-type]
    with pytest.raises(BadArgumentError, match="1 or more"):
        iop.read(0, 0)


def test_what_an_overlay_says_of_it(overlay: Overlay) -> None:
    iop = overlay.iop1
    assert isinstance(iop, MicroblazeHierarchy)
    assert (iop.mbtype, iop.mb_info["mb_type"]) == ("Pmod", "Pmod")
    iop.mbtype = "Arduino"  # as the class of an overlay does
    assert (iop.mbtype, iop.mb_info["mbtype"], iop.mb_info["mb_type"]) == ("Arduino", "Arduino", "Arduino")
    assert MicroblazeHierarchy.checkhierarchy(overlay.hierarchy_dict["iop2"])


def test_names_by_place(board: gapless.Board) -> None:
    """Of an IOP in a hierarchy its pins are there, too."""
    hierarchy = {kind: {} for kind in ("ip", "hierarchies", "interrupts", "gpio", "memories")}
    made = MicroblazeHierarchy({**hierarchy, "fullpath": "a/iop_arduino", "device": overlay_device(board)})
    assert made.mb_info == {
        "ip_name": "a/iop_arduino/mb_bram_ctrl",
        "rst_name": "a/mb_iop_arduino_reset",
        "intr_pin_name": "a/iop_arduino/dff_en_reset_vector_0/q",
        "intr_ack_name": "a/mb_iop_arduino_intr_ack",
        "name": "a/iop_arduino",
        "mb_type": "Arduino",
        "mbtype": "Arduino",
    }
    with pytest.raises(UnknownNameError, match="a/iop_arduino/mb_bram_ctrl"):
        made.iop  # noqa: B018


def overlay_device(board: gapless.Board) -> Any:
    return Overlay("pynq_tutorial.bit", device=board).device


@pytest.mark.parametrize("name", [MicroblazeLibrary, MicroblazeRPC, MicroblazeProgram])
def test_what_needs_a_compiler_says_so(overlay: Overlay, name: type) -> None:
    with pytest.raises(UnsupportedError, match=f"{name.__name__} compiles C .* PynqMicroblaze"):
        name(overlay.iop1, ["i2c"])


def test_a_program_that_is_not_there(overlay: Overlay, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none.bin does not exist\.$"):
        PynqMicroblaze(overlay.iop1.mb_info, str(tmp_path / "none.bin"))
