"""Instructions that compute, against UG984's "MicroBlaze Instruction Set Architecture" in plain Python."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import MicroBlaze
from microblaze_asm import image

M = 0xFFFFFFFF
EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, M - 1, M]
words = st.one_of(st.sampled_from(EDGES), st.integers(0, M))
CARRY = 4
few = settings(max_examples=12)


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def full() -> MicroBlaze:
    return MicroBlaze(
        1024, multiplier="mul64", barrel_shifter=True, divider=True, pattern_compare=True, msr_instructions=True
    )


def execute(line: str, a: int, b: int, carry: int = 0, d: int = 0) -> tuple[int, int, int]:
    """r3, the carry and the cycles after one instruction, with a in r4 and b in r5."""
    cpu = full()
    cpu.write_local(0, image(line))
    for number, value in ((3, d), (4, a), (5, b)):
        cpu.set_register(number, value)
    cpu.msr = carry * CARRY
    assert cpu.step() == "limit", cpu.fault
    assert cpu.registers[0] == 0
    assert cpu.registers[4:6] == [a, b]
    assert (cpu.msr >> 31) == (cpu.msr >> 2 & 1)  # the carry and its copy
    assert cpu.pc == 4
    return cpu.registers[3], cpu.msr >> 2 & 1, cpu.cycle


Sum = Callable[[int, int, int], int]
SUMS: dict[str, tuple[Sum, bool]] = {  # the sum with all its bits, and whether the carry is kept
    "add": (lambda a, b, c: a + b, False),
    "addc": (lambda a, b, c: a + b + c, False),
    "addk": (lambda a, b, c: a + b, True),
    "addkc": (lambda a, b, c: a + b + c, True),
    "rsub": (lambda a, b, c: b + (a ^ M) + 1, False),
    "rsubc": (lambda a, b, c: b + (a ^ M) + c, False),
    "rsubk": (lambda a, b, c: b + (a ^ M) + 1, True),
    "rsubkc": (lambda a, b, c: b + (a ^ M) + c, True),
}


def by_value(name: str) -> str:
    for stem in ("add", "rsub"):
        if name.startswith(stem):
            return stem + "i" + "".join(sorted(name[len(stem) :], key="kc".index))
    return name + "i"


@pytest.mark.parametrize("name", SUMS)
@few
@given(a=words, b=words, carry=st.integers(0, 1))
def test_sums(name: str, a: int, b: int, carry: int) -> None:
    total, keeps = SUMS[name]
    value = total(a, b, carry)
    assert execute(f"{name} r3, r4, r5", a, b, carry) == (value & M, carry if keeps else value >> 32, 1)


@pytest.mark.parametrize("name", SUMS)
@few
@given(a=words, b=st.integers(-0x8000, 0x7FFF), carry=st.integers(0, 1))
def test_sums_with_an_immediate(name: str, a: int, b: int, carry: int) -> None:
    total, keeps = SUMS[name]
    value = total(a, b & M, carry)
    assert execute(f"{by_value(name)} r3, r4, {b}", a, 0, carry) == (value & M, carry if keeps else value >> 32, 1)


def equal_byte(a: int, b: int) -> int:
    pairs = zip(a.to_bytes(4, "big"), b.to_bytes(4, "big"), strict=True)
    return next((i for i, (x, y) in enumerate(pairs, 1) if x == y), 0)


def compared(larger: bool, a: int, b: int) -> int:
    return (b - a) & 0x7FFFFFFF | larger << 31


VALUES: dict[str, Callable[[int, int], int]] = {
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "xor": lambda a, b: a ^ b,
    "andn": lambda a, b: a & ~b,
    "cmp": lambda a, b: compared(signed(a) > signed(b), a, b),
    "cmpu": lambda a, b: compared(a > b, a, b),
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: signed(a) * signed(b) >> 32,
    "mulhu": lambda a, b: a * b >> 32,
    "mulhsu": lambda a, b: signed(a) * b >> 32,
    "bsll": lambda a, b: a << b % 32,
    "bsrl": lambda a, b: a >> b % 32,
    "bsra": lambda a, b: signed(a) >> b % 32,
    "pcmpbf": equal_byte,
    "pcmpeq": lambda a, b: int(a == b),
    "pcmpne": lambda a, b: int(a != b),
}


@pytest.mark.parametrize("name", VALUES)
@few
@given(a=words, b=words, carry=st.integers(0, 1), same=st.booleans())
def test_values(name: str, a: int, b: int, carry: int, same: bool) -> None:
    b = a if same else b
    assert execute(f"{name} r3, r4, r5", a, b, carry) == (VALUES[name](a, b) & M, carry, 1)


@pytest.mark.parametrize("name", ["or", "and", "xor", "andn", "mul"])
@few
@given(a=words, b=st.integers(-0x8000, 0x7FFF))
def test_values_with_an_immediate(name: str, a: int, b: int) -> None:
    assert execute(f"{name}i r3, r4, {b}", a, 0) == (VALUES[name](a, b & M) & M, 0, 1)


@pytest.mark.parametrize("name", ["bsll", "bsrl", "bsra"])
@few
@given(a=words, b=st.integers(0, 31))
def test_shifts_by_an_immediate(name: str, a: int, b: int) -> None:
    assert execute(f"{name}i r3, r4, {b}", a, 0) == (VALUES[name](a, b) & M, 0, 1)


SINGLE: dict[str, Callable[[int], int]] = {
    "sext8": lambda a: (a & 0xFF ^ 0x80) - 0x80,
    "sext16": lambda a: (a & 0xFFFF ^ 0x8000) - 0x8000,
    "clz": lambda a: 32 - a.bit_length(),
    "swapb": lambda a: int.from_bytes(a.to_bytes(4, "little"), "big"),
    "swaph": lambda a: a << 16 | a >> 16,
}


@pytest.mark.parametrize("name", SINGLE)
@few
@given(a=words, carry=st.integers(0, 1))
def test_single(name: str, a: int, carry: int) -> None:
    assert execute(f"{name} r3, r4", a, 0, carry) == (SINGLE[name](a) & M, carry, 1)


@few
@given(a=words, carry=st.integers(0, 1))
def test_shifts_by_one_leave_the_last_bit_in_the_carry(a: int, carry: int) -> None:
    assert execute("sra r3, r4", a, 0, carry) == (signed(a) >> 1 & M, a & 1, 1)
    assert execute("srl r3, r4", a, 0, carry) == (a >> 1, a & 1, 1)
    assert execute("src r3, r4", a, 0, carry) == (a >> 1 | carry << 31, a & 1, 1)


@few
@given(a=words, d=words, shift=st.integers(0, 31), data=st.data())
def test_bit_fields(a: int, d: int, shift: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, min(31, 32 - shift)))
    mask = (1 << width) - 1
    assert execute(f"bsefi r3, r4, {width}, {shift}", a, 0, 0, d)[0] == a >> shift & mask
    assert execute(f"bsifi r3, r4, {width}, {shift}", a, 0, 0, d)[0] == d & ~(mask << shift) & M | (a & mask) << shift


@few
@given(a=words, b=words)
def test_division(a: int, b: int) -> None:
    """UG984 "idiv": rB by rA; 34 cycles, or 1 by zero."""
    if a == 0:
        return
    assert execute("idivu r3, r4, r5", a, b) == (b // a, 0, 34)
    quotient = abs(signed(b)) // abs(signed(a)) * (1 if (signed(a) < 0) == (signed(b) < 0) else -1)
    assert execute("idiv r3, r4, r5", a, b) == (quotient & M, 0, 34)


def test_division_that_has_no_result_tells_so_in_msr() -> None:
    """UG984 "idiv": DZO is set, and stays."""
    for line, a, b, expected, cycles in (
        ("idiv r3, r4, r5", 0, 7, 0, 1),
        ("idivu r3, r4, r5", 0, 7, 0, 1),
        ("idiv r3, r4, r5", M, 1 << 31, 1 << 31, 34),
    ):
        cpu = full()
        cpu.write_local(0, image(line + "\n nop"))
        for number, value in ((3, 99), (4, a), (5, b)):
            cpu.set_register(number, value)
        cpu.step(2)
        assert (cpu.registers[3], cpu.msr, cpu.cycle, cpu.fault) == (expected, 0x40, cycles + 1, None)


@few
@given(value=words, a=words)
def test_imm_gives_the_upper_half_to_the_next_instruction_alone(value: int, a: int) -> None:
    """UG984 "imm"; a type A instruction has no immediate to extend."""
    cpu = full()
    high, low = value >> 16, value & 0xFFFF
    cpu.write_local(0, image(f"imm {high}\n addik r3, r4, {low}\n addik r6, r4, {low}\n imm {high}\n addk r7, r4, r0"))
    cpu.set_register(4, a)
    cpu.step(5)
    assert cpu.registers[3] == (a + value) & M
    assert cpu.registers[6] == (a + (low ^ 0x8000) - 0x8000) & M
    assert cpu.registers[7] == a


def test_msr_and_special_registers() -> None:
    """UG984 "Machine Status Register": what was not built in stays 0; "msrset" gives what was before."""
    cpu = full()
    cpu.write_local(
        0, image("mts rmsr, r4\n mfs r5, rmsr\n msrclr r6, 0x4\n msrset r7, 0x8\n mfs r8, rpc\n mfs r9, rpvr0")
    )
    cpu.set_register(4, M)
    cpu.step(6)
    everything = 0x8000004E  # CC, DZO, BIP, C, IE; no exceptions, caches, streams
    assert cpu.registers[5:10] == [everything, everything, 0x4A, 0x10, 0]
    assert cpu.msr == 0x4A
