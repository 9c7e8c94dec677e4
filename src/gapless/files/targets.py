"""Where the samples of a capture go: little-endian int16 behind the header of the format."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import BadArgumentError, GaplessError
from ..stream import Adc, FileRecording, Progress, StreamReport
from .npy import npy_header
from .sigmf_recording import data_path
from .wav import MAX_RIFF_BYTES, wav_header

_SAMPLE = 2  # bytes


class Target:
    """The file that a native thread writes: .raw, .npy, .wav or .sigmf-data."""

    def __init__(self, path: Path, rate: float) -> None:
        self._suffix, self._rate = path.suffix.lower(), rate
        self.path = data_path(path) if self._suffix == ".sigmf-meta" else path
        self._file: BinaryIO | None = None
        self._begun = False
        self._recording: FileRecording | None = None

    def check(self, samples: int | None) -> None:
        """BadArgumentError for a capture that the format cannot count."""
        if self._suffix == ".wav" and (samples is None or samples * _SAMPLE > MAX_RIFF_BYTES):
            asked = "without end" if samples is None else f"of {samples:,} samples"
            raise BadArgumentError(
                f"{self.path}: a capture {asked}: a .wav counts at most {MAX_RIFF_BYTES // _SAMPLE:,}; "
                "record to .raw, .npy or .sigmf-meta"
            )

    def open(self) -> None:
        """Open the file; what is in it stays as it is."""
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)

    def begin(self) -> int:
        """Make it empty but for its header; its descriptor, for the samples."""
        assert self._file is not None
        self._begun = True
        self._file.truncate(0)
        self._file.write(self._header(0))
        return self._file.fileno()

    def start(self, adc: Adc, opened: Callable[[], int], samples: int | None, settings: dict[str, Any]) -> None:
        """Begin; ``opened`` calls :meth:`open` and :meth:`begin`."""
        self._recording = adc.record_to(opened, rate=self._rate, samples=samples, **settings)

    def wait(self, progress: Progress | None) -> None:
        """As :meth:`FileRecording.wait`."""
        assert self._recording is not None
        self._recording.wait(progress)

    def stop(self) -> tuple[StreamReport, Exception | None]:
        """The account, and why it ended early: what the system or the engine said."""
        assert self._recording is not None
        try:
            report = self._recording.stop()
        except GaplessError as error:
            return self._recording.report, error
        return report, self._recording.error

    def abandon(self) -> None:
        """Nothing will be recorded: there are no samples in it, if it was begun, or still those of before."""
        with contextlib.suppress(OSError):
            if self._begun:
                self.close(0)
            elif self._file is not None:
                self._file.close()

    def close(self, samples: int) -> None:
        """Cut what is no whole sample, and say in the header how many there are. A second call does nothing."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with file:
            header = self._header(samples)
            file.truncate(len(header) + _SAMPLE * samples)
            file.seek(0)
            file.write(header)

    def _header(self, samples: int) -> bytes:
        if self._suffix == ".npy":
            return npy_header(samples)
        return wav_header(samples, self._rate) if self._suffix == ".wav" else b""
