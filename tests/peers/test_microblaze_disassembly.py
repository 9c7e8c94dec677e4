"""Our disassembler beside QEMU's, which is that of GNU binutils of 2012."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from gapless._native import disassemble_microblaze

from .microblaze import encodings as mb
from .microblaze import layout as at
from .microblaze.theirs import Qemu

#: Not in QEMU's table: it prints no mnemonic. The words, by hand from UG984, as GNU binutils 2.40 writes them.
NEWER = {
    0x93AB_00E0: "clz r29, r11",
    0x9217_01E0: "swapb r16, r23",
    0x9288_01E2: "swaph r20, r8",
    0xC216_C200: "lbur r16, r22, r24",
    0xC763_C200: "lhur r27, r3, r24",
    0xC9D3_9A00: "lwr r14, r19, r19",
    0xD32D_EA00: "sbr r25, r13, r29",
    0xD643_5A00: "shr r18, r3, r11",
    0xD9FF_6200: "swr r15, r31, r12",
    0xB822_0004: "mbar 1",
    0x940F_C800: "mts rslr, r15",
    0x9412_C802: "mts rshr, r18",
}
#: In QEMU's table, but as something else: it does not look at bits 14 and 15 of barrel shifts, and prints rd (which
#: is not there) instead of ra for the caches' instructions.
OTHERWISE = {
    0x6467_40C4: "bsefi r3, r7, 3, 4",
    0x6756_8241: "bsifi r26, r22, 9, 1",
    0x900F_5868: "wic r15, r11",
    0x9002_3064: "wdc r2, r6",
    0x901D_8066: "wdc.clear r29, r16",
    0x9005_A074: "wdc.flush r5, r20",
}
_NOT_JUDGED = {text.split()[0] for text in OTHERWISE.values()} | {".long"}


@pytest.fixture(scope="module")
def qemu() -> Iterator[Qemu]:
    with Qemu() as machine:
        yield machine


def plain(text: str) -> tuple[str, int | None]:
    """The instruction with single spaces, and the number in its comment."""
    instruction, _, comment = text.partition("//")
    return " ".join(instruction.split()), int(comment, 16) & 0xFFFF_FFFF if comment.strip() else None


def compare(qemu: Qemu, words: list[int]) -> set[str]:
    """Every word that we take for an instruction is the same one to QEMU; returns the mnemonics it does not know."""
    unknown = set()
    for number, (word, line) in enumerate(zip(words, qemu.disassemble(np.array(words, np.uint32)), strict=True)):
        before = words[number - 1] if number else 0
        prefix = before & 0xFFFF if before >> 16 == mb.PREFIX[0].bits >> 16 else -1
        text = disassemble_microblaze(word, at.WINDOW + 4 * number, prefix)
        if text.split()[0] in _NOT_JUDGED:
            continue
        if line.startswith("\t"):
            unknown.add(text.split()[0])
            continue
        if re.search(r"^mfs .*(0x|rslr|rshr)", text):
            continue  # QEMU takes a special register that it does not know for rpc
        (ours, target), (expected, address) = plain(text), plain(line)
        assert ours == expected, f"{word:#010x}: {text!r}, {line!r} in QEMU"
        if address is not None and target is not None:
            assert target == address, f"{word:#010x}: {text!r}, {line!r} in QEMU"
    return unknown


def test_every_form_with_and_without_a_prefix(qemu):
    rng = np.random.default_rng(1)
    words = []
    for encoding in mb.ALL:
        for fields in rng.integers(0, 1 << 32, 40).tolist():
            words += [mb.PREFIX[0].bits | fields & 0xFFFF] if fields & 0x10000 else []
            words.append(encoding.bits | fields & ~encoding.mask)
    refused = [word for word in words if disassemble_microblaze(word, 0).startswith(".long")]
    assert set(mb.NAMES[mb.rows_of(np.array(refused, np.uint32))]) == {
        "bsefi",
        "bsifi",
    }  # fields that reach beyond bit 31, or are of no width
    assert compare(qemu, words) == {text.split()[0] for text in NEWER.values()}


def test_special_registers(qemu):
    words = [mb.named("mfs").bits | 1 << 21 | number for number in range(1 << 14)]
    compare(qemu, words)
    known = {text.split()[2] for text in map(disassemble_microblaze, words, [0] * len(words)) if "0x" not in text}
    assert {"rpc", "rmsr", "rear", "resr", "rbtr", "rpvr0", "rpvr11"} <= known


def test_random_words(qemu):
    words = np.random.default_rng(2).integers(0, 1 << 32, 20_000).tolist()
    assert sum(not disassemble_microblaze(word, 0).startswith(".long") for word in words) > 5_000
    compare(qemu, words)


@pytest.mark.parametrize(("word", "text"), [*NEWER.items(), *OTHERWISE.items()])
def test_what_qemu_does_not_know(word, text):
    assert disassemble_microblaze(word, 0) == text
