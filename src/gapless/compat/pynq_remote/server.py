"""The server: listens, looks after its clients, and ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from ...board import Board
from ...errors import UnsupportedError
from .buffers import RemoteBuffer
from .calls import Calls
from .client import Client, Clients
from .connections import client_address, connections
from .designs import Designs
from .device import RemoteDevice
from .messages import Method, methods
from .pins import Gpio
from .protocol import BUFFER, DEVICE, GPIO, MMIO
from .registers import Mmio

#: Seconds between two looks at the connections.
_LOOK = 0.25
#: Seconds that calls under way have when the server ends.
_GRACE = 0.5
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.so_reuseport", 0),  # a second server on this port is an error, not one that takes half of the calls
    ("grpc.max_receive_message_length", 4 << 20),  # PYNQ's clients send 2 MiB at a time
    ("grpc.keepalive_time_ms", 10_000),  # a client whose machine went away without a word ...
    ("grpc.keepalive_timeout_ms", 5_000),  # ... is one that does not answer
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.server_handshake_timeout_ms", 10_000),
)
_MOST_CALLS = 256


@dataclass(frozen=True)
class Tls:
    """A certificate chain and its private key, PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Settings:
    """How a server is set up.

    Attributes:
        host, port: where it listens; port 0 is one that is free.
        memory: the pool that buffers are allocated in.
        keep: seconds that what a client has is kept after its connection ended.
        designs: what clients may load besides what is built in.
        token, tls: what it takes to be heard, and the certificate; see :class:`Calls`.
    """

    host: str = "127.0.0.1"
    port: int = 7967
    memory: str = "ps-cma"
    keep: float = 5.0
    designs: Designs = field(default_factory=Designs)
    token: str | None = None
    tls: Tls | None = None

    @property
    def address(self) -> str:
        """``host:port`` as gRPC has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def serve(
    board: Board,
    settings: Settings,
    *,
    listening: Callable[[int], object] = lambda port: None,
    log: Callable[[str], object] = lambda line: None,
) -> None:
    """Answer PYNQ.remote's calls on ``board`` until SIGINT or SIGTERM; then all that clients have is released.

    Args:
        board: stays the caller's to close.
        settings: where, and for whom.
        listening: called with the port once clients are heard.
        log: called with a line for each client that was released.

    UnsupportedError when it cannot listen there.
    """
    asyncio.run(_serve(board, settings, listening, log))


async def _serve(
    board: Board, settings: Settings, listening: Callable[[int], object], log: Callable[[str], object]
) -> None:
    clients = Clients(board, settings.keep, log)
    port = 0  # until it is known

    def look() -> Mapping[str, str] | None:
        return connections(port)

    def client_of(peer: str) -> Client:
        return clients.of(client_address(peer), look)

    turn = asyncio.Lock()
    calls = Calls(_methods(board, clients, settings, turn), client_of, turn, settings.token)
    server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)
    server.add_generic_rpc_handlers((calls,))
    port = _listen(server, settings)
    await server.start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        listening(port)
        while not stop.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK)
            if len(clients) and (open_now := look()) is not None:
                async with turn:  # it stops engines by their registers
                    clients.look_after(time.monotonic(), open_now)
    finally:
        await server.stop(_GRACE)
        async with turn:
            clients.release_all()


def _methods(
    board: Board, clients: Clients, settings: Settings, turn: asyncio.Lock
) -> dict[str, tuple[Method, Callable[..., Any]]]:
    services = (
        (MMIO, Mmio(board, clients)),
        (BUFFER, RemoteBuffer(board, clients, settings.memory)),
        (GPIO, Gpio(board, clients)),
        (DEVICE, RemoteDevice(board, clients, settings.designs, turn)),
    )
    return {
        method.path: (method, getattr(service, name))
        for table, service in services
        for name, method in methods(table).items()
    }


def _listen(server: Any, settings: Settings) -> int:
    try:
        if settings.tls is None:
            port = server.add_insecure_port(settings.address)
        else:
            pair = (settings.tls.key, settings.tls.certificate)
            port = server.add_secure_port(settings.address, grpc.ssl_server_credentials([pair]))
    except RuntimeError:
        port = 0
    if not port:
        raise UnsupportedError(
            f"cannot listen on {settings.address}: another program does, there is no such address here, or the "
            "certificate and the key do not fit"
        )
    return int(port)
