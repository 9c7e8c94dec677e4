"""Bitstreams for the tests, made here: a header like Vivado's, and the packets that tell something."""

from __future__ import annotations

import struct

IDCODE = 0x147E_0093


def words(*, idcode: int = IDCODE, frames: int = 64, encrypted: bool = False, desync: bool = True) -> bytes:
    """The words of a bitstream, big-endian: bus width pattern, sync, IDCODE, frames, DESYNC."""
    stream = [0xFFFF_FFFF] * 16 + [0x0000_00BB, 0x1122_0044, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xAA99_5566, 0x2000_0000]
    stream += [0x3000_8001, 0x0000_0007, 0x2000_0000, 0x3001_8001, idcode]
    if encrypted:
        stream += [0x3001_6004, 1, 2, 3, 4]  # CBC: the initial vector
    stream += [0x3000_4000, 0x5000_0000 | frames]  # FDRI, and a type 2 packet with the frames
    stream += [(0x9E37_79B9 * index) & 0xFFFF_FFFF for index in range(frames)]
    if desync and not encrypted:
        stream += [0x3000_8001, 0x0000_000D]
    stream += [0x2000_0000] * 8
    return struct.pack(f">{len(stream)}I", *stream)


def swapped(data: bytes) -> bytes:
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))


def bit(
    payload: bytes,
    *,
    design: str = "awg;UserID=0XFFFFFFFF;Version=2022.1",
    part: str = "xczu28dr-ffvg1517-2-e",
    date: str = "2024/02/29",
    time: str = "12:34:56",
) -> bytes:
    """A .bit file around ``payload``."""
    data = bytes.fromhex("0009 0ff00ff00ff00ff000 0001")
    for key, text in zip(b"abcd", (design, part, date, time), strict=True):
        value = text.encode() + b"\0"
        data += struct.pack(">BH", key, len(value)) + value
    return data + b"e" + struct.pack(">I", len(payload)) + payload
