"""dma-heap on a made-up machine: a device whose allocations are memfds, and the CMA bitmap that goes with them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless._native import cache_needs_maintenance
from gapless.errors import AllocationError, UnsupportedError
from gapless.memory import ChunkedPool
from gapless.memory.claims import Claims
from gapless.memory.providers import Unavailable, dma_heap
from gapless.memory.providers.cma_areas import CmaArea, cma_areas, newly_taken
from gapless.memory.providers.ps_cma import ps_cma

PAGE = os.sysconf("SC_PAGE_SIZE")
BASE, PAGES = 0x7000_0000, 96


class Machine:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.buffers: dict[int, tuple[int, int]] = {}  # (first page, pages), by descriptor
        self.inodes: dict[int, int] = {}
        self.tells = True
        self.others = {3, 4, 40}
        for directory in ("dev/dma_heap", "proc", "sys/kernel/debug/cma/reserved"):
            (root / directory).mkdir(parents=True)
        for heap in ("reserved", "system"):
            (root / "dev/dma_heap" / heap).touch()
        self.show()

    def taken(self) -> set[int]:
        for descriptor in list(self.buffers):
            try:
                same = os.fstat(descriptor).st_ino == self.inodes[descriptor]
            except OSError:
                same = False
            if not same:
                del self.buffers[descriptor]
        return self.others | {first + n for first, count in self.buffers.values() for n in range(count)}

    def show(self) -> None:
        bits = sum(1 << page for page in self.taken())
        words = " ".join(str(bits >> shift & 0xFFFF_FFFF) for shift in range(0, PAGES, 32))
        area = self.root / "sys/kernel/debug/cma/reserved"
        for name, text in (("base_pfn", BASE // PAGE), ("order_per_bit", 0), ("count", PAGES), ("bitmap", words)):
            (area / name).write_text(f"{text}\n")
        free = (PAGES - len(self.taken())) * PAGE // 1024
        (self.root / "proc/meminfo").write_text(f"MemTotal: 4000000 kB\nCmaTotal: 384 kB\nCmaFree: {free} kB\n")

    def areas(self, root: Path) -> dict[str, CmaArea]:
        if (self.root / "sys/kernel/debug/cma/reserved").exists():
            self.show()
        return cma_areas(root)

    def ioctl(self, _heap: int, request: int, argument: bytearray) -> int:
        assert request == 0xC0184800
        nbytes, _, flags, _ = dma_heap._ARGUMENT.unpack(argument)
        assert flags == os.O_RDWR | os.O_CLOEXEC
        assert nbytes % PAGE == 0
        count, taken = nbytes // PAGE, self.taken()
        first = next(
            (at for at in range(PAGES - count + 1) if not taken & set(range(at, at + count))),
            None,
        )
        if first is None:
            raise OSError(errno.ENOMEM, "no memory")
        descriptor = os.memfd_create("dma-buf")
        os.ftruncate(descriptor, nbytes)
        self.buffers[descriptor], self.inodes[descriptor] = (first, count), os.fstat(descriptor).st_ino
        self.others ^= {90}  # somebody else is at work, too
        argument[:] = dma_heap._ARGUMENT.pack(nbytes, descriptor, flags, 0)
        return 0

    def physical(self, _root: Path, _pointer: int, _step: int, count: int) -> list[int]:
        if not self.tells:
            raise UnsupportedError("mapped by number")
        first, pages = next(reversed(self.buffers.values()))
        assert pages == count
        return [BASE + (first + n) * PAGE for n in range(count)]

    def device_reads(self, address: int, nbytes: int) -> bytes:
        for descriptor, (first, count) in self.buffers.items():
            offset = address - BASE - first * PAGE
            if offset >= 0 and offset + nbytes <= count * PAGE:
                return os.pread(descriptor, nbytes, offset)
        return bytes(nbytes)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(dma_heap, "fcntl", SimpleNamespace(ioctl=made.ioctl))
    monkeypatch.setattr(dma_heap, "physical_pages", made.physical)
    monkeypatch.setattr(dma_heap, "cma_areas", made.areas)
    return made


def opened(machine: Machine, prove: dma_heap.Prover | None = None) -> ChunkedPool:
    found = ps_cma(None, root=machine.root, prove=prove)
    assert isinstance(found, ChunkedPool), found
    return found


@pytest.mark.parametrize("tells", [True, False])
def test_buffers_are_where_devices_find_them(machine: Machine, tells: bool) -> None:
    machine.tells = tells
    pool = opened(machine, machine.device_reads)
    assert pool.about == "dma-heap reserved"
    assert pool.sync_method == ("dc cvac / dc civac" if cache_needs_maintenance() else "nothing to do: coherent")
    buffers = [pool.allocate(nbytes, np.uint8) for nbytes in (PAGE, 10 * PAGE + 1, 100, 200, 3 * PAGE)]
    for number, buffer in enumerate(buffers):
        buffer.fill(number + 1)
    for number, buffer in enumerate(buffers):
        assert machine.device_reads(buffer.physical_address, buffer.nbytes) == bytes([number + 1] * buffer.nbytes)
    # The third lies in what the second leaves of its last page.
    assert buffers[2].physical_address - buffers[1].physical_address < 11 * PAGE
    assert len(machine.buffers) == 3
    for buffer in buffers:
        buffer.free()
    assert machine.taken() == machine.others


def test_an_address_is_proved_and_never_guessed(machine: Machine) -> None:
    machine.tells = False
    without = ps_cma(None, root=machine.root)
    assert isinstance(without, Unavailable)
    assert "does not tell where dma-heap memory is, and there is no DMA engine" in without.reason
    wrong = ps_cma(None, root=machine.root, prove=lambda address, nbytes: bytes(nbytes))
    assert isinstance(wrong, Unavailable)
    assert "found what the CPU wrote at none of" in wrong.reason
    # The first page alone is no proof: what follows may be somebody else's.
    half = ps_cma(
        None,
        root=machine.root,
        prove=lambda address, nbytes: machine.device_reads(address, nbytes) if address % PAGE == 0 else bytes(nbytes),
    )
    assert isinstance(half, Unavailable)
    for path in (machine.root / "sys/kernel/debug/cma/reserved").iterdir():
        path.unlink()
    (machine.root / "sys/kernel/debug/cma/reserved").rmdir()
    hidden = ps_cma(None, root=machine.root, prove=machine.device_reads)
    assert isinstance(hidden, Unavailable)
    assert "mount debugfs" in hidden.reason
    assert machine.taken() == machine.others


def test_a_heap_of_single_pages_is_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        dma_heap, "physical_pages", lambda *args: [BASE + 2 * n * PAGE for n in range(machine.physical(*args)[0] and 2)]
    )
    pool = dma_heap.DmaHeap(machine.root, machine.root / "dev/dma_heap/reserved", None)
    with pytest.raises(UnsupportedError, match="single pages"):
        pool.take(2 * PAGE, align=1, below=None, contiguous=False)
    (machine.root / "dev/dma_heap/reserved").unlink()
    found = ps_cma(None, root=machine.root)
    assert isinstance(found, Unavailable)
    assert "of the dma-heaps (system) none is of contiguous memory" in found.reason
    assert "u-dma-buf is not there" in found.reason
    assert "pynq is not installed" in found.reason


def test_errors(machine: Machine) -> None:
    pool = opened(machine)
    with pytest.raises(AllocationError, match=r"asked 400 KiB in ps-cma: reserved has no such run, of 3[67]\d KiB"):
        pool.allocate(100 * PAGE, np.uint8)
    with pytest.raises(AllocationError, match="takes no wishes"):
        pool.allocate(PAGE, np.uint8, below=BASE)
    assert machine.taken() == machine.others


def test_it_is_claimed(machine: Machine) -> None:
    (machine.root / "proc/meminfo").unlink()
    (machine.root / "proc").rmdir()
    (machine.root / "proc").symlink_to("/proc")
    machine.show = lambda: None  # type: ignore[method-assign]
    (machine.root / "run").mkdir()
    claims, other = Claims(machine.root), Claims(machine.root)
    pool = ps_cma(None, root=machine.root, claims=claims)
    with pool.allocate(3 * PAGE, np.uint8) as buffer, other.session() as session:
        assert [(claim.base, claim.nbytes) for claim in session.others] == [(buffer.physical_address, 3 * PAGE)]
    with other.session() as session:
        assert session.others == ()


def test_areas_with_ranges(tmp_path: Path) -> None:
    for name, base in (("0", 0x100), ("1", 0x900)):
        place = tmp_path / "sys/kernel/debug/cma/area/ranges" / name
        place.mkdir(parents=True)
        (place / "base_pfn").write_text(f"{base}\n")
        (place / "bitmap").write_text(f"{1 << 31} 3 \n")
    (tmp_path / "sys/kernel/debug/cma/area/order_per_bit").write_text("2\n")
    areas = cma_areas(tmp_path)
    assert sorted(area.base for area in areas.values()) == [0x100 * PAGE, 0x900 * PAGE]
    assert {(area.unit, area.taken) for area in areas.values()} == {(4 * PAGE, 0b111 << 31)}


@given(
    before=st.sets(st.integers(0, 70)),
    ours=st.integers(0, 60),
    count=st.integers(1, 9),
    others=st.sets(st.integers(0, 80)),
)
def test_where_it_may_be_has_where_it_is(before: set[int], ours: int, count: int, others: set[int]) -> None:
    mine = set(range(ours, ours + count))
    held = before - mine

    def area(pages: set[int]) -> dict[str, CmaArea]:
        return {"area": CmaArea(BASE, PAGE, sum(1 << page for page in pages))}

    found = newly_taken(area(held), area(held | mine | others), count * PAGE)
    fresh = (mine | others) - held
    assert found == [BASE + at * PAGE for at in range(90) if set(range(at, at + count)) <= fresh]
    assert BASE + ours * PAGE in found
