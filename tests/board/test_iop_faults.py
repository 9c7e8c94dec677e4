"""Programs that go wrong, as their user sees it; and the board goes on."""

import re

import numpy as np
import pytest

import gapless
from gapless.errors import IopFaultError


@pytest.fixture
def board():
    with gapless.open("virtual:pynq-z2") as opened:
        yield opened


def crash(board, path, word):
    """Start a program, tell it ``word``, and wait for it."""
    iop = board.iop(1)
    iop.load(path)
    iop.start()
    iop.mailbox[0] = word
    with pytest.raises(IopFaultError) as caught:
        iop.wait_idle()
    return caught.value


@pytest.mark.parametrize(
    ("name", "word", "pc", "words"),
    [
        ("runaway", 0x1000_0000, 0x1000_0000, "nothing to execute at PC 0x10000000: local memory is 0 to 0x0000ffff"),
        ("illegal", 1, None, "illegal opcode: PC 0x.*, opcode 0xfc000000"),
        ("unaligned", 0x1000_0002, None, "unaligned .*0x30000002.*opcode 0x.*, lwi r"),
        ("stray", 0x1000_0000, None, "would overwrite physical 0x10000000, where no buffer is .*opcode 0x.*, swi r"),
    ],
)
def test_a_crash_says_what_where_and_by_which_instruction(board, firmware, name, word, pc, words):
    error = crash(board, firmware(name), word)
    assert re.search(words, str(error)), error
    assert "reset() starts it again" in str(error)
    assert pc is None or error.pc == pc
    assert [finding.kind for finding in board.findings] == ["iop-fault"]
    assert board.probe.iop(1).state == "faulted"


def test_a_store_outside_every_buffer_changes_nothing(board, firmware):
    pool = board.memory["ps-cma"]
    before, after = pool.allocate(1024, np.uint32), pool.allocate(1024, np.uint32)
    before.fill(7)
    after.fill(7)
    gone = pool.allocate(1024, np.uint32)
    address = gone.physical_address
    gone.fill(9)
    gone.free()
    error = crash(board, firmware("stray"), address)
    assert error.address & 0x1FFF_FFFF == address
    assert (before == 7).all()
    assert (after == 7).all()
    with pool.allocate(1024, np.uint32, address=address) as again:
        assert (again == 9).all()


def test_a_store_right_behind_a_buffer_is_caught(board, firmware):
    buffer = board.memory["ps-cma"].allocate(10, np.uint32)
    error = crash(board, firmware("stray"), buffer.physical_address + buffer.nbytes)
    assert error.address & 0x1FFF_FFFF == buffer.physical_address + 40


def test_a_load_from_where_no_buffer_is_is_a_finding(board, firmware):
    iop = board.iop(1)
    iop.load(firmware("unaligned"))
    iop.start()
    iop.mailbox[0] = 0x1000_0000
    iop.wait_idle()
    assert [finding.kind for finding in board.findings] == ["iop-outside-buffer"]
    assert board.findings[0].address == 0x1000_0000


def test_the_rest_of_the_board_is_alive(board, firmware):
    crash(board, firmware("runaway"), 0x4000)
    board.iop(2).load(firmware("mute"))
    board.iop(2).start()
    pool = board.memory["ps-cma"]
    with pool.allocate(4096, np.uint8) as sent, pool.allocate(4096, np.uint8) as received:
        sent.write(np.arange(4096, dtype=np.uint8))
        board.dma("axi_dma_from_ps_to_pl").mm2s.transfer(sent)  # into the FIFO
        board.dma("axi_dma_from_pl_to_ps").s2mm.transfer(received)
        assert np.array_equal(sent, received)
    iop = board.iop(1)
    iop.load("tutorial")  # which holds it in reset
    iop.start()
    with pool.allocate(10, np.uint32) as buffer:
        iop.mailbox[2] = 10
        iop.mailbox[0] = iop.device_address(buffer)
        iop.wait_idle()
        assert buffer.tolist() == list(range(10))


def test_reset_starts_a_crashed_program_again(board, firmware):
    crash(board, firmware("stray"), 0x1000_0000)
    iop = board.iop(1)
    with board.memory["ps-cma"].allocate(1, np.uint32) as buffer:
        iop.mailbox[0] = buffer.physical_address  # reset keeps local memory, and with it the word that led astray
        iop.mailbox[1] = 5
        iop.reset()
        iop.wait_idle()
        assert buffer[0] == 5
