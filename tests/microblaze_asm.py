"""A small assembler of MicroBlaze code for tests, written from UG984 and from nothing of ours.

``assemble(text)`` gives the words; ``;``, ``#`` and ``//`` begin a comment, ``name:`` is a label, which a branch may
name. ``li rd, value`` is ``imm`` and ``addik``. ``.long value`` is a word.
"""

import re
from collections.abc import Callable, Iterator

# UG984, "MicroBlaze Instruction Set Architecture": major opcode (6 bits) and, of type A, the 11 bits at the other end.
THREE = {
    "add": (0x00, 0), "rsub": (0x01, 0), "addc": (0x02, 0), "rsubc": (0x03, 0),
    "addk": (0x04, 0), "rsubk": (0x05, 0), "addkc": (0x06, 0), "rsubkc": (0x07, 0),
    "cmp": (0x05, 1), "cmpu": (0x05, 3),
    "mul": (0x10, 0), "mulh": (0x10, 1), "mulhsu": (0x10, 2), "mulhu": (0x10, 3),
    "bsrl": (0x11, 0), "bsra": (0x11, 0x200), "bsll": (0x11, 0x400), "idiv": (0x12, 0), "idivu": (0x12, 2),
    "or": (0x20, 0), "and": (0x21, 0), "xor": (0x22, 0), "andn": (0x23, 0),
    "pcmpbf": (0x20, 0x400), "pcmpeq": (0x22, 0x400), "pcmpne": (0x23, 0x400),
    "lbu": (0x30, 0), "lbur": (0x30, 0x200), "lhu": (0x31, 0), "lhur": (0x31, 0x200),
    "lw": (0x32, 0), "lwr": (0x32, 0x200), "lwx": (0x32, 0x400),
    "sb": (0x34, 0), "sbr": (0x34, 0x200), "sh": (0x35, 0), "shr": (0x35, 0x200),
    "sw": (0x36, 0), "swr": (0x36, 0x200), "swx": (0x36, 0x400),
}  # fmt: skip
IMMEDIATE = {
    "addi": 0x08, "rsubi": 0x09, "addic": 0x0A, "rsubic": 0x0B,
    "addik": 0x0C, "rsubik": 0x0D, "addikc": 0x0E, "rsubikc": 0x0F, "muli": 0x18,
    "ori": 0x28, "andi": 0x29, "xori": 0x2A, "andni": 0x2B,
    "lbui": 0x38, "lhui": 0x39, "lwi": 0x3A, "sbi": 0x3C, "shi": 0x3D, "swi": 0x3E,
}  # fmt: skip
TWO = {
    "sra": 0x0001, "src": 0x0021, "srl": 0x0041, "sext8": 0x0060, "sext16": 0x0061,
    "clz": 0x00E0, "swapb": 0x01E0, "swaph": 0x01E2,
}  # fmt: skip
CACHE = {"wdc": 0x64, "wdc.clear": 0x66, "wdc.flush": 0x74, "wic": 0x68}
SHIFTS = {"bsrli": 0x000, "bsrai": 0x200, "bslli": 0x400}
SPECIAL = {
    "rpc": 0, "rmsr": 1, "rear": 3, "resr": 5, "rfsr": 7, "rbtr": 0xB, "redr": 0xD, "rslr": 0x800, "rshr": 0x802,
    **{f"rpvr{n}": 0x2000 + n for n in range(13)},
}  # fmt: skip
# D, A and L: bits 11, 12 and 13 of the instruction, which UG984 counts from the most significant one.
DELAY, ABSOLUTE, LINK = 0x10, 0x08, 0x04
BRANCHES = {
    "br": 0, "brd": DELAY, "brld": DELAY | LINK,
    "bra": ABSOLUTE, "brad": ABSOLUTE | DELAY, "brald": ABSOLUTE | DELAY | LINK, "brk": ABSOLUTE | LINK,
}  # fmt: skip
CONDITIONS = {"beq": 0, "bne": 1, "blt": 2, "ble": 3, "bgt": 4, "bge": 5}
RETURNS = {"rtsd": 0x10, "rtid": 0x11, "rtbd": 0x12, "rted": 0x14}

Operand = str
Encoder = Callable[[list[int]], int]


def _word(major: int, rd: int = 0, ra: int = 0, low: int = 0) -> int:
    return major << 26 | rd << 21 | ra << 16 | low & 0xFFFF


