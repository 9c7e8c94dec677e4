"""u-dma-buf on made-up devices: files for the memory and for sysfs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gapless.memory import MemoryType, RangePool
from gapless.memory.providers import Unavailable
from gapless.memory.providers.ps_cma import ps_cma
from gapless.memory.providers.u_dma_buf import u_dma_buf

PAGE = os.sysconf("SC_PAGE_SIZE")


def device(root: Path, name: str, size: int, base: int, **more: str) -> Path:
    directory = root / "sys/class/u-dma-buf" / name
    directory.mkdir(parents=True)
    files = {"size": f"{size}", "phys_addr": f"0x{base:016x}", "sync_for_cpu": "0", "sync_for_device": "0", **more}
    for file, text in files.items():
        (directory / file).write_text(f"{text}\n")
    (root / "dev").mkdir(exist_ok=True)
    with (root / "dev" / name).open("wb") as memory:
        memory.truncate(-(-size // PAGE) * PAGE)
    return directory


def opened(root: Path) -> RangePool:
    found = ps_cma(None, root=root)
    assert isinstance(found, RangePool), found
    return found


def test_the_largest_is_a_pool_at_its_address(tmp_path: Path) -> None:
    device(tmp_path, "udmabuf0", PAGE, 0x100_0000)
    device(tmp_path, "udmabuf1", 20 * PAGE + 100, 0x8_7000_0000)
    pool = opened(tmp_path)
    assert (pool.name, pool.base, pool.size) == ("ps-cma", 0x8_7000_0000, 20 * PAGE + 64)
    assert (pool.memory_type, pool.coherent) == (MemoryType.NORMAL_CACHED, False)
    first, second = pool.allocate(100, np.uint8), pool.allocate(PAGE, np.uint8)
    first.fill(1)
    second.fill(2)
    memory = (tmp_path / "dev/udmabuf1").read_bytes()
    for buffer, value in ((first, 1), (second, 2)):
        offset = buffer.physical_address - pool.base
        assert memory[offset : offset + buffer.nbytes] == bytes([value]) * buffer.nbytes
    assert (tmp_path / "dev/udmabuf0").read_bytes() == bytes(PAGE)


def test_what_is_written_to_the_sync_files(tmp_path: Path) -> None:
    directory = device(tmp_path, "udmabuf0", 4 * PAGE, 0x100_0000)
    for file in ("sync_for_cpu", "sync_for_device"):
        (directory / file).write_bytes(b"")
    pool = opened(tmp_path)
    assert pool.sync_method == "sync_for_cpu, sync_for_device"
    pool.allocate(64, np.uint8)
    held = pool.allocate(64, np.uint8)
    buffer = pool.allocate(1000, np.uint8)
    offset = buffer.physical_address - pool.base
    del held
    buffer.sync_to_device()
    # Offset and size in whole lines, DMA_BIDIRECTIONAL (0), and the order itself.
    assert (directory / "sync_for_device").read_text() == f"0x{offset:08X}{1024 | 1:08X}"
    buffer[5:5].sync_from_device()
    assert (directory / "sync_for_cpu").read_text() == ""
    for part, first, size in ((slice(70, 71), 64, 64), (slice(60, 70), 0, 128)):
        buffer[part].sync_from_device()
        assert (directory / "sync_for_cpu").read_text() == f"0x{offset + first:08X}{size | 1:08X}"


def test_a_coherent_one_needs_no_sync(tmp_path: Path) -> None:
    directory = device(tmp_path, "udmabuf0", PAGE, 0x100_0000, dma_coherent="1")
    pool = opened(tmp_path)
    assert pool.coherent
    pool.allocate(64, np.uint8).sync_to_device()
    assert (directory / "sync_for_device").read_text() == "0\n"


def test_why_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = u_dma_buf(root=tmp_path, claims=None)
    assert isinstance(found, Unavailable)
    assert "insmod" in found.fix
    device(tmp_path, "udmabuf0", PAGE, 0x100_0000)
    (tmp_path / "dev/udmabuf0").unlink()
    found = u_dma_buf(root=tmp_path, claims=None)
    assert isinstance(found, Unavailable)
    assert "No such file" in found.reason

    def refuse(*_args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    found = u_dma_buf(root=tmp_path, claims=None)
    assert isinstance(found, Unavailable)
    assert 'KERNEL=="udmabuf[0-9]*"' in found.fix
