"""Huge pages on a machine that has none: files of plain pages, at physical addresses that the test makes up."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapless._native import PinnedPages
from gapless.errors import AccessDeniedError, AllocationError, UnsupportedError
from gapless.memory import ChunkedPool
from gapless.memory.claims import Claims, EngineClaim
from gapless.memory.providers import Unavailable, hugepages, pagemap
from gapless.memory.providers import huge_files as files_module
from gapless.units import KIB

PAGE, LARGE = 64 * KIB, 1024 * KIB


class Machine:
    """Huge pages of 64 KiB and 1 MiB; ``frames`` are their physical addresses, in the order they are given out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "proc").symlink_to("/proc")
        (root / "run").mkdir()
        self.frames = {PAGE: list[int](), LARGE: list[int]()}
        self.where: dict[tuple[int, int], int] = {}  # address, by (inode, offset)
        self.mounted: list[tuple[str, int]] = []

    def keep(self, page: int, places: list[int], *, free: int | None = None) -> None:
        directory = self.root / f"sys/kernel/mm/hugepages/hugepages-{page // 1024}kB"
        directory.mkdir(parents=True, exist_ok=True)
        self.frames[page] = [place * page for place in places]
        for name, value in (("nr", len(places)), ("free", len(places) if free is None else free), ("resv", 0)):
            (directory / f"{name}_hugepages").write_text(f"{value}\n")

    def allocate(self, file: int, offset: int, nbytes: int) -> None:
        status = os.fstat(file)
        alive = self.inodes(PAGE) | self.inodes(LARGE)
        if offset == 0:  # a new file may have an old one's number
            alive -= {status.st_ino}
        self.where = {key: at for key, at in self.where.items() if key[0] in alive}
        held = sum(1 for inode, _ in self.where if inode in self.inodes(nbytes))
        if held >= len(self.frames[nbytes]):
            raise OSError(28, "no space")
        taken = set(self.where.values())
        os.posix_fallocate(file, offset, nbytes)
        self.where[status.st_ino, offset] = next(at for at in self.frames[nbytes] if at not in taken)

    def inodes(self, page: int) -> set[int]:
        return {path.stat().st_ino for path in self.files(page)}

    def files(self, page: int = PAGE) -> list[Path]:
        return list((self.root / f"run/gapless/hugepages-{page // 1024}kB").glob("gapless-*"))

    def give_back(self, file: int, offset: int, nbytes: int) -> None:
        del self.where[os.fstat(file).st_ino, offset]

    def addresses(self, _root: Path, pointer: int, step: int, count: int) -> list[int]:
        """What pagemap says, from which page of which file is mapped there."""
        found = []
        for at in range(pointer, pointer + count * step, step):
            for line in Path("/proc/self/maps").read_text().splitlines():
                first, last, offset, inode = re.match(r"(\w+)-(\w+) \S+ (\w+) \S+ (\d+)", line).groups()
                if int(first, 16) <= at < int(last, 16):
                    found.append(self.where[int(inode), int(offset, 16) + at - int(first, 16)])
                    break
        return found

    def read(self, address: int, nbytes: int) -> bytes:
        """What a device finds there, within one page."""
        for (inode, offset), base in self.where.items():
            for page in (PAGE, LARGE):
                if base <= address and address + nbytes <= base + page:
                    for path in self.files(page):
                        if path.stat().st_ino == inode:
                            return path.read_bytes()[offset + address - base :][:nbytes]
        raise AssertionError(f"nothing at {address:#x}")

    def open(self, claims: Claims | None = None, **options: Any) -> ChunkedPool | Unavailable:
        found = hugepages.hugepages(None, root=self.root, claims=claims, **options)
        assert isinstance(found, (ChunkedPool, Unavailable))
        return found


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(files_module, "allocate_pages", made.allocate)
    monkeypatch.setattr(files_module, "give_back_pages", made.give_back)
    monkeypatch.setattr(files_module, "mount_hugetlbfs", lambda path, page: made.mounted.append((path, page)))
    monkeypatch.setattr(hugepages, "physical_pages", made.addresses)
    monkeypatch.setattr(hugepages, "tells_addresses", lambda root: True)
    monkeypatch.setattr(hugepages, "_pin_refusal", lambda: "no io_uring: as the test wants it")
    return made


def opened(machine: Machine, claims: Claims | None = None, **options: Any) -> ChunkedPool:
    found = machine.open(claims, **options)
    assert isinstance(found, ChunkedPool), found
    return found


def test_a_buffer_is_what_devices_find_at_its_runs(machine: Machine) -> None:
    places = random.Random(7).sample(range(1, 40), 20)
    machine.keep(PAGE, places)
    pool = opened(machine)
    with pool.allocate(6 * PAGE - 100, np.uint8) as buffer:
        buffer[:] = np.random.default_rng(1).integers(0, 256, buffer.size, np.uint8)
        assert len(buffer.runs) > 1
        found = b"".join(
            machine.read(page, min(PAGE, first + size - page))
            for first, size in buffer.runs
            for page in range(first, first + size, PAGE)
        )
        assert found == buffer.tobytes()
        assert len(machine.where) == 6  # the others it had looked at are the kernel's again
    assert machine.files() == []


