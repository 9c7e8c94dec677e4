"""The calls for memory: ``buffer.RemoteBuffer``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from ...board import Board
from ...errors import BadArgumentError, RegisterOffsetError
from ...memory import Buffer
from ...memory.device_buffer import array_on
from ...memory.region import MemoryType
from ...units import MIB
from ..pynq.buffer import clear
from .client import Client, Clients

#: Of one message with data; a client takes 4 MiB at most unless told otherwise.
_CHUNK = MIB
_PAGE = 4096


class RemoteBuffer:
    """Buffers in the pool called ``memory``. The client has a copy of each, and sends or fetches all of it."""

    def __init__(self, board: Board, clients: Clients, memory: str) -> None:
        self._board, self._clients, self._memory = board, clients, memory

    def allocate(self, client: Client, request: Any) -> dict[str, Any]:
        """A buffer of ``size`` zeros, at the beginning of a page as on a board."""
        if request.size <= 0:
            raise BadArgumentError(f"a buffer of {request.size} bytes: at least 1")
        buffer = self._board.memory[self._memory].allocate(request.size, np.uint8, align=_PAGE, contiguous=True)
        clear(buffer)  # what it was before is not this client's to see
        return {"buffer_id": self._clients.add(client, buffer)}

    async def write(self, client: Client, requests: AsyncIterator[Any]) -> dict[str, Any]:
        """Bytes for a buffer, from ``start`` on; in the messages after the first, where the one before ended."""
        at = 0
        async for request in requests:
            buffer = self._get(client, request)
            data = np.frombuffer(request.data, np.uint8)
            at = request.start or at
            _check(buffer, at, request.end or at + len(data), at + len(data))
            if len(data):
                buffer.write(data, at)
            at += len(data)
        return {}

    async def read(self, client: Client, request: Any) -> AsyncIterator[dict[str, Any]]:
        """The bytes from ``start`` to ``end``; without an end, to that of the buffer."""
        buffer = self._get(client, request)
        end = request.end or buffer.nbytes
        _check(buffer, request.start, end, end)
        for at in range(request.start, end, _CHUNK):
            part = np.empty(min(_CHUNK, end - at), np.uint8)
            yield {"data": buffer.read(part, at).tobytes()}

    def freebuffer(self, client: Client, request: Any) -> dict[str, Any]:
        """Give a buffer back. PYNQ's clients do so again when the object goes, which is no error."""
        if request.buffer_id in client.held:
            self._get(client, request)
            self._clients.drop(client, request.buffer_id)
        return {}

    def flush(self, client: Client, request: Any) -> dict[str, Any]:
        """Let devices see what was written."""
        self._get(client, request).sync_to_device()
        return {}

    def invalidate(self, client: Client, request: Any) -> dict[str, Any]:
        """See what devices wrote."""
        self._get(client, request).sync_from_device()
        return {}

    def physical_address(self, client: Client, request: Any) -> dict[str, Any]:
        """Where devices find it."""
        return {"address": self._get(client, request).physical_address}

    def virtual_address(self, client: Client, request: Any) -> dict[str, Any]:
        """Where this process has it: of no use to a client, but a number of its own for each buffer."""
        return {"address": array_on(self._get(client, request)).ctypes.data}

    def cacheable(self, client: Client, request: Any) -> dict[str, Any]:
        """Whether the CPU's caches hold it."""
        return {"cacheable": self._get(client, request).memory_type is MemoryType.NORMAL_CACHED}

    def _get(self, client: Client, request: Any) -> Buffer:
        return self._clients.get(client, Buffer, request.buffer_id)


def _check(buffer: Buffer, start: int, end: int, stop: int) -> None:
    if not 0 <= start <= stop <= buffer.nbytes or end != stop:
        raise RegisterOffsetError(f"bytes {start} to {end} of {stop - start} given: the buffer has {buffer.nbytes}")
