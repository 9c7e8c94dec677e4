"""Programs and data for memory in the PL."""

from __future__ import annotations

from pathlib import Path

from ...board import Board
from ...errors import BadArgumentError, PynqError, UnknownNameError
from ...units import format_size
from .dictionaries import Dictionaries
from .mmio import MMIO


def load_ip_data(board: Board, found: Dictionaries, ip_name: str, data: str, zero: bool = False) -> None:
    """Write a binary file to an IP or a memory of a design, from its first address on, and note it as its ``state``.

    Args:
        board: that it is on.
        found: the dictionaries of the design.
        ip_name: of ``ip_dict`` or ``mem_dict``.
        data: path of the file; a last word that is not whole is filled with zeros.
        zero: clear the rest of its addresses.

    Raises:
        UnknownNameError: the design has no such IP or memory.
        BadArgumentError: there is no such file.
        PynqError: ("Binary file too big for IP") it is longer than the memory; nothing is written.
    """
    entries = {name: ip for name, ip in found.ip_dict.items() if "phys_addr" in ip}
    if ip_name not in entries:
        raise UnknownNameError("IP", ip_name, entries)
    ip, path = entries[ip_name], Path(data)
    if not path.is_file():
        raise BadArgumentError(f"{data} does not exist.")
    content, room = path.read_bytes(), ip["addr_range"]
    if len(content) > room:
        raise PynqError(
            f"Binary file too big for IP: {data} has {len(content)} bytes, and {ip_name} {format_size(room)}"
        )
    content += bytes(-len(content) % 4)
    MMIO(ip["phys_addr"], room, board).write(0, content + bytes(room - len(content) if zero else 0))
    ip["state"] = data
