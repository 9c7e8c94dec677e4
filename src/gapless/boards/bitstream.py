"""Bitstreams as Vivado and bootgen write them: what their headers say, and their words in either byte order.

Sources: UG570 (UltraScale configuration) and UG470 (7 series), "Configuration Packets" and "Bitstream
Composition"; UG1283 (bootgen). The header of a .bit file is not documented by AMD; it is what every Vivado writes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..errors import BadArgumentError
from ..units import MIB, format_size

SYNC = bytes.fromhex("aa995566")
_SYNC_SWAPPED = SYNC[::-1]
#: A bitstream synchronises after some dummy words and the bus width pattern; far less than this, in bytes.
_SYNC_WITHIN = 4096
#: The largest device of these families takes less than half of it.
_MOST_BYTES = 512 * MIB

#: Type 1 packets that write one word (UG570, "Type 1 Packet Header Format"): to IDCODE, to CTL0, to CMD.
_WRITE_IDCODE, _WRITE_CTL0, WRITE_CMD = 0x3001_8001, 0x3000_A001, 0x3000_8001
_TYPE_1, _TYPE_2 = 1, 2
_CBC, _FDRI = 0b01011, 0b00010  # registers: the initial vector of an encrypted bitstream; the frames
_CTL0_DEC = 1 << 6
DESYNC = 0x0000_000D  # the last command of a bitstream

#: The field that begins a .bit file: its length, 9, and these bytes; then 1.
MAGIC = bytes.fromhex("0009 0ff0 0ff0 0ff0 0ff0 00 0001")
FIELDS = {"a": "design", "b": "part", "c": "date", "d": "time"}

ByteOrder = Literal["big", "little"]


@dataclass(frozen=True)
class Bitstream:
    """A bitstream file, read and checked.

    Attributes:
        path: the file.
        format: "bit" with a header, "bin" without.
        design: name of the top level as in the header; of a file without one, the file's own name.
        part: the device it is for, as Vivado writes it: ``xczu28dr-ffvg1517-2-e``, ``7z020clg400``; "" if unknown.
        date, time: when it was made, as Vivado writes it; "" if unknown.
        attributes: what else the header says: ``{"UserID": "0XFFFFFFFF", "Version": "2022.1"}``.
        byte_order: of the words in the file: "big" as Vivado writes them, "little" as the FPGA manager wants them.
        idcode: the device that the words are for (JTAG IDCODE), or None when there is none in clear.
        encrypted: whether the configuration is encrypted by Vivado.
    """

    path: Path
    format: Literal["bit", "bin"]
    design: str
    part: str
    date: str
    time: str
    attributes: Mapping[str, str]
    byte_order: ByteOrder
    idcode: int | None
    encrypted: bool
    _words: bytes = field(repr=False)  # as in the file

    @classmethod
    def load(cls, path: str | Path) -> Bitstream:
        """Read ``path``. BadArgumentError when it is no bitstream, or not the whole of one."""
        path = Path(path)
        data = _read(path)
        if data.startswith(MAGIC):
            fields, words = _split(path, data)
            form: Literal["bit", "bin"] = "bit"
        else:
            fields, words, form = {"design": path.stem}, data, "bin"
        order, start = _find_sync(path, words)
        idcode, encrypted = _scan(words, start, order)
        if not encrypted and not _ends(words, start, order):
            raise BadArgumentError(
                f"{path} is cut short: the command that ends a bitstream (DESYNC) is not in it; copy it again"
            )
        design, *attributes = fields.get("design", path.stem).split(";")
        return cls(
            path,
            form,
            design,
            fields.get("part", ""),
            fields.get("date", ""),
            fields.get("time", ""),
            {name: value for name, _, value in (text.partition("=") for text in attributes)},
            order,
            idcode,
            encrypted,
            words,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of its words, without the header."""
        return len(self._words)

    @property
    def partial(self) -> bool:
        """Whether the header says that it reconfigures a part of the PL only."""
        return self.attributes.get("PARTIAL") == "TRUE"

    @property
    def empty(self) -> bool:
        """Whether it configures nothing, and is for virtual boards only."""
        return self.attributes.get("Configuration") == "none"

    @property
    def compressed(self) -> bool:
        """Whether the header says that equal frames were written once; it loads like any other."""
        return self.attributes.get("COMPRESS") == "TRUE"

    def payload(self, byte_order: ByteOrder = "little") -> bytes:
        """The words without a header: "little" for the kernel's FPGA manager, "big" as in a .bit file.

        The manager of Zynq-7000 takes words with their bytes swapped only (Linux, drivers/fpga/zynq-fpga.c,
        zynq_fpga_has_sync); that of Zynq UltraScale+ hands them to the firmware, which in its older versions
        takes the same order only (U-Boot, drivers/fpga/zynqmppl.c).
        """
        if byte_order not in ("big", "little"):
            raise BadArgumentError(f"byte_order={byte_order!r}: it is big or little")
        if byte_order == self.byte_order:
            return self._words
        return np.frombuffer(self._words, np.uint32).byteswap().tobytes()

    def check_device(self, board: str, device: str) -> None:
        """BadArgumentError when it is for another device than that of ``board``, such as ``xczu28dr``.

        A file without a header does not say what it is for; then the kernel or the device itself refuses it.
        """
        if not self.fits(device):
            raise BadArgumentError(f"{self.path} is for {self.part}; {board} has {device}: build the design for that")

    def fits(self, device: str) -> bool:
        """Whether it may be for this device: its header names it, or there is no header."""
        return not self.part or _bare(self.part).startswith(_bare(device))

    def as_dict(self) -> dict[str, Any]:
        """What ``gapless load --info --json`` prints."""
        return {
            "file": str(self.path),
            "format": self.format,
            "design": self.design,
            "part": self.part or None,
            "date": self.date or None,
            "time": self.time or None,
            "attributes": dict(self.attributes),
            "byte_order": self.byte_order,
            "payload_bytes": self.nbytes,
            "idcode": self.idcode,
            "partial": self.partial,
            "compressed": self.compressed,
            "encrypted": self.encrypted,
        }


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise BadArgumentError(f"{path} has {format_size(size)}: no bitstream is that large")
        return path.read_bytes()
    except FileNotFoundError:
        raise BadArgumentError(f"{path}: no such file") from None
    except OSError as error:
        raise BadArgumentError(f"{path}: {error.strerror}") from None


