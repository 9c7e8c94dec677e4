"""PYNQ's allocate as a source: a module shaped like pynq 2.7's buffer.py, without a device under it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gapless.errors import AllocationError
from gapless.memory import ChunkedPool, MemoryType
from gapless.memory.providers import Unavailable
from gapless.memory.providers.ps_cma import ps_cma


class PynqBuffer(np.ndarray):
    """As in pynq/buffer.py: views know their offset, and flush() passes it to the device (numpy 2 has ``device``)."""

    def __new__(cls, *args: Any, device: Any = None, device_address: int = 0, coherent: bool = False, **kwargs: Any):
        self = super().__new__(cls, *args, **kwargs)
        self._device, self.device_address, self.coherent, self.offset = device, device_address, coherent, 0
        return self

    def __array_finalize__(self, obj: Any) -> None:
        if isinstance(obj, PynqBuffer) and obj.coherent is not None:
            self.coherent, self._device = obj.coherent, obj._device
            self.offset = obj.offset + self.virtual_address - obj.virtual_address
            self.device_address = obj.device_address + self.offset - obj.offset
        else:
            self.device_address = self.coherent = None

    @property
    def virtual_address(self) -> int:
        return int(self.__array_interface__["data"][0])

    @property
    def physical_address(self) -> int:
        return self.device_address

    def flush(self) -> None:
        if not self.coherent:
            self._device.orders.append(("flush", self.physical_address, self.nbytes))

    def invalidate(self) -> None:
        if not self.coherent:
            self._device.orders.append(("invalidate", self.physical_address, self.nbytes))

    def freebuffer(self) -> None:
        self._device.live.remove(self.physical_address)


class Device:
    def __init__(self) -> None:
        self.orders: list[tuple[str, int, int]] = []
        self.live: list[int] = []
        self.coherent = False
        self.next = 0x6000_0000
        self.left = 1 << 20

    def allocate(self, shape: tuple[int, ...], dtype: str = "u4", target: object = None) -> PynqBuffer:
        (nbytes,) = shape
        if nbytes > self.left:
            raise RuntimeError("BO allocation failed: Cannot allocate memory")
        self.live.append(self.next)
        self.next += nbytes
        return PynqBuffer(shape, dtype, device=self, device_address=self.live[-1], coherent=self.coherent)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Device:
    made = Device()
    package = ModuleType("pynq")
    package.allocate = made.allocate  # type: ignore[attr-defined]
    package.__spec__ = type(sys.__spec__)("pynq", None)
    monkeypatch.setitem(sys.modules, "pynq", package)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("CmaTotal: 1024 kB\nCmaFree: 512 kB\n")
    return made


def opened(root: Path) -> ChunkedPool:
    found = ps_cma(None, root=root)
    assert isinstance(found, ChunkedPool), found
    return found


def test_its_buffers_are_ours(device: Device, tmp_path: Path) -> None:
    pool = opened(tmp_path)
    assert device.live == []
    assert (pool.memory_type, pool.sync_method) == (MemoryType.NORMAL_CACHED, "pynq: flush, invalidate")
    buffer, small = pool.allocate(10_000, np.uint8), pool.allocate(64, np.uint8)
    assert device.live == [buffer.physical_address]
    assert small.physical_address == device.live[0] + 10_048
    buffer.sync_to_device()
    buffer[100:300].sync_from_device()
    small.sync_from_device()
    at = device.live[0]
    assert device.orders == [("flush", at, 10_000), ("invalidate", at + 100, 200), ("invalidate", at + 10_048, 64)]
    buffer.free()
    assert device.live == [at]
    small.free()
    assert device.live == []
    assert pool.stats().free == 512 << 10


def test_uncached_buffers_need_no_flush(device: Device, tmp_path: Path) -> None:
    device.coherent = True
    pool = opened(tmp_path)
    assert (pool.memory_type, pool.coherent) == (MemoryType.WRITE_COMBINING, True)
    pool.allocate(100).sync_to_device()
    assert device.orders == []


def test_errors_say_what_pynq_does_not(device: Device, tmp_path: Path) -> None:
    pool = opened(tmp_path)
    with pytest.raises(AllocationError, match=r"asked 2 MiB in ps-cma: pynq.*BO allocation failed.*512 KiB free"):
        pool.allocate(2 << 20, np.uint8)
    with pytest.raises(AllocationError, match="takes no wishes"):
        pool.allocate(100, np.uint8, below=0x1000)
    assert device.live == []
    device.left = 0
    found = ps_cma(None, root=tmp_path)
    assert isinstance(found, Unavailable)
    assert "pynq cannot allocate: BO allocation failed" in found.reason
