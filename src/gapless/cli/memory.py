"""gapless memory."""

from __future__ import annotations

from typing import Any

from .. import board as boards
from ..board import Board
from ..units import format_address, format_size
from . import options
from .output import print_json, print_table

EXAMPLES = """\b
Examples:
  gapless memory
  gapless memory --board 'virtual:zcu111?ps=32GiB'
"""


def memory(board: options.Board = options.DEFAULT_BOARD, json: options.Json = False) -> int:
    """List the pools and regions of a board's memory.

    Buffers are allocated in pools; regions are what the address map consists of.
    """
    with boards.open(board) as opened:
        if json:
            print_json(_document(opened))
        else:
            _print(opened)
    return 0


def _document(board: Board) -> dict[str, Any]:
    about = _about(board)
    return {
        "board": board.uri,
        "pools": [
            {
                "name": pool.name,
                "base": pool.base,
                **pool.stats().as_dict(),
                "kind": pool.kind.value,
                "about": about[pool.name],
            }
            for pool in board.memory.values()
        ],
        "regions": [
            {
                "name": region.name,
                "base": region.base,
                "size": region.size,
                "kind": region.kind.value,
                "memory_type": region.memory_type.value,
            }
            for region in board.address_map
        ],
    }


def _about(board: Board) -> dict[str, str]:
    return {pool.name: pool.about for pool in board.spec.pools}


def _print(board: Board) -> None:
    rows = []
    for pool in board.memory.values():
        stats = pool.stats()
        sizes = (stats.total, stats.used, stats.free, stats.largest_free)
        rows.append(
            (
                pool.name,
                format_address(pool.base),
                *(format_size(size) for size in sizes),
                f"{stats.buffers.count:,}",
                pool.kind.value,
            )
        )
    print_table(
        ("pool", "base", "total", "used", "free", "largest", "buffers", "kind"),
        rows,
        numbers=("base", "total", "used", "free", "largest", "buffers"),
    )
    for name, about in _about(board).items():
        print(f"{name}: {about}")
    print()
    print_table(
        ("region", "from", "to", "size", "kind", "type"),
        [
            (
                region.name,
                format_address(region.base),
                format_address(region.base + region.size - 1),
                format_size(region.size),
                region.kind.value,
                region.memory_type.value,
            )
            for region in board.address_map
        ],
        numbers=("from", "to", "size"),
    )
