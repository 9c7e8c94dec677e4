"""gapless memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from .. import board as boards
from ..board import Board
from ..memory import Pool
from ..units import format_address, format_size
from . import options
from .output import print_json, print_table

if TYPE_CHECKING:
    from ..memory.providers import Mode

EXAMPLES = """\b
Examples:
  gapless memory
  gapless memory --board 'virtual:zcu111?ps=32GiB'
  gapless memory --board local
"""


def memory(board: options.Board = options.DEFAULT_BOARD, json: options.Json = False) -> int:
    """List the pools and regions of a board's memory.

    Buffers are allocated in pools; regions are what the address map consists of. Of a real board also the five ways
    to memory: which of them this machine offers, and for what is missing why, and what to do.
    """
    with boards.open(board) as opened:
        if json:
            print_json(_document(opened))
        else:
            _print(opened)
    return 0


def _document(board: Board) -> dict[str, Any]:
    document: dict[str, Any] = {
        "board": board.uri,
        "pools": [
            {
                "name": pool.name,
                "base": pool.base,
                **pool.stats().as_dict(),
                "kind": pool.kind.value,
                "memory_type": pool.memory_type.value,
                "sync_method": pool.sync_method,
                "about": pool.about,
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
    if board.modes:
        document["modes"] = [_mode(mode) for mode in board.modes]
    return document


def _mode(mode: Mode) -> dict[str, Any]:
    return {
        "mode": mode.number,
        "title": mode.title,
        "available": mode.available,
        "pools": list(mode.pools),
        "reason": mode.reason,
        "fix": mode.fix,
    }


def _print(board: Board) -> None:
    if board.memory:
        _print_pools(board.memory.values())
    else:
        print("no pool: there is nothing to allocate from")
    if len(board.address_map):
        print()
        _print_regions(board)
    if board.modes:
        print()
        _print_modes(board.modes)


def _print_pools(pools: Collection[Pool]) -> None:
    rows = []
    for pool in pools:
        stats = pool.stats()
        sizes = (stats.total, stats.used, stats.free, stats.largest_free)
        rows.append(
            (
                pool.name,
                format_address(pool.base),
                *(format_size(size) for size in sizes),
                f"{stats.buffers.count:,}",
                pool.kind.value,
                pool.memory_type.value,
                pool.sync_method,
            )
        )
    print_table(
        ("pool", "base", "total", "used", "free", "largest", "buffers", "kind", "type", "sync"),
        rows,
        numbers=("base", "total", "used", "free", "largest", "buffers"),
    )
    for pool in pools:
        print(f"{pool.name}: {pool.about}")


def _print_regions(board: Board) -> None:
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


def _print_modes(modes: Iterable[Mode]) -> None:
    print_table(
        ("mode", "what", "pool", "state"),
        [(str(mode.number), mode.title, mode.pool, "available" if mode.available else "not here") for mode in modes],
        numbers=("mode",),
    )
    for mode in modes:
        if not mode.available:
            print(f"mode {mode.number}: {mode.reason}")
            print(f"        to do: {mode.fix}")
