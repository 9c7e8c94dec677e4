"""Our programs for the IOP on QEMU's MicroBlaze, with none of its optional units."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from .firmware_on_qemu import COMMAND, WINDOW, MicroBlaze

REPO = Path(__file__).parents[2]
BUFFER = 0x0010_0000  # a physical address
HOST_INTERRUPT, TIMER, INTERRUPTS = 0x4001_0000, 0x41C0_0000, 0x4120_0000
#: The timer's at the interrupt controller.
INPUT = 1 << 2
WINDOW_WORD, ADDRESS_WORD = 0x3FD, 0x3FE


def packaged(name: str) -> MicroBlaze:
    return MicroBlaze(REPO / f"src/gapless/iop/firmware/{name}.bin")


def for_tests(name: str) -> MicroBlaze:
    return MicroBlaze(REPO / f"tests/board/firmware/{name}.bin")


# ---- tutorial


def test_tutorial_fills_the_buffer_and_nothing_beside_it():
    with packaged("tutorial") as iop:
        for first, length in ((1, 10), (0xFFFF_FFF0, 1000), (7, 0), (3, 1), (0, 100_000)):
            around = iop.ddr(BUFFER - 64, 4 * length + 128)
            around[:] = 0xAAAA_AAAA
            iop.mailbox[1:3] = first, length
            iop.mailbox[0] = BUFFER
            iop.wait(lambda: iop.mailbox[0] == 0, "the buffer")
            expected = np.full_like(around, 0xAAAA_AAAA)
            expected[16 : 16 + length] = np.arange(first, first + length, dtype=np.uint64).astype("<u4")
            np.testing.assert_array_equal(around, expected)
            assert tuple(iop.mailbox[1:3]) == (first, length)


@pytest.mark.parametrize("base", [0, WINDOW, 0x3000_0000])
def test_command_written_before_the_program_runs_is_not_lost(base):
    iop = packaged("tutorial")
    iop.mailbox[:3] = BUFFER, 5, 10
    iop.mailbox[WINDOW_WORD] = base
    filled = iop.words((base or WINDOW) + BUFFER, 10)
    with iop:
        iop.wait(lambda: iop.mailbox[0] == 0, "the buffer")
        np.testing.assert_array_equal(filled, np.arange(5, 15))


def test_tutorial_takes_the_address_that_the_iop_sees():
    iop = packaged("tutorial")
    iop.mailbox[:3] = WINDOW + BUFFER, 5, 10
    with iop:
        iop.wait(lambda: iop.mailbox[0] == 0, "the buffer")
        np.testing.assert_array_equal(iop.ddr(BUFFER, 40), np.arange(5, 15))


# ---- memory_test

RESULT, ERRORS, BAD_PATTERN, BAD_ADDRESS, EXPECTED, FOUND = 3, 6, 7, 8, 9, 10
VERIFY = 0x100


def rotating(count: int, value: int, feedback: int) -> np.ndarray:
    """A shift register that goes left, ``feedback`` where a one falls out."""
    out = np.empty(count, np.uint32)
    for i in range(count):
        out[i] = value
        value = (value << 1 & 0xFFFF_FFFF) ^ (feedback if value >> 31 else 0)
    return out


def memory_pattern(pattern: int, count: int, seed: int) -> np.ndarray:
    if pattern == 1:
        return rotating(count, 1, 1)
    if pattern == 2:
        return np.arange(BUFFER, BUFFER + 4 * count, 4, dtype=np.uint32)
    return rotating(count, seed or 1, 0x0040_0007)


@pytest.mark.parametrize(("pattern", "seed"), [(1, 9), (2, 9), (4, 0x1234_5678), (4, 0)])
def test_memory_test_writes_its_patterns_and_finds_what_changed(pattern, seed):
    count = 3000
    with packaged("memory_test") as iop:
        memory = iop.ddr(BUFFER, 4 * count + 4)
        memory[-1] = 0xAAAA_AAAA
        iop.mailbox[:3] = BUFFER, 4 * count, seed
        iop.mailbox[3:11] = 0x55
        iop.command(pattern)
        np.testing.assert_array_equal(memory[:-1], memory_pattern(pattern, count, seed))
        assert memory[-1] == 0xAAAA_AAAA
        assert list(iop.mailbox[3:11]) == [0, pattern | VERIFY, count, 0, 0, 0, 0, 0]

        good = int(memory[1234])
        memory[1234] ^= 0x8000
        memory[2999] ^= 1
        iop.command(pattern | VERIFY)
        assert list(iop.mailbox[3:7]) == [0, pattern | VERIFY, count, 2]
        assert list(iop.mailbox[7:11]) == [pattern, BUFFER + 4 * 1234, good, good ^ 0x8000]

        iop.command(pattern)  # good memory: what was wrong is written anew
        assert iop.mailbox[ERRORS] == 0


def test_memory_test_runs_several_patterns_one_after_the_other():
    with packaged("memory_test") as iop:
        iop.mailbox[:3] = BUFFER, 4000, 3
        iop.command(7)
        assert list(iop.mailbox[[RESULT, ERRORS]]) == [0, 0]
        np.testing.assert_array_equal(iop.ddr(BUFFER, 4000), memory_pattern(4, 1000, 3))
        iop.command(7 | VERIFY)  # memory has the last pattern only
        assert iop.mailbox[ERRORS] > 1000
        assert list(iop.mailbox[[BAD_PATTERN, BAD_ADDRESS, EXPECTED, FOUND]]) == [1, BUFFER, 1, 3]


@pytest.mark.parametrize(
    ("address", "nbytes", "command"), [(BUFFER, 64, 8), (BUFFER, 64, VERIFY), (BUFFER + 2, 64, 7), (BUFFER, 63, 7)]
)
def test_memory_test_refuses_what_makes_no_sense(address, nbytes, command):
    with packaged("memory_test") as iop:
        iop.mailbox[:3] = address, nbytes, 1
        iop.command(command)
        assert iop.mailbox[RESULT] == 1
        assert not iop.ddr(BUFFER, 128).any()


# ---- pattern

KINDS = RAMP, SQUARE, SINE, TRIANGLE = range(4)
START, STOP, FILL = 1, 2, 3
BLOCK_BYTES, PHASE, WRITTEN, READ, PATTERN_RESULT = 1, 5, 6, 7, 8


def samples(kind: int, phase: int, step: int, count: int) -> np.ndarray:
    upper = ((phase + step * np.arange(count, dtype=np.uint64)) % 2**32 >> 16).astype(np.int64)
    if kind == RAMP:
        return upper.astype(np.uint16).view(np.int16)
    if kind == SQUARE:
        return np.where(upper < 0x8000, 32767, -32767)
    if kind == SINE:
        return np.round(32767 * np.sin(2 * np.pi * (upper // 64) / 1024))
    return np.where(upper < 0x8000, 2 * upper - 0x8000, 0x17FFF - 2 * upper)


@pytest.mark.parametrize("kind", KINDS)
def test_pattern_fills_one_block_and_the_next_goes_on(kind):
    phase, step, count = 0xFFF0_0000, 0x0012_3457, 5000
    with packaged("pattern") as iop:
        memory = iop.ddr(BUFFER, 8 * count, "<i2")
        iop.mailbox[[BLOCK_BYTES, 3, 4, PHASE]] = 2 * count, kind, step, phase
        for block in range(2):
            iop.mailbox[ADDRESS_WORD] = BUFFER + 2 * count * block
            iop.command(FILL)
            assert iop.mailbox[PATTERN_RESULT] == 0
        np.testing.assert_array_equal(memory[: 2 * count], samples(kind, phase, step, 2 * count))
        assert not memory[2 * count :].any()
        assert iop.mailbox[PHASE] == (phase + 2 * count * step) % 2**32


def test_pattern_stream_waits_for_its_reader_and_loses_nothing():
    blocks, count, step = 3, 500, 0x0001_8001
    ring = packaged("pattern")
    ring.mailbox[:6] = BUFFER, 2 * count, blocks, RAMP, step, 0
    ring.mailbox[READ] = 99  # of a run before
    memory = ring.ddr(BUFFER, 2 * count * blocks, "<i2").reshape(blocks, count)
    with ring as iop:
        iop.command(START)
        expected = samples(RAMP, 0, step, 20 * count).reshape(20, count)
        for block in range(14):
            iop.wait(lambda block=block: iop.mailbox[WRITTEN] == block + blocks, "a full ring")
            time.sleep(1e-3)
            assert iop.mailbox[WRITTEN] == block + blocks, "wrote over what was not read"
            np.testing.assert_array_equal(memory[block % blocks], expected[block])
            iop.mailbox[READ] = block + 1
        iop.wait(lambda: iop.mailbox[WRITTEN] == 14 + blocks, "a full ring")
        iop.command(STOP)
        iop.mailbox[READ] = 14 + blocks
        time.sleep(5e-3)
        assert iop.mailbox[WRITTEN] == 14 + blocks

        # A command in the middle of a stream ends it and is carried out.
        iop.command(START)
        iop.wait(lambda: iop.mailbox[WRITTEN] == blocks, "a full ring")
        np.testing.assert_array_equal(memory[0], expected[14 + blocks])
        iop.mailbox[ADDRESS_WORD] = BUFFER + 0x1_0000
        iop.command(FILL)
        np.testing.assert_array_equal(
            iop.ddr(BUFFER + 0x1_0000, 2 * count, "<i2"), samples(RAMP, 20 * count * step, step, count)
        )
        assert not iop.words(HOST_INTERRUPT, 2).any()


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ({BLOCK_BYTES: 3}, FILL),
        ({BLOCK_BYTES: 0}, START),
        ({3: 4}, FILL),
        ({0: BUFFER + 1}, START),
        ({2: 0}, START),
        ({ADDRESS_WORD: BUFFER + 1}, FILL),
        ({}, 4),
    ],
)
def test_pattern_refuses_what_makes_no_sense(words, command):
    with packaged("pattern") as iop:
        iop.mailbox[:6] = BUFFER, 64, 2, SQUARE, 1, 0
        iop.mailbox[ADDRESS_WORD] = BUFFER
        for word, value in words.items():
            iop.mailbox[word] = value
        iop.command(command)
        assert iop.mailbox[PATTERN_RESULT] == 1
        assert not iop.ddr(BUFFER - 64, 256).any()
        iop.command(STOP)
        assert iop.mailbox[PATTERN_RESULT] == 0


# ---- echo, ticks


def test_echo_answers_and_interrupts_the_host():
    with packaged("echo") as iop:
        gpio = iop.words(HOST_INTERRUPT, 2)
        for value in (1, 0, 0xFFFF_FFFF, 7):
            gpio[:] = 0xFFFF_FFFF
            iop.mailbox[0] = value
            iop.wait(lambda: gpio[0] == 0, "the interrupt's end")
            assert iop.mailbox[1] == (value + 1) % 2**32
            assert gpio[1] == 0  # outputs


def test_ticks_sets_the_timer_up_and_counts_its_interrupts():
    with packaged("ticks") as iop:
        timer, controller = iop.words(TIMER, 2), iop.words(INTERRUPTS, 8)
        iop.mailbox[1] = 55
        iop.mailbox[0] = 100_000
        iop.wait(lambda: timer[0] == 0x0D2 and iop.mailbox[1] == 0, "the timer")
        assert timer[1] == 100_000 - 2
        assert list(controller[[2, 7]]) == [INPUT, 3]

        # The line is up, but it is not the timer: acknowledged, not counted.
        controller[3] = 0
        iop.interrupt(True)
        iop.wait(lambda: controller[3] == INPUT, "the acknowledge")
        assert iop.mailbox[1] == 0
        # The flag is memory here and stays, so that it is counted until the line goes down.
        timer[0] |= 0x100
        iop.wait(lambda: iop.mailbox[1] > 2, "ticks")
        iop.interrupt(False)
        time.sleep(2e-3)
        counted = int(iop.mailbox[1])
        time.sleep(2e-3)
        assert iop.mailbox[1] == counted
        assert timer[0] == 0x1D2

        # Stopped, it is no longer interrupted; the main loop went on through all that.
        iop.mailbox[0] = 0
        iop.wait(lambda: timer[0] == 0x100, "the timer's stop")
        iop.interrupt(True)
        time.sleep(2e-3)
        assert iop.mailbox[1] == 0


# ---- programs that go wrong


def test_stray_writes_where_it_is_told():
    with for_tests("stray") as iop:
        iop.mailbox[1] = 0xBAD
        iop.mailbox[0] = BUFFER
        iop.wait(lambda: iop.mailbox[0] == 0, "the store")
        assert list(iop.ddr(BUFFER - 4, 12)) == [0, 0xBAD, 0]


def test_mute_does_not_answer():
    with for_tests("mute") as iop:
        iop.mailbox[COMMAND] = 1
        time.sleep(5e-3)
        assert iop.mailbox[COMMAND] == 1


@pytest.mark.parametrize("name", ["illegal", "unaligned"])
def test_the_wrong_instruction_is_one_that_this_processor_passes_over(name):
    """With no exceptions, QEMU goes on behind it: so it is reached, and only by command."""
    with for_tests(name) as iop:
        iop.ddr(BUFFER, 8)[:] = 0x1111_2222, 0x3333_4444
        time.sleep(2e-3)
        iop.mailbox[0] = BUFFER + 2
        iop.wait(lambda: iop.mailbox[0] == 0, "the end")
