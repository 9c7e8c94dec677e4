"""The decoder's table against an assembler that was written from UG984 without it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import disassemble_microblaze as disassemble
from microblaze_asm import ENCODERS, SPECIAL, assemble

SHORT = {  # (least, most) of each immediate, where it has not 16 bits with a sign
    "bsrli": [(0, 31)], "bsrai": [(0, 31)], "bslli": [(0, 31)], "msrset": [(0, 0x7FFF)], "msrclr": [(0, 0x7FFF)],
    "mbar": [(0, 31)],
}  # fmt: skip
few = settings(max_examples=6)
WRITABLE = ("rmsr", "rfsr", "rslr", "rshr")


def operand(draw: st.DrawFn, kind: str, name: str) -> str:
    if kind == "r":
        return f"r{draw(st.integers(0, 31))}"
    if kind == "s":
        return draw(st.sampled_from(WRITABLE if name == "mts" else sorted(SPECIAL)))
    least, most = SHORT.get(name, [(-0x8000, 0x7FFF)])[0]
    return str(draw(st.integers(least, most)))


@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in (".long", "bsefi", "bsifi")])
@few
@given(data=st.data())
def test_every_form_comes_back_as_it_was_written(name: str, data: st.DataObject) -> None:
    text = name + " " + ", ".join(data.draw(st.composite(operand)(kind, name)) for kind in ENCODERS[name][0])
    word = assemble(text)[0]
    if word != 0:
        assert disassemble(word, 0).split("  //")[0] == text


@pytest.mark.parametrize("name", ["bsefi", "bsifi"])
@few
@given(shift=st.integers(0, 31), data=st.data())
def test_bit_fields(name: str, shift: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, min(31, 32 - shift)))
    text = f"{name} r3, r4, {width}, {shift}"
    assert disassemble(assemble(text)[0], 0) == text


@settings(max_examples=100)
@given(word=st.integers(0, 2**32 - 1))
def test_every_word_is_what_its_text_says(word: int) -> None:
    assert assemble(disassemble(word, 0)) == [word]


def test_targets_and_prefixes() -> None:
    def text(line: str, address: int, prefix: int = -1) -> str:
        return disassemble(assemble(line)[0], address, prefix)

    assert text("bri -8", 0x100) == "bri -8  // 0xf8"
    assert text("brlid r15, 16", 0x100) == "brlid r15, 16  // 0x110"
    assert text("bnei r3, -4", 0x100) == "bnei r3, -4  // 0xfc"
    assert text("bralid r15, -16", 0x100, 0x1) == "bralid r15, -16  // 0x1fff0"
    assert text("bri 4660", 0x100, 0x2000) == "bri 4660  // 0x20001334"
    assert text("addik r3, r0, 22136", 0, 0x1234) == "addik r3, r0, 22136  // 0x12345678"
    assert text("add r3, r0, r4", 0, 0x1234) == "add r3, r0, r4"
    assert disassemble(0xFFFFFFFF, 0) == ".long 0xffffffff"
