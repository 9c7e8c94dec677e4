"""DmaBuffer: an array that knows its physical address, and that nothing can read after it was freed."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

from gapless._native import HostMemory
from gapless.errors import (
    BadArgumentError,
    BufferFreedError,
    BufferInFlightError,
    BufferUseError,
    NotContiguousError,
)
from gapless.memory import DmaBuffer, MappedRegion, RangePool, span

MIB = 1 << 20
BASE = 0x4000_0000


@pytest.fixture
def pool():
    return RangePool(MappedRegion("ps-low", BASE, MIB, HostMemory(MIB)), BASE, MIB, name="ps-cma")


@pytest.fixture
def buf(pool):
    buffer = pool.allocate(24, np.int32, address=BASE + 256)
    buffer[:] = np.arange(24)
    return buffer


def is_plain(value):
    parts = value if isinstance(value, (list, tuple)) else [value]
    return all(not isinstance(part, DmaBuffer) for part in parts)


# ---- views


@pytest.mark.parametrize(
    ("make", "offset"),
    [
        (lambda b: b[5:], 20),
        (lambda b: b[5:9][2:], 28),
        (lambda b: b[...], 0),
        (lambda b: b.reshape(4, 6), 0),
        (lambda b: b.reshape(4, 6)[2], 48),
        (lambda b: b.reshape(4, 6)[1:3], 24),
        (lambda b: b.reshape(4, 6).ravel(), 0),
        (lambda b: b.reshape(4, 6).T.T, 0),
        (lambda b: b[None, :].squeeze(), 0),
        (lambda b: b.view(np.uint8)[3:], 3),
        (lambda b: b.view("u2")[1:], 2),
        (lambda b: np.split(b, 4)[2], 48),
        (lambda b: list(b.reshape(4, 6))[3], 72),
        (lambda b: np.reshape(b, (2, 12))[1], 48),
        (lambda b: np.squeeze(b[None])[1:], 4),
        (lambda b: b.T[1:], 4),
        (lambda b: b[::-1][::-1], 0),
        (lambda b: b[7:8][::-1], 28),
    ],
)
def test_a_contiguous_view_knows_its_own_address(buf, make, offset):
    view = make(buf)
    assert isinstance(view, DmaBuffer)
    assert view.physical_address == BASE + 256 + offset
    assert span(view) == (BASE + 256 + offset, view.nbytes)
    assert np.shares_memory(view, buf)
    assert view.pool is buf.pool
    memory = buf.pool.region.map(view.physical_address, view.nbytes, None)
    assert memory.tobytes() == view.tobytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda b: b[::2],
        lambda b: b[::-1],
        lambda b: b.reshape(4, 6)[:, 1:],
        lambda b: b.reshape(4, 6).T,
        lambda b: np.moveaxis(b.reshape(2, 3, 4), 0, 2),
        lambda b: b.reshape(4, 6).diagonal(),
        lambda b: b.view("i2")[1::2],
    ],
)
def test_a_strided_view_has_no_address_and_says_why(buf, make):
    view = make(buf)
    assert isinstance(view, DmaBuffer)
    for ask in (lambda: view.physical_address, lambda: span(view)):
        with pytest.raises(NotContiguousError, match=r"strides \(.*copy it into a buffer"):
            ask()
    assert np.shares_memory(view, buf)


def test_setting_a_shape_in_place_keeps_the_address(buf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # numpy 2.5
        buf.shape = (4, 6)
    assert buf.physical_address == BASE + 256
    assert buf[1].physical_address == BASE + 280


def test_structured_and_complex_parts_are_strided_views(pool):
    records = pool.allocate(4, [("i", "i2"), ("q", "i2")])
    records["q"] = 7
    with pytest.raises(NotContiguousError):
        span(records["q"])
    assert pool.region.map(records.physical_address, 4, None).tolist() == [0, 0, 7, 0]
    complexes = pool.allocate(4, np.complex64)
    with pytest.raises(NotContiguousError):
        span(complexes.imag)
    assert isinstance(complexes.imag, DmaBuffer)


def test_an_empty_view_stays_in_the_buffer(buf):
    for view in (buf[24:], buf[3:3], buf.reshape(4, 6)[4:]):
        address, nbytes = span(view)
        assert nbytes == 0
        assert BASE + 256 <= address <= BASE + 256 + 96


# ---- results


COMPUTED = [
    lambda b: b + 1,
    lambda b: 1 + b,
    lambda b: b**2,
    lambda b: b**0.5,
    lambda b: -b,
    lambda b: b == 3,
    lambda b: b @ b,
    lambda b: divmod(b, 5),
    lambda b: abs(b),
    lambda b: b.copy(),
    lambda b: b.astype(np.float32),
    lambda b: b.astype(b.dtype, copy=False),
    lambda b: b[[3, 1, 2]],
    lambda b: b[b > 3],
    lambda b: b[b.view(np.int32)],
    lambda b: b.reshape(4, 6)[:, [0, 2]],
    lambda b: b[3],
    lambda b: b.reshape(4, 6)[1, 1],
    lambda b: b.sum(),
    lambda b: b.reshape(4, 6).sum(axis=0),
    lambda b: b.reshape(4, 6).max(axis=1),
    lambda b: b.mean(),
    lambda b: b.reshape(4, 6).std(axis=0),
    lambda b: b.cumsum(),
    lambda b: b.flatten(),
    lambda b: b.reshape(4, 6).T.ravel(),
    lambda b: b.reshape(4, 6).T.reshape(-1),
    lambda b: b[::2].ravel(),
    lambda b: b[::2].reshape(3, 4)[1].copy(),
    lambda b: b.take([1, 2]),
    lambda b: b.repeat(2),
    lambda b: b.round(1),
    lambda b: b.clip(0, 4),
    lambda b: b.conj(),
    lambda b: b.byteswap(),
    lambda b: b.nonzero(),
    lambda b: b.argsort(),
    lambda b: b.compress(b > 3),
    lambda b: b.choose([b + 1] * 24),
    lambda b: b.dot(b),
    lambda b: b.reshape(4, 6).dot(np.ones((6, 2))),
    lambda b: b.tolist(),
    lambda b: b.item(3),
    lambda b: np.copy(b),
    lambda b: np.concatenate([b, b]),
    lambda b: np.concatenate([b[:3], np.ones(3)]),
    lambda b: np.stack([b, b]),
    lambda b: np.where(b > 3, b, 0),
    lambda b: np.sort(b),
    lambda b: np.roll(b, 3),
    lambda b: np.flip(b).copy(),
    lambda b: np.tile(b, 2),
    lambda b: np.pad(b, 2),
    lambda b: np.fft.fft(b),
    lambda b: np.fft.fftshift(b),
    lambda b: np.interp([1.5], b, b),
    lambda b: np.median(b),
    lambda b: np.unique(b, return_counts=True),
    lambda b: np.histogram(b),
    lambda b: np.linalg.norm(b),
    lambda b: np.linalg.svd(b.reshape(4, 6) + 0.0),
    lambda b: np.linalg.pinv(b[:4].reshape(2, 2)),
    lambda b: np.zeros_like(b),
    lambda b: np.empty_like(b),
    lambda b: np.full_like(b, 3),
    lambda b: np.linalg.inv(np.eye(2) + b[:4].reshape(2, 2)),
    lambda b: np.nan_to_num(b),
    lambda b: np.einsum("i,i", b, b),
    lambda b: np.einsum("i->i", b).copy(),
    lambda b: np.apply_along_axis(lambda row: row * 2, 0, b.reshape(4, 6)),
    lambda b: np.cumsum(b),
    lambda b: np.add.reduce(b),
    lambda b: np.add.accumulate(b),
    lambda b: np.add.outer(b, b),
    lambda b: np.modf(b[:2] * 0.5),
    lambda b: np.add(b, 1, where=b > 3, out=np.zeros(24, np.int32)),
    lambda b: np.asarray(b),
    lambda b: np.array(b),
    lambda b: np.ascontiguousarray(b[::2]),
    lambda b: np.frombuffer(b, np.int32),
    lambda b: np.lib.stride_tricks.sliding_window_view(b, 3),
    lambda b: copy.copy(b),
    lambda b: copy.deepcopy(b),
    lambda b: pickle.loads(pickle.dumps(b)),
    lambda b: pickle.loads(pickle.dumps(b, protocol=5)),
    lambda b: pickle.loads(pickle.dumps(b, protocol=2)),
    lambda b: b.view(np.ndarray),
    lambda b: b.flat[3:5],
    lambda b: np.random.default_rng(1).permutation(b),
    lambda b: np.vectorize(lambda x: x + 1)(b),
]


@pytest.mark.parametrize("compute", COMPUTED)
def test_whatever_computes_or_copies_gives_what_ndarray_gives(buf, compute):
    plain = np.arange(24, dtype=np.int32)
    result, expected = compute(buf), compute(plain)
    assert is_plain(result)
    assert type(result) is type(expected)
    for got, want in zip(*(r if isinstance(r, tuple) else (r,) for r in (result, expected)), strict=True):
        assert np.asarray(got).dtype == np.asarray(want).dtype
        if "empty_like" not in compute.__code__.co_names:
            np.testing.assert_array_equal(got, want)


def test_in_place_work_stays_in_the_buffer(buf):
    same, address = buf, buf.physical_address
    buf += 1
    buf *= 2
    buf <<= 1
    assert buf is same
    assert np.add(buf, 1, out=buf) is buf
    assert np.add(buf, 1, buf) is buf
    assert np.cumsum(np.ones(24, np.int32), out=buf) is buf
    assert np.clip(buf, 2, 20, out=buf) is buf
    assert buf.clip(2, 19, out=buf) is buf
    assert np.modf(np.full(24, 1.5, np.float32), buf.view(np.float32), None)[0].physical_address == address
    assert buf.view(np.float32)[0] == 0.5
    np.copyto(buf, 5)
    buf.flat = 6
    np.add.at(buf, [0, 0], 1)
    buf.fill(9)
    buf[3:] = 4
    buf[::2] = buf[1::2]
    buf[buf == 4] = 8
    buf[[1, 2]] = [11, 10]
    buf[:3].sort()
    assert isinstance(buf, DmaBuffer)
    assert buf.physical_address == address
    memory = buf.pool.region.map(address, buf.nbytes, None).view(np.int32)
    assert memory.tolist() == [9, 10, 11, *[8] * 21]


def test_an_array_of_the_class_outside_dma_memory_has_no_address(buf):
    copied = np.array(buf, subok=True)
    with pytest.raises(NotContiguousError, match="copy outside the pools"):
        span(copied)
    assert is_plain(copied[2:])
    assert isinstance(copied, DmaBuffer)
    assert is_plain(copied + 1)
    assert copied.tolist() == list(range(24))
    for call in (copied.free, copied.sync_to_device, lambda: copied.hold("dma"), lambda: copied.pool):
        with pytest.raises(NotContiguousError):
            call()


@pytest.mark.parametrize("address", [BASE, BASE + 192, BASE + 256 + 96, BASE + 512])
def test_a_copy_that_lies_next_to_the_buffer_is_no_view_of_it(buf, address):
    copied = buf.pool.region.map(address, 8, None).view(DmaBuffer)
    copied.__array_finalize__(buf)  # what numpy does when a copy has been made, wherever it went
    with pytest.raises(NotContiguousError, match="copy outside the pools"):
        span(copied)


@pytest.mark.parametrize("thing", [np.zeros(4), [1, 2], None, b"abc", 5])
def test_span_refuses_what_is_not_in_dma_memory(thing):
    with pytest.raises(BadArgumentError, match="not in DMA memory"):
        span(thing)


def test_only_a_pool_makes_one():
    with pytest.raises(BadArgumentError, match=r"pool\.allocate"):
        DmaBuffer((4,))


# ---- free


def test_free_returns_the_memory_at_once_though_the_name_is_still_there(pool):
    buf = pool.allocate(1000)
    assert pool.stats().used == 4032
    buf.free()
    assert pool.stats().used == 0
    assert buf.freed
    buf.free()
    assert pool.allocate(10).physical_address == BASE


FORBIDDEN = [
    lambda b: b[0],
    lambda b: b[:],
    lambda b: b.__setitem__(0, 1),
    lambda b: b + 1,
    lambda b: b.__iadd__(1),
    lambda b: np.add(np.zeros(1), 1, out=b),
    lambda b: np.concatenate([np.zeros(2), b]),
    lambda b: np.sum(b),
    lambda b: b.sum(),
    lambda b: b.tolist(),
    lambda b: b.tobytes(),
    lambda b: b.copy(),
    lambda b: b.fill(0),
    lambda b: b.reshape(-1),
    lambda b: b.T[0],
    lambda b: b.real.sum(),
    lambda b: b.view(np.uint8),
    lambda b: list(b),
    lambda b: 3 in b,
    lambda b: bool(b),
    lambda b: memoryview(b),
    lambda b: bytes(b),
    lambda b: np.frombuffer(b, np.uint8),
    lambda b: pickle.dumps(b),
    lambda b: copy.copy(b),
    lambda b: b.flat,
    lambda b: b.physical_address,
    lambda b: span(b),
    lambda b: b.sync_to_device(),
    lambda b: b.sync_from_device(),
    lambda b: b.hold("dma"),
]


@pytest.mark.parametrize("use", FORBIDDEN)
@pytest.mark.parametrize("which", ["buffer", "view"])
def test_use_after_free_raises(buf, use, which):
    used = buf if which == "buffer" else buf[2:]
    buf.free()
    with pytest.raises(BufferFreedError, match="96 B at 0x4000_0100 in ps-cma"):
        use(used)


def test_a_freed_buffer_can_still_be_described(buf):
    view = buf[2:]
    assert repr(buf).startswith("DmaBuffer([ 0,  1")
    assert f"{view[:2]}" == "[2 3]"
    buf.free()
    for freed in (buf, view):
        assert repr(freed) == str(freed) == f"{freed}" == "DmaBuffer(freed, was 96 B at 0x4000_0100 in ps-cma)"
        assert freed.freed
        assert not freed.in_flight
        assert freed.pool.name == "ps-cma"


VIEWS = [
    lambda b: b[4:],
    lambda b: b[::2],
    lambda b: np.asarray(b),
    lambda b: np.asarray(b[4:])[1:],
    lambda b: b[4:].view(np.ndarray),
    lambda b: b.reshape(4, 6).T,
    lambda b: memoryview(b),
    lambda b: memoryview(b[4:])[2:],
    lambda b: b.data,
    lambda b: np.frombuffer(b, np.uint8),
    lambda b: b.view(np.recarray),
    lambda b: np.ma.masked_array(b),
    lambda b: b.flat,
    lambda b: np.lib.stride_tricks.sliding_window_view(b, 3),
    lambda b: np.broadcast_to(b, (3, 24)),
    lambda b: iter(b[3:]),
]


@pytest.mark.parametrize("make", VIEWS)
@pytest.mark.parametrize("subclass", [False, True], ids=["class", "subclass"])
def test_a_view_keeps_the_range_reserved_until_it_goes(pool, make, subclass):
    buf = pool.allocate(24, np.int32)
    if subclass:

        class Special(DmaBuffer):
            pass

        special = Special._over(np.asarray(buf), buf._lease, buf._memory)
        special._whole, buf = True, special
        del special
    buf[:] = 1
    view = make(buf)
    buf.free()
    assert pool.stats().used == 128
    assert pool.allocate(1).physical_address == BASE + 128
    del view
    assert pool.stats().used == 0


def test_a_view_that_outlives_free_still_reads_the_old_contents_through_a_plain_array(pool):
    buf = pool.allocate(8)
    buf[:] = 5
    plain = np.asarray(buf)
    buf.free()
    pool.allocate(8)[:] = 1
    assert plain.tolist() == [5] * 8
    assert np.asarray(buf).size == 0  # not even C code finds a pointer in the freed buffer


def test_dlpack_keeps_the_range_reserved(pool):
    buf = pool.allocate(8)
    imported = np.from_dlpack(buf)
    buf.free()
    assert pool.stats().used == 64
    del imported
    assert pool.stats().used == 0


def test_a_dropped_buffer_goes_back_without_free(pool):
    buf = pool.allocate(100)
    part = buf[3:]
    del buf
    assert pool.stats().buffers.count == 1
    assert part.physical_address == BASE + 12
    del part
    assert pool.stats().buffers.count == 0


def test_views_cannot_be_freed(buf):
    for view in (buf[1:], buf.reshape(4, 6), buf[:]):
        with pytest.raises(BufferUseError, match="free the buffer it was made from"):
            view.free()
        with pytest.raises(BufferUseError, match="not on a view"), view:
            pass
    buf[0] = 1  # still there
    buf[1:].base.free()
    assert buf.freed


def test_with_frees_at_the_end_and_on_an_error(pool):
    with pool.allocate(100) as buf:
        assert isinstance(buf, DmaBuffer)
        assert pool.stats().used == 448
    assert buf.freed
    assert pool.stats().used == 0

    def fail():
        with pool.allocate(100):
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert pool.stats().used == 0
    with pytest.raises(BufferFreedError), buf:
        pass
    with pool.allocate(1) as early:
        early.free()


# ---- in flight


def test_a_buffer_in_flight_is_not_freed(pool, buf):
    view = buf[4:8]
    view.hold("dma0.mm2s")
    with buf.in_use_by("dma1.mm2s"):
        assert buf.in_flight
        assert view.in_flight
        with pytest.raises(BufferInFlightError, match=r"while dma0.mm2s, dma1.mm2s uses it"):
            buf.free()
        buf[0] = 3
    with pytest.raises(BufferInFlightError, match=r"while dma0.mm2s uses it"):
        buf.free()
    with pytest.raises(BufferUseError, match=r"dma1\.mm2s does not hold"):
        view.unhold("dma1.mm2s")
    view.unhold("dma0.mm2s")
    assert not buf.in_flight
    del view
    buf.free()
    assert pool.stats().used == 0


def test_holds_are_counted(buf):
    buf.hold("dma")
    buf.hold("dma")
    buf.unhold("dma")
    with pytest.raises(BufferInFlightError):
        buf.free()
    buf.unhold("dma")
    buf.free()


def test_the_hold_ends_when_its_block_fails(buf):
    with pytest.raises(RuntimeError, match="stop"), buf.in_use_by("dma"):
        raise RuntimeError("stop")
    buf.free()


def test_dropping_a_held_buffer_does_not_free_it(pool):
    pool.allocate(16).hold("dma")
    gc.collect()
    assert pool.stats().used == 64
    assert pool.allocate(16).physical_address == BASE + 64


def test_with_reports_a_buffer_left_in_flight_unless_an_error_is_on_its_way(pool):
    def leave(error):
        with pool.allocate(16) as buf:
            buf.hold("dma")
            if error:
                raise error

    with pytest.raises(BufferInFlightError):
        leave(None)
    with pytest.raises(RuntimeError, match="first"):
        leave(RuntimeError("first"))
    gc.collect()
    assert pool.stats().buffers.count == 2


# ---- sync


def test_sync_covers_every_element_of_the_array():
    calls = []

    class Loose:
        memory = HostMemory(MIB)

        def view(self, *args):
            return self.memory.view(*args)

        def sync_to_device(self, offset, nbytes):
            calls.append((offset, nbytes))

        sync_from_device = sync_to_device

    pool = RangePool(MappedRegion("r", BASE, MIB, Loose(), coherent=False), BASE, MIB, name="p")
    buf = pool.allocate((4, 6), np.int32, address=BASE + 128)
    buf.sync_to_device()
    buf[1:3].sync_from_device()
    buf[::-2, 1:3].sync_to_device()
    buf.T[2:2].sync_to_device()
    assert calls == [(128, 96), (152, 48), (128 + 28, 56), (128, 0)]


def test_sync_on_coherent_memory_does_nothing(buf):
    buf.sync_to_device()
    buf[::2].sync_from_device()
    assert buf.tolist() == list(range(24))


# ---- lifetime of everything else


def test_views_outlive_pool_and_region(buf):
    view, plain = buf[2:], np.asarray(buf)
    del buf
    gc.collect()
    assert view.tolist() == list(range(2, 24))
    plain[2] = 77
    assert view[0] == 77


SCRIPT = """
import gc, sys, threading, atexit
import numpy as np
from gapless._native import HostMemory
from gapless.memory import MappedRegion, Pool, RangePool
def pool():
    return RangePool(MappedRegion("r", 1 << 30, 1 << 30, HostMemory(1 << 30)), 1 << 30, 1 << 30, name="p")
