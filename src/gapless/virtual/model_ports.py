"""What a model of IP has: stream ports, registers, timers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .._native import IpHandle
from ..errors import BadArgumentError, RegisterOffsetError, UnknownNameError


class InputPort:
    """A stream that an IP takes from a DMA's MM2S, at the DMA's pace or its own."""

    def __init__(self, handle: IpHandle, number: int, name: str) -> None:
        self._handle, self._number, self.name = handle, number, name
        self._rate: float | None = None
        self._chunk: int | None = None
        self._longest = 1 << 28
        self._ready = True

    @property
    def rate(self) -> float | None:
        """Bytes per second that are taken (bytes of the stream's width times its clock); None: as fast as they come."""
        return self._rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        self._handle.set_input_rate(self._number, checked_rate(self.name, rate))
        self._rate = rate

    @property
    def chunk(self) -> int | None:
        """Bytes handed to ``receive()`` at a time; None: whole packets."""
        return self._chunk

    @chunk.setter
    def chunk(self, nbytes: int | None) -> None:
        self._handle.set_chunk(self._number, 0 if nbytes is None else at_least_one(f"{self.name}: chunk", nbytes))
        self._chunk = nbytes

    @property
    def longest(self) -> int:
        """Bytes of a packet that are kept until TLAST at most: a longer one stops the model. 256 MiB at first."""
        return self._longest

    @longest.setter
    def longest(self, nbytes: int) -> None:
        self._handle.set_longest(self._number, at_least_one(f"{self.name}: longest", nbytes))
        self._longest = nbytes

    @property
    def ready(self) -> bool:
        """Whether anything is taken. Up to 16 KiB that the DMA has read ahead still come when it is set to False."""
        return self._ready

    @ready.setter
    def ready(self, ready: bool) -> None:
        self._handle.set_ready(self._number, bool(ready))
        self._ready = bool(ready)


class OutputPort:
    """A stream that an IP gives to a DMA's S2MM, at the DMA's pace or its own."""

    def __init__(self, handle: IpHandle, number: int, name: str) -> None:
        self._handle, self._number, self.name = handle, number, name
        self._rate: float | None = None
        self._depth = 1 << 16

    @property
    def rate(self) -> float | None:
        """Bytes per second that leave, for what is sent from now on; None: as fast as they are taken."""
        return self._rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        self._handle.set_output_rate(self._number, checked_rate(self.name, rate))
        self._rate = rate

    @property
    def depth(self) -> int:
        """With so many bytes not taken yet it is full, and no input of the IP takes anything. 64 KiB at first."""
        return self._depth

    @depth.setter
    def depth(self, nbytes: int) -> None:
        self._handle.set_depth(self._number, at_least_one(f"{self.name}: depth", nbytes))
        self._depth = nbytes

    @property
    def pending(self) -> int:
        """Bytes that were sent and not taken yet."""
        return self._handle.pending(self._number)

    def send(self, data: ArrayLike, last: bool = True, delay: float = 0.0) -> None:
        """Queue a packet, or with ``last=False`` a part of one: the bytes of an array of any type, copied.

        The first leaves ``delay`` seconds from now or later, when what was sent before has left; the last, with
        TLAST, at :attr:`rate` after it. What is sent to a full port is still queued.
        """
        array = np.asarray(data)
        if array.dtype.hasobject or array.size == 0:
            raise BadArgumentError(f"{self.name}: {array.size} items of {array.dtype}; a packet is at least one byte")
        checked_delay(delay)
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        self._handle.send(self._number, flat, bool(last), delay)


class Inputs(dict[str, InputPort]):
    """Ports by name; UnknownNameError for one that is not there says which are."""

    def __missing__(self, name: str) -> InputPort:
        raise UnknownNameError("stream input of the IP", name, self)


class Outputs(dict[str, OutputPort]):
    """Ports by name; UnknownNameError for one that is not there says which are."""

    def __missing__(self, name: str) -> OutputPort:
        raise UnknownNameError("stream output of the IP", name, self)


class Registers:
    """32-bit registers by their offset in bytes; 0 where nothing was written."""

    def __init__(self, handle: IpHandle, size: int) -> None:
        self._handle, self._size = handle, size

    def __getitem__(self, offset: int) -> int:
        return self._handle.word(self._checked(offset))

    def __setitem__(self, offset: int, value: int) -> None:
        if not 0 <= value <= 0xFFFFFFFF:
            raise BadArgumentError(f"{value!r} is no value of a register of 32 bits")
        self._handle.set_word(self._checked(offset), value)

    def _checked(self, offset: int) -> int:
        if offset % 4 or not 0 <= offset < self._size:
            raise RegisterOffsetError(f"offset {offset:#x}: registers are at multiples of 4 below {self._size:#x}")
        return offset


class Timer:
    """A call to come."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """It does not come any more. Harmless when it has."""
        self._callback = None

    def go_off(self) -> None:
        """Call it, unless it was cancelled."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


def checked_delay(seconds: float) -> float:
    """BadArgumentError for what is no delay."""
    if not 0 <= seconds <= 1e6:
        raise BadArgumentError(f"a delay of {seconds!r} s; it is 0 to 1e6 s")
    return seconds


def at_least_one(what: str, nbytes: int) -> int:
    """BadArgumentError for what is no count of bytes."""
    if not 1 <= nbytes < 1 << 63:
        raise BadArgumentError(f"{what} of {nbytes!r} bytes; it is at least one")
    return nbytes


def checked_rate(name: str, rate: float | None) -> float:
    """What the native core calls it: 0 for none."""
    if rate is None:
        return 0.0
    if not 1 <= rate <= 1e15:
        raise BadArgumentError(f"{name}: rate={rate!r}; it is in bytes per second, at least 1, or None")
    return float(rate)
