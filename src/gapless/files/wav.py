""".wav files, through soundfile."""

from __future__ import annotations

import contextlib
import io
import wave
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadArgumentError, SignalError, UnsupportedError
from ..samples.convert import BLOCK_SAMPLES, scale_into
from ..samples.stretch import check_stretch

#: libsndfile keeps the rate in a C int, and bytes per second (2 x rate) fill the 32 bits of the header
MAX_WAV_RATE = 2**31 - 1
#: a RIFF chunk counts its bytes in 32 bits; RF64 (EBU Tech 3306) is the same file with 64
MAX_RIFF_BYTES = 2**32 - 4096

_FLOATS = ("FLOAT", "DOUBLE")


def _soundfile(path: Path) -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: libsndfile itself is not there
        raise UnsupportedError(f"{path}: .wav needs soundfile: pip install 'gapless[files]'") from error
    return soundfile  # type: ignore[no-any-return]


class WavSource:
    """The samples of a mono .wav: 16-bit PCM as they are, floats scaled as ``to_int16`` does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._soundfile = _soundfile(path)
        _check_riff(path)
        with self._open() as file:
            if file.format not in ("WAV", "WAVEX", "RF64"):
                raise SignalError(f"{path}: not a .wav file: it is {file.format}")
            if file.channels != 1:
                raise SignalError(f"{path}: {file.channels} channels; one can be played: save a mono .wav")
            if file.subtype != "PCM_16" and file.subtype not in _FLOATS:
                raise SignalError(f"{path}: samples are {file.subtype}; accepted are PCM_16, FLOAT and DOUBLE")
            if file.frames == 0:
                raise SignalError(f"{path}: no samples in it; at least one is needed")
            self._scaled = file.subtype in _FLOATS
            self.length: int | None = int(file.frames)
            self.rate: float | None = float(file.samplerate)
        self.name = path.name
        self.period: int | None = None

    def _open(self) -> Any:
        try:
            return self._soundfile.SoundFile(self._path)
        except (self._soundfile.SoundFileError, TypeError) as error:
            raise SignalError(f"{self._path}: not a .wav file: {error}") from None

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous).

        Raises:
            SignalError: the file has become shorter, or a float in it is NaN, infinite or outside [-1, 1].
        """
        check_stretch(self.name, self.length, start, len(out))
        with self._open() as file:
            if file.frames < start + len(out):
                raise SignalError(f"{self._path}: it was cut after opening, to {file.frames} samples")
            file.seek(start)
            if not self._scaled:
                file.read(dtype="int16", out=out)
                return
            for low in range(0, len(out), BLOCK_SAMPLES):
                part = out[low : low + BLOCK_SAMPLES]
                scale_into(part, file.read(len(part), dtype="float64"), str(self._path), start + low)


def _check_riff(path: Path) -> None:
    """Refuse a file cut short: libsndfile would play what is left of it without a word."""
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0, 2)
        size = file.tell()
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        raise SignalError(f"{path}: not a .wav file: it does not start with a RIFF header")
    stated = int.from_bytes(head[4:8], "little")
    if stated != 0xFFFF_FFFF and stated + 8 > size:
        raise SignalError(f"{path}: cut short: its header says {stated + 8} bytes, there are {size}")


def check_wav_rate(path: Path, rate: float) -> None:
    """Raise BadArgumentError where a .wav header cannot hold the rate, UnsupportedError without soundfile."""
    if rate != int(rate) or rate > MAX_WAV_RATE:
        raise BadArgumentError(
            f"{path}: rate {rate!r} Sa/s does not fit a .wav header, which holds whole numbers up to "
            f"{MAX_WAV_RATE}: save .sigmf-meta instead"
        )
    _soundfile(path)


def write_wav(path: Path, samples: NDArray[np.int16], rate: float) -> None:
    """Write a mono 16-bit .wav; RF64 where 4 GiB are not enough."""
    soundfile = _soundfile(path)
    form = "RF64" if samples.nbytes > MAX_RIFF_BYTES else "WAV"
    try:
        with soundfile.SoundFile(path, "w", samplerate=int(rate), channels=1, format=form, subtype="PCM_16") as file:
            for start in range(0, len(samples), BLOCK_SAMPLES):
                file.write(samples[start : start + BLOCK_SAMPLES])
    except (soundfile.SoundFileError, AssertionError) as error:  # it asserts that all was written
        raise OSError(f"libsndfile could not write it: {error}") from error


def wav_header(samples: int, rate: float) -> bytes:
    """The header of a mono 16-bit .wav of at most MAX_RIFF_BYTES, to which the samples are appended."""
    file = io.BytesIO()
    with contextlib.closing(wave.open(file, "wb")) as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(int(rate))
        wav.setnframes(samples)
        wav.writeframesraw(b"")
        return file.getvalue()  # before close() counts the frames for itself
