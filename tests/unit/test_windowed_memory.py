"""WindowedMemory: at one place for good, mapped where it was reached and nowhere else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import Mapping, WindowedMemory

PAGE = os.sysconf("SC_PAGESIZE")
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
WINDOW = 16 * PAGE


@pytest.fixture
def descriptor():
    """A file of 2 MiB that exists in memory only."""
    file = os.memfd_create("gapless-test")
    os.truncate(file, 2 * MIB)
    yield file
    os.close(file)


def mapped_pages(pointer, size):
    """By the kernel's own account, which pages of the memory at ``pointer`` are mapped to a file."""
    pages = np.zeros(size // PAGE, bool)
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, *_ = line.split()
        first, end = (int(text, 16) for text in addresses.split("-"))
        if access.startswith("rw-s"):
            low, high = max(first, pointer), min(end, pointer + size)
            pages[max(low - pointer, 0) // PAGE : max(high - pointer, 0) // PAGE] = True
    return pages


def pointer_of(memory):
    return Mapping(memory.view(0, memory.size, None)).pointer


def test_28_gib_cost_nothing_until_they_are_reached(descriptor):
    os.truncate(descriptor, 64 * GIB)  # sparse
    memory = WindowedMemory(descriptor, 0x8_8000_0000, 28 * GIB)
    assert (memory.size, memory.mapped) == (28 * GIB, 0)
    view = memory.view(0, 28 * GIB, None)
    for at in (0, 28 * GIB - 1, 0x9_0000_0000 - 0x8_8000_0000 - 1):
        memory.reach(at, 1)
        view[at] = 7
    assert memory.mapped == 3 * 64 * MIB
    os.lseek(descriptor, 0, os.SEEK_SET)
    for at in (0x8_8000_0000, 0x8_8000_0000 + 28 * GIB - 1, 0x8_FFFF_FFFF):
        assert os.pread(descriptor, 1, at) == b"\7"


def test_an_access_before_it_is_reached_does_not_go_anywhere(tmp_path):
    program = """
import os
from gapless._native import WindowedMemory
file = os.memfd_create("gapless-test")
os.truncate(file, 1 << 20)
memory = WindowedMemory(file, 0, 1 << 20, 1 << 16)
view = memory.view(0, 1 << 20, None)
memory.reach(1 << 16, 1)
view[1 << 16] = view[(1 << 17) - 1] = 1
print("alive", flush=True)
view[1 << 17] = 1
"""
    environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0"}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert ended.stdout == "alive\n", ended.stderr
    assert ended.returncode == -signal.SIGSEGV


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 40),
    st.integers(1, 100),
    st.lists(st.tuples(st.booleans(), st.integers(0, 100 * PAGE), st.integers(0, 100 * PAGE)), max_size=12),
)
def test_what_is_mapped_is_what_was_reached(first_page, pages, steps):
    """Against a model that knows one thing: windows lie at multiples of their size in the file."""
    file = os.memfd_create("gapless-test")
    try:
        os.truncate(file, 200 * PAGE)
        content = np.random.default_rng(1).integers(0, 256, 200 * PAGE, np.uint8)
        os.pwrite(file, content.tobytes(), 0)
        base, size = first_page * PAGE, pages * PAGE
        memory = WindowedMemory(file, base, size, WINDOW)
        view, pointer = memory.view(0, size, None), pointer_of(memory)
        model = np.zeros(pages, bool)
        window_of = (np.arange(pages) * PAGE + base) // WINDOW
        for reach, low, high in steps:
            start, end = sorted((min(low, size), min(high, size)))
            if reach:
                memory.reach(start, end - start)
                if start < end:
                    touched = window_of[start // PAGE : (end - 1) // PAGE + 1]
                    model |= np.isin(window_of, touched)
                assert np.array_equal(view[start:end], content[base + start : base + end])
            else:
                memory.discard(start, end - start)
                for window in np.unique(window_of):
                    inside = np.flatnonzero(window_of == window)
                    if start <= inside[0] * PAGE and (inside[-1] + 1) * PAGE <= end:
                        model[inside] = False
            assert memory.mapped == model.sum() * PAGE
            assert np.array_equal(mapped_pages(pointer, size), model)
    finally:
        os.close(file)


def test_a_view_keeps_its_place_and_its_bytes(descriptor):
    memory = WindowedMemory(descriptor, 0, MIB, WINDOW)
    view = memory.view(0, MIB, None)
    memory.reach(0, MIB)
    view[:] = np.arange(MIB) % 251
    pointer = pointer_of(memory)
    memory.discard(0, MIB)
    assert memory.mapped == 0
    memory.reach(0, MIB)
    assert pointer_of(memory) == pointer
    assert np.array_equal(view, (np.arange(MIB) % 251).astype(np.uint8))
    del memory  # the view has it
    view[5] = 9
    assert view[5] == 9


def test_the_descriptor_may_be_closed(descriptor):
    again = os.dup(descriptor)
    memory = WindowedMemory(again, 0, MIB, WINDOW)
    os.close(again)
    memory.reach(0, MIB)
    memory.view(0, 1, None)[0] = 3
    assert os.pread(descriptor, 1, 0) == b"\3"


def test_all_is_unmapped_and_closed_at_the_end(descriptor):
    before = len(os.listdir("/proc/self/fd"))
    memory = WindowedMemory(descriptor, 0, MIB, WINDOW)
    memory.reach(0, MIB)
    pointer = pointer_of(memory)
    assert mapped_pages(pointer, MIB).all()
    del memory
    assert not mapped_pages(pointer, MIB).any()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("offset", "nbytes"), [(0, MIB + 1), (MIB, 1), (MIB + 1, 0), ((1 << 64) - 1, 2), (1, (1 << 64) - 1)]
)
def test_nothing_outside_can_be_reached(descriptor, offset, nbytes):
    memory = WindowedMemory(descriptor, 0, MIB, WINDOW)
    for call in (memory.reach, memory.discard, lambda *where: memory.view(*where, None)):
        with pytest.raises(IndexError, match="leaves a memory of 1048576 bytes"):
            call(offset, nbytes)
    memory.reach(MIB, 0)
    assert memory.mapped == 0


