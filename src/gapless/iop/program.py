"""What a soft processor executes: an image of its local memory, from a file or from us."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ..errors import BadArgumentError
from .firmware import NAMES as FIRMWARE

_LARGEST = 1 << 20  # no local memory has that much: what is larger was not meant


@dataclass(frozen=True)
class Program:
    """``image`` goes to address 0 of the local memory; ``symbols`` are functions, as (address, name), sorted."""

    name: str
    image: bytes
    symbols: tuple[tuple[int, str], ...] = ()

    @classmethod
    def load(cls, source: str | PathLike[str] | bytes | Program) -> Program:
        """A program.

        Args:
            source: the name of one of :data:`FIRMWARE`, the path of a .bin (an image of the local memory) or of an
                ELF executable for MicroBlaze (little-endian), or an image.

        Raises:
            BadArgumentError: there is no such file, it is empty, or an ELF file for something else.
            UnsupportedError: an ELF file, and pyelftools is not installed.
        """
        if isinstance(source, Program):
            return source
        if isinstance(source, (bytes, bytearray, memoryview)):
            return cls("image", _image("the image", bytes(source)))
        if str(source) in FIRMWARE:
            from importlib.resources import files

            return cls(str(source), (files("gapless.iop.firmware") / f"{source}.bin").read_bytes())
        path = Path(source)
        try:
            data = path.read_bytes() if path.stat().st_size <= _LARGEST * 16 else None
        except OSError as error:
            hint = "" if path.suffix else f"; programs of ours are {', '.join(FIRMWARE)}"
            raise BadArgumentError(f"program {path}: {error.strerror}{hint}") from None
        if data is None:
            raise BadArgumentError(f"program {path}: {path.stat().st_size} bytes are no program")
        if data.startswith(b"\x7fELF"):
            from .elf import read_elf

            image, symbols = read_elf(path.name, data)
            return cls(path.name, _image(str(path), image), symbols)
        return cls(path.name, _image(str(path), data))

    def symbol(self, address: int) -> str:
        """The function that has ``address``, as ``name+0x10``; empty when there are no symbols."""
        at = bisect_right(self.symbols, (address, "\uffff")) - 1
        if at < 0:
            return ""
        start, name = self.symbols[at]
        return name if start == address else f"{name}+{address - start:#x}"


def _image(what: str, data: bytes) -> bytes:
    if not data:
        raise BadArgumentError(f"{what} is empty: a program has at least one instruction")
    return data
