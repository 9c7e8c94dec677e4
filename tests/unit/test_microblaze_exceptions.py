"""Interrupts, exceptions, breaks and faults: UG984 "Reset, Interrupts, Exceptions, and Break"."""

from __future__ import annotations

import pytest

from gapless._native import MicroBlaze
from microblaze_asm import image

IE, BIP, DZO, EE, EIP = 2, 8, 0x40, 0x100, 0x200
ALL = {
    "illegal_opcode_exception": True,
    "unaligned_exceptions": True,
    "bus_exceptions": True,
    "divide_exception": True,
    "divider": True,
}


def bench(text: str, msr: int = 0, **options: bool) -> MicroBlaze:
    cpu = MicroBlaze(4096, **options)
    cpu.write_local(0x10, image("rtid r14, 0\n addik r20, r20, 1"))
    cpu.write_local(0x20, image("addik r21, r21, 1\n bri 0"))
    cpu.write_local(0x100, image(text, 0x100))
    cpu.pc = 0x100
    cpu.msr = msr
    return cpu


def test_an_interrupt_comes_between_two_instructions() -> None:
    """ "Interrupts": r14 is where it goes on, IE is clear until rtid; taking it costs a branch."""
    cpu = bench("addik r3, r3, 1\n addik r3, r3, 1", IE)
    cpu.step()
    cpu.interrupt = True
    cpu.run(3)
    assert (cpu.pc, cpu.registers[14], cpu.msr, cpu.cycle) == (0x10, 0x104, 0, 4)
    cpu.interrupt = False
    cpu.step(3)
    assert (cpu.pc, cpu.registers[3], cpu.registers[20], cpu.msr) == (0x108, 2, 1, IE)


@pytest.mark.parametrize("msr", [0, IE | BIP, IE | EIP])
def test_an_interrupt_waits_for_msr(msr: int) -> None:
    cpu = bench("addik r3, r3, 1\n" * 4, msr, **ALL)
    cpu.interrupt = True
    cpu.step(4)
    assert (cpu.registers[3], cpu.registers[14]) == (4, 0)


@pytest.mark.parametrize(
    ("text", "begun", "resumes"),
    [
        ("imm 1\n addik r3, r0, 2\n nop", 1, 0x108),
        ("brid 8\n nop\n nop", 1, 0x108),
        ("beqid r1, 8\n nop\n nop\n nop", 1, 0x108),
        ("bneid r1, 12\n nop\n nop\n nop", 1, 0x108),
        ("imm 0\n brid 8\n nop\n nop", 1, 0x10C),
        ("imm 0\n brid 8\n nop\n nop", 2, 0x10C),
    ],
)
def test_an_interrupt_divides_neither_a_prefix_nor_a_delay_slot(text: str, begun: int, resumes: int) -> None:
    cpu = bench(text, IE)
    cpu.step(begun)
    cpu.interrupt = True
    cpu.step(4)
    assert cpu.registers[14] == resumes


def test_an_interrupt_that_was_masked_comes_when_it_is_allowed() -> None:
    cpu = bench("addik r3, r3, 1\n mts rmsr, r4\n addik r3, r3, 1")
    cpu.set_register(4, IE)
    cpu.interrupt = True
    cpu.step(3)
    assert (cpu.registers[14], cpu.registers[3]) == (0x108, 1)


def test_a_return_allows_what_waits_only_after_its_delay_slot() -> None:
    cpu = bench("rtid r5, 0x200\n addik r3, r3, 1")
    cpu.interrupt = True
    cpu.step(3)
    assert (cpu.registers[14], cpu.registers[3], cpu.pc) == (0x200, 1, 0x14)


@pytest.mark.parametrize(
    ("line", "esr", "ear"),
    [
        ("lwi r9, r4, 0x801", 0x801 | 9 << 5, 0x801),
        ("lhui r9, r4, 0x801", 0x001 | 9 << 5, 0x801),
        ("swi r9, r4, 0x802", 0xC01 | 9 << 5, 0x802),
        ("shi r9, r4, 0x803", 0x401 | 9 << 5, 0x803),
        ("lwi r9, r5, 0", 4, 0x90000000),
        ("sbi r9, r5, 1", 4, 0x90000001),
        ("mul r9, r9, r9", 2, 0),
        (".long 0", 2, 0),
        (".long 0xFFFFFFFF", 2, 0),
        ("idivu r9, r4, r9", 5, 0),
        ("idiv r9, r6, r7", 0x805, 0),
    ],
)
@pytest.mark.parametrize("slot", [False, True])
def test_exceptions(line: str, esr: int, ear: int, slot: bool) -> None:
    """ "Hardware Exceptions", "Exception Status Register": and the instruction did nothing."""
    cpu = bench(("brid 0x40\n" if slot else "") + line, EE, **ALL)
    for number, value in ((5, 0x90000000), (6, 0xFFFFFFFF), (7, 1 << 31), (9, 5)):
        cpu.set_register(number, value)
    assert cpu.run(200) == "settled"
    assert (cpu.esr, cpu.ear, cpu.btr) == (esr | slot << 12, ear, 0x140 if slot else 0)
    assert cpu.msr == EIP | (DZO if "div" in line else 0)
    assert (cpu.registers[9], cpu.registers[17], cpu.registers[21]) == (5, 0x108 if slot else 0x104, 1)
    assert cpu.pc == 0x24


