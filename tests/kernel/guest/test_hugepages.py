"""Mode 4: huge pages, proved by ZDMA from and to memory that Linux does not have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from plain import carve_out, zdma

from gapless.boards.zynqmp import zdmas
from gapless.dma import Zdma
from gapless.dma.zdma_registers import Event
from gapless.errors import AllocationError, NotContiguousError, TakenError
from gapless.memory import Buffer, ChunkedPool, Pool, RangePool
from gapless.memory.claims import Claims, EngineClaim
from gapless.memory.providers import Unavailable
from gapless.memory.providers.hugepages import hugepages
from gapless.units import MIB

pytestmark = pytest.mark.mode(4)
SPEC = None  # huge pages are the same on all boards
PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
ROOT = Path("/")
BLOCK = 17 * MIB + 13  # of no power of two: what is in the wrong page shows


def number(name: str) -> int:
    return int((PAGES / name).read_text())


@pytest.fixture
def claims() -> Iterator[Claims]:
    held = Claims()
    yield held
    held.close()


@pytest.fixture
def pool(claims: Claims) -> Iterator[ChunkedPool]:
    found = opened(claims)
    yield found
    assert found.stats().used == 0


@pytest.fixture
def engines() -> Iterator[Zdma]:
    with zdma() as found:
        yield found


@pytest.fixture(scope="module")
def upper() -> RangePool:
    return carve_out(1100 * MIB)


def opened(claims: Claims, page_size: int | None = None) -> ChunkedPool:
    found = hugepages(SPEC, root=ROOT, claims=claims, page_size=page_size)
    assert isinstance(found, ChunkedPool), found
    return found


def blocks(nbytes: int) -> list[slice]:
    """All of it in parts, or of more than 100 MiB the first, the last and some between: an emulated CPU is slow."""
    every = [slice(first, min(first + BLOCK, nbytes)) for first in range(0, nbytes, BLOCK)]
    return every if nbytes <= 100 * MIB else [*every[:-1:16], every[-1]]


def both_ways(engines: Zdma, buffer: Buffer, upper: Pool) -> None:
    """CPU to buffer, DMA to the carve-out, and DMA back from there into a buffer full of something else."""
    words = np.random.default_rng(buffer.nbytes).integers(0, 256, min(buffer.nbytes, BLOCK), np.uint8)
    with upper.allocate(buffer.nbytes, np.uint8) as far:
        for place in blocks(buffer.nbytes):
            far[place].fill(0)
            buffer[place].write(words[: place.stop - place.start])
        engines.copy(buffer, far, pool=upper)
        assert all(np.array_equal(far[place].read(), words[: place.stop - place.start]) for place in blocks(far.nbytes))
        for place in blocks(buffer.nbytes):
            buffer[place].fill(0xA5)
        engines.copy(far, buffer, pool=upper)
        assert all(np.array_equal(buffer[place], words[: place.stop - place.start]) for place in blocks(far.nbytes))


@pytest.mark.claim("64 MiB over several 2 MiB pages, DMA both ways, no kernel module")
def test_a_buffer_of_many_runs(pool: ChunkedPool, claims: Claims, engines: Zdma, upper: RangePool) -> None:
    small = opened(claims, 2 * MIB)
    everything = [small.allocate(2 * MIB, np.uint8) for _ in range(number("free_hugepages"))]
    everything.sort(key=lambda buffer: buffer.physical_address)
    for page in everything[::2]:  # so that no two free pages are neighbours
        page.free()
    with small.allocate(64 * MIB, np.uint8) as buffer:
        print(f"{os.uname().release}: {len(buffer.runs)} runs: {', '.join(hex(at) for at, _ in buffer.runs)}")
        assert len(buffer.runs) > 1
        assert sum(nbytes for _, nbytes in buffer.runs) == buffer.nbytes
        with pytest.raises(NotContiguousError):
            _ = buffer.physical_address
        engines.copy(buffer[: 5 * MIB], buffer[9 * MIB : 14 * MIB], pool=upper)  # over the borders of pages
        both_ways(engines, buffer, upper)
        with pytest.raises(AllocationError, match=r"in one run in ps-hugepages: .*largest run of them 2 MiB.*echo N"):
            small.allocate(4 * MIB, np.uint8, contiguous=True)
    for page in everything[1::2]:
        page.free()
    assert number("free_hugepages") == number("nr_hugepages")


@pytest.mark.claim("contiguous=True: 64 MiB in one run of 2 MiB pages")
def test_one_run(claims: Claims, engines: Zdma, upper: RangePool) -> None:
    small = opened(claims, 2 * MIB)
    with small.allocate(64 * MIB, np.uint8, contiguous=True) as buffer:
        assert buffer.runs == ((buffer.physical_address, buffer.nbytes),)
        both_ways(engines, buffer, upper)


@pytest.mark.claim("huge pages: any size from 100 bytes to 1 GiB by DMA")
@pytest.mark.parametrize("nbytes", [100, 4096, 65537, 2 * MIB, 2 * MIB + 1, 33 * MIB, 128 * MIB, 1024 * MIB])
def test_sizes(pool: ChunkedPool, engines: Zdma, upper: RangePool, nbytes: int) -> None:
    with pool.allocate(nbytes, np.uint8) as buffer:
        print(
            f"{nbytes} bytes: {len(buffer.runs)} runs from {buffer.runs[0][0]:#x}, {buffer.sync_method}, {pool.about}"
        )
        both_ways(engines, buffer, upper)


@pytest.mark.claim("huge pages are pinned, and cached memory is cleaned line by line")
def test_what_it_says_of_itself(pool: ChunkedPool) -> None:
    assert "pinned by io_uring" in pool.about
    assert (pool.coherent, pool.sync_method) == (False, "dc cvac / dc civac")


@pytest.mark.claim("small buffers share a page, and the last one gives it back")
def test_small_buffers_share_a_page(claims: Claims) -> None:
    pool = opened(claims, 2 * MIB)
    free = number("free_hugepages")
    buffers = [pool.allocate(100, np.uint8) for _ in range(1000)]
    assert number("free_hugepages") == free - 1
    assert len({buffer.physical_address for buffer in buffers}) == 1000
    for buffer in buffers:
        buffer.free()
    assert number("free_hugepages") == free


VICTIM = """
import os, sys, time
import numpy as np
from pathlib import Path
from plain import carve_out, physical
from gapless.boards.zynqmp import zdmas
from gapless.dma.zdma_registers import Offset
from gapless.dma.zdma_lists import linked_list
from gapless.memory.claims import Claims
from gapless.memory.providers.hugepages import hugepages

