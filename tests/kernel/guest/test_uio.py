"""Interrupts on a real kernel: by UIO where the kernel has it, else by looking, and the board says which."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest

import gapless
from gapless.board import Board
from gapless.dma.zdma_registers import Event, Offset
from gapless.errors import UnknownNameError
from gapless.local.uio import Uio

pytestmark = pytest.mark.needs("uio")


def events(board: Board) -> int:
    """Interrupts of gdma3's UIO device so far; skips where it has none."""
    told = board.interrupts["gdma3"]
    found = re.match(r"uio\d+", told)
    if found is None:
        assert told.startswith("polled")
        with board.memory["ps-carveout"].allocate(100, np.uint8) as here:
            assert board.zdma.copy(here[:50], here[50:], channel="gdma3").bytes == 50  # it works all the same
        pytest.skip(f"gdma3 is {told}")
    return int(Path("/sys/class/uio", found[0], "event").read_text())


@pytest.mark.claim("ZDMA's interrupt comes by UIO")
def test_a_copy_waits_for_its_interrupt() -> None:
    with gapless.open("local") as board:
        before = events(board)
        with board.memory["ps-carveout"].allocate((2, 1 << 20), np.uint8) as both:
            for value in range(20):
                both[0].fill(value)
                board.zdma.copy(both[0], both[1], channel="gdma3")
                assert (both[1].read() == value).all()
        assert events(board) > before


@pytest.mark.claim("UIO devices by name: blocking and asyncio waits, with time-outs")
def test_waiting_by_hand() -> None:
    with gapless.open("local") as board:
        events(board)
        with pytest.raises(UnknownNameError, match=r"there is .*fd530000"):
            Uio("dma@0")
        channel = board.zdma["gdma3"]
        base = channel.spec.base

        def start() -> None:
            board.bus.write32(base + Offset.ISR, 0xFFF)
            board.bus.write32(base + Offset.CTRL0, 0x80)
            for word, address in ((Offset.SRC_WORD0, both.physical_address), (Offset.DST_WORD0, far)):
                for number, value in enumerate((address & 0xFFFF_FFFF, address >> 32, 4096, 0)):
                    board.bus.write32(base + word + 4 * number, value)
            board.bus.write32(base + Offset.IEN, Event.DONE)
            board.bus.write32(base + Offset.CTRL2, 1)

        with board.memory["ps-carveout"].allocate(8192, np.uint8) as both, Uio("dma@fd530000") as uio:
            far = both.physical_address + 4096
            channel.stop()
            assert not uio.wait(0.05)
            start()
            assert uio.wait(5.0)
            assert channel.events & Event.DONE
            channel.stop()

            async def both_ways() -> None:
                assert not await uio.wait_async(0.05)
                start()
                assert await uio.wait_async(5.0)

            asyncio.run(both_ways())
            assert channel.events & Event.DONE
            channel.stop()
