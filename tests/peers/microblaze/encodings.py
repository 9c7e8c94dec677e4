"""The instructions that are compared: mnemonic, bits and fields.

Source: UG984, "MicroBlaze Instruction Set Architecture".
Fields of a form: ``d`` is rd (bit 21 on), ``a`` is ra (16), ``b`` is rb (11), ``i`` is 16 bits of immediate, ``m`` 15
and ``5`` five, ``w`` is the width (6) and place (0) of a bit field.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FIELDS = {
    "d": 0x1F << 21,
    "a": 0x1F << 16,
    "b": 0x1F << 11,
    "i": 0xFFFF,
    "5": 0x1F,
    "w": 0x1F << 6 | 0x1F,
    "m": 0x7FFF,
}


class Encoding(NamedTuple):
    mnemonic: str
    bits: int
    form: str

    @property
    def mask(self) -> int:
        """The bits that make the instruction what it is."""
        return 0xFFFF_FFFF & ~sum(_FIELDS[field] for field in self.form)


def _table(form: str, **codes: tuple[int, int]) -> list[Encoding]:
    return [Encoding(name.rstrip("_"), opcode << 26 | rest, form) for name, (opcode, rest) in codes.items()]


_CONDITIONS = ("eq", "ne", "lt", "le", "gt", "ge")
_ARITHMETIC = ("add", "rsub", "addc", "rsubc", "addk", "rsubk", "addkc", "rsubkc")


def _immediate(name: str) -> str:
    """``addkc`` with an immediate is ``addikc``."""
    stem = "rsub" if name.startswith("rsub") else "add"
    return f"{stem}i{name[len(stem) :]}"


#: rd = ra op rb
THREE = [
    *(Encoding(name, number << 26, "dab") for number, name in enumerate(_ARITHMETIC)),
    *_table("dab", cmp=(0x05, 1), cmpu=(0x05, 3)),
    *_table("dab", mul=(0x10, 0), mulh=(0x10, 1), mulhsu=(0x10, 2), mulhu=(0x10, 3)),
    *_table("dab", bsrl=(0x11, 0), bsra=(0x11, 0x200), bsll=(0x11, 0x400)),
    *_table("dab", or_=(0x20, 0), and_=(0x21, 0), xor=(0x22, 0), andn=(0x23, 0)),
    *_table("dab", pcmpbf=(0x20, 0x400), pcmpeq=(0x22, 0x400), pcmpne=(0x23, 0x400)),
]
DIVIDE = _table("dab", idiv=(0x12, 0), idivu=(0x12, 2))
#: rd = ra op immediate
IMMEDIATE = [
    *(Encoding(_immediate(name), (number + 8) << 26, "dai") for number, name in enumerate(_ARITHMETIC)),
    *_table("dai", muli=(0x18, 0), ori=(0x28, 0), andi=(0x29, 0), xori=(0x2A, 0), andni=(0x2B, 0)),
]
#: rd = op ra
SHIFT = _table("da", sra=(0x24, 1), src=(0x24, 0x21), srl=(0x24, 0x41))
TWO = _table("da", sext8=(0x24, 0x60), sext16=(0x24, 0x61), clz=(0x24, 0xE0), swapb=(0x24, 0x1E0), swaph=(0x24, 0x1E2))
BARREL = _table("da5", bsrli=(0x19, 0), bsrai=(0x19, 0x200), bslli=(0x19, 0x400))
FIELD = _table("daw", bsefi=(0x19, 0x4000), bsifi=(0x19, 0x8000))
CACHE = [
    *_table("ab", wic=(0x24, 0x68), wdc=(0x24, 0x64)),
    Encoding("wdc.clear", 0x9000_0066, "ab"),
    Encoding("wdc.flush", 0x9000_0074, "ab"),
]
BARRIER = _table("d", mbar=(0x2E, 0x0002_0004))
MSR = [
    *_table("dm", msrset=(0x25, 0x0010_0000), msrclr=(0x25, 0x0011_0000)),
    *_table("d", mfs=(0x25, 0x8000)),  # rpc; + 1: rmsr
    *_table("a", mts=(0x25, 0xC001)),  # rmsr
]
#: Not in programs at random.
MFS_EAR, MFS_ESR, MFS_BTR = (Encoding("mfs", 0x9400_8000 | number, "d") for number in (3, 5, 11))
MFS_MSR, MTS_SLR, MTS_SHR = (
    Encoding(name, 0x9400_0000 | code, form)
    for name, code, form in (("mfs", 0x8001, "d"), ("mts", 0xC800, "a"), ("mts", 0xC802, "a"))
)

#: Bytes of an access to the instructions that do it.
LOADS = {
    1: _table("dab", lbu=(0x30, 0), lbur=(0x30, 0x200)),
    2: _table("dab", lhu=(0x31, 0), lhur=(0x31, 0x200)),
    4: _table("dab", lw=(0x32, 0), lwr=(0x32, 0x200)),
}
STORES = {
    1: _table("dab", sb=(0x34, 0), sbr=(0x34, 0x200)),
    2: _table("dab", sh=(0x35, 0), shr=(0x35, 0x200)),
    4: _table("dab", sw=(0x36, 0), swr=(0x36, 0x200)),
}
LOADS_IMMEDIATE = {1: _table("dai", lbui=(0x38, 0)), 2: _table("dai", lhui=(0x39, 0)), 4: _table("dai", lwi=(0x3A, 0))}
STORES_IMMEDIATE = {1: _table("dai", sbi=(0x3C, 0)), 2: _table("dai", shi=(0x3D, 0)), 4: _table("dai", swi=(0x3E, 0))}
LWX, SWX = _table("dab", lwx=(0x32, 0x400), swx=(0x36, 0x400))

#: What is added to a branch on a condition or without one for its delay slot.
_SLOT_IF, _SLOT = 1 << 25, 1 << 20
#: By whether there is a delay slot.
IF = {
    slot: [
        Encoding(f"b{name}{'d' * slot}", 0x9C00_0000 | number << 21 | _SLOT_IF * slot, "ab")
        for number, name in enumerate(_CONDITIONS)
    ]
    for slot in (False, True)
}
IF_IMMEDIATE = {
    slot: [
        Encoding(f"b{name}i{'d' * slot}", 0xBC00_0000 | number << 21 | _SLOT_IF * slot, "ai")
        for number, name in enumerate(_CONDITIONS)
    ]
    for slot in (False, True)
}
RELATIVE = {
    False: _table("b", br=(0x26, 0)),
    True: [*_table("b", brd=(0x26, _SLOT)), *_table("db", brld=(0x26, _SLOT | 0x4_0000))],
}
ABSOLUTE = {
    False: [*_table("b", bra=(0x26, 0x8_0000)), *_table("db", brk=(0x26, 0xC_0000))],
    True: [*_table("b", brad=(0x26, _SLOT | 0x8_0000)), *_table("db", brald=(0x26, _SLOT | 0xC_0000))],
}
RELATIVE_IMMEDIATE = {
    False: _table("i", bri=(0x2E, 0)),
    True: [*_table("i", brid=(0x2E, _SLOT)), *_table("di", brlid=(0x2E, _SLOT | 0x4_0000))],
}
ABSOLUTE_IMMEDIATE = {
    False: [*_table("i", brai=(0x2E, 0x8_0000)), *_table("di", brki=(0x2E, 0xC_0000))],
    True: [*_table("i", braid=(0x2E, _SLOT | 0x8_0000)), *_table("di", bralid=(0x2E, _SLOT | 0xC_0000))],
}
RETURNS = _table(
    "ai", rtsd=(0x2D, 0x10 << 21), rtid=(0x2D, 0x11 << 21), rtbd=(0x2D, 0x12 << 21), rted=(0x2D, 0x14 << 21)
)
PREFIX = _table("i", imm=(0x2C, 0))

ALL: list[Encoding] = [
    *BARRIER,  # before bri, whose bits with a target of 4 and an odd "ra" it has
    *THREE, *DIVIDE, *IMMEDIATE, *SHIFT, *TWO, *BARREL, *FIELD, *CACHE, *MSR,
    MFS_MSR, MFS_EAR, MFS_ESR, MFS_BTR, MTS_SLR, MTS_SHR,
    *(row for by_size in (LOADS, STORES, LOADS_IMMEDIATE, STORES_IMMEDIATE)
      for rows in by_size.values() for row in rows),
    LWX, SWX, *PREFIX, *RETURNS,
    *(row for by_slot in (IF, IF_IMMEDIATE, RELATIVE, ABSOLUTE, RELATIVE_IMMEDIATE, ABSOLUTE_IMMEDIATE)
      for rows in by_slot.values() for row in rows),
]  # fmt: skip
#: The mnemonic of a row; of row -1, too.
NAMES = np.array([*(row.mnemonic for row in ALL), "illegal"])
MNEMONICS: list[str] = list(dict.fromkeys(NAMES.tolist()))


def word(encoding: Encoding, d: int = 0, a: int = 0, b: int = 0, i: int = 0) -> int:
    """One instruction."""
    return encoding.bits | d << 21 | a << 16 | b << 11 | i & 0xFFFF


def named(mnemonic: str) -> Encoding:
    """The first encoding of a mnemonic."""
    return next(row for row in ALL if row.mnemonic == mnemonic)


def rows_of(words: NDArray[np.uint32]) -> NDArray[np.int64]:
    """For each word the row of :data:`ALL` it belongs to, -1 where none; same shape."""
    rows = np.full(words.shape, -1)
    for number, encoding in reversed(list(enumerate(ALL))):
        rows[words & encoding.mask == encoding.bits] = number
    return rows


def _of(*tables: list[Encoding] | dict[int, list[Encoding]] | dict[bool, list[Encoding]]) -> frozenset[str]:
    rows = [
        row for table in tables for rows in (table.values() if isinstance(table, dict) else [table]) for row in rows
    ]
    return frozenset(row.mnemonic for row in rows)


CONDITIONAL = _of(IF, IF_IMMEDIATE)
#: For a short report.
CLASSES: dict[str, frozenset[str]] = {
    "registers and immediates": _of(THREE, IMMEDIATE, TWO, SHIFT, BARREL, FIELD, DIVIDE),
    "prefixes": _of(PREFIX),
    "MSR, caches, barriers": _of(MSR, CACHE, BARRIER),
    "loads": _of(LOADS, LOADS_IMMEDIATE, [LWX]),
    "stores": _of(STORES, STORES_IMMEDIATE, [SWX]),
    "branches on a condition": CONDITIONAL,
    "illegal opcodes": frozenset(["illegal"]),
    "other branches": _of(RELATIVE, ABSOLUTE, RELATIVE_IMMEDIATE, ABSOLUTE_IMMEDIATE, RETURNS),
}
