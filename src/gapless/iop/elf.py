"""ELF executables for MicroBlaze. Source: System V ABI, "Object Files"; UG984, "MicroBlaze ABI"."""

from __future__ import annotations

import io
from typing import Any

from ..errors import BadArgumentError, UnsupportedError

_MICROBLAZE = ("EM_MICROBLAZE", 0xBAAB)  # the number in use before there was an official one
_LARGEST = 1 << 20


def read_elf(name: str, data: bytes) -> tuple[bytes, tuple[tuple[int, str], ...]]:
    """The image from address 0 on, and the functions as (address, name), sorted.

    BadArgumentError when it is no executable for a little-endian MicroBlaze, or damaged.
    """
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from elftools.elf.sections import SymbolTableSection
    except ImportError:
        raise UnsupportedError(f"{name} is an ELF file: pip install gapless[iop] reads it, or give the .bin") from None
    try:
        elf = ELFFile(io.BytesIO(data))
        _check_machine(name, elf)
        symbols = sorted(
            (symbol["st_value"], symbol.name)
            for section in elf.iter_sections()
            if isinstance(section, SymbolTableSection)
            for symbol in section.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol.name
        )
        return _image(name, elf), tuple(symbols)
    except BadArgumentError:
        raise
    except (ELFError, KeyError, ValueError) as error:
        raise BadArgumentError(f"{name} is a damaged ELF file: {error}") from None


def _check_machine(name: str, elf: Any) -> None:
    machine = elf["e_machine"]
    if machine not in _MICROBLAZE or not elf.little_endian or elf.elfclass != 32:
        order = "little" if elf.little_endian else "big"
        raise BadArgumentError(
            f"{name} is for {str(machine).removeprefix('EM_')}, {elf.elfclass} bits, {order}-endian; a program "
            "is for MICROBLAZE, 32 bits, little-endian"
        )


def _image(name: str, elf: Any) -> bytes:
    image = bytearray()
    for segment in elf.iter_segments("PT_LOAD"):
        start, content, size = segment["p_paddr"], segment.data(), segment["p_memsz"]
        if size == 0:
            continue
        if start + size > _LARGEST:
            raise BadArgumentError(
                f"{name} has {size} bytes at 0x{start:08X}: a program lies in the local memory, which begins at 0"
            )
        image.extend(bytes(max(0, start + size - len(image))))
        image[start : start + len(content)] = content
    return bytes(image)
