"""gapless serve --pynq-remote: whose is what, and what becomes of it when a client is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest

from pynq_remote_client import Remote, refused, serving

DMA_IN = 0x4041_0000
S2MM_DMACR, S2MM_DMASR, S2MM_DA, S2MM_LENGTH = 0x30, 0x34, 0x48, 0x58
HALTED, IDLE = 1, 2
SIZE = 100 << 20  # of 128 MiB: two of these do not fit

#: A client that has most of the pool, has started an engine on it, and does nothing more.
CLIENT = f"""
import sys, time
from pynq_remote_client import Remote
remote = Remote(int(sys.argv[1]))
buffer = remote.allocate({SIZE})
remote.write32({DMA_IN + S2MM_DMACR}, 1)
remote.write32({DMA_IN + S2MM_DA}, remote("buffer.physical_address", buffer_id=buffer).address)
remote.write32({DMA_IN + S2MM_LENGTH}, 4096)
print(buffer, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def server():
    with serving("--keep", "100ms") as running:
        yield running
        assert running.stop() == 0


def client(port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLIENT, str(port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


def test_a_handle_is_its_makers(server) -> None:
    with Remote(server.port) as one, Remote(server.port) as other:
        buffer, window = one.allocate(64), one.window(DMA_IN)
        for call in ("flush", "physical_address", "cacheable"):
            with refused("NOT_FOUND", "no buffer"):
                other(f"buffer.{call}", buffer_id=buffer)
        with refused("NOT_FOUND", "no buffer"):
            other.contents(buffer)
        with refused("NOT_FOUND", "no registers"):
            other("mmio.read", mmio_id=window, length=4)
        one("buffer.write", [{"buffer_id": buffer, "data": b"mine"}])
        other("buffer.freebuffer", buffer_id=buffer)
        assert one.contents(buffer, end=4) == b"mine"
        one("remote_device.writefile", [{"file_path": "/tmp/mine", "data": b"1"}])
        assert not other("remote_device.existsfile", file_path="/tmp/mine").exists


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_a_client_that_is_gone(server, how: signal.Signals) -> None:
    with client(server.port) as process, Remote(server.port) as other:
        process.stdout.readline()
        assert not other.read32(DMA_IN + S2MM_DMASR) & (HALTED | IDLE), "its engine waits for a stream"
        with refused("RESOURCE_EXHAUSTED", "ps-cma"):
            other.allocate(SIZE)
        process.send_signal(how)
        process.wait()
        while "100 MiB of memory, stopped axi_dma_from_pl_to_ps" not in server.next_line():
            pass
        assert other.read32(DMA_IN + S2MM_DMASR) & HALTED
        other("buffer.freebuffer", buffer_id=other.allocate(SIZE))


def test_an_engine_that_another_client_uses_since_goes_on(server) -> None:
    with client(server.port) as process, Remote(server.port) as other:
        process.stdout.readline()
        other.write32(DMA_IN + S2MM_DMACR, 1)
        process.kill()
        process.wait()
        while "100 MiB" not in (line := server.next_line()):
            pass
        assert "stopped" not in line
        assert not other.read32(DMA_IN + S2MM_DMASR) & HALTED


def test_a_lost_connection_can_come_back() -> None:
    with serving("--keep", "30s") as server:
        with Remote(server.port) as before:
            buffer = before.allocate(SIZE)
            before("buffer.write", [{"buffer_id": buffer, "data": b"kept"}])
            before("remote_device.writefile", [{"file_path": "/tmp/mine", "data": b"1"}])
        with Remote(server.port) as after:
            deadline = time.monotonic() + 20
            while True:  # until the server has seen that the other is gone
                try:
                    assert after.contents(buffer, end=4) == b"kept"
                    break
                except grpc.RpcError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            assert after("remote_device.existsfile", file_path="/tmp/mine").exists
        assert server.stop() == 0
        assert "released 100 MiB" in server.process.stderr.read()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_it_ends_when_it_is_told_to(how: signal.Signals) -> None:
    with serving() as server, Remote(server.port) as remote:
        remote.allocate(64)
        begun = time.monotonic()
        assert server.stop(how) == 0
        assert time.monotonic() - begun < 15  # two seconds, where nothing else runs
        assert "Traceback" not in server.process.stderr.read()
