"""Files in and out: the same samples, or one line that says which file and why not."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import tracemalloc
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.errors import BadArgumentError, GaplessError, SignalError, UnsupportedError
from gapless.files import SUFFIXES, open_source, save_samples
from gapless.stream.ledger import Gap, Ledger

soundfile = pytest.importorskip("soundfile")
sigmf = pytest.importorskip("sigmf")

SAMPLES = np.random.default_rng(5).integers(-32768, 32768, 70_001).astype(np.int16)
RATES = {".raw": None, ".npy": None, ".wav": 48_000.0, ".sigmf-meta": 48_000.0}


def read_all(path: Path, start: int = 0, count: int | None = None) -> np.ndarray:
    source = open_source(path)
    assert source.length is not None
    out = np.full(source.length - start if count is None else count, 12345, dtype=np.int16)
    source.fill(out, start)
    return out


def refused(path: Path) -> str:
    """Why a file is refused, at the latest when its samples are read: in one line that names it."""
    with pytest.raises(SignalError) as error:
        read_all(path)
    message = str(error.value)
    assert "\n" not in message
    assert path.stem in message
    return message


def metadata(path: Path, **changes: object) -> Path:
    save_samples(path, SAMPLES, rate=48_000)
    record = json.loads(path.read_text())
    for key, value in changes.items():
        record["global"]["core:" + key] = value
    path.write_text(json.dumps(record))
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_saved_is_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"signal{suffix}"
    save_samples(path, SAMPLES, rate=48_000)
    source = open_source(str(path))
    assert (source.length, source.period, source.rate) == (len(SAMPLES), None, RATES[suffix])
    assert source.name.startswith("signal.")
    assert np.array_equal(read_all(path), SAMPLES)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SUFFIXES)), st.integers(0, 70_001), st.integers(0, 70_001))
def test_any_stretch_of_a_file(tmp_path: Path, suffix: str, a: int, b: int) -> None:
    path = tmp_path / f"signal{suffix}"
    if not path.exists():
        save_samples(path, SAMPLES, rate=1e6)
    a, b = sorted((a, b))
    assert np.array_equal(read_all(path, a, b - a), SAMPLES[a:b])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_samples_outside_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"signal{suffix}"
    save_samples(path, SAMPLES, rate=1e6)
    source = open_source(path)
    for start in (-1, len(SAMPLES) - 9, 10**12):
        with pytest.raises(BadArgumentError, match="asked: there are 0"):
            source.fill(np.empty(10, dtype=np.int16), start)


def test_the_bytes_of_a_raw_file(tmp_path: Path) -> None:
    save_samples(tmp_path / "s.raw", np.array([1, -2, 0x1234], dtype=np.int16), rate=1.0)
    assert (tmp_path / "s.raw").read_bytes() == b"\x01\x00\xfe\xff\x34\x12"


def test_other_programs_read_what_was_saved(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        save_samples(tmp_path / f"s{suffix}", SAMPLES, rate=2e9)
    assert np.array_equal(np.load(tmp_path / "s.npy"), SAMPLES)
    read, rate = soundfile.read(tmp_path / "s.wav", dtype="int16")
    assert np.array_equal(read, SAMPLES)
    assert rate == 2_000_000_000
    recording = sigmf.sigmffile.fromfile(str(tmp_path / "s.sigmf-meta"))
    recording.validate()
    assert recording.sample_count == len(SAMPLES)
    assert np.allclose(np.ravel(recording.read_samples()), SAMPLES / 32768)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">i2"])
def test_npy_of_floats_and_of_foreign_byte_order(tmp_path: Path, dtype: str) -> None:
    values = np.sin(np.arange(600_000) * 0.001).astype(dtype) if "f" in dtype else SAMPLES.astype(dtype)
    np.save(tmp_path / "s.npy", values)
    want = np.rint(values.astype(float) * 32767) if "f" in dtype else SAMPLES
    assert np.array_equal(read_all(tmp_path / "s.npy"), want)
    assert np.array_equal(read_all(tmp_path / "s.npy", 17, 1000), want[17:1017])


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_wav_of_floats(tmp_path: Path, subtype: str) -> None:
    values = np.sin(np.arange(300_000) * 0.001).astype(np.float32)
    soundfile.write(tmp_path / "s.wav", values, 1000, subtype=subtype)
    assert np.array_equal(read_all(tmp_path / "s.wav", 5), np.rint(values[5:].astype(float) * 32767))


@pytest.mark.parametrize(("datatype", "dtype"), [("rf32_le", "<f4"), ("rf64_be", ">f8"), ("ri16_be", ">i2")])
def test_sigmf_of_other_real_types(tmp_path: Path, datatype: str, dtype: str) -> None:
    path = metadata(tmp_path / "s.sigmf-meta", datatype=datatype)
    values = np.array([0.5, -1, 0.25]) if "f" in dtype else np.array([5, -700, 9])
    values.astype(dtype).tofile(tmp_path / "s.sigmf-data")
    assert read_all(path).tolist() == (values * 32767).round().tolist() if "f" in dtype else values.tolist()


def test_sigmf_header_and_trailing_bytes_and_a_data_file_of_another_name(tmp_path: Path) -> None:
    path = metadata(tmp_path / "s.sigmf-meta", trailing_bytes=4, dataset="other.bin")
    record = json.loads(path.read_text())
    record["captures"][0]["core:header_bytes"] = 6
    path.write_text(json.dumps(record))
    (tmp_path / "other.bin").write_bytes(b"header" + SAMPLES.tobytes() + b"tail")
    assert np.array_equal(read_all(path), SAMPLES)


def test_sigmf_gaps_are_annotations_at_samples_of_the_file(tmp_path: Path) -> None:
    gaps = (Gap(1000, 17, "overrun"), Gap(2000, 5, "memory stalled"), Gap(2005, 3, "overrun"))
    ledger = Ledger(samples=len(SAMPLES), gaps=gaps, gap_count=3, missing_samples=25)
    save_samples(tmp_path / "s.sigmf-meta", SAMPLES, rate=4.9152e9, ledger=ledger, description="sweep 3")
    record = json.loads((tmp_path / "s.sigmf-meta").read_text())
    marks = [(a["core:sample_start"], a["core:label"], a["core:comment"]) for a in record["annotations"]]
    assert [mark[:2] for mark in marks] == [(1000, "gap"), (1983, "gap"), (1983, "gap")]
    assert all(a["core:sample_count"] == 0 for a in record["annotations"])
    assert [mark[2] for mark in marks] == [
        "17 samples missing before this one: overrun",
        "5 samples missing before this one: memory stalled",
        "3 samples missing before this one: overrun",
    ]
    assert record["global"]["core:sample_rate"] == 4_915_200_000
    assert record["global"]["core:description"] == "sweep 3"
    assert "core:author" not in record["global"]


def test_sigmf_says_when_not_every_gap_is_listed(tmp_path: Path) -> None:
    ledger = Ledger(samples=100, gaps=(Gap(5, 1, "overrun"),), gap_count=9, missing_samples=40)
    save_samples(tmp_path / "s.sigmf-meta", SAMPLES, rate=1e6, ledger=ledger)
    text = json.loads((tmp_path / "s.sigmf-meta").read_text())["global"]["core:description"]
    assert text == "9 gaps, 40 samples missing; the first 1 listed"


# what cannot be opened


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_directory_and_empty(tmp_path: Path, suffix: str) -> None:
    assert "no such file" in refused(tmp_path / f"absent{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    assert "is a directory" in refused(tmp_path / f"folder{suffix}")
    (tmp_path / f"nothing{suffix}").touch()
    assert "is empty" in refused(tmp_path / f"nothing{suffix}")


def test_a_file_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.npy"
    path.write_bytes(b"x")

    def refuse(self: Path, *_: object, **__: object) -> NoReturn:  # root may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in refused(path)


@pytest.mark.parametrize("name", ["s.csv", "s", "s.bin", ".raw", "sine:10e6"])
def test_an_unknown_suffix_lists_the_known(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1234")
    message = refused(tmp_path / name)
    assert all(suffix in message for suffix in SUFFIXES)


def test_upper_case_suffix(tmp_path: Path) -> None:
    (tmp_path / "S.RAW").write_bytes(b"\x01\x00")
    assert read_all(tmp_path / "S.RAW").tolist() == [1]


def test_raw_of_an_odd_number_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "s.raw").write_bytes(b"123")
    assert "3 bytes, an odd number" in refused(tmp_path / "s.raw")


@pytest.mark.parametrize("dtype", ["uint16", "int32", "bool", "U2", "i2,i2"])
def test_npy_of_another_dtype(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "s.npy", np.zeros(3, dtype=dtype))
    assert "accepted are int16" in refused(tmp_path / "s.npy")


def test_npy_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", np.array([1, None], dtype=object), allow_pickle=True)
    assert "dtype is object" in refused(tmp_path / "s.npy")


def test_npy_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "s.npy"
    np.save(path, np.zeros(3, dtype=complex))
    assert "complex where real samples are needed" in refused(path)
    np.save(path, np.zeros((3, 2), dtype=np.int16))
    assert "shape is (3, 2)" in refused(path)
    np.save(path, np.zeros(0, dtype=np.int16))
    assert "no samples" in refused(path)
    path.write_bytes(b"PK\x03\x04 not a npy")
    assert "not a .npy" in refused(path)
    np.save(path, SAMPLES)
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    assert "cut in its header" in refused(path)
    path.write_bytes(whole[:-3])
    assert "says 70001 samples, there are 69999" in refused(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1.5])
@pytest.mark.parametrize("kind", ["npy", "wav", "sigmf"])
def test_floats_that_cannot_be_played_are_named_by_index(tmp_path: Path, kind: str, value: float) -> None:
    values = np.zeros(400_000, dtype=np.float32)
    values[300_001] = value
    if kind == "npy":
        np.save(path := tmp_path / "s.npy", values)
    elif kind == "wav":
        soundfile.write(path := tmp_path / "s.wav", values, 1000, subtype="FLOAT")
    else:
        path = metadata(tmp_path / "s.sigmf-meta", datatype="rf32_le")
        values.tofile(tmp_path / "s.sigmf-data")
    assert f"sample 300001 is {value}" in refused(path)


def test_wav_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "s.wav"
    path.write_bytes(b"text, not sound")
    assert "not a .wav" in refused(path)
    path.write_bytes(b"RIFF\x04\x00\x00\x00WAVE")
    assert "not a .wav" in refused(path)
    soundfile.write(path, np.zeros((9, 2), np.int16), 1000)
    assert "2 channels" in refused(path)
    for subtype in ("PCM_24", "PCM_U8", "PCM_32"):
        soundfile.write(path, np.zeros(9), 1000, subtype=subtype)
        assert f"samples are {subtype}; accepted are PCM_16" in refused(path)
    soundfile.write(path, np.zeros(9, np.int16), 1000, format="FLAC")
    assert "not a .wav" in refused(path)
    soundfile.write(path, np.zeros(0, np.int16), 1000)
    assert "no samples" in refused(path)
    soundfile.write(path, SAMPLES, 1000)
    path.write_bytes(path.read_bytes()[:-100])
    assert "cut short" in refused(path)


@pytest.mark.parametrize("datatype", ["ci16_le", "cf32_le", "cu8"])
def test_sigmf_of_complex_samples(tmp_path: Path, datatype: str) -> None:
    path = metadata(tmp_path / "s.sigmf-meta", datatype=datatype)
    assert "complex where real samples are needed" in refused(path)


def test_sigmf_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "s.sigmf-meta"
    assert "accepted are ri16_le" in refused(metadata(path, datatype="ru16_le"))
    assert "2 channels" in refused(metadata(path, num_channels=2))
    assert "metadata_only" in refused(metadata(path, metadata_only=True))
    assert "not valid SigMF" in refused(metadata(path, sample_rate=-5))
    metadata(path)
    data = tmp_path / "s.sigmf-data"
    data.write_bytes(b"123")
    assert "3 bytes" in refused(path)
    data.write_bytes(b"")
    assert "no samples" in refused(path)
    data.unlink()
    assert "data file s.sigmf-data is not beside it" in refused(path)
    for text in (
        "{",
        "[]",
        "{}",
        '{"global": 3}',
        '{"global": {}}',
        '{"global": {}, "captures": 1}',
        "\udcff",
    ):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert "SigMF metadata" in refused(path)


def test_sigmf_data_asks_for_the_metadata(tmp_path: Path) -> None:
    metadata(tmp_path / "s.sigmf-meta")
    assert "give its metadata instead: s.sigmf-meta" in refused(tmp_path / "s.sigmf-data")


@pytest.mark.parametrize("suffix", [".raw", ".npy", ".wav"])
def test_a_file_cut_after_opening(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"s{suffix}"
    save_samples(path, SAMPLES, rate=1e6)
    source = open_source(path)
    os.truncate(path, 1000)
    with pytest.raises(SignalError, match="cut"):
        source.fill(np.empty(1000, dtype=np.int16), 0)
    path.unlink()
    with pytest.raises(SignalError):
        source.fill(np.empty(1000, dtype=np.int16), 0)


# what cannot be saved


@pytest.mark.parametrize("name", ["s.csv", "s", "s.sigmf-data"])
def test_an_unknown_suffix_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArgumentError, match=r"\.raw, \.npy, \.wav, \.sigmf-meta"):
        save_samples(tmp_path / name, SAMPLES, rate=1e6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [2.0**31, 4.9152e9, 44_100.5])
def test_a_rate_that_no_wav_can_hold(tmp_path: Path, rate: float) -> None:
    with pytest.raises(BadArgumentError, match=r"does not fit a \.wav header"):
        save_samples(tmp_path / "s.wav", SAMPLES, rate=rate)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none(tmp_path: Path, suffix: str, rate: float) -> None:
    with pytest.raises(BadArgumentError, match="rate"):
        save_samples(tmp_path / f"s{suffix}", SAMPLES, rate=rate)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadArgumentError, match="no folder"):
        save_samples(tmp_path / "absent" / "s.raw", SAMPLES, rate=1e6)
    (tmp_path / "folder.raw").mkdir()
    with pytest.raises(BadArgumentError, match="is a directory"):
        save_samples(tmp_path / "folder.raw", SAMPLES, rate=1e6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_old_file_and_no_other(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"s{suffix}"
    save_samples(path, SAMPLES, rate=1e6)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadArgumentError, match=f"s{suffix}: cannot be written: No space left"):
        save_samples(path, SAMPLES[:100], rate=1e6)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_saved_file_is_as_readable_as_any_other(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "other").touch()
    save_samples(tmp_path / f"s{suffix}", SAMPLES, rate=1e6)
    assert len({file.stat().st_mode for file in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_and_reading_copy_nothing(tmp_path: Path, suffix: str) -> None:
    samples, path = np.zeros(8_000_000, dtype=np.int16), tmp_path / f"s{suffix}"
    save_samples(path, SAMPLES, rate=1e6)
    open_source(path)  # libraries are loaded before memory is counted
    tracemalloc.start()
    try:
        save_samples(path, samples, rate=1e6)
        open_source(path).fill(samples, 0)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_wav_beyond_4_gib_is_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gapless.files.wav.MAX_RIFF_BYTES", 1000)
    save_samples(tmp_path / "s.wav", SAMPLES, rate=48_000)
    assert (tmp_path / "s.wav").read_bytes()[:4] == b"RF64"
    assert np.array_equal(read_all(tmp_path / "s.wav"), SAMPLES)


@pytest.mark.parametrize(("suffix", "library"), [(".wav", "soundfile"), (".sigmf-meta", "sigmf")])
def test_a_library_that_is_not_installed(
    tmp_path: Path, suffix: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"s{suffix}"
    save_samples(path, SAMPLES, rate=1e6)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UnsupportedError, match=r"pip install 'gapless\[files\]'"):
        open_source(path)
    with pytest.raises(UnsupportedError, match=r"pip install 'gapless\[files\]'"):
        save_samples(tmp_path / f"new{suffix}", SAMPLES, rate=1e6)
    assert sorted(tmp_path.iterdir()) == before


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SUFFIXES)), st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_but_nothing_else(tmp_path: Path, suffix: str, at: int, byte: int) -> None:
    path = tmp_path / f"s{suffix}"
    save_samples(path, SAMPLES[:100], rate=1e6)
    content = bytearray(path.read_bytes())
    content[at % len(content)] = byte
    path.write_bytes(content)
    with contextlib.suppress(GaplessError):
        read_all(path)
