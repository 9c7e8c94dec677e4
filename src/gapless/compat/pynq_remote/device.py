"""The calls for the board as a whole: ``remote_device.RemoteDevice``."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import Any

from ...board import Board
from ...errors import BadArgumentError, UnknownNameError, UnsupportedError
from ...units import MIB
from .client import Client, Clients
from .designs import Designs
from .files import Files, checked
from .identity import FPGA_MANAGER, identity

_FIRMWARE = "/lib/firmware/"
_CHUNK = MIB


class RemoteDevice:
    """Files, and loading a bitstream, which clients do by writing the files of Linux's FPGA manager.

    Holds ``turn`` while it loads: a register access while there is no design stops a real board's processor.
    """

    def __init__(self, board: Board, clients: Clients, designs: Designs, turn: asyncio.Lock) -> None:
        self._board, self._clients, self._designs, self._turn = board, clients, designs, turn

    def existsfile(self, client: Client, request: Any) -> dict[str, Any]:
        """Whether a client can read a file."""
        path = checked(request.file_path)
        return {"exists": path in identity(self._board) or client.files.exists(path)}

    async def readfile(self, client: Client, request: Any) -> AsyncIterator[dict[str, Any]]:
        """A file that the client wrote, or one that says what board this is."""
        path = checked(request.file_path)
        known = identity(self._board)
        data = known[path] if path in known else client.files.read(path)
        if data is None:
            raise UnknownNameError("file", path, (*known, "what this client wrote"))
        for at in range(0, len(data), _CHUNK):
            yield {"data": data[at : at + _CHUNK]}

    async def writefile(self, client: Client, requests: AsyncIterator[Any]) -> dict[str, Any]:
        """A file, all of it; those of the FPGA manager load a bitstream."""
        path, chunks, nbytes = "", list[bytes](), 0
        async for request in requests:
            path = path or checked(request.file_path)
            chunks.append(request.data)
            nbytes += len(request.data)
            Files.check(nbytes)
        if not path:
            raise BadArgumentError("a file without a name: the first message has its path")
        data = b"".join(chunks)
        if path == FPGA_MANAGER + "flags":
            client.bitstream = (client.bitstream[0], data.strip() == b"1")
        elif path == FPGA_MANAGER + "firmware":
            await self._load(client, data.decode(errors="replace").strip())
        else:
            client.files.write(path, data)
        return {}

    def set_bitstream_attrs(self, client: Client, request: Any) -> dict[str, Any]:
        """The name of the bitstream to come, and whether it is a partial one."""
        client.bitstream = (_plain(request.binfile_name), request.partial)
        return {"status": True}

    async def download(self, client: Client, requests: AsyncIterator[Any]) -> dict[str, Any]:
        """A bitstream under the name that was set, and load it."""
        name, chunks, nbytes = client.bitstream[0], list[bytes](), 0
        async for request in requests:
            chunks.append(request.buffer)
            nbytes += len(request.buffer)
            Files.check(nbytes)
        client.files.write(_FIRMWARE + _plain(name), b"".join(chunks))
        await self._load(client, name)
        return {"status": True}

    def shutdown(self, client: Client, request: Any) -> dict[str, Any]:
        """Stop the engines that this client started, before the PL is loaded again."""
        self._clients.stop_engines(client)
        return {"status": True}

    def set_pl_clk(self, client: Client, request: Any) -> dict[str, Any]:
        """Not there; nor in PYNQ's own server."""
        raise UnsupportedError("set_pl_clk: PYNQ's clients set the clocks of the PL by registers (pynq.Clocks)")

    async def _load(self, client: Client, name: str) -> None:
        path = _FIRMWARE + _plain(name)
        data = client.files.read(path)
        if data is None:
            raise UnknownNameError("bitstream", path, ("what this client wrote below /lib/firmware",))
        # Clients send a file only if there is none of its name: the next one may have other contents.
        client.files.remove(path)
        # Goes on, with the turn, also when the client ends its call.
        await asyncio.shield(asyncio.ensure_future(self._program(name, data, partial=client.bitstream[1])))

    async def _program(self, name: str, data: bytes, *, partial: bool) -> None:
        async with self._turn:
            if self._board.probe is not None:
                self._board.load(self._designs.find(self._board, name, data), partial=partial)
            else:
                with tempfile.TemporaryDirectory(prefix="gapless-") as folder:
                    file = Path(folder) / name
                    file.write_bytes(data)
                    await asyncio.to_thread(self._board.load, file, partial=partial)
            self._clients.forget_engines()


def _plain(name: str) -> str:
    if not name or PurePosixPath(name).name != name or "\0" in name or len(name) > 255 or name in (".", ".."):
        raise BadArgumentError(f"{name[:40]!r} is no name for a bitstream: it has no / and at most 255 characters")
    return name
