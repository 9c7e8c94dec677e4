"""What Linux manages, what the device tree says, and what is left for a carve-out: on trees made for the test."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.boards.spec import MemoryKind
from gapless.boards.zcu111 import zcu111
from gapless.errors import AccessDeniedError, AddressError
from gapless.memory.providers.device_tree import DeviceTree, Node
from gapless.memory.providers.iomem import Iomem
from gapless.memory.providers.ranges import intersect, merge, subtract, total, whole_pages
from gapless.memory.providers.unmanaged import candidates, ps_memory

GIB, MIB = 1 << 30, 1 << 20

#: As Debian's arm64 kernel 6.1 prints it with tests/kernel/zcu102.dts, shortened.
IOMEM = """\
00000000-7fefffff : System RAM
  00210000-0185ffff : Kernel code
  01860000-01eaffff : reserved
  77e00000-7fdfffff : reserved
ff000000-ff000fff : xuartps
800000000-86fffffff : System RAM
  868000000-86fffffff : reserved
870000000-877ffffff : reserved
878000000-87fffffff : System RAM
"""

# ---- ranges, against a bitmap

SMALL = st.tuples(st.integers(0, 60), st.integers(0, 64))
SPANS = st.lists(SMALL, max_size=6)


def bitmap(spans):
    bits = np.zeros(64, bool)
    for first, end in spans:
        bits[first:end] = True
    return bits


def is_merged(spans):
    return all(first < end for first, end in spans) and all(a[1] < b[0] for a, b in pairwise(spans))


@given(SPANS, SPANS)
def test_ranges_are_sets_of_addresses(spans, others):
    ours, theirs = bitmap(spans), bitmap(others)
    for found, expected in (
        (merge(spans), ours),
        (subtract(spans, others), ours & ~theirs),
        (intersect(spans, others), ours & theirs),
    ):
        assert np.array_equal(bitmap(found), expected)
        assert is_merged(found)
    assert total(spans) == ours.sum()


@given(SMALL, st.sampled_from([1, 2, 4, 16]))
def test_whole_pages_are_the_most_that_fit(span, page):
    first, end = whole_pages(span, page)
    assert first % page == end % page == 0
    expected = [at for at in range(0, 64, page) if span[0] <= at and at + page <= span[1]]
    assert list(range(first, end, page)) == expected


# ---- /proc/iomem


def test_entries_know_what_they_lie_in():
    iomem = Iomem(IOMEM)
    assert iomem.readable
    assert [entry.name for entry in iomem.top] == ["System RAM", "xuartps", "System RAM", "reserved", "System RAM"]
    assert iomem.entries[1].span == (0x21_0000, 0x186_0000)
    assert iomem.entries[1].depth == 1
    assert iomem.managed == ((0, 0x7FF0_0000), (0x8_0000_0000, 0x8_7000_0000), (0x8_7800_0000, 0x8_8000_0000))
    assert iomem.no_map == ((0x8_7000_0000, 0x8_7800_0000),)


@pytest.mark.parametrize(
    ("base", "nbytes", "said"),
    [
        (0x30_0000, 1, r"1 B at 0x30_0000 .*0x0-0x7FEF_FFFF System RAM, there 0x21_0000-0x185_FFFF Kernel code"),
        (0x8_0000_0000, 4096, "0x8_0000_0000-0x8_6FFF_FFFF System RAM is in it"),
        (0x7_FFFF_FFFF, 2, "0x8_0000_0000-0x8_6FFF_FFFF System RAM is in it"),
        (0x8_6FFF_FFFF, 2, "System RAM, there 0x8_6800_0000-0x8_6FFF_FFFF reserved"),
        (0x8_7000_0000, 1 << 34, "0x8_7800_0000-0x8_7FFF_FFFF System RAM"),
        (0, 1 << 40, "0x0-0x7FEF_FFFF System RAM"),
    ],
)
def test_what_linux_manages_is_refused_by_name(base, nbytes, said):
    with pytest.raises(AddressError, match=said):
        Iomem(IOMEM).refuse_managed(base, nbytes)


@pytest.mark.parametrize(
    ("base", "nbytes"),
    [(0x7FF0_0000, 1), (0x7FF0_0000, MIB), (0x7_FFFF_FFFF, 1), (0x8_7000_0000, 128 * MIB), (0x8_8000_0000, 28 * GIB)],
)
def test_what_it_does_not_manage_is_not(base, nbytes):
    Iomem(IOMEM).refuse_managed(base, nbytes)
    Iomem(IOMEM).refuse_used(base, nbytes)


def test_what_a_driver_has_is_refused_where_that_matters():
    Iomem(IOMEM).refuse_managed(0xFF00_0FFF, 1)
    with pytest.raises(AddressError, match="0xFF00_0000-0xFF00_0FFF xuartps"):
        Iomem(IOMEM).refuse_used(0xFF00_0FFF, 1)


@pytest.mark.parametrize("text", ["", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n"])
def test_addresses_that_are_hidden_are_not_taken_for_no_memory(text):
    iomem = Iomem(text)
    assert not iomem.readable
    for refuse in (iomem.refuse_managed, iomem.refuse_used):
        with pytest.raises(AccessDeniedError, match="shows addresses to root only"):
            refuse(0x8_8000_0000, 1)


def test_a_machine_without_proc_is_not_readable(tmp_path):
    assert not Iomem.read(tmp_path).readable


# ---- the device tree


def cells(*values):
    return b"".join(value.to_bytes(4, "big") for value in values)


def wide(*values):
    return b"".join(value.to_bytes(8, "big") for value in values)


class Tree:
    """A machine's /proc, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.top = root, root / "proc/device-tree"
        self.node("", compatible=b"xlnx,zynqmp-zcu111\0xlnx,zynqmp\0")
        self.iomem(IOMEM)

    def node(self, path: str, **properties: bytes) -> None:
        folder = self.top / path
        folder.mkdir(parents=True, exist_ok=True)
        if path in ("", "reserved-memory", "amba_pl"):
            properties = {"#address-cells": cells(2), "#size-cells": cells(2), **properties}
        for name, value in properties.items():
            (folder / ("no-map" if name == "no_map" else name)).write_bytes(value)

    def reserve(self, name: str, base: int, size: int, **properties: bytes) -> None:
        self.node("reserved-memory")
        self.node(f"reserved-memory/{name}", reg=wide(base, size), **properties)

    def iomem(self, text: str) -> None:
        (self.root / "proc").mkdir(exist_ok=True)
        (self.root / "proc/iomem").write_text(text)

    def cmdline(self, text: str) -> None:
        (self.root / "proc/cmdline").write_text(text)

    def read(self) -> DeviceTree:
        return DeviceTree.read(self.root)

    def candidates(self, spec=None):
        return candidates(spec or zcu111(), Iomem.read(self.root), self.read())


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_the_tree_is_read_in_big_endian_cells(tree):
    tree.node("memory@0", device_type=b"memory\0", reg=wide(0, 0x7FF0_0000, 0x8_0000_0000, 2 * GIB))
    tree.node("cpus", **{"#address-cells": cells(1), "#size-cells": cells(0)})
    tree.node("cpus/cpu@0", device_type=b"cpu\0", reg=cells(0))
    tree.node("chosen", **{"linux,usable-memory-range": wide(0, 0x1000, 0x8_0000_0000, 0x2000)})
    tree.reserve("carveout@880000000", 0x8_8000_0000, 28 * GIB, no_map=b"", label=b"ps-carveout\0")
    tree.reserve("dma", 0x1000, 0x1000, compatible=b"shared-dma-pool\0a,b\0")
    tree.node("reserved-memory/dynamic", size=wide(0x1000))  # Linux chooses where
    tree.node("amba_pl", ranges=b"")
    tree.node("amba_pl/ddr4@1000000000", compatible=b"xlnx,ddr4-2.2\0", reg=wide(0x10_0000_0000, 4 * GIB))
    tree.node("amba_pl/dma@a0000000", compatible=b"xlnx,axi-dma-7.1\0", reg=wide(0xA000_0000, 0x1000))
    tree.cmdline("console=ttyPS0 mem=1G root=/dev/ram mem=4G\n")
    found = tree.read()
    assert found.compatible == ("xlnx,zynqmp-zcu111", "xlnx,zynqmp")
    assert found.memory == ((0, 0x7FF0_0000), (0x8_0000_0000, 0x8_8000_0000))
    assert found.usable == ((0, 0x1000), (0x8_0000_0000, 0x8_0000_2000))
    assert [(node.name, node.label, node.compatible, node.no_map) for node in found.reserved] == [
        ("carveout@880000000", "ps-carveout", (), True),
        ("dma", "", ("shared-dma-pool", "a,b"), False),
    ]
    assert found.reserved[0].spans == ((0x8_8000_0000, 0xF_8000_0000),)
    assert [node.name for node in found.pl_memory] == ["ddr4@1000000000"]
    assert found.limit == 4 * GIB


