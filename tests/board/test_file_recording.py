"""A capture straight into a file: what is in it is what the ledger says, however it ended."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from driver_designs import KIB, MIB, both_ways, counter, in_step, leaving_nothing, used
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.errors import BadArgumentError, BlockError, DmaSlaveError, GaplessError, WaitTimeoutError

ENGINES = [True, False]


def record(board, file, **options):
    options = {"rate": 1e8, "memory": "low", "block_samples": 1600, "blocks": 4, "force": True, **options}
    return board.adc(0).record_to(file, **options)


def read(path):
    return np.fromfile(path, "<i2")


def expected(ledger):
    """The counter between the gaps of a ledger."""
    parts, at = [], 0
    for gap in ledger.gaps:
        parts.append(counter(gap.index - at, at))
        at = gap.index + gap.length
    done = sum(map(len, parts))
    return np.concatenate([*parts, counter(ledger.samples - done, at)])


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize("count", [1, 1600, 3200, 16_000, 100_003])
def test_the_file_is_the_counter(tmp_path, sg, count):
    board = both_ways(sg=sg)
    with leaving_nothing(board), (tmp_path / "a").open("wb") as file:
        file.write(b"head")  # from where it stands
        file.flush()
        seen = []
        with record(board, file.fileno(), samples=count) as recording:
            with pytest.raises(BlockError, match=r"has not ended: call stop\(\)"):
                _ = recording.report
            recording.wait(lambda done, total: seen.append((done, total)))
        report = recording.report
        assert recording.stop() is report
        assert recording.error is None
        content = (tmp_path / "a").read_bytes()
        assert content[:4] == b"head"
        assert content[4:] == counter(count).astype("<i2").tobytes()
        assert report.complete
        assert (report.samples_recorded, report.samples_requested, report.ledger.ended) == (count, count, "complete")
        assert report.transfers == math.ceil(count / 1600)
        assert seen == sorted(seen)
        assert all(total == 2 * count for _, total in seen)


@pytest.mark.parametrize("sg", ENGINES)
def test_without_an_end_it_is_stopped(tmp_path, sg):
    board = both_ways(sg=sg)
    with leaving_nothing(board), (tmp_path / "a").open("wb") as file:
        with record(board, file.fileno()) as recording:
            board.bus.sleep(1e-3)  # 100,000 samples
        report = recording.report
        assert report.samples_recorded == pytest.approx(100_000, abs=2 * 1600)
        assert np.array_equal(read(tmp_path / "a"), counter(report.samples_recorded))
        assert report.complete
        assert report.ledger.ended == "complete"
        # one with an end that is stopped before
        with record(board, file.fileno(), samples=10_000_000) as recording:
            board.bus.sleep(1e-3)
        assert (recording.report.complete, recording.report.ledger.ended) == (False, "interrupted")
        assert recording.report.ledger.gap_count == 0
        total = report.samples_recorded + recording.report.samples_recorded
        assert os.path.getsize(tmp_path / "a") == 2 * total


def test_two_channels(tmp_path):
    board = in_step()
    for number in range(2):
        board.probe.connect(number, "counter")
    with leaving_nothing(board), (tmp_path / "a").open("wb") as file:
        with record(board, file.fileno(), channels=2, samples=20_001) as recording:
            recording.wait()
        assert recording.report.complete
        assert np.array_equal(read(tmp_path / "a").reshape(-1, 2), np.stack([counter(20_001)] * 2, axis=1))


@settings(max_examples=25)
@given(
    sg=st.booleans(),
    fifo=st.sampled_from([4 * KIB, 64 * KIB]),
    delay=st.floats(1e-6, 300e-6),
    count=st.integers(1, 40_000),
)
def test_overruns_are_in_the_ledger_and_the_file_is_what_lies_between(tmp_path_factory, sg, fifo, delay, count):
    board = both_ways(sg=sg, fifo=fifo)
    path = tmp_path_factory.mktemp("overrun") / "a"
    with leaving_nothing(board), path.open("wb") as file:
        with record(board, file.fileno(), samples=count, software_delay=delay, blocks=2) as recording:
            recording.wait()
        report = recording.report
    assert report.samples_recorded == count
    assert report.complete == (report.ledger.gap_count == 0)
    assert np.array_equal(read(path), expected(report.ledger))
    if not sg and delay > fifo / 2 / 1e8 + 1e-5 and count > 2 * 1600 + fifo // 2:
        assert report.ledger.gap_count >= 1


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize("count", [None, 4800, 1_000_000])
def test_a_file_that_takes_nothing(sg, count):
    board = both_ways(sg=sg)
    with leaving_nothing(board):
        for name, code, ended in (("/dev/full", errno.ENOSPC, "disk full"), ("/dev/null", errno.EBADF, None)):
            file = os.open(name, os.O_WRONLY if ended else os.O_RDONLY)
            with record(board, file, samples=count) as recording:
                recording.wait()
            os.close(file)
            assert recording.error.errno == code
            assert recording.report.ledger.ended == (ended or os.strerror(code))
            assert (recording.report.samples_recorded, recording.report.ledger.gap_count) == (0, 0)
            assert recording.report.complete == (count is None)
        # stopped, and as good as new
        assert board.adc(0).record(1000, rate=1e9, memory="low").complete


@pytest.mark.parametrize("sg", ENGINES)
@pytest.mark.parametrize("count", [7200, 12_000, 1_000_000])
def test_a_disk_that_is_full_in_the_middle(tmp_path, sg, count):
    """10,001 bytes, which end inside a sample; the engine may have come to its end, or lost samples, behind."""
    code = f"""
        import os, resource, signal, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from driver_designs import both_ways, leaving_nothing
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        board = both_ways(sg={sg}, fifo=4096)
        with leaving_nothing(board), open({str(tmp_path / "a")!r}, "wb") as file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_001, 10_001))
            recording = board.adc(0).record_to(
                file.fileno(), rate=1e8, memory="low", block_samples=1600, blocks=4, samples={count}, force=True
            )
            recording.wait()
            board.bus.sleep(1e-3)
            recording.stop()
            report = recording.report
            print(recording.error.errno, report.samples_recorded, report.ledger.gap_count, report.complete,
                  report.ledger.ended)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"{errno.EFBIG} 5000 0 False disk full", done.stderr
    content = (tmp_path / "a").read_bytes()
    assert len(content) == 10_001
    assert content == counter(5001).astype("<i2").tobytes()[:10_001]