def test_neighbours_are_looked_for_among_all_free_pages(machine: Machine) -> None:
    machine.keep(PAGE, [*range(2, 60, 2), 70, 71, 72, 80, 81, 82, 83])
    pool = opened(machine)
    assert pool.allocate(3 * PAGE, np.uint8, contiguous=True).runs == ((70 * PAGE, 3 * PAGE),)
    # The first pages that the kernel gives are no neighbours, and only so many are looked at when it is no must.
    assert len(pool.allocate(3 * PAGE, np.uint8).runs) == 3
    with pytest.raises(AllocationError) as caught:
        pool.allocate(5 * PAGE, np.uint8, contiguous=True)
    assert str(caught.value).startswith("asked 320 KiB in one run in ps-hugepages: 36 free pages of 64 KiB, the larg")
    assert "largest run of them 256 KiB" in str(caught.value)
    assert "echo N > " in str(caught.value)
    assert "hugepagesz=64K hugepages=N" in str(caught.value)


def test_the_page_size_is_chosen_by_the_request(machine: Machine) -> None:
    machine.keep(PAGE, list(range(1, 40)))
    machine.keep(LARGE, [100, 101, 103])
    pool = opened(machine)
    held = [pool.allocate(100, np.uint8), pool.allocate(LARGE, np.uint8), pool.allocate(LARGE - 1, np.uint8)]
    assert [buffer.runs for buffer in held] == [
        ((PAGE, 100),),
        ((100 * LARGE, LARGE),),
        ((2 * PAGE, LARGE - 1),),
    ]
    assert pool.allocate(LARGE, np.uint8, below=50 * LARGE).physical_address == 18 * PAGE
    assert opened(machine, page_size=LARGE).allocate(100, np.uint8).physical_address == 101 * LARGE


def test_where_pages_run_short(machine: Machine) -> None:
    machine.keep(PAGE, [1, 2, 3], free=3)
    with pytest.raises(AllocationError, match="3 free pages of 64 KiB, 4 needed"):
        opened(machine).allocate(4 * PAGE, np.uint8)
    machine.keep(PAGE, [1, 2, 3], free=9)  # another program was quicker
    with pytest.raises(AllocationError, match="3 free pages of 64 KiB, the largest run of them 192 KiB"):
        opened(machine).allocate(4 * PAGE, np.uint8)
    assert machine.files() == []


