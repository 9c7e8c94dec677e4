"""Registers by UIO or /dev/mem, and what is said when there is no way."""

import errno
import mmap
import os

import pytest
from local_tree import add_mem, add_uio, make_tree

from gapless._native import MmioBus
from gapless.boards.zcu111 import zcu111
from gapless.errors import AccessDeniedError, AddressError, UnsupportedError
from gapless.local.registers import Needed, Registers, needed_windows

BASE = 0xA000_0000
DMA = Needed("dma_dac0", BASE)


def bus_of(registers: Registers, needed: Needed = DMA) -> MmioBus:
    bus = MmioBus()
    bus.add_window(*registers.map(needed))
    return bus


def refuse(monkeypatch, where, number):
    """Make ``os.open`` or ``mmap.mmap`` fail for /dev/mem, and leave the rest."""
    module, name = where
    real = getattr(module, name)

    def call(*args, **more):
        if module is mmap or str(args[0]).endswith("mem"):
            raise OSError(number, os.strerror(number))
        return real(*args, **more)

    monkeypatch.setattr(module, name, call)


def test_a_design_needs_the_windows_of_engines_and_monitors():
    spec = zcu111()
    needed = needed_windows(spec)
    assert len(needed) == len(spec.dmas) + len(spec.converters) + len(spec.pairs)
    assert Needed("dma_dac0", 0xA000_0000) in needed
    assert Needed("adc01", spec.pairs[1].base) in needed


def test_registers_come_from_dev_mem_at_their_address(tmp_path):
    with add_mem(make_tree(tmp_path), BASE + 0x2000).open("r+b") as file:
        file.seek(BASE + 4)
        file.write(b"\x78\x56\x34\x12")
    bus = bus_of(Registers(tmp_path))
    assert bus.read32(BASE + 4) == 0x1234_5678
    bus.write32(BASE + 0xFFC, 1)
    with (tmp_path / "dev/mem").open("rb") as file:
        file.seek(BASE + 0xFFC)
        assert file.read(8) == b"\x01\0\0\0\0\0\0\0"


def test_a_uio_device_that_covers_them_goes_first(tmp_path):
    add_mem(make_tree(tmp_path), BASE + 0x2000)
    with add_uio(tmp_path, 0, "pl", (BASE - 0x1000, 0x3000, 0)).open("r+b") as file:
        file.seek(0x1000)
        file.write(b"\x2a")
    registers = Registers(tmp_path)
    assert bus_of(registers).read32(BASE) == 42
    registers.close()


def test_a_uio_device_that_has_a_part_of_it_does_not_do(tmp_path):
    add_mem(make_tree(tmp_path), BASE + 0x1_0000)
    add_uio(tmp_path, 0, "pl", (BASE, 0xF000, 0))
    memory = Needed("iop1", BASE, 0x1_0000)
    bus_of(Registers(tmp_path), memory).write32(BASE + 0xFFFC, 3)
    with (tmp_path / "dev/mem").open("rb") as file:
        file.seek(BASE + 0xFFFC)
        assert file.read(1) == b"\3"


def test_where_the_uio_device_is_not_ours_root_has_dev_mem(tmp_path, monkeypatch):
    add_mem(make_tree(tmp_path), BASE + 0x2000)
    add_uio(tmp_path, 0, "dma", (BASE, 0x1000, 0))
    real = os.open

    def call(path, *args):
        if str(path).endswith("uio0"):
            raise PermissionError(errno.EACCES, "no")
        return real(path, *args)

    monkeypatch.setattr(os, "open", call)
    assert bus_of(Registers(tmp_path)).read32(BASE) == 0
    (tmp_path / "dev/mem").unlink()
    with pytest.raises(AccessDeniedError, match=r"uio0 \(dma\): this user may not open"):
        Registers(tmp_path).map(DMA)


def test_memory_that_linux_manages_is_refused_with_its_entry(tmp_path):
    iomem = "00000000-7fefffff : System RAM\n  00210000-01f1ffff : Kernel code\na0000800-a0001fff : System RAM\n"
    add_mem(make_tree(tmp_path, iomem=iomem), BASE + 0x2000)
    with pytest.raises(AddressError, match="0xA000_0800 to 0xA000_1FFF : System RAM in /proc/iomem"):
        Registers(tmp_path).map(DMA)
    assert Registers(tmp_path).map(Needed("other", BASE - 0x1000)).base == BASE - 0x1000


def test_hidden_addresses_of_iomem_say_nothing(tmp_path):
    add_mem(make_tree(tmp_path, iomem="00000000-00000000 : System RAM\n"), BASE + 0x2000)
    assert Registers(tmp_path).map(Needed("low", 0)).base == 0


def test_a_bound_driver_is_named_with_what_to_do(tmp_path, monkeypatch):
    iomem = "a0000000-a000ffff : a0000000.dma dma@a0000000\n"
    add_mem(make_tree(tmp_path, iomem=iomem), BASE + 0x2000)
    refuse(monkeypatch, (mmap, "mmap"), errno.EPERM)
    with pytest.raises(UnsupportedError, match=r"dma@a0000000 in /proc/iomem\); unbind it .* iomem=relaxed"):
        Registers(tmp_path).map(DMA)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_without_root_the_error_says_which_right_would_do(tmp_path, monkeypatch, number):
    add_mem(make_tree(tmp_path), BASE + 0x2000)
    refuse(monkeypatch, (os, "open"), number)
    with pytest.raises(AccessDeniedError, match=r"dma_dac0 at 0xA000_0000.*CAP_SYS_RAWIO.*generic-uio.*udev rule"):
        Registers(tmp_path).map(DMA)


def test_what_else_keeps_dev_mem_shut_is_no_question_of_rights(tmp_path, monkeypatch):
    add_mem(make_tree(tmp_path), BASE + 0x2000)
    refuse(monkeypatch, (os, "open"), errno.ENXIO)
    with pytest.raises(UnsupportedError, match=r"cannot be opened: No such device.*; or give the device to UIO"):
        Registers(tmp_path).map(DMA)


def test_a_kernel_without_dev_mem(tmp_path):
    make_tree(tmp_path)
    with pytest.raises(UnsupportedError, match="CONFIG_DEVMEM"):
        Registers(tmp_path).map(DMA)
