"""Our MicroBlaze and QEMU's execute the same random programs and leave the same memory, registers and MSR."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from .microblaze import encodings as mb
from .microblaze.breakages import replaced
from .microblaze.compare import Tally, run
from .microblaze.ours import Ours
from .microblaze.theirs import Qemu
from .microblaze_differential import drawn, table

INSTRUCTIONS = 10_000_000
ROUNDS = 40


@pytest.fixture(scope="module")
def qemu() -> Iterator[Qemu]:
    with Qemu() as machine:
        yield machine


def test_ten_million_instructions_do_the_same_on_both(qemu, capsys):
    tally, difference = run(qemu, Ours(), drawn(1, ROUNDS), INSTRUCTIONS)
    with capsys.disabled():
        print(f"\n{table(tally)}")
    assert difference is None, str(difference)
    _everything_was_executed(tally)


def _everything_was_executed(tally: Tally) -> None:
    assert tally.instructions >= INSTRUCTIONS
    assert not [name for name in mb.MNEMONICS if tally.executed[name] < 50]
    assert not [(name, taken) for name in mb.CONDITIONAL for taken in (True, False) if tally.endings[name, taken] < 5]
    assert tally.exceptions >= 500
    assert set().union(*mb.CLASSES.values()) == set(mb.MNEMONICS)


@pytest.mark.parametrize(
    ("mnemonic", "instead"),
    [
        ("add", "addk"),  # the carry is not written
        ("addikc", "addik"),  # or not read
        ("cmpu", "cmp"),
        ("sh", "sb"),  # a store of a wrong size
        ("lhur", "lhu"),
        ("bneid", "xori"),  # never taken
        ("bgeid", "bgei"),  # the delay slot is left out
        ("brlid", "brid"),  # an illegal opcode, so that ours stops
        ("rtbd", "rtsd"),  # MSR stays
    ],
)
def test_a_processor_that_takes_one_instruction_for_another_is_found_out(qemu, mnemonic, instead):
    ours = Ours(replaced(mnemonic, instead))
    _, difference = run(qemu, ours, drawn(1000, 4, longest=2000), 1_000_000)
    assert difference is not None
    assert difference.mnemonic == mnemonic, str(difference)


def test_a_processor_that_knows_no_illegal_opcode_is_found_out(qemu):
    ours = Ours(lambda code: np.where(mb.rows_of(code) < 0, mb.named("or").bits, code))
    _, difference = run(qemu, ours, drawn(1000, 4, longest=2000), 1_000_000)
    assert difference is not None
    assert difference.mnemonic == "illegal", str(difference)
