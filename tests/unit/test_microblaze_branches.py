"""Where branches go, what delay slots do, and what both cost: UG984 "br", "beq", "rtsd" and "Delay Slots"."""

from __future__ import annotations

import pytest

from gapless._native import MicroBlaze
from microblaze_asm import image

CONDITIONS = {
    "beq": lambda a: a == 0, "bne": lambda a: a != 0, "blt": lambda a: a < 0,
    "ble": lambda a: a <= 0, "bgt": lambda a: a > 0, "bge": lambda a: a >= 0,
}  # fmt: skip


def bench(text: str, **registers: int) -> MicroBlaze:
    cpu = MicroBlaze(4096)
    cpu.write_local(0x100, image(text, 0x100))
    for name, value in registers.items():
        cpu.set_register(int(name[1:]), value & 0xFFFFFFFF)
    cpu.pc = 0x100
    return cpu


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("delayed", ["", "d"])
@pytest.mark.parametrize("form", ["", "i"])
@pytest.mark.parametrize("value", [0, 1, -1, 0x7FFFFFFF, -0x80000000])
def test_conditional_branches(name: str, delayed: str, form: str, value: int) -> None:
    target = "64" if form else "r5"
    cpu = bench(f"{name}{form}{delayed} r4, {target}\n addik r3, r3, 1\n addik r3, r3, 10", r4=value, r5=64)
    taken = CONDITIONS[name](value)
    cpu.step()
    assert cpu.cycle == (1 if not taken else 2 if delayed else 3)
    assert cpu.pc == (0x140 if taken and not delayed else 0x104)
    if delayed:
        cpu.step()
        assert (cpu.registers[3], cpu.pc) == (1, 0x140 if taken else 0x108)


@pytest.mark.parametrize(
    ("line", "target", "delayed", "linked"),
    [
        ("br r5", 0x140, False, False),
        ("bri 64", 0x140, False, False),
        ("bra r5", 0x40, False, False),
        ("brai 64", 0x40, False, False),
        ("brd r5", 0x140, True, False),
        ("brid 64", 0x140, True, False),
        ("brad r5", 0x40, True, False),
        ("braid 64", 0x40, True, False),
        ("brld r15, r5", 0x140, True, True),
        ("brlid r15, 64", 0x140, True, True),
        ("brald r15, r5", 0x40, True, True),
        ("bralid r15, 64", 0x40, True, True),
        ("rtsd r5, 8", 0x48, True, False),
    ],
)
def test_unconditional_branches(line: str, target: int, delayed: bool, linked: bool) -> None:
    cpu = bench(line + "\n addik r3, r3, 1", r5=64)
    cpu.step()
    assert cpu.cycle == (2 if delayed else 3)
    assert cpu.registers[15] == (0x100 if linked else 0)
    if delayed:
        assert cpu.pc == 0x104
        cpu.step()
    assert (cpu.pc, cpu.registers[3]) == (target, 1 if delayed else 0)


def test_a_far_branch_has_a_prefix_and_counts_from_itself() -> None:
    cpu = bench("imm 0xFFFF\n bri -0x84")
    cpu.step(2)
    assert cpu.pc == 0x104 - 0x84


def test_a_call_and_its_return() -> None:
    cpu = bench("brlid r15, sub\n addik r3, r0, 1\n bri 0\n sub: rtsd r15, 8\n addik r4, r3, 1")
    assert cpu.run(1000) == "settled"
    assert (cpu.pc, cpu.registers[3:5]) == (0x108, [1, 2])


@pytest.mark.parametrize(
    "line", ["bri 8", "beqi r0, 8", "bneid r0, 8", "brlid r15, 8", "rtid r14, 0", "brki r16, 24", "imm 1"]
)
def test_a_delay_slot_holds_neither_branch_nor_imm(line: str) -> None:
    """UG984 "Delay Slots"."""
    cpu = bench(f"brid 16\n {line}")
    assert cpu.run(100) == "fault"
    assert cpu.fault is not None
    assert cpu.fault[:2] == ("illegal_opcode", 0x104)
    assert "in a delay slot" in cpu.fault[4]
    assert cpu.registers[15:17] == [0, 0]
