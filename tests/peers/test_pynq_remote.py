"""PYNQ 4.0.0 itself, unmodified, as a client of gapless serve --pynq-remote.

PYNQ's clients go to port 7967 whatever happens: each server here has a loopback address of its own.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

import bitstreams
from gapless.boards import handoff
from gapless.compat.pynq_remote.messages import describe
from gapless.compat.pynq_remote.protocol import BUFFER, DEVICE, GPIO, MMIO
from pynq_remote_client import serving

from . import real_handoffs

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).with_name("pynq_remote_scripts")
DESIGNS = Path(handoff.__file__).parent / "designs"
PORT = 7967
#: UG470 and UG570, "Device ID", of an XC7Z020 and an XCZU7EV.
IDCODES = {"xc7z0": 0x0372_7093, "xczu7": 0x0473_0093}


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
        said = server.process.stderr.read().splitlines()
        assert [line for line in said if " is gone" not in line and " no model of " not in line] == []


def design(folder: Path, handoff: Path, *, edit: tuple[str, str] = ("", ""), part: str = "xc7z020clg400-1") -> Path:
    """A .bit beside a copy of a hand-off, as Vivado leaves them; of its text ``edit`` replaces one place."""
    folder.mkdir()
    (folder / "design.hwh").write_text(handoff.read_text().replace(*edit, 1))
    bit = folder / "design.bit"
    bit.write_bytes(bitstreams.bit(bitstreams.words(idcode=IDCODES[part[:5]]), design="design_wrapper", part=part))
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
    """The test reads back what it writes to LEDs: their core has to have outputs only, as in PYNQ's base designs."""
    width = '<PARAMETER NAME="C_GPIO_WIDTH" VALUE="4" />\n        <PARAMETER NAME="C_IS_DUAL" VALUE="0" />'
    text = (DESIGNS / "pynq_tutorial.hwh").read_text()
    leds = text[text.index('FULLNAME="/leds_gpio"') :]
    leds = leds[: leds.index(width) + len(width)]
    edit = (leds, leds + '<PARAMETER NAME="C_ALL_OUTPUTS" VALUE="1" />')
    bit = design(tmp_path / "design", DESIGNS / "pynq_tutorial.hwh", edit=edit)
    with board(address, "--design", bit):
        lines = run(pynq, address, tmp_path, "-m", "pynq.remote.selftest", "--ip", address, "--bitstream", bit)
    assert passed(lines) == 11
    assert any("leds_gpio@0x41210000: wrote 0x5, read 0x5" in line for line in lines)


def test_self_test_with_pynqs_own_design(pynq: Path, address: str, tmp_path: Path) -> None:
    bit = design(tmp_path / "design", real_handoffs.folder() / "zcu104-base.hwh", part="xczu7ev-ffvc1156-2-e")
    with board(address, "--board", f"virtual:{bit.with_suffix('.hwh')}"):
        # What it parsed PYNQ keeps by pickling, which for a large design goes deeper than Python lets it.
        deep = "import sys; sys.setrecursionlimit(10_000); from pynq.remote.selftest import main; sys.exit(main())"
        lines = run(pynq, address, tmp_path, "-c", deep, "--ip", address, "--bitstream", bit)
    assert passed(lines) == 11
    assert any("gpio_leds@0x80046000: wrote 0x5, read 0x5" in line for line in lines)


def test_dma_loopback(pynq: Path, address: str, tmp_path: Path) -> None:
    bit = design(tmp_path / "design", DESIGNS / "dma_loopback.hwh")
    transfers = [f"axi_dma_direct:{size}" for size in (1, 3, 4097, (1 << 20) + 5)]
    transfers += [f"axi_dma_sg:{size}" for size in (8, 4097, (1 << 20) + 5)]
    with board(address, "--design", bit):
        lines = run(pynq, address, tmp_path, SCRIPTS / "dma_loopback.py", bit, *transfers)
    assert lines == [f"{transfer.replace(':', ' ')} True" for transfer in transfers]
