"""Runs in the guest: plays on the DAC that the host models, and reports what our driver says of it."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from gapless.board import Board
from gapless.local import build_board
from gapless.memory import Buffer, Pool
from gapless.memory.providers.hugepages import hugepages
from gapless.stream.report import PlayReport

from .design import DMA, RATE, SPEC, signal
from .page_bus import PageBus

_RESULTS = Path("/dev/ttyPS1")
_PIECE = 1 << 20
_HUGE_PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


def main() -> None:
    with _RESULTS.open("w", encoding="ascii") as port, patch("gapless.local.board.MmioBus", PageBus):

        def send(event: str, **fields: Any) -> None:
            port.write(json.dumps({"event": event, **fields}) + "\n")
            port.flush()

        huge_pages = hugepages(SPEC)
        assert isinstance(huge_pages, Pool), huge_pages
        with build_board(SPEC, pools={"ps-hugepages": huge_pages}) as board:
            send("board", release=platform.release(), interrupts=dict(board.interrupts))
            for seed, (name, play) in enumerate(PLAYS.items()):
                interrupts, begun = _interrupts(), time.monotonic()
                report, facts = play(board, seed)
                seconds, interrupts = time.monotonic() - begun, _interrupts() - interrupts
                send("played", name=name, seconds=seconds, interrupts=interrupts, **_account(report), **facts)
        send("end")


def from_carve_out(board: Board, seed: int) -> tuple[PlayReport, dict[str, Any]]:
    """72 MiB on Device memory, beyond 32 bits of address: more than one transfer holds."""
    buffer = board.memory["ps-carveout"].allocate(36 << 20, np.int16)
    _fill(buffer, seed)
    report = board.dac(0).play(buffer, rate=RATE)
    buffer.free()
    return report, {}


def from_huge_pages(board: Board, seed: int) -> tuple[PlayReport, dict[str, Any]]:
    """24 MiB in 2 MB pages none of which is another's neighbour."""
    pool = board.memory["ps-hugepages"]
    # All there are, and every other one given back: no two of those are neighbours.
    _HUGE_PAGES.write_text("24")
    pages = sorted((pool.allocate(2 << 20, np.uint8) for _ in range(24)), key=lambda page: page.physical_address)
    for page in pages[::2]:
        page.free()
    buffer = pool.allocate(12 << 20, np.int16)
    _fill(buffer, seed)
    runs = len(buffer.runs)
    report = board.dac(0).play(buffer, rate=RATE)
    return report, {"runs": runs}


def from_blocks(board: Board, seed: int) -> tuple[PlayReport, dict[str, Any]]:
    """96 MiB through a ring of 40 MiB, which is filled again while it plays."""
    block, blocks, total = 4 << 20, 5, 12
    with board.dac(0).stream(rate=RATE, block_samples=block, blocks=blocks, memory="ps-carveout") as stream:
        for number in range(total):
            array = stream.acquire(timeout=30)
            array.write(signal(seed, number * block, block))
            stream.submit(array)
    return stream.report, {"blocks": blocks}


def too_late(board: Board, seed: int) -> tuple[PlayReport, dict[str, Any]]:
    """Blocks that come long after the FIFO ran empty: what must be told from a stream with no gap."""
    block = 1 << 18
    with board.dac(0).stream(rate=RATE, block_samples=block, blocks=2, memory="ps-carveout") as stream:
        for number in range(6):
            array = stream.acquire(timeout=30)
            array.write(signal(seed, number * block, block))
            stream.submit(array)
            if number in (1, 3):
                time.sleep(0.5)
    return stream.report, {}


PLAYS = {"carve-out": from_carve_out, "huge pages": from_huge_pages, "stream": from_blocks, "late": too_late}


def _fill(buffer: Buffer, seed: int) -> None:
    for start in range(0, buffer.size, _PIECE):
        buffer.write(signal(seed, start, min(_PIECE, buffer.size - start)), start)


def _account(report: PlayReport) -> dict[str, Any]:
    gaps = [list(asdict(gap).values()) for gap in report.ledger.gaps]
    ledger = {"gap_count": report.ledger.gap_count, "missing": report.ledger.missing_samples, "gaps": gaps}
    return {"samples": report.samples_played, **ledger, "memory": report.memory, "transfers": report.transfers}


def _interrupts() -> int:
    """That came by the UIO device of the design; 0 where there is none."""
    for device in Path("/sys/class/uio").glob("uio*"):
        if int((device / "maps/map0/addr").read_text(), 0) == DMA:
            return int((device / "event").read_text())
    return 0


if __name__ == "__main__":
    main()
