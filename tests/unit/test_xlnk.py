"""Xlnk: the names, keys and errors of PYNQ 2.6, and what is safe here that is not there."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest

import gapless
from gapless.compat import pynq
from gapless.compat.pynq import Xlnk
from gapless.errors import (
    BadArgumentError,
    BufferFreedError,
    BufferInFlightError,
    BufferUseError,
    NotContiguousError,
    PynqError,
    UnsupportedError,
)

PAGE = 4096
KEYS = ["CMA Memory Available", "CMA Memory Usage", "Buffer Count"]


@pytest.fixture(params=["virtual:pynq-z2", "virtual:zcu111"])
def board(request: pytest.FixtureRequest) -> Iterator[gapless.Board]:
    with gapless.open(request.param) as opened:
        pynq.use(opened)
        yield opened
        pynq.close()


@pytest.fixture
def xlnk(board: gapless.Board) -> Xlnk:
    return Xlnk()


def available(xlnk: Xlnk) -> int:
    return xlnk.cma_stats()["CMA Memory Available"]


def test_stats_have_the_keys_of_pynq_and_are_ints(xlnk: Xlnk, board: gapless.Board) -> None:
    stats = xlnk.cma_stats()
    assert list(stats) == KEYS
    assert all(type(value) is int for value in stats.values())
    assert stats["CMA Memory Available"] == board.memory["ps-cma"].stats().free
    assert (stats["CMA Memory Usage"], stats["Buffer Count"]) == (0, 0)
    assert xlnk.cma_mem_size() == board.memory["ps-cma"].size


def test_memory_goes_down_by_pages_and_comes_back_at_once(xlnk: Xlnk) -> None:
    before = available(xlnk)
    array = xlnk.cma_array(shape=(1025,), dtype=np.int32)
    stats = xlnk.cma_stats()
    assert before - stats["CMA Memory Available"] == 2 * PAGE
    assert (stats["CMA Memory Usage"], stats["Buffer Count"]) == (4100, 1)
    array.freebuffer()
    assert xlnk.cma_stats() == dict(zip(KEYS, (before, 0, 0), strict=True))
    array.freebuffer()


def test_what_is_counted_is_this_objects(xlnk: Xlnk) -> None:
    other = Xlnk()
    pointer = xlnk.cma_alloc(100)
    array = xlnk.cma_array((2, 3), "u1")
    assert other.cma_stats()["Buffer Count"] == 0
    assert other.cma_stats()["CMA Memory Available"] == available(xlnk)
    assert xlnk.cma_stats()["CMA Memory Usage"] == 106
    assert xlnk.bufmap == {pointer: 100, array.pointer: 6}
    other.cma_free(pointer)
    assert xlnk.cma_stats()["Buffer Count"] == 1


def test_an_array_that_nobody_has_comes_back_and_a_pointers_memory_does_not(board: gapless.Board) -> None:
    xlnk = Xlnk()
    before = available(xlnk)
    array, pointer = xlnk.cma_array(10), xlnk.cma_alloc(10)
    del array, pointer
    gc.collect()
    assert before - available(xlnk) == PAGE
    assert xlnk.cma_stats()["Buffer Count"] == 1
    del xlnk
    gc.collect()
    assert available(Xlnk()) == before


def test_the_array_has_pynqs_names(xlnk: Xlnk) -> None:
    array = xlnk.cma_array((4, 5), np.int16)
    assert isinstance(array, np.ndarray)
    assert (array.shape, array.dtype) == ((4, 5), np.int16)
    assert array.physical_address == array.device_address == xlnk.cma_get_phy_addr(array.pointer)
    assert array.virtual_address == array.ctypes.data == int(array.pointer)
    assert array.coherent is True
    assert array.cacheable is False
    for name in ("flush", "invalidate", "sync_to_device", "sync_from_device", "close"):
        getattr(array, name)()
    with xlnk.cma_array(3) as inside:
        assert inside.dtype == np.uint32
    for use in (lambda: inside[0], lambda: inside.physical_address, lambda: inside.pointer, lambda: array.flush()):
        with pytest.raises(BufferFreedError):
            use()
    assert isinstance(xlnk.allocate(3), pynq.PynqBuffer)


def test_views_know_their_address_and_copies_have_none(xlnk: Xlnk) -> None:
    array = xlnk.cma_array(100, "i4")
    assert array[10:].physical_address == array.physical_address + 40
    assert array[10:].virtual_address == array.virtual_address + 40
    with pytest.raises(NotContiguousError):
        array[::2].physical_address  # noqa: B018
    for plain in (array + 1, array.copy(), array[[1, 2]]):
        assert type(plain) is np.ndarray
    with pytest.raises(BufferUseError, match="view"):
        array[1:].freebuffer()
    view, before = array[1:], available(xlnk)
    array.freebuffer()
    assert available(xlnk) == before, "the pages go when the last view does"
    del view
    assert available(xlnk) == before + PAGE


def test_a_buffer_in_use_is_not_freed(xlnk: Xlnk) -> None:
    array = xlnk.cma_array(10)
    with array.in_use_by("dma"), pytest.raises(BufferInFlightError, match="dma"):
        array.freebuffer()
    array.freebuffer()


def test_no_room_is_pynqs_error_with_our_reason(xlnk: Xlnk) -> None:
    for ask in (lambda: xlnk.cma_alloc(1 << 30), lambda: xlnk.cma_array((1 << 28,), np.uint32)):
        with pytest.raises(RuntimeError, match=r"^Failed to allocate Memory! asked 1 GiB in ps-cma: largest free"):
            ask()
    for length in (0, -1):
        with pytest.raises(PynqError, match=r"^Failed to allocate Memory!"):
            xlnk.cma_alloc(length)


def test_what_is_no_pointer_is_refused(xlnk: Xlnk) -> None:
    array = xlnk.cma_array(10)
    asked = (
        lambda: xlnk.cma_get_buffer(array, 4),
        lambda: xlnk.cma_get_phy_addr(array.physical_address),
        lambda: xlnk.cma_free(array),
        lambda: xlnk.cma_cast(array, "int"),
        lambda: xlnk.cma_array(3, pointer=array),
        lambda: xlnk.cma_memcopy(array.pointer, 5, 4),
    )
    for ask in asked:
        with pytest.raises(RuntimeError, match=r"^Unknown buffer type"):
            ask()


def test_a_buffer_object_is_the_memory(xlnk: Xlnk) -> None:
    array = xlnk.cma_array(4, np.uint32)
    array[:] = 7
    buffer = xlnk.cma_get_buffer(array.pointer, 8)
    assert bytes(buffer) == bytes(array[:2])
    buffer[0] = 9
    assert array[0] == 9
    with pytest.raises(BadArgumentError, match="16 to the end"):
        xlnk.cma_get_buffer(array.pointer, 17)


def test_memcopy_copies_and_stays_inside(xlnk: Xlnk) -> None:
    source, target = xlnk.cma_array(4, np.uint32), xlnk.cma_alloc(16)
    source[:] = [1, 2, 3, 4]
    Xlnk.cma_memcopy(target, source.pointer, 12)
    assert list(Xlnk.cma_cast(target, "uint32_t")[0:4]) == [1, 2, 3, 0]
    # They overlap, as for memmove().
    Xlnk.cma_memcopy(Xlnk.cma_cast(target, "int") + 1, target, 12)
    assert list(Xlnk.cma_cast(target, "uint32_t")[0:4]) == [1, 1, 2, 3]
    Xlnk.cma_memcopy(target, b"abcd", 4)
    assert bytes(xlnk.cma_get_buffer(target, 4)) == b"abcd"
    for bad in ((target, source.pointer, 17), (target, b"abc", 4), (b"abcd", target, 4)):
        with pytest.raises(BadArgumentError):
            Xlnk.cma_memcopy(*bad)


def test_cma_free_frees_once(xlnk: Xlnk) -> None:
    before = available(xlnk)
    pointer = xlnk.cma_alloc(10, data_type="float")
    assert xlnk.cma_stats()["CMA Memory Usage"] == 40
    xlnk.cma_free(Xlnk.cma_cast(pointer, "void"))
    assert available(xlnk) == before
    for use in (lambda: xlnk.cma_free(pointer), lambda: pointer[0], lambda: xlnk.cma_get_phy_addr(pointer)):
        with pytest.raises(BufferFreedError):
            use()
    array = xlnk.cma_array(10)
    xlnk.cma_free(array.pointer)
    assert array.freed


def test_an_array_on_a_pointer_goes_back_to_its_cache(xlnk: Xlnk) -> None:
    returned: list[object] = []

    class Cache:
        def return_pointer(self, pointer: object) -> None:
            returned.append(pointer)

    pointer = xlnk.cma_alloc(64)
    array = xlnk.cma_array((2, 4), np.float32, pointer=pointer, cache=Cache())
    assert array.physical_address == pointer.physical_address
    assert array.pointer is pointer
    array.freebuffer()
    array.freebuffer()
    assert returned == [pointer]
    unowned = xlnk.cma_array(16, pointer=pointer)
    unowned.freebuffer()
    unowned[0] = 1
    with pytest.raises(BadArgumentError, match="64 to the end"):
        xlnk.cma_array(17, pointer=pointer)


def test_reset_frees_everything_but_what_is_in_use(xlnk: Xlnk, board: gapless.Board) -> None:
    """PYNQ: all there is on the system, that of other programs and of running transfers, too."""
    other, before = Xlnk(), available(xlnk)
    arrays = [xlnk.cma_array(10), other.cma_array(10), xlnk.cma_array(10)]
    pointer = other.cma_alloc(10)
    others = board.memory["ps-cma"].allocate(10)  # as another program would
    with arrays[0].in_use_by("dma"), pytest.raises(BufferInFlightError):
        xlnk.xlnk_reset()
    assert [array.freed for array in arrays] == [False, True, True]
    assert xlnk.cma_stats()["Buffer Count"] == 1
    xlnk.xlnk_reset()
    assert not others.freed
    others.free()
    assert available(xlnk) == before
    with pytest.raises(BufferFreedError):
        pointer.view(1)


@pytest.mark.parametrize("user", [0, 1000])
def test_without_the_pool_only_who_is_not_root_is_told_to_be(user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def __getitem__(self, name: str) -> None:
            raise UnsupportedError(f"memory {name} is not there: no /dev/mem")

    with gapless.open("virtual:pynq-z2") as board:
        monkeypatch.setattr(board, "memory", Nothing())
        monkeypatch.setattr("os.geteuid", lambda: user)
        pynq.use(board)
        kind, words = (PynqError, r"^Root permission needed by the library\.") if user else (UnsupportedError, "memory")
        with pytest.raises(kind, match=f"{words}.*no /dev/mem"):
            Xlnk()
        pynq.close()