def test_rted_goes_back() -> None:
    cpu = bench("lwi r9, r4, 0x801\n addik r3, r3, 1\n bri 0", EE, **ALL)
    cpu.write_local(0x20, image("rted r17, 0\n addik r21, r21, 1"))
    assert cpu.run(100) == "settled"
    assert (cpu.pc, cpu.registers[3], cpu.registers[21], cpu.msr) == (0x108, 1, 1, EE)


def test_an_instruction_fetch_outside_local_memory() -> None:
    cpu = bench("brai 0x2000", EE, **ALL)
    assert cpu.run(200) == "settled"
    assert (cpu.esr, cpu.ear, cpu.registers[17]) == (3, 0x2000, 0x2004)


def test_breaks() -> None:
    """ "brk", "brki": BIP is set but for a software break, and rtbd clears it."""
    cpu = bench("brki r16, 0x18")
    cpu.step()
    assert (cpu.pc, cpu.registers[16], cpu.msr, cpu.cycle) == (0x18, 0x100, 0, 3)
    cpu = bench("brk r16, r5\n nop\n rtbd r16, 0xC\n addik r3, r3, 1", IE)
    cpu.set_register(5, 0x108)
    cpu.interrupt = True
    cpu.msr = IE | BIP
    cpu.step(1)
    assert (cpu.pc, cpu.registers[16], cpu.msr) == (0x108, 0x100, IE | BIP)
    cpu.step(2)
    assert (cpu.pc, cpu.msr, cpu.registers[3]) == (0x10C, IE, 1)
    cpu.step()
    assert cpu.registers[14] == 0x10C


@pytest.mark.parametrize(
    ("text", "kind", "address", "says"),
    [
        (".long 0", "illegal_opcode", 0x104, "illegal opcode: PC 0x00000104, opcode 0x00000000, add r0, r0, r0"),
        ("mul r3, r4, r5", "illegal_opcode", 0x104, "needs C_USE_HW_MUL, which is off: PC 0x00000104, "),
        ("mulh r3, r4, r5", "illegal_opcode", 0x104, "needs C_USE_HW_MUL=2, which is off"),
        ("bslli r3, r4, 5", "illegal_opcode", 0x104, "needs C_USE_BARREL"),
        ("idiv r3, r4, r5", "illegal_opcode", 0x104, "needs C_USE_DIV"),
        ("clz r3, r4", "illegal_opcode", 0x104, "needs C_USE_PCMP_INSTR"),
        ("msrclr r3, 4", "illegal_opcode", 0x104, "needs C_USE_MSR_INSTR"),
        ("mts rpvr0, r3", "illegal_opcode", 0x104, "mts rpvr0, r3"),
        (
            "lwi r3, r4, 2",
            "unaligned",
            2,
            "unaligned access to 0x00000002: PC 0x00000104, opcode 0xe8640002, lwi r3, r4, 2",
        ),
        ("swi r3, r5, 4", "data_bus", 0x90000004, "no answer from 0x90000004: PC 0x00000104, opcode 0xf8650004"),
        ("bri 8", "illegal_opcode", 0x10C, "PC 0x0000010c"),
    ],
)
def test_what_has_no_exception_stops_it(text: str, kind: str, address: int, says: str) -> None:
    cpu = bench("addik r3, r0, 1\n" + text)
    cpu.set_register(5, 0x90000000)
    assert cpu.run(100) == "fault"
    assert cpu.fault is not None
    assert (cpu.fault[0], cpu.fault[3]) == (kind, address)
    assert says in cpu.fault[4]
    assert cpu.fault[1] == cpu.pc
    assert cpu.registers[3] == 1
    assert cpu.run(100) == "fault"
    assert "\n" not in cpu.fault[4]


def test_nothing_to_execute() -> None:
    cpu = bench("brai 0x2000")
    assert cpu.run(100) == "fault"
    assert cpu.fault == (
        "instruction_bus", 0x2000, 0, 0x2000, "nothing to execute at PC 0x00002000: local memory is 0 to 0x00000fff"
    )  # fmt: skip
    cpu.reset()
    assert cpu.fault is None
    assert cpu.pc == 0


def test_an_exception_while_exceptions_are_off_is_a_fault() -> None:
    """ "Machine Status Register", EE: hardware would go on with a wrong result."""
    cpu = bench("lwi r3, r0, 1", 0, **ALL)
    assert cpu.run(100) == "fault"
    assert cpu.fault is not None
    assert cpu.fault[0] == "unaligned"
