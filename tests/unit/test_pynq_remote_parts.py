"""The parts of gapless serve --pynq-remote that need neither gRPC nor a board."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import bitstreams
from gapless.boards import handoff
from gapless.compat.pynq_remote.client import Client, Clients
from gapless.compat.pynq_remote.connections import client_address, connections
from gapless.compat.pynq_remote.designs import Designs
from gapless.compat.pynq_remote.device import RemoteDevice
from gapless.compat.pynq_remote.files import Files
from gapless.compat.pynq_remote.identity import identity
from gapless.errors import AccessDeniedError, AllocationError, BadArgumentError, UnknownNameError

HANDOFF = Path(handoff.__file__).parent / "designs" / "pynq_tutorial.hwh"

#: As a kernel prints it: a socket that listens on port 7967, both ends of a connection on loopback, one that ended.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F1F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 640 1 000000003e4dc048 100 0 0 10 0
   1: 0100007F:1F1F 0100007F:C2A4 01 00000000:00000000 00:00000000 00000000  0  0 641 1 000000003e4dc049 20 4 30 10 -1
   2: 0100007F:C2A4 0100007F:1F1F 01 00000000:00000000 00:00000000 00000000  0  0 642 1 000000003e4dc04a 20 4 30 10 -1
   3: 0100007F:1F1F 0100007F:C2A5 08 00000000:00000000 00:00000000 00000000  0  0 643 1 000000003e4dc04b 20 4 30 10 -1
   4: 0100007F:0016 0100007F:C2A6 01 00000000:00000000 00:00000000 00000000  0  0 644 1 000000003e4dc04c 20 4 30 10 -1
"""
#: ::1, and 127.0.0.1 at a socket for IPv6.
TCP6 = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:1F1F 00000000000000000000000001000000:0001 01 0:0 00:0 0 0 0 7 1 0 20 4 30 10 -1
   1: 0000000000000000FFFF00000100007F:1F1F 0000000000000000FFFF00000100007F:0002 01 0:0 00:0 0 0 0 8 1 0 20 4 30 10 -1
