"""Modes 2, 3 and 5 on a machine made for the test, whose /dev/mem is a sparse file: offset = physical address."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from gapless.boards.spec import MemoryKind
from gapless.boards.zcu111 import zcu111
from gapless.errors import AccessDeniedError, AddressError, AllocationError, BadArgumentError
from gapless.memory import DeviceBuffer, MemoryType, RangePool
from gapless.memory.providers import discover, physical_region
from gapless.memory.providers.availability import Unavailable
from gapless.memory.providers.devmem import carve_out, map_physical, pl_memory
from gapless.memory.providers.physical_region import PhysicalMemory, refusal

GIB, MIB = 1 << 30, 1 << 20
CARVE_OUT, PL = 0x8_8000_0000, 0x10_0000_0000
IOMEM = "00000000-7fefffff : System RAM\n  00210000-0185ffff : Kernel code\n800000000-87fffffff : System RAM\n"
SPEC = zcu111(ps_bytes=32 * GIB)


@pytest.fixture
def root(tmp_path):
    """A ZCU111 with 32 GiB, of which Linux manages 4."""
    for folder in ("dev", "proc/device-tree"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/device-tree/compatible").write_bytes(b"xlnx,zynqmp-zcu111\0xlnx,zynqmp\0")
    (tmp_path / "proc/iomem").write_text(IOMEM)
    (tmp_path / "proc/cmdline").write_text("mem=4G\n")
    with (tmp_path / "dev/mem").open("wb") as file:
        file.truncate(PL + 4 * GIB)
    return tmp_path


def at(root, address, nbytes):
    with (root / "dev/mem").open("rb") as file:
        return np.frombuffer(os.pread(file.fileno(), nbytes, address), np.uint8)


def test_the_carve_out_is_a_pool_on_dev_mem(root):
    pool = carve_out(SPEC, root=root)
    assert isinstance(pool, RangePool)
    assert (pool.name, pool.base, pool.size) == ("ps-carveout", CARVE_OUT, 28 * GIB)
    assert (pool.kind, pool.memory_type) == (MemoryKind.PS, MemoryType.DEVICE)
    assert pool.coherent
    assert pool.sync_method == "nothing to do: uncached mapping"
    assert "beyond mem=4 GiB" in pool.about
    values = np.random.default_rng(1).integers(0, 256, MIB + 3, np.uint8)
    with pool.allocate(28 * GIB, np.uint8) as buffer:
        assert type(buffer) is DeviceBuffer
        for offset in (0, 2 * GIB - 5, 28 * GIB - values.size):
            buffer[offset : offset + values.size] = values
            assert np.array_equal(at(root, CARVE_OUT + offset, values.size), values)
            assert np.array_equal(buffer[offset : offset + values.size].read(), values)


def test_the_memory_of_the_pl_is_one_too(root):
    pool = pl_memory(SPEC, root=root)
    assert isinstance(pool, RangePool)
    assert (pool.name, pool.base, pool.size, pool.kind) == ("pl-ddr", PL, 4 * GIB, MemoryKind.PL)
    pool.allocate(100, np.uint8).fill(9)
    assert (at(root, PL, 100) == 9).all()
    assert not at(root, PL + 100, 4096).any()


def test_the_device_tree_names_it_where_the_board_does_not(root):
    node = root / "proc/device-tree/amba_pl/ddr4@1040000000"
    node.mkdir(parents=True)
    for folder in (node.parent.parent, node.parent):
        for name in ("#address-cells", "#size-cells"):
            (folder / name).write_bytes(bytes([0, 0, 0, 2]))
    (node.parent / "ranges").write_bytes(b"")
    (node / "compatible").write_bytes(b"xlnx,ddr4-2.2\0")
    (node / "reg").write_bytes((PL + GIB).to_bytes(8, "big") + GIB.to_bytes(8, "big"))
    spec = replace(SPEC, memories=tuple(part for part in SPEC.memories if part.kind is MemoryKind.PS))
    pool = pl_memory(spec, root=root)
    assert isinstance(pool, RangePool)
    assert (pool.base, pool.size) == (PL + GIB, GIB)
    assert "ddr4@1040000000" in pool.about


def test_both_say_what_they_are_to_the_table_of_modes(root):
    found = discover(SPEC, root=root, claims=None)
    assert {"ps-carveout", "pl-ddr"} <= found.pools.keys()
    assert [found.modes[number - 1].pools for number in (2, 3, 5)] == [("pl-ddr",), ("pl-ddr",), ("ps-carveout",)]


# ---- what is missing


def missing(answer):
    assert isinstance(answer, Unavailable), answer
    return f"{answer.reason}; {answer.fix}"


def test_a_machine_that_is_no_zynqmp_is_not_searched(root):
    (root / "proc/device-tree/compatible").write_bytes(b"raspberrypi,4-model-b\0brcm,bcm2711\0")
    for provider in (carve_out, pl_memory):
        assert "no Zynq UltraScale+ (raspberrypi,4-model-b, brcm,bcm2711)" in missing(provider(SPEC, root=root))


@pytest.mark.parametrize("provider", [carve_out, pl_memory])
def test_hidden_addresses_are_not_guessed(root, provider):
    (root / "proc/iomem").write_text("00000000-00000000 : System RAM\n")
    said = missing(provider(SPEC, root=root))
    assert "shows addresses to root only" in said
    assert "run as root; a group or a udev rule for /dev/mem is not enough" in said
    with pytest.raises(AccessDeniedError, match="run as root; a group or a udev rule"):
        map_physical(PL, 10, root=root)


@pytest.mark.parametrize("provider", [carve_out, pl_memory])
def test_no_dev_mem(root, provider):
    (root / "dev/mem").unlink()
    assert "there is no /dev/mem; a kernel with CONFIG_DEVMEM=y" in missing(provider(SPEC, root=root))
    with pytest.raises(AccessDeniedError, match=r"10 B at 0x10_0000_0000 \(mode 3, /dev/mem\): there is no /dev/mem"):
        map_physical(PL, 10, root=root)


@pytest.mark.parametrize(
    ("number", "user", "said"),
    [(errno.EACCES, 1000, "CAP_SYS_RAWIO"), (errno.EPERM, 1000, "CAP_SYS_RAWIO"), (errno.EPERM, 0, "locked down")],
)
def test_who_may_not_open_it_is_told_what_it_takes(root, monkeypatch, number, user, said):
    def refuse(*_):
        raise PermissionError(number, os.strerror(number))

    monkeypatch.setattr(physical_region.os, "open", refuse)
    monkeypatch.setattr(physical_region.os, "geteuid", lambda: user)
    assert said in missing(carve_out(SPEC, root=root))


def test_memory_that_linux_has_whole(root):
    said = missing(carve_out(zcu111(), root=root))
    assert "Linux manages all of the board's 4 GiB, but for 1 MiB at 0x7FF0_0000: left over, and less than" in said
    assert "reserved-memory with no-map" in said


def test_a_board_without_memory_in_the_pl(root):
    spec = replace(SPEC, memories=tuple(part for part in SPEC.memories if part.kind is MemoryKind.PS))
    assert "has no PL memory, and no node of the device tree names one" in missing(pl_memory(spec, root=root))


def test_a_pl_without_a_design_is_not_touched(root):
    state = root / "sys/class/fpga_manager/fpga0/state"
    state.parent.mkdir(parents=True)
    state.write_text("unknown\n")
    assert "no design is in the PL (the FPGA manager says 'unknown'); load a bitstream" in missing(
        pl_memory(SPEC, root=root)
    )
    state.write_text("operating\n")
    assert isinstance(pl_memory(SPEC, root=root), RangePool)


def test_memory_of_the_pl_that_linux_manages(root):
    (root / "proc/iomem").write_text(IOMEM + "1000000000-10ffffffff : System RAM\n")
    assert "0x10_0000_0000-0x10_FFFF_FFFF System RAM is in it" in missing(pl_memory(SPEC, root=root))


def test_what_the_kernel_refuses_is_known_before_it_is_asked_for(root):
    """A /dev/mem that may be opened, and not mapped: here, a folder that is read only stands for it."""

    @contextmanager
    def opened_for_reading():
        before = os.open
        physical_region.os.open = lambda path, _: before(path, os.O_RDONLY)
        try:
            yield
        finally:
            physical_region.os.open = before

    with opened_for_reading():
        said = missing(carve_out(SPEC, root=root))
        with pytest.raises(AccessDeniedError, match="STRICT_DEVMEM"):
            map_physical(PL, 10, root=root)
    assert "28 GiB at 0x8_8000_0000 cannot be mapped" in said
    assert "CONFIG_STRICT_DEVMEM" in said


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.EPERM, AccessDeniedError, "no-map"),
        (errno.ENOMEM, AllocationError, "page tables"),
        (errno.EINVAL, AddressError, "do not go so far"),
    ],
)
def test_each_refusal_says_where_and_what_to_do(number, kind, said):
    error = refusal(OSError(number, os.strerror(number)), PL, 4096)
    assert type(error) is kind
    assert said in str(error)
    assert "4 KiB at 0x10_0000_0000" in str(error)


def test_a_refusal_after_the_first_look_is_the_same(tmp_path):
    (tmp_path / "file").write_bytes(bytes(4096))
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    memory = PhysicalMemory(descriptor, PL, GIB)
    with pytest.raises(AllocationError, match="ulimit -v"):
        PhysicalMemory(descriptor, 0, 1 << 60)
    os.close(descriptor)
    with pytest.raises(
        AccessDeniedError, match=r"/dev/mem: 100 B at 0x10_0000_1000 cannot be mapped \(Permission denied\)"
    ):
        memory.reach(4096, 100)
    assert memory.mapped == 0


# ---- by address


@pytest.mark.parametrize("offset", [0, 1, 63, 64, 4095, 65535, 4 * GIB - 1000])
def test_memory_by_address_at_any_alignment(root, offset):
    values = np.random.default_rng(offset).integers(0, 256, 999, np.uint8)
    with map_physical(PL + offset, 999, root=root) as buffer:
        assert buffer.physical_address == PL + offset
        assert buffer.shape == (999,)
        buffer.write(values)
        assert np.array_equal(buffer.read(), values)
    assert np.array_equal(at(root, PL + offset, 999), values)
    assert not at(root, PL + offset - 64, 64).any()


def test_what_somebody_has_is_refused_with_its_name(root):
    with pytest.raises(AddressError, match="there 0x21_0000-0x185_FFFF Kernel code"):
        map_physical(0x21_0000, 4096, root=root)
    with pytest.raises(AddressError, match="0x8_0000_0000-0x8_7FFF_FFFF System RAM"):
        map_physical(CARVE_OUT - 1, 2, root=root)
    pool = pl_memory(SPEC, root=root)
    with pytest.raises(AddressError, match="1 B at 0x10_FFFF_FFFF is in pool pl-ddr: allocate it there, with address="):
        map_physical(PL + 4 * GIB - 1, 1, root=root, pools=[pool])
    map_physical(PL - 1, 1, root=root, pools=[pool])


@pytest.mark.parametrize(("base", "nbytes"), [(-1, 1), (PL, 0), (PL, -5), (1 << 63, 1), ((1 << 63) - 1, 2)])
def test_memory_that_cannot_be(root, base, nbytes):
    with pytest.raises(BadArgumentError, match="there is no such memory"):
        map_physical(base, nbytes, root=root)


class Claims:
    """What a registry is asked."""

    def __init__(self):
        self.others, self.added, self.released = (), [], []

    @contextmanager
    def session(self):
        yield self

    def add(self, *what):
        self.added.append(what)

    def release(self, *what):
        self.released.append(what)


def test_other_programs_are_told_of_every_range(root):
    claims = Claims()
    pool = carve_out(SPEC, root=root, claims=claims)
    buffer = pool.allocate(100, np.uint8)
    pl_memory(SPEC, root=root, claims=claims).allocate(64, np.uint8)
    mapped = map_physical(PL + 128, 64, root=root, claims=claims)
    assert claims.added == [(CARVE_OUT, 128, "ps-carveout"), (PL, 64, "pl-ddr"), (PL + 128, 64, "physical memory")]
    buffer.free()
    mapped.free()
    assert {(CARVE_OUT, 128), (PL + 128, 64)} <= set(claims.released)
