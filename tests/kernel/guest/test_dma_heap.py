"""Mode 1 by dma-heap, proved by ZDMA from and to memory that Linux does not have."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from plain import carve_out, read_by_device, zdma

from gapless.errors import AllocationError
from gapless.memory import ChunkedPool
from gapless.memory.claims import Claims
from gapless.memory.providers import Unavailable
from gapless.memory.providers.cma_areas import cma_areas, newly_taken
from gapless.memory.providers.ps_cma import ps_cma
from gapless.units import MIB

pytestmark = [pytest.mark.mode(1), pytest.mark.needs("dma-heap")]
ROOT = Path("/")


@pytest.fixture
def pool() -> Iterator[ChunkedPool]:
    claims = Claims()
    found = ps_cma(None, root=ROOT, claims=claims, prove=read_by_device)
    if not Path("/dev/dma_heap").exists():
        assert isinstance(found, Unavailable)
        assert "there is no /dev/dma_heap" in found.reason
        pytest.skip(found.reason)
    assert isinstance(found, ChunkedPool), found
    yield found
    claims.close()


@pytest.mark.claim("dma-heap: buffers from a page to 64 MiB by DMA, both ways")
@pytest.mark.parametrize("nbytes", [100, 4096, 65537, 5 * MIB + 1, 64 * MIB])
def test_both_ways(pool: ChunkedPool, nbytes: int) -> None:
    upper = carve_out(65 * MIB)
    before = cma_areas(ROOT)  # CmaFree in /proc/meminfo changes by itself: Linux has pages of its own there
    words = np.random.default_rng(nbytes).integers(0, 256, nbytes, np.uint8)
    with zdma() as engines, pool.allocate(nbytes, np.uint8) as buffer, upper.allocate(nbytes, np.uint8) as far:
        print(f"{platform.release()}, {pool.about}: {buffer.runs}, {buffer.sync_method}")
        assert buffer.runs == ((buffer.physical_address, nbytes),)
        assert newly_taken(before, cma_areas(ROOT), nbytes) == [buffer.physical_address]
        buffer.write(words)
        engines.copy(buffer, far)
        assert np.array_equal(far.read(), words)
        buffer.fill(0x5A)
        engines.copy(far, buffer)
        assert np.array_equal(buffer, words)
    assert cma_areas(ROOT) == before


@pytest.mark.claim("dma-heap: the address is proved by an engine where the kernel does not tell it, and never guessed")
def test_without_an_engine(pool: ChunkedPool) -> None:
    del pool
    found = ps_cma(None, root=ROOT)
    print(found)
    if platform.release().startswith("6.1."):
        assert isinstance(found, ChunkedPool)
    else:
        assert isinstance(found, Unavailable)
        assert "there is no DMA engine here" in found.reason


@pytest.mark.claim("dma-heap: what there is no room for")
def test_too_much(pool: ChunkedPool) -> None:
    with pytest.raises(AllocationError, match=r"asked 1 GiB in ps-cma: .*free; free a buffer, or boot with a larger"):
        pool.allocate(1024 * MIB, np.uint8)
