"""Descriptors in memory: byte by byte what PG021 says."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import HostMemory
from gapless.boards import DmaSpec, MemoryKind
from gapless.dma import DESCRIPTOR, DESCRIPTOR_BYTES, DescriptorRing
from gapless.errors import AllocationError, BadArgumentError, DmaDecodeError, DmaInternalError, DmaSlaveError
from gapless.memory import MappedRegion, RangePool

MIB = 1 << 20


def pool(base):
    return RangePool(MappedRegion("ram", base, MIB, HostMemory(MIB)), base, MIB, name="ram")


def spec(address_width=40):
    return DmaSpec("dma0", 0xA000_0000, sg=True, ports={MemoryKind.PS: "HP0"}, address_width=address_width)


def reference(base, pieces):
    """64 bytes a descriptor, little-endian words (PG021, "Scatter Gather Descriptor")."""
    out = b""
    for index, (address, length) in enumerate(pieces):
        following = base + 64 * ((index + 1) % len(pieces))
        words = [following & 0xFFFFFFFF, following >> 32, address & 0xFFFFFFFF, address >> 32, 0, 0]
        words += [length | 1 << 26 | 1 << 27, 0] + [0] * 8
        out += struct.pack("<16I", *words)
    return out


@settings(max_examples=50)
@given(
    st.sampled_from([0x1000, 0xFFFF_F000, 0x8_0000_0000, (1 << 40) - MIB, 0x7FFF_0000_0000_0000]),
    st.lists(st.tuples(st.integers(0, (1 << 64) - 1), st.integers(1, (1 << 26) - 1)), min_size=1, max_size=40),
)
def test_linked_as_the_reference_says(base, pieces):
    with DescriptorRing(pool(base), spec(64), len(pieces)) as ring:
        ring.bytes[:] = 0xA5  # whatever was there before
        ring.link(np.array(pieces, dtype=np.uint64))
        expected = np.frombuffer(reference(ring.physical_address, pieces), np.uint8).reshape(-1, 64)
        got = ring.bytes.reshape(-1, 64)
        assert np.array_equal(got[:, :0x10], expected[:, :0x10])
        assert np.array_equal(got[:, 0x18:0x20], expected[:, 0x18:0x20])
        assert ring.physical_address % 64 == 0


def test_a_new_ring_is_all_zero_and_gives_its_memory_back():
    ram = pool(0x1000)
    dirty = ram.allocate(4096, np.uint8)
    dirty[:] = 0xFF
    dirty.free()
    ring = DescriptorRing(ram, spec(), 8)
    assert DESCRIPTOR.itemsize == DESCRIPTOR_BYTES == 64
    assert not ring.bytes.any()
    assert [ring.address_of(n) for n in (0, 7, 8)] == [0x1000, 0x1000 + 7 * 64, 0x1000]
    ring.free()
    ring.free()
    assert ram.stats().used == 0


def test_a_ring_lies_where_the_engine_reaches_it():
    with pytest.raises(AllocationError, match="below 0x1_0000_0000"):
        DescriptorRing(pool(0x8_0000_0000), spec(32), 1)


@pytest.mark.parametrize("count", [0, -1])
def test_an_empty_ring_is_refused(count):
    with pytest.raises(BadArgumentError, match="at least 1"):
        DescriptorRing(pool(0), spec(), count)


def test_the_pieces_must_fill_the_ring():
    with DescriptorRing(pool(0), spec(), 3) as ring, pytest.raises(BadArgumentError, match="2 pieces for a ring of 3"):
        ring.link(np.zeros((2, 2), np.uint64))


@pytest.mark.parametrize(("bit", "kind"), [(28, DmaInternalError), (29, DmaSlaveError), (30, DmaDecodeError)])
def test_check_raises_what_a_descriptor_reports(bit, kind):
    with DescriptorRing(pool(0x1000), spec(), 3) as ring:
        ring.link(np.array([[0x4000, 64], [0x8_0000_5000, 64], [0x6000, 64]], dtype=np.uint64))
        ring.descriptors["status"][0] = 1 << 31 | 64
        ring.check("dma0 MM2S")
        ring.descriptors["status"][1] = 1 << bit
        with pytest.raises(
            kind, match=r"dma0 MM2S at 0x8_0000_5000: .*descriptor at 0x1040, status 0x[0-9A-F]{8}"
        ) as info:
            ring.check("dma0 MM2S")
        assert (info.value.address, info.value.status) == (0x8_0000_5000, 1 << bit)