def test_one_cell_is_a_number_of_32_bits(tree):
    tree.node("", **{"#address-cells": cells(1), "#size-cells": cells(1)})
    tree.node("memory", device_type=b"memory\0", reg=cells(0x1000, 0x2000, 0x8000, 0x1000))
    assert tree.read().memory == ((0x1000, 0x3000), (0x8000, 0x9000))


@pytest.mark.parametrize("reg", [b"", b"\0", cells(0, 1, 2), wide(0, 0)])
def test_a_reg_that_makes_no_sense_is_no_memory(tree, reg):
    tree.node("memory@0", device_type=b"memory\0", reg=reg)
    assert tree.read().memory == ()


@pytest.mark.parametrize(
    ("text", "limit"),
    [("mem=2048M", 2 * GIB), ("quiet mem=0x10000000", 256 * MIB), ("memmap=1G nomem=3", None), ("mem=512k", 512 << 10)],
)
def test_the_limit_is_as_the_kernel_reads_it(tree, text, limit):
    tree.cmdline(text)
    assert tree.read().limit == limit


def test_no_tree_is_an_empty_one(tmp_path):
    assert DeviceTree.read(tmp_path) == DeviceTree()


# ---- what is left


def test_a_node_that_is_named_so_is_the_carve_out(tree):
    tree.reserve("carveout@880000000", 0x8_8000_0000, 28 * GIB, no_map=b"")
    first, *_ = tree.candidates()
    assert (first.base, first.size, first.usable) == (0x8_8000_0000, 28 * GIB, True)
    assert first.reason == "reserved-memory/carveout@880000000 of the device tree"


