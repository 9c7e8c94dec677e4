"""The machine is the one the other tests assume, and the aarch64 package works on it."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import gapless

LOW = range(0x0, 0x7FF0_0000)
HIGH = range(0x8_0000_0000, 0x8_8000_0000)


def system_ram() -> list[tuple[int, int]]:
    """First and last address of each range that Linux manages."""
    ranges = []
    for line in Path("/proc/iomem").read_text().splitlines():
        addresses, _, name = line.strip().partition(" : ")
        if name == "System RAM":
            first, last = (int(text, 16) for text in addresses.split("-"))
            ranges.append((first, last))
    return ranges


@pytest.mark.claim("the wheel for aarch64 imports")
def test_the_wheel_is_what_runs() -> None:
    assert platform.machine() == "aarch64"
    assert Path(gapless.__file__).is_relative_to("/job/site")
    assert gapless.__version__ == version("gapless")


@pytest.mark.claim("Linux manages 4 GB of the 34, and nothing above")
def test_linux_leaves_the_upper_30_gigabytes_alone() -> None:
    ranges = system_ram()
    print(ranges)
    assert sum(last + 1 - first for first, last in ranges) > 3 << 30
    for first, last in ranges:
        assert (first in LOW and last in LOW) or (first in HIGH and last in HIGH), hex(first)


@pytest.mark.claim("huge pages of 2 MB and 1 GB are set aside")
@pytest.mark.parametrize(("size", "least"), [("2048kB", 64), ("1048576kB", 1)])
def test_huge_pages_are_set_aside(size: str, least: int) -> None:
    pages = Path(f"/sys/kernel/mm/hugepages/hugepages-{size}/free_hugepages")
    assert int(pages.read_text()) >= least


@pytest.mark.claim("the device tree names the board, the carve-out and the PL's memory")
def test_the_device_tree_is_ours() -> None:
    tree = Path("/proc/device-tree")
    assert b"xlnx,zynqmp" in (tree / "compatible").read_bytes()
    cells = np.frombuffer((tree / "reserved-memory/carveout@880000000/reg").read_bytes(), ">u8")
    assert cells.tolist() == [0x8_8000_0000, 28 << 30]
    assert (tree / "amba_pl/memory@f80000000/label").read_bytes() == b"pl-ddr\0"


@pytest.mark.claim("a virtual board plays a tone without a gap on aarch64")
def test_the_native_core_plays_a_tone() -> None:
    with gapless.open("virtual:zcu111") as board:
        signal = np.tile(np.array([0, 20_000, 0, -20_000], np.int16), 25_000)
        report = board.dac(0).play(signal, rate=1.024e9)
        assert report.complete, report.ledger.gaps
        assert report.ledger.samples == signal.size
        assert not board.findings


@pytest.mark.claim("the command line runs")
def test_the_command_line_answers() -> None:
    done = subprocess.run([sys.executable, "-m", "gapless.cli", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "memory" in done.stdout
