"""A .bit file with no configuration in it, for programs that want a file where a virtual board needs none.

Sources: UG470, "Bitstream Composition" and "Configuration Packets"; the header is that of every Vivado.
"""

from __future__ import annotations

import struct

from .bitstream import DESYNC, FIELDS, MAGIC, SYNC, WRITE_CMD

_DUMMY, _NOOP = 0xFFFF_FFFF, 0x2000_0000
_BUS_WIDTH = (0x0000_00BB, 0x1122_0044)


def empty_bitstream(design: str, part: str) -> bytes:
    """The contents of the file: :attr:`Bitstream.empty` is true of it, and real boards refuse it.

    ``part``: the device that it says it is for, as :attr:`gapless.boards.handoff.Design.part`.
    """
    before = struct.pack(">12I", *[_DUMMY] * 8, *_BUS_WIDTH, *[_DUMMY] * 2)
    after = struct.pack(">8I", _NOOP, WRITE_CMD, DESYNC, *[_NOOP] * 5)
    words = before + SYNC + after
    texts = {"design": f"{design};Configuration=none", "part": part, "date": "", "time": ""}
    header = MAGIC
    for key, name in FIELDS.items():
        value = texts[name].encode() + b"\0"
        header += struct.pack(">BH", ord(key), len(value)) + value
    return header + b"e" + struct.pack(">I", len(words)) + words