def _encoders() -> Iterator[tuple[str, str, Encoder]]:
    """Mnemonic, its operands (r register, s special register, i immediate, o offset to a label) and how to encode."""
    for name, (major, low) in THREE.items():
        yield name, "rrr", lambda v, m=major, x=low: _word(m, v[0], v[1], v[2] << 11 | x)
    for name, major in IMMEDIATE.items():
        yield name, "rri", lambda v, m=major: _word(m, *v)
    for name, low in TWO.items():
        yield name, "rr", lambda v, x=low: _word(0x24, v[0], v[1], x)
    for name, low in CACHE.items():
        yield name, "rr", lambda v, x=low: _word(0x24, 0, v[0], v[1] << 11 | x)
    for name, low in SHIFTS.items():
        yield name, "rri", lambda v, x=low: _word(0x19, v[0], v[1], x | v[2])
    yield "bsefi", "rrii", lambda v: _word(0x19, v[0], v[1], 0x4000 | v[2] << 6 | v[3])
    yield "bsifi", "rrii", lambda v: _word(0x19, v[0], v[1], 0x8000 | (v[2] + v[3] - 1) << 6 | v[3])
    yield "mfs", "rs", lambda v: _word(0x25, v[0], 0, 0x8000 | v[1])
    yield "mts", "sr", lambda v: _word(0x25, 0, v[1], 0xC000 | v[0])
    yield "msrset", "ri", lambda v: _word(0x25, v[0], 0x10, v[1])
    yield "msrclr", "ri", lambda v: _word(0x25, v[0], 0x11, v[1])
    yield "imm", "i", lambda v: _word(0x2C, 0, 0, v[0])
    yield "mbar", "i", lambda v: _word(0x2E, v[0], 2, 4)
    for name, bits in BRANCHES.items():
        linked = bool(bits & LINK)
        rd = "r" if linked else ""
        by_register = name
        # An i before the d, as in brlid; brki has none.
        by_value = name[:-1] + "id" if name.endswith("d") else name + "i"
        kind = "i" if bits & ABSOLUTE else "o"
        yield by_register, rd + "r", lambda v, b=bits: _word(0x26, 0 if len(v) == 1 else v[0], b, v[-1] << 11)
        yield by_value, rd + kind, lambda v, b=bits: _word(0x2E, 0 if len(v) == 1 else v[0], b, v[-1])
    for name, code in CONDITIONS.items():
        for suffix, delayed in (("", 0), ("d", 0x10)):
            yield name + suffix, "rr", lambda v, c=code | delayed: _word(0x27, c, v[0], v[1] << 11)
            yield name + "i" + suffix, "ro", lambda v, c=code | delayed: _word(0x2F, c, v[0], v[1])
    for name, code in RETURNS.items():
        yield name, "ri", lambda v, c=code: _word(0x2D, c, v[0], v[1])
    yield ".long", "i", lambda v: v[0] & 0xFFFFFFFF


ENCODERS: dict[str, tuple[str, Encoder]] = {name: (operands, encode) for name, operands, encode in _encoders()}


def _value(kind: str, text: Operand, labels: dict[str, int], address: int) -> int:
    if kind == "r":
        return int(text.removeprefix("r"))
    if kind == "s":
        return SPECIAL[text]
    if text in labels:
        return labels[text] - (address if kind == "o" else 0)
    return int(text, 0)


def assemble(text: str, address: int = 0) -> list[int]:
    """The words of a program that begins at ``address``."""
    labels: dict[str, int] = {}
    lines: list[tuple[str, list[Operand]]] = []
    for raw in text.splitlines():
        line = re.split(r";|#|//", raw)[0].strip()
        while match := re.match(r"(\w+):\s*", line):
            labels[match[1]] = address + 4 * len(lines)
            line = line[match.end() :]
        if not line:
            continue
        name, _, rest = line.partition(" ")
        operands = [part.strip() for part in rest.split(",")] if rest.strip() else []
        if name == "nop":
            name, operands = "or", ["r0", "r0", "r0"]
        if name == "li":
            value = int(operands[1], 0) & 0xFFFFFFFF
            lines.append(("imm", [str(value >> 16)]))
            name, operands = "addik", [operands[0], "r0", str(value & 0xFFFF)]
        lines.append((name, operands))
    words = []
    for index, (name, operands) in enumerate(lines):
        kinds, encode = ENCODERS[name]
        assert len(kinds) == len(operands), f"{name} {operands}"
        at = address + 4 * index
        words.append(encode([_value(kind, operand, labels, at) for kind, operand in zip(kinds, operands, strict=True)]))
    return words


def image(text: str, address: int = 0) -> bytes:
    """As :func:`assemble`, in the byte order of memory."""
    return b"".join(word.to_bytes(4, "little") for word in assemble(text, address))
