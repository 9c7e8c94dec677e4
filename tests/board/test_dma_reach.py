"""Engines that their design lets see a part of memory, or whose memory side is wider than the stream."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import GIB, MIB, looped

from gapless.errors import AddressError

BASE = 0xA000_0000
DMACR, DMASR, CURDESC, TAILDESC, ADDRESS, LENGTH = 0x00, 0x04, 0x08, 0x10, 0x18, 0x28
DECODE_ERROR, SG_DECODE_ERROR = 1 << 6, 1 << 10
#: Of the gibibyte that is there; the pool "low" has 512 MiB from 256 MiB on.
REACH = ((256 * MIB, 128 * MIB), (384 * MIB, 128 * MIB))


def start(board, address, nbytes):
    """As another driver does, which does not know what the engine reaches."""
    for offset, value in ((DMACR, 1), (ADDRESS, address & 0xFFFF_FFFF), (ADDRESS + 4, address >> 32), (LENGTH, nbytes)):
        board.bus.write32(BASE + offset, value)
    board.bus.sleep(1e-4)
    return board.bus.read32(BASE + DMASR)


@pytest.mark.parametrize("data_width", [4, 64])
def test_what_is_out_of_reach_is_a_decode_error(data_width):
    board = looped(sg=False, data_width=data_width, reach=REACH)
    low = board.memory["low"]
    with low.allocate(4096, np.uint8, address=640 * MIB) as outside, low.allocate(4096, np.uint8) as inside:
        assert start(board, inside.physical_address, 4096) & DECODE_ERROR == 0
        assert start(board, outside.physical_address, 4096) & DECODE_ERROR
        with pytest.raises(AddressError, match="is out of its reach"):
            board.dma("dma").mm2s.transfer(outside)
    high = board.memory["high"]
    with high.allocate(4096, np.uint8) as buffer:
        board.dma("dma").reset()
        assert start(board, buffer.physical_address, 4096) & DECODE_ERROR


def test_a_range_ends_where_it_ends():
    board = looped(sg=False, reach=((256 * MIB, 8192),))
    with board.memory["low"].allocate(16384, np.uint8, address=256 * MIB):
        assert start(board, 256 * MIB + 4096, 4096) & DECODE_ERROR == 0
        assert start(board, 256 * MIB + 8192 - 64, 128) & DECODE_ERROR


def test_descriptors_out_of_reach():
    board = looped(sg=True, reach=((256 * MIB, GIB // 4),))
    with board.memory["low"].allocate(64, np.uint8, address=640 * MIB) as ring:
        for offset, value in ((CURDESC, ring.physical_address), (CURDESC + 4, 0), (DMACR, 1)):
            board.bus.write32(BASE + offset, value)
        board.bus.write32(BASE + TAILDESC + 4, 0)
        board.bus.write32(BASE + TAILDESC, ring.physical_address)
        board.bus.sleep(1e-4)
        assert board.bus.read32(BASE + DMASR) & SG_DECODE_ERROR


def test_buffers_lie_on_words_of_the_memory_side():
    board = looped(sg=False, data_width=4, memory_width=16)
    with board.memory["low"].allocate(4096, np.uint8) as buffer:
        start(board, buffer.physical_address + 16, 64)
        assert board.findings == ()
        start(board, buffer.physical_address + 8, 64)
        assert [(found.kind, found.address) for found in board.findings] == [
            ("misaligned", buffer.physical_address + 8)
        ]
        with pytest.raises(AddressError, match="16-byte words"):
            board.dma("dma").mm2s.transfer(buffer[8:])
