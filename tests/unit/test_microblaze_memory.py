"""Loads and stores of local memory and of the data bus, and the decoded copy of what is in local memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import HostMemory, MicroBlaze
from microblaze_asm import image

WINDOW = 0x2000_0000
SIZES = {"b": 1, "h": 2, "w": 4}
few = settings(max_examples=15)


def bench(text: str, **options: bool) -> tuple[MicroBlaze, HostMemory]:
    memory = HostMemory(4096)
    cpu = MicroBlaze(4096, memory=memory, memory_base=WINDOW, **options)
    cpu.write_local(0, image(text))
    return cpu, memory


@pytest.mark.parametrize("base", [0x800, WINDOW])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("form", ["", "i", "r"])
@few
@given(value=st.integers(0, 2**32 - 1), place=st.integers(0, 15), word=st.binary(min_size=16, max_size=16))
def test_loads_and_stores(base: int, size: str, form: str, value: int, place: int, word: bytes) -> None:
    """UG984 "lw", "lhu", "lbu", "sw" and their forms; a reversed access has the bytes of the word mirrored."""
    nbytes = SIZES[size]
    place &= -nbytes
    load = "l" + size + ("u" if size != "w" else "") + form
    third = str(place) if form == "i" else "r6"
    cpu, memory = bench(f"{load} r3, r5, {third}\n s{size}{form} r4, r5, {third}")
    data = memory.view(0, 16, None) if base == WINDOW else cpu.local[0x800:0x810]
    data[:] = list(word)
    for number, content in ((4, value), (5, base), (6, place)):
        cpu.set_register(number, content)
    cpu.step(2)

    at = place ^ (4 - nbytes) if form == "r" else place
    order = "big" if form == "r" else "little"
    assert cpu.registers[3] == int.from_bytes(word[at : at + nbytes], order)
    stored = (value & (1 << 8 * nbytes) - 1).to_bytes(nbytes, order)
    assert bytes(data) == word[:at] + stored + word[at + nbytes :]
    assert cpu.cycle == 2


def test_an_exclusive_store_needs_the_reservation() -> None:
    """UG984 "lwx", "swx": one store for each load, never unaligned."""
    cpu, _ = bench("swx r4, r5, r0\n lwx r3, r5, r0\n swx r4, r5, r0\n swx r6, r5, r0")
    cpu.local[0x800:0x804] = 9
    for number, content in ((4, 77), (5, 0x803), (6, 88)):
        cpu.set_register(number, content)
    carries = []
    for _ in range(4):
        cpu.step()
        carries.append(cpu.msr >> 2 & 1)
    assert carries == [1, 0, 0, 1]
    assert cpu.registers[3] == 0x09090909
    assert list(cpu.local[0x800:0x804]) == [77, 0, 0, 0]


def test_the_trace_has_the_accesses() -> None:
    cpu, _ = bench("imm 0x2000\n addik r4, r0, 8\n shi r4, r4, 2\n lwi r3, r4, 0\n brlid r15, 8\n nop\n nop")
    records = [record[:2] + record[3:] for record in cpu.trace(6)]
    assert records == [
        (0, 0, "", 0, 0, 0, 0),
        (1, 4, "", 0, 0, 0, WINDOW + 8),
        (2, 8, "store", 2, WINDOW + 10, 8, 0),
        (3, 12, "load", 4, WINDOW + 8, 0x80000, 0x80000),
        (4, 16, "", 0, 0, 0, 16),
        (6, 20, "", 0, 0, 0, 0),
    ]


def test_a_program_that_changes_itself_executes_what_it_wrote() -> None:
    patched = int.from_bytes(image("addik r3, r3, 100"), "little")
    cpu, _ = bench(
        f"li r4, {patched}\n addik r6, r0, 2\n loop: addik r3, r3, 1\n swi r4, r0, loop\n addik r6, r6, -1\n"
        " bneid r6, loop\n nop\n bri 0"
    )
    assert cpu.run(1000) == "settled"
    assert cpu.registers[3] == 101


@pytest.mark.parametrize("by", ["the program", "the host", "a view"])
def test_a_changed_prefix_changes_the_instruction_after_it(by: str) -> None:
    """Neither of the two words may be kept with the other in it."""
    cpu, _ = bench("loop: imm 1\n alone: addik r3, r0, 5\n sh r7, r8, r0\n bri loop\n")
    cpu.set_register(7, 1)
    cpu.step(2)
    assert cpu.registers[3] == 0x10005
    if by == "the program":
        cpu.set_register(7, 2)
        cpu.step(2)
    elif by == "the host":
        cpu.step(2)
        cpu.write_local(0, image("imm 2"))
    else:
        cpu.step(2)
        cpu.local[0] = 2
        cpu.local_written(0, 1)
    cpu.step(2)
    assert cpu.registers[3] == 0x20005
    cpu.pc = 4
    cpu.step()
    assert cpu.registers[3] == 5  # reached without it


def test_the_host_replaces_the_program() -> None:
    cpu, _ = bench("addik r3, r0, 1\n bri -4")
    assert cpu.run(100) == "settled"
    assert cpu.registers[3] == 1
    cpu.write_local(0, image("addik r3, r0, 2"))
    assert cpu.run(100) == "settled"
    assert cpu.registers[3] == 2


def test_ranges() -> None:
    cpu, _ = bench("")
    with pytest.raises(IndexError):
        cpu.write_local(4093, b"1234")
    with pytest.raises(IndexError):
        cpu.local_written(4096, 1)
    with pytest.raises(IndexError):
        cpu.set_register(32, 0)
    with pytest.raises(ValueError, match="power of two"):
        MicroBlaze(1000)
    with pytest.raises(ValueError, match="mul32"):
        MicroBlaze(multiplier="fast")
