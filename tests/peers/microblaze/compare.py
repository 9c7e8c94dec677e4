"""The same programs on both models: what differs, and which instruction did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gapless._native import disassemble_microblaze

from . import encodings as mb
from . import layout as at
from .ours import Ours
from .programs import Outcome, Program
from .theirs import Qemu


@dataclass
class Difference:
    """An instruction that the two processors execute differently, or that closes a loop with such a one in it.

    Where it is a branch, r31 tells how far from the end of the body it went: see :meth:`.programs.Program.cut`.
    """

    seed: int
    round: int
    pc: int
    text: str  # disassembled
    mnemonic: str
    what: list[str]

    def __str__(self) -> str:
        return f"seed {self.seed}, round {self.round}, {self.pc:#06x}: {self.text}: " + "; ".join(self.what)


@dataclass
class Tally:
    """What was executed."""

    seeds: list[int] = field(default_factory=list)
    instructions: int = 0
    rounds: int = 0
    #: Of one round of each program, by mnemonic.
    executed: Counter[str] = field(default_factory=Counter)
    exceptions: int = 0
    #: The same for branches on a condition, by whether they were taken.
    endings: Counter[tuple[str, bool]] = field(default_factory=Counter)

    def add_path(self, program: Program, path: NDArray[np.int64]) -> None:
        """Count the instructions at these addresses, in the order in which they were executed."""
        names = mb.NAMES[mb.rows_of(program.local[path // 4])]
        self.executed.update(names.tolist())
        self.exceptions += int((path == at.HANDLER).sum())
        branch, after, behind = path[:-2], path[1:-1], path[2:]
        slot = np.char.endswith(names[:-2], "d")
        taken = np.where(slot, behind != branch + 8, after != branch + 4)
        counted = np.isin(names[:-2], list(mb.CONDITIONAL)) & ~(slot & (behind == at.HANDLER))
        self.endings.update(zip(names[:-2][counted].tolist(), taken[counted].tolist(), strict=True))


def same(theirs: Outcome, ours: Outcome) -> bool:
    """All memory, and the registers and MSR after every round."""
    return all(np.array_equal(a, b) for a, b in zip(theirs, ours, strict=True))


def run(qemu: Qemu, ours: Ours, programs: Iterator[Program], instructions: int) -> tuple[Tally, Difference | None]:
    """Programs until so many instructions are executed, or until one makes a difference."""
    tally = Tally()
    while tally.instructions < instructions:
        program = next(programs)
        process = qemu.begin(program)
        mine = ours.run(program)  # at the same time
        theirs = qemu.finish(process, program)
        tally.seeds.append(program.seed)
        tally.instructions += ours.instructions
        tally.rounds += program.rounds
        if not same(theirs, mine):
            return tally, locate(qemu, ours, program)
        path, stepped = ours.path(program.first(1))
        assert np.array_equal(stepped.results[0], mine.results[0]), "one by one, instructions do something else"
        tally.add_path(program, path)
    return tally, None


def locate(qemu: Qemu, ours: Ours, program: Program) -> Difference:
    """The instruction that makes the difference: without it, and all that comes behind it, there would be none."""
    rounds = _shortest(program.rounds, lambda count: _differ(qemu, ours, program.first(count)))
    if rounds > 1:
        program = program.resumed(rounds - 1, qemu.run(program.first(rounds - 1)))
    program = program.first(1)
    length = program.body.stop - program.body.start
    # 0 when the loads and stores around the body are what differs: then the last load is named.
    words = (
        0 if _differ(qemu, ours, program.cut(0)) else _shortest(length, lambda n: _differ(qemu, ours, program.cut(n)))
    )
    pc = 4 * (program.body.start + words - 1)
    opcode, before = (int(word) for word in program.local[[pc // 4, pc // 4 - 1]])
    prefix = before & 0xFFFF if before >> 16 == mb.PREFIX[0].bits >> 16 else -1
    cut = program.cut(words)
    expected, found = qemu.run(cut), ours.run(cut)
    return Difference(
        seed=program.seed,
        round=rounds - 1,
        pc=pc,
        text=disassemble_microblaze(opcode, pc, prefix),
        mnemonic=str(mb.NAMES[mb.rows_of(program.local[pc // 4 :][:1])[0]]),
        what=[f"ours stops: {ours.stopped}"] if ours.stopped else list(_differences(expected, found)),
    )


def _shortest(longest: int, differs: Callable[[int], bool]) -> int:
    """A length that makes a difference, of which one less makes none; ``longest`` makes one."""
    same = 0
    while longest - same > 1:
        middle = (same + longest) // 2
        if differs(middle):
            longest = middle
        else:
            same = middle
    return longest


def _differ(qemu: Qemu, ours: Ours, program: Program) -> bool:
    return not same(qemu.run(program), ours.run(program))


def _differences(theirs: Outcome, ours: Outcome) -> Iterator[str]:
    """After one round."""
    for number, (expected, found) in enumerate(zip(theirs.results[0].tolist(), ours.results[0].tolist(), strict=True)):
        if expected != found:
            yield f"{f'r{number}' if number else 'MSR'} {expected:#x} in QEMU, {found:#x} in ours"
    for base, expected, found in ((0, theirs.local, ours.local), (at.WINDOW_DATA, theirs.data, ours.data)):
        for place in np.nonzero(expected != found)[0][:4].tolist():
            yield f"[{base + 4 * place:#x}] {expected[place]:#x} in QEMU, {found[place]:#x} in ours"