def test_pages_that_move_while_they_are_pinned(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.keep(PAGE, [1, 2, 3])
    moves = [1]

    def pin(_self: object, _mapping: object) -> None:
        if moves:
            step = moves.pop() * 100 * PAGE
            machine.where = {key: at + step for key, at in machine.where.items()}

    monkeypatch.setattr(hugepages.HugePages, "_pin", pin)
    pool = opened(machine)
    with pool.allocate(2 * PAGE, np.uint8) as buffer:
        assert buffer.runs == ((101 * PAGE, 2 * PAGE),)
        buffer[:] = 5
        assert machine.read(102 * PAGE, 10) == bytes([5] * 10)
    moves += [1] * 10
    with pytest.raises(AllocationError, match="moved the pages 3 times"):
        pool.allocate(2 * PAGE, np.uint8)


def test_what_is_claimed_and_given_back(machine: Machine) -> None:
    machine.keep(PAGE, [1, 3, 5, 6])
    claims, other = Claims(machine.root), Claims(machine.root)
    pool = opened(machine, claims)
    buffer = pool.allocate(2 * PAGE + 1, np.uint8)
    with other.session() as session:
        assert {(claim.base, claim.nbytes, claim.path) for claim in session.others} == {
            (base, size, str(machine.files()[0])) for base, size in ((PAGE, PAGE), (5 * PAGE, 2 * PAGE))
        }
    buffer.free()
    with other.session() as session:
        assert session.others == ()
    assert machine.files() == []


DIES = """
import os, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import pytest
from test_hugepages import PAGE, Machine, files_module, hugepages, opened
from gapless.memory.claims import Claims
machine = Machine.__new__(Machine)
machine.root, machine.where, machine.frames = Path(sys.argv[1]), {}, {PAGE: [PAGE, 2 * PAGE]}
files_module.allocate_pages, files_module.give_back_pages = machine.allocate, machine.give_back
files_module.mount_hugetlbfs = lambda path, page: None
hugepages.physical_pages, hugepages.tells_addresses = machine.addresses, lambda root: True
hugepages._pin_refusal = lambda: "not here"
claims = Claims(machine.root)
pool = opened(machine, claims)
if sys.argv[3] == "claimed":
    buffer = pool.allocate(PAGE, "u1")
    claims.take_engine("zdma", 0xFD500000, "gdma0")
else:
    file = pool.source._files[PAGE].new()
    file.grow(1)
os.kill(os.getpid(), 9)
"""


def die(machine: Machine, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(machine.root), str(Path(__file__).parent), how],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -9, done.stderr


def test_pages_of_the_dead_stay_until_their_engine_has_stopped(machine: Machine) -> None:
    machine.keep(PAGE, [1, 2])
    die(machine, "claimed")
    assert len(machine.files()) == 1
    opened(machine, Claims(machine.root))
    assert len(machine.files()) == 1  # nobody here could stop the engine
    seen: list[int] = []

    def stop(_engine: EngineClaim) -> None:
        seen.append(len(machine.files()))

    opened(machine, Claims(machine.root, stop_engine=stop))
    assert seen == [1]
    assert machine.files() == []


def test_what_was_never_claimed_is_swept_and_what_lives_is_not(machine: Machine) -> None:
    machine.keep(PAGE, [1, 2])
    die(machine, "unclaimed")
    (dead,) = machine.files()
    alive = opened(machine, None).source._files[PAGE].new()
    opened(machine, Claims(machine.root))
    assert machine.files() == [alive.path]
    assert not dead.exists()
    alive.remove()


def test_a_child_gives_back_nothing_of_its_parents(machine: Machine) -> None:
    machine.keep(PAGE, [1, 2])
    pool = opened(machine, Claims(machine.root))
    buffer = pool.allocate(100, np.uint8)
    child = os.fork()
    if child == 0:
        buffer.free()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(machine.files()) == 1
    buffer.free()
    assert machine.files() == []


def test_why_there_are_none(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine.open()
    assert isinstance(found, Unavailable)
    assert "CONFIG_HUGETLBFS" in found.fix
    machine.keep(PAGE, [])
    found = machine.open()
    assert isinstance(found, Unavailable)
    assert found.reason == "the kernel keeps no huge pages (it could: of 64 KiB)"
    assert f"echo N > {machine.root}/sys/kernel/mm/hugepages/hugepages-64kB/nr_hugepages" in found.fix
    assert "no huge pages of 1 MiB" in machine.open(page_size=LARGE).reason
    machine.keep(PAGE, [1])
    monkeypatch.setattr(hugepages, "tells_addresses", lambda root: False)
    found = machine.open()
    assert isinstance(found, Unavailable)
    assert "CAP_SYS_ADMIN" in found.reason
    assert machine.mounted == []


def test_it_is_mounted_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.keep(PAGE, [1])
    opened(machine)
    directory = machine.root / "run/gapless/hugepages-64kB"
    assert machine.mounted == [(str(directory), PAGE)]
    (machine.root / "proc").unlink()
    (machine.root / "proc/self").mkdir(parents=True)
    (machine.root / "proc/self/mounts").write_text(f"none / ext4 rw 0 0\nnone {directory} hugetlbfs rw 0 0\n")
    opened(machine)
    assert len(machine.mounted) == 1

    def refuse(_path: str, _page: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    (machine.root / "proc/self/mounts").write_text("")
    monkeypatch.setattr(files_module, "mount_hugetlbfs", refuse)
    found = machine.open()
    assert isinstance(found, Unavailable)
    assert "Operation not permitted" in found.reason
    assert "root" in found.fix


def test_pages_of_a_file_in_another_order() -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    file = os.memfd_create("test")
    os.ftruncate(file, 4 * page)
    pages = PinnedPages(file, page, [3 * page, 0, page])
    memory = pages.view(0, 3 * page, None)
    memory[:page], memory[page : 2 * page], memory[2 * page :] = 3, 10, 11
    assert [os.pread(file, 1, place * page) for place in range(4)] == [b"\x0a", b"\x0b", b"\0", b"\x03"]
    assert pages.pointer == memory.ctypes.data
    with pytest.raises(IndexError):
        pages.view(2 * page, page + 1, None)
    pages.sync_to_device(0, 3 * page)
    pages.sync_from_device(100, 5)
    try:
        pages.pin()
    except OSError as error:
        assert error.errno in {1, 12, 38}  # noqa: PT017 - EPERM, ENOMEM, ENOSYS: not every machine has io_uring
    else:
        assert pages.pinned
    del memory
    pages.close()
    pages.close()
    assert not pages.pinned
    with pytest.raises(IndexError):
        pages.view(0, 1, None)
    with pytest.raises(OSError, match="mmap") as caught:
        PinnedPages(-1, page, [0])
    assert caught.value.errno == 9
    os.close(file)


def test_pagemap(tmp_path: Path) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    (tmp_path / "proc/self").mkdir(parents=True)

    def entries(*values: int) -> None:
        raw = np.array([0, *values], "<u8")
        (tmp_path / "proc/self/pagemap").write_bytes(raw.tobytes())

    entries(1 << 63 | 1 << 61 | 5, 0, 1 << 63 | 7)
    assert pagemap.physical_pages(tmp_path, page, 2 * page, 2) == [5 * page, 7 * page]
    with pytest.raises(UnsupportedError):
        pagemap.physical_pages(tmp_path, page, page, 2)
    entries(1 << 63)
    with pytest.raises(AccessDeniedError, match="CAP_SYS_ADMIN"):
        pagemap.physical_pages(tmp_path, page, page, 1)
