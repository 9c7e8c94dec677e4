"""A server of PYNQ.remote in a process of its own, and a client of it that sends what it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from gapless.compat.pynq_remote.messages import methods
from gapless.compat.pynq_remote.protocol import BUFFER, DEVICE, GPIO, MMIO

METHODS = {
    f"{table.package}.{name}": method
    for table in (MMIO, BUFFER, GPIO, DEVICE)
    for name, method in methods(table).items()
}
SERVE = [sys.executable, "-m", "gapless.cli", "serve", "--pynq-remote"]


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def next_line(self) -> str:
        """What it says next of its clients. It may take a while."""
        return self.process.stderr.readline()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Start one on a port that is free. It ends with the ``with`` block."""
    command = [*SERVE, "--json", *(() if "--bind" in options else ("--bind", "127.0.0.1:0")), *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        first = process.stdout.readline()
        assert first, process.stderr.read()
        yield Server(process, json.loads(first)["port"])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


class Remote:
    """A client: ``remote("mmio.read", mmio_id=..., offset=0, length=4)``.

    A call with many requests takes a list of dicts; one with many responses gives a list.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1", credentials: Any = None, token: str = "") -> None:
        # A connection of its own: channels of one process to one place share theirs otherwise.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channel = (
            grpc.insecure_channel(f"{host}:{port}", options)
            if credentials is None
            else grpc.secure_channel(f"{host}:{port}", credentials, options)
        )
        self._metadata = [("authorization", f"Bearer {token}")] if token else []

    def __call__(self, name: str, requests: list[dict[str, Any]] | None = None, **fields: Any) -> Any:
        method = METHODS[name]
        encoded = [method.request(**given).SerializeToString() for given in requests or [fields]]
        return self.send(name, encoded if method.many_requests else encoded[0])

    def send(self, name: str, data: Any) -> Any:
        """The same with bytes that need be no message."""
        method = METHODS[name]
        kind = ("stream" if method.many_requests else "unary") + ("_stream" if method.many_responses else "_unary")
        call = getattr(self.channel, kind)(method.path, response_deserializer=method.response.FromString)
        answer = call(iter(data) if method.many_requests else data, timeout=30, metadata=self._metadata)
        return list(answer) if method.many_responses else answer

    def window(self, base: int, length: int = 0x1000) -> str:
        return self("mmio.get_mmio", base_addr=base, length=length).mmio_id

    def read32(self, base: int) -> int:
        return self("mmio.read", mmio_id=self.window(base), offset=0, length=4).data

    def write32(self, base: int, value: int) -> None:
        self("mmio.write", mmio_id=self.window(base), offset=0, data=value.to_bytes(4, "little"))

    def allocate(self, size: int) -> str:
        return self("buffer.allocate", size=size, dtype="|u1", cacheable=True).buffer_id

    def contents(self, buffer: str, **part: int) -> bytes:
        return b"".join(answer.data for answer in self("buffer.read", buffer_id=buffer, **part))

    def close(self) -> None:
        self.channel.close()

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@contextmanager
def refused(code: str, text: str) -> Iterator[None]:
    """The call in the block ends with this status, and says this in one line."""
    with pytest.raises(grpc.RpcError) as raised:
        yield
    assert (raised.value.code().name, raised.value.details()) == (code, AnyLineWith(text))


class AnyLineWith(str):
    """Equal to one line that has it in it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in other and "\n" not in other

    __hash__ = None  # type: ignore[assignment]
