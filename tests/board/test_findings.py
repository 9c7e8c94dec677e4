"""Wrong software is caught: what a real board would let pass in silence."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import PS_HIGH, both_ways, looped, samples

from gapless.dma import split


def start(board, address, nbytes):
    """A direct-mode MM2S transfer by raw register writes."""
    base = board.dma("dma").spec.base
    for offset, value in ((0x00, 0x1001), (0x18, address & 0xFFFFFFFF), (0x1C, address >> 32), (0x28, nbytes)):
        board.bus.write32(base + offset, value)


@pytest.fixture
def board():
    return both_ways(sg=False)


def kinds(board):
    return [finding.kind for finding in board.findings]


def test_dma_to_memory_nobody_allocated(board):
    start(board, PS_HIGH + 0x4000, 4096)
    board.bus.sleep(1e-4)
    (finding,) = board.findings
    assert finding.kind == "unallocated-memory"
    assert finding.address == PS_HIGH + 0x4000
    assert "dma MM2S: transfer of 4096 bytes at 0x800004000" in finding.text
    assert 0 < finding.time < 1e-4


def test_dma_past_the_end_of_its_buffer(board):
    with board.memory["low"].allocate(4096, np.uint8) as buffer, board.memory["low"].allocate(4096, np.uint8):
        start(board, buffer.physical_address, 4096)
        board.bus.sleep(1e-4)
        assert board.findings == ()
        start(board, buffer.physical_address + 64, 4096)
        board.bus.sleep(1e-4)
        assert kinds(board) == ["past-buffer-end"]
        assert board.findings[0].address == buffer.physical_address + 64


def test_a_buffer_freed_while_the_engine_is_in_it(board):
    buffer = board.memory["low"].allocate(1 << 20, np.uint8)
    board.dac(0).monitor.start(1e6)
    start(board, buffer.physical_address, 1 << 20)
    board.bus.sleep(1e-5)
    address = buffer.physical_address
    buffer.free()  # the driver knows nothing of it, so it cannot refuse
    assert kinds(board) == ["freed-in-flight"]
    assert board.findings[0].address == address


def test_freed_after_the_transfer_is_no_finding(board):
    with board.memory["low"].allocate(4096, np.uint8) as buffer:
        start(board, buffer.physical_address, 4096)
        board.bus.sleep(1e-3)
    assert board.findings == ()
    buffer = board.memory["low"].allocate(4096, np.uint8)
    start(board, buffer.physical_address, 4096)
    board.bus.sleep(1e-3)
    assert board.findings == ()


def test_into_a_buffer_that_was_freed(board):
    buffer = board.memory["low"].allocate(4096, np.uint8)
    address = buffer.physical_address
    buffer.free()
    start(board, address, 64)
    board.bus.sleep(1e-4)
    assert kinds(board) == ["unallocated-memory"]


def test_a_descriptor_nobody_allocated():
    board = looped()
    base = board.dma("dma").spec.base
    for offset, value in ((0x08, 0x1000_4000), (0x0C, 0), (0x00, 0x11001), (0x14, 0), (0x10, 0x1000_4000)):
        board.bus.write32(base + offset, value)
    board.bus.sleep(1e-4)
    assert "descriptor-outside-buffer" in kinds(board)


def test_a_length_that_is_cut_and_an_address_that_is_not_aligned():
    board = both_ways(sg=False, length_width=14)
    with board.memory["low"].allocate(1 << 16, np.uint8) as buffer:
        start(board, buffer.physical_address, 16384 + 64)
        board.bus.sleep(1e-3)
        assert kinds(board) == ["length-truncated"]
        start(board, buffer.physical_address + 1, 64)
        board.bus.sleep(1e-3)
        assert kinds(board)[1:] == ["misaligned"]


def test_the_driver_itself_makes_no_finding_whatever_it_does():
    for sg in (True, False):
        board = both_ways(sg=sg)
        for engine in ("sg", "cyclic") if sg else ("direct",):
            assert board.dac(0).play(samples(100_001), rate=1e9, memory="low", engine=engine).complete
        low, dma = board.memory["low"], board.dma("dma")
        with low.allocate(1 << 20, np.uint8) as buffer:
            sending = dma.mm2s.begin(split(dma.spec, buffer.physical_address, 1 << 20), [buffer])
            sending.cancel()
            dma.reset()
        board.adc(0).start(1000, rate=1e9, memory="low").cancel()
        assert board.findings == ()
