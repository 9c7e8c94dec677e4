"""PYNQ 4.0.0 itself, unmodified, as a client of gapless serve --pynq-remote.

PYNQ's clients go to port 7967 whatever happens: each server here has a loopback address of its own.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from gapless.boards import handoff
from gapless.compat.pynq_remote.messages import describe
from gapless.compat.pynq_remote.protocol import BUFFER, DEVICE, GPIO, MMIO
from pynq_remote_client import serving
from unit import bitstreams

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).with_name("pynq_remote_scripts")
DESIGNS = Path(handoff.__file__).parent / "designs"
PORT = 7967


@pytest.fixture(scope="module")
def pynq() -> Path:
    """The interpreter of an environment with PYNQ 4.0.0."""
    maker = ROOT / "scripts" / "pynq_venv.py"
    made = subprocess.run([sys.executable, maker, "4.0.0"], capture_output=True, text=True, check=False)
    if made.returncode:
        reason = f"no PYNQ 4.0.0: {made.stderr.strip().splitlines()[-1]}"
        if os.environ.get("GAPLESS_REQUIRE_PYNQ") == "1":
            pytest.fail(f"GAPLESS_REQUIRE_PYNQ=1: {reason}")
        pytest.skip(reason)
    return Path(made.stdout.strip())


@pytest.fixture
def address() -> str:
    """A loopback address whose port of PYNQ's nobody uses."""
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with socket.socket() as attempt:
            if attempt.connect_ex((host, PORT)):
                return host


def run(pynq: Path, address: str, folder: Path, *arguments: str | Path) -> list[str]:
    """What a client prints; it has to end well. PYNQ writes its state below its home."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GAPLESS"))}
    environment |= {"PYNQ_REMOTE_DEVICES": address, "HOME": str(folder)}
    ended = subprocess.run(
        [pynq, *arguments], capture_output=True, text=True, check=False, env=environment, cwd=folder, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


@contextmanager
def board(address: str, *options: str | Path) -> Iterator[None]:
    with serving("--bind", f"{address}:{PORT}", *map(str, options)) as server:
        yield
        assert server.stop() == 0
        assert "warning" not in server.process.stderr.read()


def design(folder: Path, handoff: Path, *, part: str = "xc7z020clg400-1", idcode: int = 0x0372_7093) -> Path:
    """A .bit beside a copy of a hand-off, as Vivado leaves them."""
    folder.mkdir()
    shutil.copy(handoff, folder)
    data = bitstreams.bit(bitstreams.words(idcode=idcode), design=f"{handoff.stem}_wrapper", part=part)
    bit = folder / f"{handoff.stem}.bit"
    bit.write_bytes(data)
    return bit


def test_the_table_of_calls_is_pynqs(pynq: Path, tmp_path: Path) -> None:
    theirs = dict(line.split() for line in run(pynq, "", tmp_path, SCRIPTS / "descriptors.py"))
    for table in (MMIO, BUFFER, GPIO, DEVICE):
        file = descriptor_pb2.FileDescriptorProto.FromString(bytes.fromhex(theirs[table.package]))
        for method in file.service[0].method:
            method.ClearField("options")  # there, and empty
        assert describe(table) == file


def passed(lines: Sequence[str]) -> int:
    """How many checks of the self-test did; none may have failed."""
    (summary,) = (line for line in lines if "summary:" in line)
    assert " 0 failed" in summary, "\n".join(lines)
    return int(summary.split()[1])


def test_self_test(pynq: Path, address: str, tmp_path: Path) -> None:
    with board(address):
        lines = run(pynq, address, tmp_path, "-m", "pynq.remote.selftest", "--ip", address)
    assert passed(lines) == 9


def test_self_test_with_a_design(pynq: Path, address: str, tmp_path: Path) -> None:
    bit = design(tmp_path / "design", DESIGNS / "pynq_tutorial.hwh")
    with board(address, "--board", "virtual:pynq-z2"):
        lines = run(pynq, address, tmp_path, "-m", "pynq.remote.selftest", "--ip", address, "--bitstream", bit)
    assert passed(lines) == 11
    assert any("leds_gpio@0x41210000: wrote 0x5, read 0x5" in line for line in lines)


def test_dma_loopback(pynq: Path, address: str, tmp_path: Path) -> None:
    bit = design(tmp_path / "design", DESIGNS / "dma_loopback.hwh")
    engines, sizes = ("axi_dma_direct", "axi_dma_sg"), (4, 64, 4096, 1 << 20)
    with board(address):
        arguments = (bit, ",".join(engines), ",".join(map(str, sizes)))
        lines = run(pynq, address, tmp_path, SCRIPTS / "dma_loopback.py", *arguments)
    assert lines == [f"{name} {size} {size} True" for name in engines for size in sizes]
