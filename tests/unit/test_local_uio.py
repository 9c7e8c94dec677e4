"""UIO devices: found in sysfs, mapped, waited for."""

import asyncio
import mmap
import os
import threading
import time

import numpy as np
import pytest
from fake_uio import FakeUio
from local_tree import add_uio

from gapless._native import MmioBus
from gapless.errors import AccessDeniedError, BadArgumentError, BusAccessError, UnknownNameError
from gapless.local import Uio, UioDevice, find_uio, uio_devices

SOON = 10.0
PAGE = mmap.PAGESIZE


@pytest.fixture
def root(tmp_path):
    add_uio(tmp_path, 10, "dma", (0xA000_0000, PAGE, 0))
    add_uio(tmp_path, 2, "fabric", (0xF_FFFF_0000, 2 * PAGE, 0), (0xB000_0000, PAGE, 0x100))
    return tmp_path


@pytest.fixture
def line(monkeypatch):
    """An open Uio whose descriptor is that of a fake device."""
    with FakeUio() as device:
        monkeypatch.setattr(os, "open", lambda *_args: os.dup(device.fileno()))
        uio = Uio(UioDevice("uio0", "dma", ()))
        monkeypatch.undo()
        os.set_blocking(uio.fileno(), False)
        yield uio, device
        uio.close()


def test_devices_are_described_in_order(root):
    first, second = uio_devices(root)
    assert (first.node, first.name, second.node, second.name) == ("uio2", "fabric", "uio10", "dma")
    assert [(part.index, part.base, part.size) for part in first.maps] == [
        (0, 0xF_FFFF_0000, 2 * PAGE),
        (1, 0xB000_0100, PAGE - 0x100),
    ]


def test_a_map_of_an_old_kernel_gives_the_address_itself(tmp_path):
    add_uio(tmp_path, 0, "old", (0xB000_0100, 0x40, 0x100))
    (part,) = uio_devices(tmp_path)[0].maps
    assert (part.base, part.size, part.offset) == (0xB000_0100, 0x40, 0x100)


def test_a_machine_without_uio_has_no_device(tmp_path):
    assert uio_devices(tmp_path) == ()
    with pytest.raises(UnknownNameError, match="no UIO device 'dma': there is none"):
        find_uio("dma", tmp_path)


def test_a_device_is_found_by_name_and_by_node(root):
    assert find_uio("dma", root) == find_uio("uio10", root)
    with pytest.raises(UnknownNameError, match=r"no UIO device 'adc': there is uio2 \(fabric\), uio10 \(dma\)"):
        find_uio("adc", root)


def test_a_name_that_two_devices_have_is_refused(root):
    add_uio(root, 3, "dma")
    with pytest.raises(BadArgumentError, match="uio3, uio10 are called so; name the node"):
        find_uio("dma", root)


@pytest.mark.parametrize(("base", "size", "index"), [(0xA000_0000, PAGE, 0), (0xA000_0FFC, 4, 0)])
def test_a_map_that_covers_a_range_is_found(root, base, size, index):
    assert find_uio("dma", root).covering(base, size).index == index


@pytest.mark.parametrize(("base", "size"), [(0xA000_0000, PAGE + 1), (0x9FFF_FFFF, 2), (0xB000_0000, 4)])
def test_a_map_that_covers_a_part_of_a_range_is_not(root, base, size):
    assert find_uio("dma", root).covering(base, size) is None


def test_a_map_is_at_its_page_and_offset(root):
    content = np.arange(3 * PAGE // 4, dtype=np.uint32)
    (root / "dev/uio2").write_bytes(content.tobytes())
    with Uio("fabric", root) as uio:
        window = uio.map(1)
    bus = MmioBus()
    bus.add_window(*window)
    assert bus.read32(0xB000_0100) == (PAGE + 0x100) // 4
    bus.write32(0xB000_0104, 0xDEAD_BEEF)
    changed = np.fromfile(root / "dev/uio2", np.uint32)
    assert changed[(PAGE + 0x104) // 4] == 0xDEAD_BEEF
    with pytest.raises(BusAccessError):
        bus.read32(0xB000_0000)


def test_an_unknown_map_names_those_there_are(root):
    with Uio("fabric", root) as uio, pytest.raises(UnknownNameError, match=r"no map of uio2 .* 2: there is 0, 1"):
        uio.map(2)


def test_without_the_right_the_error_gives_a_udev_rule(root, monkeypatch):
    def refused(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(
        AccessDeniedError, match=r'uio10 \(dma\).*udev rule: KERNEL=="uio\*", GROUP="gapless", MODE="0660"'
    ):
        Uio("dma", root)


def test_close_twice(root):
    uio = Uio("dma", root)
    uio.close()
    uio.close()


# ---- interrupts ------------------------------------------------------------------------------------


def test_wait_tells_the_level_and_not_the_past(line):
    uio, device = line
    assert uio.has_interrupt
    device.set(True)
    assert uio.wait(SOON)
    assert uio.wait(SOON)
    device.set(False)
    assert not uio.wait(0.02)
    assert device.written == [1, 1, 1]


def test_a_line_that_rises_ends_a_wait(line):
    uio, device = line
    threading.Timer(0.03, device.set, (True,)).start()
    before = time.monotonic()
    assert uio.wait(SOON)
    assert time.monotonic() - before < SOON / 2


def test_a_device_that_is_gone(line):
    uio, device = line
    device.break_off()
    with pytest.raises(BusAccessError, match=r"uio0 \(dma\)"):
        uio.wait(SOON)


def test_asyncio_waits_of_two_tasks_and_a_timeout(line):
    uio, device = line

    async def program() -> tuple[list[bool], bool, bool]:
        assert not await uio.wait_async(0.01)
        rise = asyncio.get_running_loop().call_later(0.03, device.set, True)
        both = await asyncio.gather(uio.wait_async(SOON), uio.wait_async(SOON))
        again = await uio.wait_async(SOON)
        device.set(False)
        rise.cancel()
        return both, again, await uio.wait_async(0.02)

    before = time.monotonic()
    assert asyncio.run(program()) == ([True, True], True, False)
    assert time.monotonic() - before < SOON / 2


def test_an_asyncio_wait_that_times_out_leaves_the_other(line):
    uio, device = line

    async def program() -> tuple[bool, bool]:
        long = asyncio.ensure_future(uio.wait_async(SOON))
        short = await uio.wait_async(0.02)
        device.set(True)
        return short, await long

    assert asyncio.run(program()) == (False, True)
