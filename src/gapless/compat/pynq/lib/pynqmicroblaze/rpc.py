"""What needs a compiler for the MicroBlaze, which gapless does not bring: names that say so."""

from __future__ import annotations

from typing import Any

from .....errors import UnsupportedError


class MicroblazeProgram:
    """A program from C source. It cannot be had here: UnsupportedError says what can."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise UnsupportedError(
            f"{type(self).__name__} compiles C for the MicroBlaze, and gapless has no compiler: build the program with "
            "mb-gcc elsewhere and give its .bin or .elf to PynqMicroblaze(mb_info, path)"
        )


class MicroblazeRPC(MicroblazeProgram):
    """Functions of a C source as Python's; as :class:`MicroblazeProgram`."""


class MicroblazeLibrary(MicroblazeProgram):
    """PYNQ's C libraries (``gpio``, ``i2c``, ...) as Python's; as :class:`MicroblazeProgram`."""
