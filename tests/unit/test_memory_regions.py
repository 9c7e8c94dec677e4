"""Regions and the address map."""

from __future__ import annotations

import numpy as np
import pytest

from gapless._native import HostMemory
from gapless.boards.spec import MemoryKind
from gapless.errors import AddressError, BadArgumentError, UnsupportedError
from gapless.memory import AddressMap, MappedRegion, MemoryType

MIB, GIB = 1 << 20, 1 << 30


def region(name="ps-low", base=0x1000_0000, size=MIB, **options):
    return MappedRegion(name, base, size, HostMemory(size), **options)


class Recorder:
    """A mapping that notes what it is told."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))


def test_the_base_of_a_region_is_the_start_of_its_mapping():
    memory = HostMemory(MIB)
    at = MappedRegion("pl-ddr", 0x5_0000_0000, MIB, memory, kind=MemoryKind.PL)
    at.map(0x5_0000_0010, 4, None)[:] = [1, 2, 3, 4]
    assert memory.view(0, 32, None)[16:20].tolist() == [1, 2, 3, 4]
    assert (at.kind, at.memory_type) == (MemoryKind.PL, MemoryType.NORMAL_CACHED)
    assert MemoryType.NORMAL_CACHED == "normal-cached"


def test_a_region_may_start_inside_its_mapping():
    memory = HostMemory(MIB)
    MappedRegion("part", 0x8000, 4096, memory, offset=8192).map(0x8000, 1, None)[0] = 9
    assert memory.view(8192, 1, None)[0] == 9


@pytest.mark.parametrize(
    ("address", "nbytes"),
    [(0x0FFF_FFFF, 1), (0x1010_0000, 1), (0x100F_FFFF, 2), (0x1000_0000, MIB + 1), (-1, 2)],
)
def test_nothing_outside_is_mapped_or_synced(address, nbytes):
    ours = region()
    for method in (ours.sync_to_device, ours.sync_from_device, ours.discard, ours.prepare):
        with pytest.raises(AddressError, match="ps-low"):
            method(address, nbytes)
    with pytest.raises(AddressError, match="is not inside region ps-low"):
        ours.map(address, nbytes, None)
    assert ours.map(0x100F_FFFF, 1, None).shape == (1,)


def test_sync_reaches_memory_that_is_not_coherent_and_no_other():
    mapping = Recorder()
    MappedRegion("c", 4096, 4096, mapping).sync_to_device(4096, 8)
    assert mapping.calls == []
    loose = MappedRegion("n", 4096, 4096, mapping, coherent=False, offset=100)
    loose.sync_to_device(4104, 8)
    loose.sync_from_device(4112, 16)
    assert mapping.calls == [("sync_to_device", 108, 8), ("sync_from_device", 116, 16)]
    with pytest.raises(UnsupportedError, match="not coherent"):
        region(coherent=False)


def test_discard_and_prepare_reach_the_mapping_by_offset():
    mapping = Recorder()
    ours = MappedRegion("r", 4096, 4096, mapping)
    ours.discard(4196, 5)
    ours.prepare(4096, 4096)
    assert mapping.calls == [("discard", 100, 5), ("advise_huge", 0, 4096)]


def test_a_region_of_no_size_is_refused():
    with pytest.raises(BadArgumentError, match="region r"):
        MappedRegion("r", 0, 0, HostMemory(4096))


@pytest.fixture
def address_map():
    low = region("ps-low", 0x0, MIB)
    pl = region("pl-ddr", 0x5_0000_0000, 2 * MIB, kind=MemoryKind.PL)
    high = region("ps-high", 0x8_0000_0000, MIB)
    return AddressMap([high, low, pl])


def test_regions_are_found_up_to_their_last_byte(address_map):
    def name(address):
        found = address_map.find(address)
        return found and found.name

    assert [each.name for each in address_map] == ["ps-low", "pl-ddr", "ps-high"]
    assert len(address_map) == 3
    assert [name(0), name(MIB - 1), name(MIB)] == ["ps-low", "ps-low", None]
    assert [name(0x4_FFFF_FFFF), name(0x5_0000_0000), name(0x5_0020_0000)] == [None, "pl-ddr", None]
    assert name(1 << 60) is None
    assert AddressMap().find(0) is None


def test_resolve_needs_the_whole_range_in_one_region(address_map):
    assert address_map.resolve(0x5_0000_0000, 2 * MIB).name == "pl-ddr"
    with pytest.raises(AddressError, match=r"leaves region pl-ddr .*: 1 MiB are left"):
        address_map.resolve(0x5_0010_0000, MIB + 1)
    with pytest.raises(AddressError, match=r"at 0x6_0000_0000: pl-ddr .* below, ps-high .* above"):
        address_map.resolve(0x6_0000_0000)
    with pytest.raises(AddressError, match="the map is empty"):
        AddressMap().resolve(0)


def test_a_range_over_two_touching_regions_is_in_neither():
    touching = AddressMap([region("a", 0, MIB), region("b", MIB, MIB)])
    with pytest.raises(AddressError, match="leaves region a"):
        touching.resolve(MIB - 4, 8)


@pytest.mark.parametrize(("base", "size"), [(MIB - 1, 1), (0, MIB), (100, 100), (0x4_FFFF_FFFF, 2), (0, 8 * GIB * 8)])
def test_overlap_names_both(address_map, base, size):
    before = [each.name for each in address_map]
    with pytest.raises(AddressError, match=r"region new .* overlaps region (ps-low|pl-ddr)"):
        address_map.add(region("new", base, size))
    assert [each.name for each in address_map] == before


def test_the_table_has_a_row_per_region(address_map):
    rows = str(address_map).splitlines()
    assert rows[0].split() == ["region", "from", "to", "size", "kind"]
    assert rows[2].split() == ["pl-ddr", "0x5_0000_0000", "0x5_001F_FFFF", "2", "MiB", "pl"]
    assert len(rows) == 4


def test_what_is_mapped_is_uint8_and_writable():
    bytes_ = region().map(0x1000_0000, 8, None)
    assert bytes_.dtype == np.uint8
    assert bytes_.flags.writeable