def test_a_label_names_it_too_also_inside_what_linux_knows(tree):
    tree.reserve("buffer@870000000", 0x8_7000_0000, 128 * MIB, no_map=b"", label=b"ps-carveout\0")
    first, *_ = tree.candidates()
    assert (first.base, first.size, first.usable) == (0x8_7000_0000, 128 * MIB, True)


@pytest.mark.parametrize("properties", [{}, {"compatible": b"shared-dma-pool\0", "label": b"carveout\0"}])
def test_what_is_reserved_for_somebody_is_not_taken(tree, properties):
    tree.reserve("optee@870000000", 0x8_7000_0000, 128 * MIB, no_map=b"", **properties)
    (found,) = [each for each in tree.candidates() if each.base == 0x8_7000_0000]
    assert not found.usable
    assert "optee@870000000" in found.reason


def test_a_carve_out_without_no_map_is_said_to_lack_it(tree):
    tree.reserve("carveout@868000000", 0x8_6800_0000, 128 * MIB)
    assert not any(found.usable for found in tree.candidates())
    assert "reserved-memory/carveout@868000000: it has no no-map" in " ".join(map(str, tree.candidates()))


def big_board():
    return zcu111(ps_bytes=32 * GIB)


def test_memory_beyond_what_linux_was_given_is_left_over(tree):
    tree.cmdline("mem=4G")
    first, *rest = tree.candidates(big_board())
    assert (first.base, first.size, first.usable) == (0x8_8000_0000, 28 * GIB, True)
    assert first.reason == "left over: beyond mem=4 GiB of the kernel's command line"
    # The last MiB of the low memory is left, too, and too small to be anything but the firmware's.
    assert [(found.base, found.usable) for found in rest] == [(0x7FF0_0000, False)]
    tree.node("chosen", **{"linux,usable-memory-range": wide(0, 2 * GIB)})
    assert "linux,usable-memory-range" in tree.candidates(big_board())[0].reason


def test_the_device_trees_memory_counts_where_the_board_has_more_than_its_description(tree):
    tree.node("memory@0", device_type=b"memory\0", reg=wide(0x8_0000_0000, 8 * GIB))
    first, *_ = tree.candidates()
    assert (first.base, first.size) == (0x8_8000_0000, 6 * GIB)
    assert total(ps_memory(zcu111(), tree.read())) == 10 * GIB


def test_no_memory_of_the_ps_is_where_the_ps_has_none(tree):
    tree.node("memory@0", device_type=b"memory\0", reg=wide(0, 34 * GIB))  # as QEMU writes it
    assert not any(found.usable for found in tree.candidates())


def test_a_board_whose_memory_linux_has_whole_has_no_carve_out(tree):
    assert not any(found.usable for found in tree.candidates())


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 80)), max_size=6), st.data())
def test_nothing_that_anybody_has_is_ever_taken(reserved, data):
    """Against a bitmap of 64 MiB pieces of the upper 32 GiB: what is usable is DDR, and nobody's."""
    step, top = 64 * MIB, 0x8_0000_0000
    managed = sorted(data.draw(st.sets(st.integers(0, 511), max_size=5)))
    lines = "".join(f"{top + at * step:x}-{top + (at + 1) * step - 1:x} : System RAM\n" for at in managed)
    nodes = tuple(_node(f"node{at}", top + at * step, n * step) for at, n in reserved)
    carve_outs = tuple(replace(node, name="carveout") for node in nodes[::2])
    tree = DeviceTree(reserved=(*carve_outs, *nodes[1::2]))
    spec = big_board()
    taken = np.zeros(512, bool)
    taken[managed] = True
    for node in nodes[1::2]:
        taken[_pieces(node.spans[0])] = True
    usable = np.zeros(512, bool)
    for found in candidates(spec, Iomem("ff000000-ff000fff : x\n" + lines), tree):
        if found.usable and found.base >= top:
            assert found.base % step == found.size % step == 0
            usable[_pieces((found.base, found.base + found.size))] = True
    ddr = np.zeros(512, bool)
    ddr[: 30 * GIB // step] = True
    for node in carve_outs:
        ddr[_pieces(node.spans[0])] = True
    assert np.array_equal(usable, ddr & ~taken)


def _node(name, base, size):
    return Node(name, "", (), ((base, base + size),), True)


def _pieces(span):
    return slice((span[0] - 0x8_0000_0000) // (64 * MIB), (span[1] - 0x8_0000_0000) // (64 * MIB))


def test_the_description_has_memory_of_the_pl_that_is_none_of_the_ps():
    assert any(part.kind is MemoryKind.PL for part in big_board().memories)
    assert total(ps_memory(big_board(), DeviceTree())) == 32 * GIB
