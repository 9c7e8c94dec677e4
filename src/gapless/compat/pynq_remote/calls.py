"""From gRPC's calls to methods of ours and back: who calls is known, and what fails has a status."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from ...errors import (
    AccessDeniedError,
    AllocationError,
    BadArgumentError,
    BoardClosedError,
    BusAccessError,
    GaplessError,
    RegisterOffsetError,
    UnknownHandleError,
    UnknownNameError,
    UnsupportedError,
    WaitTimeoutError,
)
from .client import Client
from .messages import Method

#: The first that fits.
_STATUS: tuple[tuple[type[Exception], str], ...] = (
    (UnknownHandleError, "NOT_FOUND"),
    (UnknownNameError, "NOT_FOUND"),
    (RegisterOffsetError, "OUT_OF_RANGE"),
    (BadArgumentError, "INVALID_ARGUMENT"),
    (AllocationError, "RESOURCE_EXHAUSTED"),
    (BusAccessError, "OUT_OF_RANGE"),
    (AccessDeniedError, "PERMISSION_DENIED"),
    (UnsupportedError, "UNIMPLEMENTED"),
    (WaitTimeoutError, "DEADLINE_EXCEEDED"),
    (BoardClosedError, "UNAVAILABLE"),
    (GaplessError, "FAILED_PRECONDITION"),
)
#: Seconds that a client may take between two messages of one call.
_PATIENCE = 60.0


class Calls:
    """What gRPC asks for the handler of a call.

    Args:
        methods: by the path of a call, its messages and what does it.
        client_of: the client behind a call.
        turn: held by calls that touch registers; whoever holds it while a bitstream is loaded keeps them off the PL.
        token: what a caller has to present as ``authorization: Bearer TOKEN``; None: nothing.
    """

    def __init__(
        self,
        methods: Mapping[str, tuple[Method, Callable[..., Any]]],
        client_of: Callable[[str], Client],
        turn: asyncio.Lock,
        token: str | None = None,
    ) -> None:
        self._client_of, self._turn = client_of, turn
        self._secret = None if token is None else f"Bearer {token}".encode()
        self._handlers = {path: self._handler(*known) for path, known in methods.items()}

    def service(self, call: Any) -> Any:
        """The handler for ``call``, whose path is ``call.method``: gRPC's name for this."""
        return self._handlers.get(call.method) or grpc.unary_unary_rpc_method_handler(self._unknown)

    def _handler(self, method: Method, function: Callable[..., Any]) -> Any:
        # Messages come and go as bytes: a wrong one is answered here.
        async def ask(request: bytes, context: Any) -> bytes:
            async with self._answering(context) as client:
                asked = method.request.FromString(request)
                async with self._turn:
                    return _encode(method, function(client, asked))

        async def send(requests: AsyncIterator[bytes], context: Any) -> bytes:
            async with self._answering(context) as client:
                return _encode(method, await function(client, _messages(method, requests)))

        async def fetch(request: bytes, context: Any) -> AsyncIterator[bytes]:
            async with self._answering(context) as client:
                async for answer in function(client, method.request.FromString(request)):
                    yield _encode(method, answer)

        if method.many_responses:
            return grpc.unary_stream_rpc_method_handler(fetch)
        if method.many_requests:
            return grpc.stream_unary_rpc_method_handler(send)
        return grpc.unary_unary_rpc_method_handler(ask)

    @asynccontextmanager
    async def _answering(self, context: Any) -> AsyncIterator[Client]:
        await self._admit(context)
        try:
            yield self._client_of(context.peer())
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "this is no message of this call")
        except tuple(kind for kind, _ in _STATUS) as error:
            code = next(code for kind, code in _STATUS if isinstance(error, kind))
            await context.abort(grpc.StatusCode[code], " ".join(str(error).splitlines()))
        except asyncio.TimeoutError:
            await context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"the next message did not come within {_PATIENCE:.0f} s"
            )
        except Exception as error:
            await context.abort(grpc.StatusCode.INTERNAL, f"this is a bug in gapless: {type(error).__name__}: {error}")

    async def _admit(self, context: Any) -> None:
        if self._secret is None:
            return
        given = dict(context.invocation_metadata() or ()).get("authorization", "")
        if not hmac.compare_digest(given.encode() if isinstance(given, str) else given, self._secret):
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED,
                "this server wants its token with each call, as metadata 'authorization: Bearer TOKEN'",
            )

    async def _unknown(self, request: bytes, context: Any) -> NoReturn:
        await self._admit(context)
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "gapless has the services mmio, buffer, gpio and remote_device of PYNQ 4.0.0; clocks and converters of an "
            "RFSoC (xrfclk, xrfdc) it has not",
        )
        raise AssertionError  # abort() raises


async def _messages(method: Method, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    while True:
        try:
            request = await asyncio.wait_for(anext(requests), _PATIENCE)
        except StopAsyncIteration:
            return
        yield method.request.FromString(request)


def _encode(method: Method, fields: Mapping[str, Any]) -> bytes:
    encoded: bytes = method.response(**fields).SerializeToString()
    return encoded
