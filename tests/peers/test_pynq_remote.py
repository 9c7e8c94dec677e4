"""PYNQ 4.0.0 itself, unmodified, as a client of gapless serve --pynq-remote.

PYNQ's clients go to port 7967 whatever happens: each server here has a loopback address of its own.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

import bitstreams
from gapless.boards import handoff
from gapless.compat.pynq_remote.messages import describe
from gapless.compat.pynq_remote.protocol import BUFFER, DEVICE, GPIO, MMIO
from pynq_remote_client import serving

from . import real_handoffs
from .pynq_venvs import Venv, ours, venv

SCRIPTS = Path(__file__).with_name("pynq_remote_scripts")
EXAMPLE = Path(__file__).parents[2] / "examples" / "pynq_dma_loopback.py"
DESIGNS = Path(handoff.__file__).parent / "designs"
PORT = 7967
#: UG470 and UG570, "Device ID", of an XC7Z020 and an XCZU7EV.
IDCODES = {"xc7z0": 0x0372_7093, "xczu7": 0x0473_0093}


@pytest.fixture(scope="module")
def pynq(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    return venv("4.0.0", tmp_path_factory.mktemp("site"))


@pytest.fixture
def address() -> str:
    """A loopback address whose port of PYNQ's nobody uses."""
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with socket.socket() as attempt:
            if attempt.connect_ex((host, PORT)):
                return host


def run(pynq: Venv, address: str, folder: Path, *arguments: str | Path) -> list[str]:
    """What a client prints, which knows nothing of gapless; it has to end well."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GAPLESS"))}
    client = replace(pynq, environment=environment | {"PYNQ_REMOTE_DEVICES": address})
    ended = client.run(*map(str, arguments), cwd=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


@contextmanager
def board(address: str, *options: str | Path) -> Iterator[None]:
    with serving("--bind", f"{address}:{PORT}", *map(str, options)) as server:
        yield
        assert server.stop() == 0
        said = server.process.stderr.read().splitlines()
        assert [line for line in said if " is gone" not in line and " no model of " not in line] == []


def design(folder: Path, handoff: Path, *, part: str = "xc7z020clg400-1") -> Path:
    """A .bit beside a copy of a hand-off, as Vivado leaves them."""
    folder.mkdir()
    shutil.copy(handoff, folder / "design.hwh")
    bit = folder / "design.bit"
    bit.write_bytes(bitstreams.bit(bitstreams.words(idcode=IDCODES[part[:5]]), design="design_wrapper", part=part))
    return bit


def test_the_table_of_calls_is_pynqs(pynq: Venv, tmp_path: Path) -> None:
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


def test_self_test(pynq: Venv, address: str, tmp_path: Path) -> None:
    with board(address):
        lines = run(pynq, address, tmp_path, "-m", "pynq.remote.selftest", "--ip", address)
    assert passed(lines) == 9


def test_self_test_with_a_design(pynq: Venv, address: str, tmp_path: Path) -> None:
    """The board has another one at first."""
    bit = design(tmp_path / "design", DESIGNS / "dma_loopback.hwh")
    with board(address, "--board", "virtual:pynq-z2", "--design", bit):
        lines = run(pynq, address, tmp_path, "-m", "pynq.remote.selftest", "--ip", address, "--bitstream", bit)
    assert passed(lines) == 11
    assert any("leds_gpio@0x41210000: wrote 0x5, read 0x5" in line for line in lines)


def test_self_test_with_pynqs_own_design(pynq: Venv, address: str, tmp_path: Path) -> None:
    bit = design(tmp_path / "design", real_handoffs.folder() / "zcu104-base.hwh", part="xczu7ev-ffvc1156-2-e")
    with board(address, "--board", f"virtual:{bit.with_suffix('.hwh')}"):
        # What it parsed PYNQ keeps by pickling, which for a large design goes deeper than Python lets it.
        deep = "import sys; sys.setrecursionlimit(10_000); from pynq.remote.selftest import main; sys.exit(main())"
        lines = run(pynq, address, tmp_path, "-c", deep, "--ip", address, "--bitstream", bit)
    assert passed(lines) == 11
    assert any("gpio_leds@0x80046000: wrote 0x5, read 0x5" in line for line in lines)


#: The example uses PYNQ's drivers, and this one of ours the engine's own descriptors: of any length, as no driver of
#: PYNQ's does.
LOOPBACKS = {
    "drivers": (EXAMPLE, [], 20, 1 << 26),
    "descriptors": (SCRIPTS / "dma_loopback.py", ["1", "3", "4097"], 6, 4097),
}


@pytest.mark.parametrize(("script", "sizes", "transfers", "largest"), LOOPBACKS.values(), ids=LOOPBACKS)
def test_dma_loopback_three_ways(
    pynq: Venv, address: str, tmp_path: Path, script: Path, sizes: list[str], transfers: int, largest: int
) -> None:
    """On our names, with PYNQ on a virtual board in its own process, and through PYNQ.remote: the same lines."""
    uri = "virtual:dma_loopback?cma=256MiB"
    bit = design(tmp_path / "design", DESIGNS / "dma_loopback.hwh")
    printed = []
    for here in (ours(), pynq):
        ended = replace(here, environment={**here.environment, "GAPLESS_BOARD": uri}).script(
            script, str(bit), *sizes, cwd=tmp_path
        )
        assert ended.returncode == 0, ended.stderr
        printed.append(ended.stdout.splitlines())
    with board(address, "--board", f"{uri}&clock=wall", "--design", bit):
        printed.append(run(pynq, address, tmp_path, script, bit, *sizes))
    assert printed[0] == printed[1] == printed[2]
    assert len(printed[2]) == transfers
    assert all("equal" in line for line in printed[2])
    for name in ("axi_dma_direct", "axi_dma_sg"):
        assert sum(line.startswith(f"{name} ") for line in printed[2]) >= 3
        assert any(line.startswith(f"{name} {largest}: ") for line in printed[2])
