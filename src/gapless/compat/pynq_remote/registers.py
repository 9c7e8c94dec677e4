"""The calls for registers: ``mmio.Mmio``."""

from __future__ import annotations

import struct
from typing import Any

from ...board import Board
from ...errors import BadArgumentError, RegisterOffsetError
from ...units import format_address
from .client import Client, Clients, Window

#: The PS of a Zynq UltraScale+ has addresses of 40 bits (UG1085, "System Addresses").
_ADDRESSES = 1 << 40
_LENGTHS = (1, 2, 4)


class Mmio:
    """Registers by physical address."""

    def __init__(self, board: Board, clients: Clients) -> None:
        self._board, self._clients = board, clients

    def get_mmio(self, client: Client, request: Any) -> dict[str, Any]:
        """A window on registers. Whether anything answers there shows when it is used, as on a board."""
        base, length = request.base_addr, request.length
        if base % 4 or length == 0 or base + length > _ADDRESSES:
            raise BadArgumentError(
                f"{length:#x} bytes at {base:#x}: registers are at multiples of 4, below {format_address(_ADDRESSES)}"
            )
        window = Window(base, length)
        # PYNQ makes one for each look at a register, and never gives it back.
        known = (handle for handle, thing in client.held.items() if isinstance(thing, Window) and thing == window)
        return {"status": True, "mmio_id": next(known, None) or self._clients.add(client, window)}

    def read(self, client: Client, request: Any) -> dict[str, Any]:
        """One register."""
        if request.length not in _LENGTHS:
            raise BadArgumentError(
                f"a read of {request.length} bytes: 1, 2 or 4; an answer has 32 bits, so 8 bytes are two reads"
            )
        address = self._address(client, request, 4)
        return {"status": True, "data": self._board.bus.read32(address) & (1 << 8 * request.length) - 1}

    def write(self, client: Client, request: Any) -> dict[str, Any]:
        """One register or several that follow each other."""
        data = request.data
        if not data or len(data) % 4:
            raise BadArgumentError(f"a write of {len(data)} bytes: registers have 4 bytes each")
        address = self._address(client, request, len(data))
        for number, (word,) in enumerate(struct.iter_unpack("<I", data)):
            self._board.bus.write32(address + 4 * number, word)
            self._clients.drives(client, address + 4 * number)
        return {"status": True}

    def _address(self, client: Client, request: Any, nbytes: int) -> int:
        window = self._clients.get(client, Window, request.mmio_id)
        offset: int = request.offset
        if offset % 4 or offset + nbytes > window.length:
            raise RegisterOffsetError(
                f"{nbytes} bytes at offset {offset:#x}: a multiple of 4, and within the {window.length:#x} bytes "
                f"at {format_address(window.base)}"
            )
        return window.base + offset