"""


@pytest.mark.parametrize(
    "body",
    [
        "p = pool(); b = p.allocate(1 << 20); b[:] = 1; v = b[5:]; a = np.asarray(b)",
        "b = pool().allocate(1 << 20); v = np.asarray(b[5:]); del b; gc.collect(); v[:] = 1",
        "b = pool().allocate(1 << 20); v = np.asarray(b)[5:]; b.free(); gc.collect(); v[:] = 1",
        "b = pool().allocate(1 << 20); m = memoryview(b); b.free(); del b; gc.collect(); m[5] = 1",
        "b = pool().allocate(1 << 20); i = np.nditer(b); b.free(); gc.collect(); next(i)",
        "b = pool().allocate(9); b.hold('dma'); sys.modules['keep'] = b",
        "atexit.register(lambda: b[5] == 3 or print(b)); b = pool().allocate(1 << 20); b[:] = 3",
        "class C: pass\nc = C(); c.me = c; c.b = pool().allocate(9); c.m = memoryview(c.b)",
        "b = pool().allocate(9); b[:] = 1; threading.Thread(target=lambda: b.sum()).start()",
        "import weakref; b = pool().allocate(9); w = weakref.finalize(b, print, end='')",
    ],
)
def test_nothing_crashes_at_exit(body):
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "error", "-c", SCRIPT + body],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_freeing_while_another_thread_works_on_it_is_safe(pool):
    stop = threading.Event()
    wrong = []

    def work(buf):
        try:
            while not stop.is_set():
                buf += 1
                if len(np.unique(np.asarray(buf))) > 1:
                    wrong.append("torn")
        except (BufferFreedError, ValueError):
            pass

    for _ in range(30):
        buf = pool.allocate(20_000)
        buf[:] = 0
        thread = threading.Thread(target=work, args=(buf,))
        thread.start()
        buf.free()
        other = pool.allocate(20_000)
        other[:] = 0
        thread.join(10)
        assert not thread.is_alive()
        assert not other.any()  # nobody wrote through the old buffer
        other.free()
    stop.set()
    assert wrong == []
    assert pool.stats().used == 0


def test_files_take_a_buffer_and_fill_it(buf, tmp_path):
    np.save(tmp_path / "x.npy", buf)
    assert np.load(tmp_path / "x.npy").tolist() == list(range(24))
    with io.BytesIO(bytes(range(96))) as stream:
        assert stream.readinto(buf) == 96
    assert buf.tobytes() == bytes(range(96))
    buf.tofile(tmp_path / "raw")
    assert np.fromfile(tmp_path / "raw", np.int32).tolist() == buf.tolist()


def test_a_view_that_free_overtakes_is_not_handed_out(pool):
    class Overtaken(DmaBuffer):
        def __array_finalize__(self, obj):
            if isinstance(obj, DmaBuffer):
                obj.free()  # what another thread may do when numpy gets here
            super().__array_finalize__(obj)

    buf = pool.allocate(64)
    overtaken = Overtaken._over(np.asarray(buf), buf._lease, buf._memory)
    overtaken._whole = True
    with pytest.raises(BufferFreedError):
        overtaken[4:]