claims = Claims()
pool = hugepages(None, root=Path("/"), claims=claims, page_size=2 << 20)
buffer = pool.allocate(8 << 20, np.uint8, contiguous=True)
buffer.fill(0x11)
buffer.sync_to_device()
upper = carve_out(16 << 20, 0xA_0000_0000)
source = upper.allocate(8 << 20, np.uint8)
source.fill(0x22)
spec = zdmas()[5]
claims.take_engine("zdma", spec.base, spec.name)
half = 4 << 20
table = upper.allocate(4096, np.uint8)
lists = []
for place, address in ((0, source.physical_address), (1024, buffer.physical_address)):
    words = linked_list([(address, half), (address + half, half)], table.physical_address + place)
    words = words.view(np.uint32).copy()
    words[3] |= 1 << 3  # pause after the first half (UG1085, descriptor word 3, CMD)
    table.write(words.view(np.uint8), place)
registers = physical(spec.base, 4096).view(np.uint32)
for offset, value in (
    (Offset.SRC_START, table.physical_address), (Offset.DST_START, table.physical_address + 1024)
):
    registers[offset // 4], registers[offset // 4 + 1] = value & 0xFFFFFFFF, value >> 32
registers[Offset.CTRL0 // 4] = 0xC0
registers[Offset.CTRL2 // 4] = 1
print(buffer.physical_address, flush=True)
time.sleep(60)
"""


@pytest.mark.claim("pages of a killed program stay out of the kernel's hands until its DMA channel has stopped")
def test_killed_in_mid_transfer(engines: Zdma) -> None:
    before = number("free_hugepages")
    victim = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE, text=True)
    try:
        assert victim.stdout is not None
        address = int(victim.stdout.readline())
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait(30)
        victim.stdout.close()
    spec = zdmas()[5]
    with zdma(6) as all_engines:
        channel = all_engines[spec.name]
        print(
            f"after the kill: {channel.events!r}, {before - number('free_hugepages')} pages kept back at {address:#x}"
        )
        assert channel.events & Event.PAUSED  # half of it is done, and the other half comes when somebody says so
        assert number("free_hugepages") == before - 4

        unable = Claims(stop_engine=None)
        pool = opened(unable, 2 * MIB)
        assert number("free_hugepages") == before - 4
        with pytest.raises(TakenError, match="ended without stopping its engines"):
            unable.take_engine("zdma", spec.base, spec.name)
        with pool.allocate((before - 4) * 2 * MIB, np.uint8) as rest:  # all that there is
            assert all(at + nbytes <= address or at >= address + 8 * MIB for at, nbytes in rest.runs)
        unable.close()

        stopped: list[tuple[EngineClaim, int]] = []

        def stop(engine: EngineClaim) -> None:
            stopped.append((engine, number("free_hugepages")))
            channel.stop()

        able = Claims(stop_engine=stop)
        opened(able, 2 * MIB)
        assert [(engine.base, free) for engine, free in stopped] == [(spec.base, before - 4)]
        assert channel.state.name == "IDLE"
        assert number("free_hugepages") == before
        able.close()


@pytest.mark.claim("no huge pages, or no rights: the reason and what would help")
def test_what_is_missing() -> None:
    none = hugepages(SPEC, root=ROOT, claims=Claims(), page_size=32 * MIB)
    print(none)
    assert isinstance(none, Unavailable)
    assert "keeps no huge pages" in none.reason
    assert "hugepages-32768kB/nr_hugepages" in none.fix
    assert "hugepagesz=32M" in none.fix
    program = (
        "import os; os.setuid(1000)\n"
        "from pathlib import Path\n"
        "from gapless.memory.providers.hugepages import hugepages\n"
        "print(hugepages(None, root=Path('/'), claims=None))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    print(done.stdout)
    assert "CAP_SYS_ADMIN" in done.stdout
    assert "root" in done.stdout
