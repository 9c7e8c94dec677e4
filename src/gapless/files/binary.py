"""Samples that lie one after another in a file: .raw, the body of a .npy, the data of a SigMF recording."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import SignalError
from ..samples.convert import BLOCK_SAMPLES, is_float_signal, scale_into
from ..samples.stretch import check_stretch


class BinarySource:
    """``length`` samples of ``dtype`` from byte ``offset`` of a file on.

    int16 is read straight into the memory given to :meth:`fill`; floats are scaled as ``to_int16`` does,
    one block at a time, and a NaN among them is found when it is read.
    """

    def __init__(
        self,
        path: Path,
        dtype: np.dtype[np.generic],
        length: int,
        *,
        offset: int = 0,
        rate: float | None = None,
    ) -> None:
        self._scaled = is_float_signal(dtype, str(path))
        self._path, self._dtype, self._offset = path, dtype, offset
        self.name = path.name
        self.length: int | None = length
        self.period: int | None = None
        self.rate = rate

    def mapped(self) -> NDArray[np.int16] | None:
        """All samples as they lie in the file, read when they are looked at; None where they are not native int16."""
        if self._scaled or not self._dtype.isnative or not self.length:
            return None
        try:
            return np.memmap(self._path, np.int16, "r", self._offset, (self.length,))
        except (OSError, ValueError) as error:
            raise SignalError(f"{self._path}: cannot be read: {error}") from error

    def fill(self, out: NDArray[np.int16], start: int) -> None:
        """Write samples ``start .. start + len(out)`` into ``out`` (int16, shape (n,), contiguous).

        Raises:
            SignalError: the file has become shorter or unreadable, or a float in it is NaN, infinite
                or outside [-1, 1].
        """
        check_stretch(self.name, self.length, start, len(out))
        try:
            with self._path.open("rb", buffering=0) as file:
                file.seek(self._offset + start * self._dtype.itemsize)
                if self._scaled:
                    self._fill_scaled(file, out, start)
                else:
                    self._read(file, out)
                    if not self._dtype.isnative:
                        out.byteswap(inplace=True)
        except OSError as error:
            raise SignalError(f"{self._path}: cannot be read: {error.strerror or error}") from error

    def _fill_scaled(self, file: BinaryIO, out: NDArray[np.int16], start: int) -> None:
        for low in range(0, len(out), BLOCK_SAMPLES):
            part = out[low : low + BLOCK_SAMPLES]
            block: NDArray[np.floating] = np.empty(len(part), dtype=self._dtype)
            self._read(file, block)
            scale_into(part, block, str(self._path), start + low)

    def _read(self, file: BinaryIO, into: NDArray[np.generic]) -> None:
        # bytes, because a memoryview of floats in foreign byte order cannot be cast
        memory = into.view(np.uint8).data
        done = 0
        while done < len(memory):  # one read() gives at most 2 GiB
            count = file.readinto(memory[done:])  # type: ignore[attr-defined]
            if not count:
                raise SignalError(f"{self._path}: ended {len(memory) - done} bytes early: it was cut after opening")
            done += count
