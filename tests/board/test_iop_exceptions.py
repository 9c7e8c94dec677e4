"""Processors that were built with units that raise exceptions."""

import dataclasses
from contextlib import contextmanager

import pytest

from gapless.boards.pynq_z2 import pynq_z2
from gapless.errors import IopFaultError
from gapless.virtual import build_board
from microblaze_asm import image

# Does something forbidden when word 0 says so, and counts in word 4 that it goes on behind it. The handler gives ESR,
# EAR and where it returns to in words 1 to 3.
EXCEPTIONS = """
        brai  start
        .long 0
        .long 0
        .long 0
        .long 0
        .long 0
        .long 0
        .long 0
        brai  handler               # 0x20
        nop
start:  li    r20, 0xF000           # mailbox
        mfs   r5, rmsr
        ori   r5, r5, 0x100         # EE
        mts   rmsr, r5
wait:   lwi   r6, r20, 0
        beqi  r6, wait
        {instruction}
        lwi   r8, r20, 0x10
        addik r8, r8, 1
        swi   r8, r20, 0x10
        swi   r0, r20, 0x00
        bri   wait
handler: mfs  r9, resr
        swi   r9, r20, 0x04
        mfs   r9, rear
        swi   r9, r20, 0x08
        swi   r17, r20, 0x0C
        rted  r17, 0
        nop
"""
ALL_UNITS = {
    "illegal-opcode-exception", "unaligned-exceptions", "bus-exceptions", "divider", "divide-exception",
}  # fmt: skip


@contextmanager
def program_with(units, instruction):
    """A PYNQ-Z2 whose first processor has these units, and that processor with the program, waiting."""
    spec = pynq_z2()
    first, *others = spec.iops
    with build_board(
        dataclasses.replace(spec, iops=(dataclasses.replace(first, units=frozenset(units)), *others))
    ) as board:
        iop = board.iop(1)
        iop.load(image(EXCEPTIONS.format(instruction=instruction)))
        iop.start()
        yield board, iop


@pytest.mark.parametrize(
    ("instruction", "cause", "address"),
    [
        (".long 0xFC000000", 2, None),
        ("lwi r8, r20, 2", 1, 0xF002),
        ("li r8, 0x50000010\n lwi r8, r8, 0", 4, 0x5000_0010),
        ("idiv r8, r0, r6", 5, None),
    ],
)
def test_a_handler_goes_on(instruction, cause, address):
    """UG984, "Exception Status Register": the cause is in bits 0 to 4; r17 has the address behind it."""
    with program_with(ALL_UNITS, instruction) as (board, iop):
        for round_ in (1, 2):
            iop.mailbox[0] = 1
            iop.wait_word(0, (0,))
            assert iop.mailbox[1] & 0x1F == cause
            assert address is None or iop.mailbox[2] == address
            assert iop.mailbox[4] == round_
        assert board.probe.iop(1).fault is None
        assert not board.findings


def test_without_the_unit_it_is_a_fault():
    with program_with(ALL_UNITS - {"illegal-opcode-exception"}, ".long 0xFC000000") as (board, iop):
        iop.mailbox[0] = 1
        with pytest.raises(IopFaultError, match="illegal opcode"):
            iop.wait_word(0, (0,))
        assert [finding.kind for finding in board.findings] == ["iop-fault"]