@pytest.mark.parametrize(
    ("base", "size", "window", "said"),
    [
        (1, PAGE, WINDOW, "whole pages"),
        (0, PAGE + 1, WINDOW, "whole pages"),
        (0, 0, WINDOW, "whole pages"),
        (0, PAGE, 0, "power of two"),
        (0, PAGE, 3 * PAGE, "power of two"),
        (0, PAGE, PAGE // 2, "whole pages"),
        (1 << 63, PAGE, WINDOW, "beyond 63 bits"),
        ((1 << 63) - PAGE, 2 * PAGE, WINDOW, "beyond 63 bits"),
        (PAGE, (1 << 64) - PAGE, WINDOW, "beyond 63 bits"),
    ],
)
def test_numbers_that_cannot_be(descriptor, base, size, window, said):
    with pytest.raises(ValueError, match=said):
        WindowedMemory(descriptor, base, size, window)


def test_what_the_system_refuses_has_its_errno(descriptor):
    with pytest.raises(OSError, match="cannot keep descriptor -1") as refused:
        WindowedMemory(-1, 0, PAGE)
    assert refused.value.errno == errno.EBADF
    with pytest.raises(OSError, match="cannot reserve the addresses") as refused:
        WindowedMemory(descriptor, 0, 1 << 60)
    assert refused.value.errno == errno.ENOMEM


def test_a_mapping_that_fails_half_way_keeps_the_rest(tmp_path):
    """A pipe cannot be mapped, and a file that is opened for reading only cannot be mapped for writing."""
    (tmp_path / "file").write_bytes(bytes(PAGE))
    reading = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        memory = WindowedMemory(reading, 0, 4 * WINDOW, WINDOW)
        pointer = pointer_of(memory)
        with pytest.raises(PermissionError, match=f"cannot map {WINDOW} bytes at 0x{WINDOW:x}"):
            memory.reach(WINDOW, 1)
        assert memory.mapped == 0
        # The reservation is whole: nobody else can have got its addresses.
        line = next(text for text in Path("/proc/self/maps").read_text().splitlines() if _holds(text, pointer + WINDOW))
        assert " ---p " in line
    finally:
        os.close(reading)


def _holds(line, address):
    first, end = (int(text, 16) for text in line.split()[0].split("-"))
    return first <= address < end


def test_threads_may_reach_and_discard_what_is_theirs(descriptor):
    """Each has two and a half windows, so that neighbours share one."""
    size = 8 * WINDOW * 5 // 2
    os.truncate(descriptor, size)
    memory = WindowedMemory(descriptor, 0, size, WINDOW)
    view, share = memory.view(0, size, None), size // 8
    failures = []

    def work(number):
        ours, first = view[number * share : (number + 1) * share], number * share
        for turn in range(200):
            memory.reach(first, share)
            ours[:] = (number + turn) % 256
            if not (ours == (number + turn) % 256).all():
                failures.append((number, turn))
            memory.discard(first, share)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert memory.mapped <= 8 * WINDOW  # windows that two share are nobody's to unmap