"""


def test_connections(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    assert connections(7967, tmp_path) is None
    (tmp_path / "proc/net/tcp").write_text(TCP)
    (tmp_path / "proc/net/tcp6").write_text(TCP6)
    assert connections(7967, tmp_path) == {"127.0.0.1:49828": "641", "::1:1": "7", "127.0.0.1:2": "8"}


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:49828", "127.0.0.1:49828"),
        ("ipv6:%5B::1%5D:1", "::1:1"),
        ("ipv6:%5Bfe80::1%25eth0%5D:7", "fe80::1:7"),
        ("ipv6:[::ffff:127.0.0.1]:2", "127.0.0.1:2"),
    ],
)
def test_what_grpc_calls_a_peer(peer: str, address: str) -> None:
    assert client_address(peer) == address


def test_a_client_is_gone_when_its_connection_is() -> None:
    board = SimpleNamespace(spec=SimpleNamespace(dmas=(), zdmas=(), iops=()), zdma=())
    said: list[str] = []
    clients = Clients(board, 5.0, said.append)
    for address in ("host:1", "host:2", "host:3"):
        clients.of(address, lambda: {"host:1": "11", "host:2": "22"})
    clients.look_after(100.0, {"host:1": "11", "host:2": "99"})  # the second port has another client by now
    clients.look_after(104.0, {"host:1": "11", "host:2": "99"})
    clients.of("host:3", dict)  # nobody knows its connection, but it calls
    clients.look_after(105.0, {"host:1": "11"})
    assert said == ["host:2 is gone"]
    clients.look_after(110.0, {"host:1": "11"})
    assert said == ["host:2 is gone", "host:3 is gone"]
    assert len(clients) == 1


def design(folder: Path, name: str, payload: bytes | None) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.hwh"
    shutil.copy(HANDOFF, file)
    if payload is not None:
        file.with_suffix(".bit").write_bytes(bitstreams.bit(payload))
    return file


def board(handoff: Path | None = None) -> SimpleNamespace:
    return SimpleNamespace(spec=SimpleNamespace(name="pynq-z2", handoff=handoff))


def test_which_design_a_bitstream_is(tmp_path: Path) -> None:
    payload, other = bitstreams.words(frames=16), bitstreams.words(frames=32)
    with_bit = design(tmp_path / "a", "with_bit", payload)
    without = design(tmp_path / "b", "without", None)
    designs = Designs([with_bit.with_suffix(".bit"), tmp_path / "b"])
    sent = bitstreams.swapped(payload)  # as PYNQ makes a .bin of a .bit
    assert designs.find(board(), "with_bit.bin", sent) == with_bit.with_suffix(".bit")
    assert designs.find(board(), "renamed.bin", sent) == with_bit.with_suffix(".bit")
    assert designs.find(board(), "without.bin", b"anything") == without
    with pytest.raises(BadArgumentError, match=r"is not the with_bit\.bit beside"):
        designs.find(board(), "with_bit.bin", bitstreams.swapped(other))
    opened = design(tmp_path / "c", "opened", None)
    assert designs.find(board(opened), "opened.bin", b"") == opened
    assert designs.find(board(opened), "dma_loopback.bin", b"") == Path("dma_loopback")
    with pytest.raises(UnknownNameError, match=r"with_bit, without, pynq_tutorial.* what --design gives it"):
        designs.find(board(opened), "unknown.bin", b"")
    assert designs.find(board(HANDOFF), "pynq_tutorial.bin", b"") == Path("pynq_tutorial")


def test_designs_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bad.hwh").write_text("<EDKSYSTEM>")
    for path in (tmp_path / "missing.hwh", tmp_path / "bad.hwh", tmp_path):
        with pytest.raises(BadArgumentError):
            Designs([path])


def test_files_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gapless.compat.pynq_remote.files._MOST_BYTES", 100)
    monkeypatch.setattr("gapless.compat.pynq_remote.files._MOST_FILES", 3)
    files = Files()
    files.write("/tmp/a", bytes(60))
    files.write("/tmp/a", bytes(90))  # in the place of the first
    with pytest.raises(AllocationError, match="100 B"):
        files.write("/tmp/b", bytes(11))
    files.write("/tmp/b", bytes(10))
    files.write("/tmp/c", b"")
    with pytest.raises(AllocationError, match="3 files"):
        files.write("/tmp/d", b"")
    assert [files.exists(f"/tmp/{name}") for name in "abcd"] == [True, True, True, False]
    files.remove("/tmp/a")
    assert files.read("/tmp/a") is None
    for path in ("/etc/passwd", "/tmp", "/tmp/../root/.ssh/authorized_keys", "//lib/firmware/../../etc/x", "/tmpx/a"):
        with pytest.raises(AccessDeniedError):
            files.write(path, b"")
    for path in ("", "a", "/tmp/\0", "/" + 2000 * "x"):
        with pytest.raises(BadArgumentError):
            files.write(path, b"")


async def stream(path: str, data: bytes) -> AsyncIterator[SimpleNamespace]:
    yield SimpleNamespace(file_path=path, data=data)


def test_nobody_touches_registers_while_a_real_board_loads() -> None:
    """Also when the client that has it load is gone."""
    begun, go_on = threading.Event(), threading.Event()

    def load(path: Path, *, partial: bool) -> None:
        begun.set()
        assert go_on.wait(20)

    async def session() -> None:
        await device.writefile(client, stream("/lib/firmware/a.bin", b"frames"))
        call = asyncio.ensure_future(
            device.writefile(client, stream("/sys/class/fpga_manager/fpga0/firmware", b"a.bin"))
        )
        await asyncio.to_thread(begun.wait, 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert turn.locked()
        go_on.set()
        await asyncio.wait_for(turn.acquire(), 20)

    board = SimpleNamespace(probe=None, load=load, spec=SimpleNamespace(zdmas=()))
    turn = asyncio.Lock()
    device, client = RemoteDevice(board, Clients(board, 5.0, print), Designs(), turn), Client("host:1")
    asyncio.run(session())


def test_a_real_board_loads_what_was_sent() -> None:
    """Written by the files of Linux's FPGA manager; the file that the board is given is there only meanwhile."""
    loaded = []

    def load(path: Path, *, partial: bool) -> None:
        assert turn.locked(), "registers can be reached while there is no design"
        loaded.append((path, path.read_bytes(), partial))

    async def session() -> None:
        manager = "/sys/class/fpga_manager/fpga0"
        await device.writefile(client, stream("/lib/firmware/a.bin", b"frames"))
        await device.writefile(client, stream(f"{manager}/flags", b"1"))
        await device.writefile(client, stream(f"{manager}/firmware", b"a.bin\n"))
        with pytest.raises(UnknownNameError, match=r"a\.bin"):  # it was loaded, and is not there any more
            await device.writefile(client, stream(f"{manager}/firmware", b"a.bin"))

    board = SimpleNamespace(probe=None, load=load, spec=SimpleNamespace(zdmas=()))
    turn = asyncio.Lock()
    device = RemoteDevice(board, Clients(board, 5.0, print), Designs(), turn)
    client = Client("host:1")
    asyncio.run(session())
    ((path, data, partial),) = loaded
    assert (path.name, data, partial) == ("a.bin", b"frames", True)
    assert not path.exists()
    assert not turn.locked()


def test_a_real_board_is_who_its_machine_is(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree/chosen").mkdir(parents=True)
    (tmp_path / "proc/version").write_text("Linux version 6.6 (aarch64)")
    (tmp_path / "proc/device-tree/chosen/pynq_board").write_bytes(b"ZCU104\0")
    found = identity(SimpleNamespace(probe=None), tmp_path)
    assert found == {
        "/proc/version": b"Linux version 6.6 (aarch64)",
        "/proc/device-tree/chosen/pynq_board": b"ZCU104\0",
    }
