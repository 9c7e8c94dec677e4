"""Waiting programs: found as such, and moved on by whole rounds with nothing different from executing them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless._native import HostMemory, MicroBlaze
from microblaze_asm import image

WINDOW = 0x2000_0000
State = tuple[object, ...]


def bench(text: str) -> MicroBlaze:
    cpu = MicroBlaze(4096, memory=HostMemory(4096), memory_base=WINDOW)
    cpu.write_local(0, image("bri 0x40"))
    cpu.write_local(0x10, image("addik r20, r20, 1\n rtid r14, 0\n swi r20, r0, 0x804"))
    cpu.write_local(0x40, image(text, 0x40))
    return cpu


def state(cpu: MicroBlaze) -> State:
    return cpu.cycle, cpu.instructions, cpu.pc, cpu.msr, cpu.registers, bytes(cpu.local)


POLL = "loop: lwi r3, r0, 0x800\n beqi r3, loop\n addik r4, r4, 1\n swi r0, r0, 0x800\n bri loop"


@pytest.mark.parametrize(
    "text",
    [
        "bri 0",
        "brid 0\n nop",
        POLL,
        "imm 0x2000\n addik r5, r0, 0\n loop: lwi r3, r5, 0\n beqid r3, loop\n swi r5, r0, 0x810",  # the same again
        # Two calls from different places, with the return address on one stack.
        "loop: brlid r15, sub\n nop\n brlid r15, sub\n nop\n bri loop\n sub: swi r15, r0, 0x820\n rtsd r15, 8\n nop",
        # A loop with a loop in it: many backward branches in one round.
        "loop: addik r5, r0, 300\n inner: addik r5, r5, -1\n bneid r5, inner\n nop\n lwi r3, r0, 0x800\n beqi r3, loop",
        "mbar 16\n bri -4",
        "mbar 24",
    ],
)
def test_waiting_is_found(text: str) -> None:
    cpu = bench(text)
    assert cpu.run(100_000) == "settled"
    assert cpu.cycle < 10_000
    before = state(cpu)
    assert cpu.run(100_000) == "settled"
    assert state(cpu) == before


@pytest.mark.parametrize(
    "text",
    [
        "loop: addik r3, r3, 1\n bri loop",
        "loop: lwi r3, r0, 0x800\n addik r3, r3, 1\n swi r3, r0, 0x800\n bri loop",
        "imm 0x2000\n addik r5, r0, 0\n loop: swi r0, r5, 0\n bri loop",  # others may see each of them
        "loop: addik r4, r0, 4\n mts rmsr, r4\n addc r3, r3, r0\n bri loop",
    ],
)
def test_work_is_not_waiting(text: str) -> None:
    assert bench(text).run(50_000) == "limit"


def test_a_poll_loop_sees_what_the_host_writes() -> None:
    cpu = bench(POLL)
    assert cpu.run(1000) == "settled"
    cpu.pass_(123_456)
    for count in (1, 2):
        cpu.write_local(0x800, b"\1")
        assert cpu.run(1000) == "settled"
        assert cpu.registers[4] == count
        assert cpu.local[0x800] == 0


def test_sleep_ends_with_the_interrupt_line() -> None:
    """UG984 "mbar", "Sleep and Pause Functionality"."""
    cpu = bench("mbar 16\n addik r3, r0, 1\n bri 0")
    assert cpu.run(1000) == "settled"
    assert cpu.pc == 0x44
    assert cpu.step(5) == "settled"
    cpu.pass_(1000)
    slept = cpu.cycle
    assert slept == 3 + 2 + 1000
    cpu.interrupt = True
    assert cpu.run(1000) == "settled"
    assert cpu.registers[3] == 1
    assert cpu.registers[14] == 0


def test_delay_passes_time_without_executing() -> None:
    cpu = bench("bri 0")
    cpu.delay(50)
    assert (cpu.cycle, cpu.instructions) == (50, 0)
    cpu.step()
    assert cpu.cycle == 53


body = st.lists(
    st.sampled_from(
        [
            "nop", "lwi r3, r0, 0x800", "swi r3, r0, 0x810", "addik r6, r3, 7", "xor r7, r6, r3",
            "imm 3\n addik r14, r6, 1",
            "lhui r8, r9, 4", "src r10, r6", "beqi r3, 8", "brid 8\n nop", "addk r11, r8, r7", "brlid r15, 8\n nop",
            "addik r12, r0, 40\n addik r12, r12, -1\n bneid r12, -4\n nop",
        ]
    ),
    max_size=6,
)  # fmt: skip
events = st.lists(
    st.tuples(st.integers(1, 2000), st.sampled_from(["write", "interrupt", "nothing"])), min_size=1, max_size=4
)


@settings(max_examples=60)
@given(body=body, events=events, enabled=st.booleans())
def test_passing_is_executing(body: list[str], events: list[tuple[int, str]], enabled: bool) -> None:
    """At each event, and in the end, the state is that of a processor which executed every round."""
    text = "imm 0x2000\n addik r9, r0, 0\n mts rmsr, r13\n loop: " + "\n ".join([*body, "nop", "nop", "bri loop"])
    quick, slow = bench(text), bench(text)
    for cpu in (quick, slow):
        cpu.set_register(13, 2 if enabled else 0)

    def forward(cycle: int) -> None:
        if quick.run(max(0, cycle - quick.cycle)) == "settled":
            quick.pass_(max(0, cycle - quick.cycle))
            assert quick.run(max(0, cycle - quick.cycle)) in ("limit", "settled")
        while slow.cycle < cycle - 200:  # each takes at most 3 cycles, and interrupts as many
            slow.step(30)
        while slow.cycle < cycle:
            assert slow.run(1) != "fault", slow.fault  # too short for a round of any loop

    time = 0
    for number, (wait, what) in enumerate(events):
        time += wait
        forward(time)
        assert state(quick) == state(slow)
        for cpu in (quick, slow):
            if what == "write":
                cpu.write_local(0x800, bytes([number + 1]))
            elif what == "interrupt":
                cpu.interrupt = not cpu.interrupt
    forward(time + 5000)
    assert state(quick) == state(slow)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 400), max_size=10))
def test_where_it_is_cut_makes_no_difference(cuts: list[int]) -> None:
    text = "imm 1\n addik r5, r0, 2\n loop: addik r4, r4, 1\n imm 2\n addik r6, r4, 5\n brid loop\n swi r6, r0, 0x900"
    whole, pieces = bench(text), bench(text)
    end = 0
    for cut in cuts:
        end += cut
        pieces.run(max(0, end - pieces.cycle))
    whole.run(end)
    assert state(whole) == state(pieces)
