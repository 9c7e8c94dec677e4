"""Signals through memory that is no array, or that caches hide: the same samples as through any other."""

import hashlib

import numpy as np
import pytest

import gapless
from gapless.memory import DeviceBuffer, DmaBuffer, MappedRegion, MemoryType, RangePool

RATE = 1.024e9


class Noting:
    """The host memory of a region, which notes what was synced."""

    def __init__(self, region):
        self.view = region._mapper.view
        self.out, self.back = [], []

    def sync_to_device(self, offset, nbytes):
        self.out.append((offset, nbytes))

    def sync_from_device(self, offset, nbytes):
        self.back.append((offset, nbytes))


class Windows(Noting):
    """The same, in windows: what nobody reached for must not be touched."""

    def __init__(self, region):
        super().__init__(region)
        self.reached = 0

    def reach(self, offset, nbytes):
        self.reached += nbytes


@pytest.fixture(params=["device", "cached"])
def board(request):
    with gapless.open() as board:
        pl = board.memory["pl-ddr"]
        # The upper half of it, as seen in another way.
        base, size = pl.base + pl.size // 2, pl.size // 2
        if request.param == "device":
            mapper, kind, coherent = Windows(pl.region), MemoryType.DEVICE, True
        else:
            mapper, kind, coherent = Noting(pl.region), MemoryType.NORMAL_CACHED, False
        region = MappedRegion(
            "other", base, size, mapper, kind=pl.kind, memory_type=kind, coherent=coherent, offset=base - pl.base
        )
        board.memory["other"] = RangePool(region, base, size, name="other", guard=pl.guard)
        board.mapper = mapper
        yield board
        assert board.findings == ()


def samples(count):
    return np.random.default_rng(7).integers(-32768, 32768, count, dtype=np.int16)


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_play(board, engine):
    signal = samples(100_001)
    report = board.dac(0).play(signal, rate=RATE, memory="other", engine=engine, sha256=True)
    assert report.complete
    assert report.played_sha256 == hashlib.sha256(signal.tobytes()).hexdigest()


def test_a_repeated_signal_and_a_loop(board):
    signal = samples(1000)
    report = board.dac(0).play(signal, rate=RATE, memory="other", repeat=700, sha256=True)
    assert report.played_sha256 == hashlib.sha256(np.tile(signal, 700).tobytes()).hexdigest()
    with board.dac(0).loop(signal, rate=RATE, memory="other", head=3000) as loop:
        pass
    assert np.array_equal(loop.report.head[:3000], np.resize(signal, 3000))


def test_a_buffer_is_played_from_where_it_lies(board):
    signal = samples(64_000)
    with board.memory["other"].allocate(len(signal), np.int16) as buffer:
        buffer.write(signal)
        report = board.dac(0).play(buffer, rate=RATE, sha256=True)
    assert report.played_sha256 == hashlib.sha256(signal.tobytes()).hexdigest()


@pytest.mark.parametrize("engine", ["sg", "direct"])
def test_stream_out_and_in(board, engine):
    signal = samples(50_016)
    arrays = np.array_split(signal, 7)
    report = board.dac(0).play(iter(arrays), rate=RATE, memory="other", engine=engine, sha256=True)
    assert report.played_sha256 == hashlib.sha256(signal.tobytes()).hexdigest()
    board.probe.connect(0, "counter")
    got = []
    settings = {"rate": RATE, "memory": "other", "engine": engine, "block_samples": 1 << 14}
    with board.adc(0).stream(samples=100_000, **settings) as stream:
        for block in stream:
            assert isinstance(
                block.samples, DeviceBuffer if board.memory["other"].memory_type == "device" else DmaBuffer
            )
            got.append(block.copy())
    assert np.array_equal(np.concatenate(got), np.arange(100_000).astype(np.int16))


def test_record(board, tmp_path):
    board.probe.connect(0, "counter")
    capture = board.adc(0).record(100_000, rate=RATE, memory="other")
    assert np.array_equal(np.asarray(capture.samples), np.arange(100_000).astype(np.int16))
    with (
        (tmp_path / "raw").open("wb") as file,
        board.adc(0).record_to(
            file.fileno(), rate=RATE, samples=100_000, block_samples=1 << 14, memory="other"
        ) as recording,
    ):
        recording.wait()
    assert np.array_equal(np.fromfile(tmp_path / "raw", "<i2"), np.arange(100_000).astype(np.int16))


def test_what_caches_hide_is_synced_and_what_is_in_windows_is_reached_for(board):
    pool, mapper = board.memory["other"], board.mapper
    offset = pool.base - board.memory["pl-ddr"].base
    board.dac(0).play(samples(50_000), rate=RATE, memory="other")
    if pool.memory_type == "device":
        assert mapper.reached == 100_000
        assert mapper.out == mapper.back == []
    else:
        assert (offset, 100_000) in mapper.out
    mapper.out.clear()
    board.probe.connect(0, "counter")
    with board.adc(0).stream(rate=RATE, samples=32_768, block_samples=1 << 14, blocks=2, memory="other") as stream:
        for _ in stream:
            pass
    if pool.memory_type != "device":
        assert mapper.back[:2] == [(offset, 32_768), (offset + 32_768, 32_768)]
        assert (offset, 32_768) in mapper.out  # before the engine has it again