@pytest.mark.parametrize("sg", ENGINES)
def test_an_engine_that_fails(tmp_path, sg):
    board = both_ways(sg=sg)
    low, engine = board.memory["low"], board.dma("dma")
    address = low.base + MIB
    with leaving_nothing(board):
        for number, count in enumerate((None, 100_000)):
            board.probe.faults.slave_error(address + 3 * 3200, 64)
            path = tmp_path / f"{number}"
            with path.open("wb") as file:
                recording = record(board, file.fileno(), address=address, samples=count)
                recording.wait()
                with pytest.raises(DmaSlaveError) as info:
                    recording.stop()
            assert info.value.address == address + 3 * 3200
            assert np.array_equal(read(path), counter(4800))
            report = recording.report
            assert (report.samples_recorded, report.ledger.gap_count, report.ledger.ended) == (4800, 0, "interrupted")
            assert recording.error is None
            engine.recover(engine.s2mm)
            board.probe.faults.clear_slave_errors()
        board.probe.connect(0, "dac0")  # which never starts
        with (tmp_path / "b").open("wb") as file:
            recording = record(board, file.fileno(), timeout=0.1)
            recording.wait()
            with pytest.raises(WaitTimeoutError, match="stood still"):
                recording.stop()


def test_ctrl_c_and_exceptions_leave_a_whole_file(tmp_path):
    board = both_ways()

    def run(file):
        with record(board, file.fileno(), samples=1e12) as recording:
            kept.append(recording)
            recording.wait(lambda *_: signal.raise_signal(signal.SIGINT))

    kept = []
    # /dev/null, since a fast machine would fill a disk
    with leaving_nothing(board):
        with open(os.devnull, "wb") as file, pytest.raises(KeyboardInterrupt):
            run(file)
        report = kept[0].report
        assert report.samples_recorded > 0
        assert report.ledger.ended == "interrupted"
        assert report.ledger.gap_count == 0
        with (tmp_path / "a").open("wb") as file:
            recording = record(board, file.fileno())
            board.bus.sleep(1e-4)
            with pytest.raises(ZeroDivisionError), recording:
                raise ZeroDivisionError
        assert np.array_equal(read(tmp_path / "a"), counter(recording.report.samples_recorded))


def test_closing_the_board_meanwhile(tmp_path):
    board = both_ways()
    before = used(board)
    with (tmp_path / "a").open("wb") as file:
        recording = record(board, file.fileno())
        board.bus.sleep(1e-4)
        board.close()
        with pytest.raises(GaplessError):
            recording.stop()
    assert used(board) == before
    content = read(tmp_path / "a")
    assert np.array_equal(content, counter(len(content)))


def test_what_is_no_file_descriptor_starts_nothing(tmp_path):
    board = both_ways()
    with leaving_nothing(board):
        for wrong in ("a", 1.5, -1, True, None, tmp_path):
            with pytest.raises(BadArgumentError, match=r"file=.* it is an open file descriptor"):
                record(board, wrong)
        assert board.adc(0).record(1000, rate=1e9, memory="low").complete