def _split(path: Path, data: bytes) -> tuple[dict[str, str], bytes]:
    """The fields of a .bit header, and what follows it."""
    fields: dict[str, str] = {}
    at = len(MAGIC)
    try:
        while (key := chr(data[at])) != "e":
            if key not in FIELDS:
                raise BadArgumentError(f"{path}: field {key!r} in its header is none of a .bit file")
            (length,) = struct.unpack_from(">H", data, at + 1)
            text = data[at + 3 : at + 3 + length]
            fields[FIELDS[key]] = text.rstrip(b"\0").decode("utf-8", "backslashreplace")
            at += 3 + length
        (length,) = struct.unpack_from(">I", data, at + 1)
    except (IndexError, struct.error):
        raise BadArgumentError(f"{path} ends in its header, after {len(data)} bytes: copy it again") from None
    words = data[at + 5 :]
    if len(words) != length:
        what = "is cut short" if len(words) < length else "has more than a bitstream"
        raise BadArgumentError(f"{path} {what}: {len(words)} bytes after the header, which says {length}")
    return fields, words


def _find_sync(path: Path, words: bytes) -> tuple[ByteOrder, int]:
    """The order of the bytes, and where the packets begin."""
    places: list[tuple[int, ByteOrder]] = [
        (words.find(SYNC, 0, _SYNC_WITHIN), "big"),
        (words.find(_SYNC_SWAPPED, 0, _SYNC_WITHIN), "little"),
    ]
    found = [place for place in places if place[0] >= 0 and place[0] % 4 == 0]
    if not found:
        raise BadArgumentError(
            f"{path} is no bitstream: neither AA995566 nor 665599AA is among its first {_SYNC_WITHIN} bytes"
        )
    at, order = min(found)
    if words[at + 4 : at + 8] == b"XNLX":  # UG1283, "Boot Header": the same word, then this
        raise BadArgumentError(
            f"{path} is a boot image: give the .bit file itself, or make a .bin with bootgen -process_bitstream bin"
        )
    if len(words) % 4:
        raise BadArgumentError(f"{path} is cut short: {len(words)} bytes are not whole words of 4")
    return order, at + 4


def _scan(words: bytes, at: int, order: ByteOrder) -> tuple[int | None, bool]:
    """Follow the packets up to the first frames: the IDCODE that is written, and whether they are encrypted."""
    layout = ">I" if order == "big" else "<I"
    idcode = None
    while at + 8 <= len(words):
        header, value = struct.unpack_from(layout, words, at)[0], struct.unpack_from(layout, words, at + 4)[0]
        kind, register, count = header >> 29, header >> 13 & 0x1F, header & 0x7FF
        if kind == _TYPE_2 or (kind == _TYPE_1 and register == _FDRI):
            break
        if (
            kind == _TYPE_1
            and header >> 27 & 3 == 2
            and (register == _CBC or (header == _WRITE_CTL0 and value & _CTL0_DEC))
        ):
            return idcode, True
        if header == _WRITE_IDCODE:
            idcode = value
        at += 4 + (4 * count if kind == _TYPE_1 else 0)
    return idcode, False


def _ends(words: bytes, start: int, order: ByteOrder) -> bool:
    """Whether the command that ends a bitstream is in it. It is near the end, so the search begins there."""
    pattern = struct.pack(">II" if order == "big" else "<II", WRITE_CMD, DESYNC)
    at = len(words)
    while (at := words.rfind(pattern, start, at)) >= 0:
        if at % 4 == 0:
            return True
        at += len(pattern) - 1
    return False


def _bare(part: str) -> str:
    """Without the maker's prefix, which older files do not have: xczu28dr and xqzu28dr are zu28dr."""
    text = part.lower()
    return text[2:] if text[:2] in ("xc", "xa", "xq") else text
