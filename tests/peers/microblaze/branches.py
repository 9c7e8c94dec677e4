"""Every form of branch, forward and back, as items of random programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from . import encodings as mb
from . import layout as at
from .encodings import Encoding, named, word
from .items import Items, Jump, Kind, Reach, Words, choose, columns, immediates, read, simple, written

_GUARD = 4  # words


def _guard(words: int) -> list[Words | int]:
    """Before a branch that goes back: every fourth time, and once the round's budget is spent, it is skipped."""
    return [
        word(named("addik"), d=at.BUDGET, a=at.BUDGET, i=-1),
        word(named("blti"), a=at.BUDGET, i=4 * (words + 3)),
        word(named("andi"), d=at.SCRATCH, a=at.BUDGET, i=3),
        word(named("beqi"), a=at.SCRATCH, i=4 * (words + 1)),
    ]


def _operands(rng: np.random.Generator, n: int, rows: Sequence[Encoding], rb: int) -> Words:
    """The branches themselves, still without a target."""
    words = np.array([row.bits | (rb << 11 if "b" in row.form else 0) for row in rows], np.int64)
    links = np.array(["d" in row.form for row in rows])
    tests = np.array(["a" in row.form for row in rows])
    which = rng.integers(0, len(rows), n)
    return words[which] | np.where(links[which], written(rng, n), 0) | np.where(tests[which], read(rng, n) << 16, 0)


def _branch(
    rows: Mapping[bool, Sequence[Encoding]],
    slot: bool,
    reach: Reach,
    relative: bool,
    before: int,
    rng: np.random.Generator,
    n: int,
) -> Items:
    """``before``: 2 where the target comes from a register, else how many words of prefix there are."""
    register = before == 2
    words: list[Words | int] = []
    if register:
        words = [mb.PREFIX[0].bits, word(named("addik"), d=at.SCRATCH)]
    elif before:
        words = [mb.PREFIX[0].bits]
    words.append(_operands(rng, n, rows[slot], at.SCRATCH))
    if slot:
        words.append(simple(rng, n))
    guard = _guard(len(words)) if reach is Reach.back else []
    branch = len(guard) + before
    low, high = (branch - 1, branch - 2) if register else (branch, branch - 1 if before else None)
    return Items(columns(*guard, *words, n=n), Jump(branch, low, high, relative, reach))


def _return(rng: np.random.Generator, n: int) -> Items:
    bias = immediates(rng, n)
    return Items(
        columns(
            mb.PREFIX[0].bits,
            word(named("addik"), d=at.SCRATCH),
            choose(rng, n, mb.RETURNS) | at.SCRATCH << 16 | bias,
            simple(rng, n, exceptions=False),  # QEMU 7.2 ends at one in the slot of rtid, rtbd or rted
            n=n,
        ),
        Jump(branch=2, low=1, high=0, relative=False, reach=Reach.forward, bias=(bias ^ 0x8000) - 0x8000),
    )


def _call(rng: np.random.Generator, n: int) -> Items:
    """A call over a branch, to a function of one instruction that returns to that branch."""
    link = written(rng, n)
    link[link == 0] = 15 << 21
    body = choose(rng, n, mb.TWO) | at.SCRATCH << 21 | read(rng, n) << 16
    return Items(
        columns(
            named("brlid").bits | link | 12,
            word(named("or"), d=at.OFFSET, a=at.OFFSET),
            word(named("bri"), i=16),
            body,
            named("rtsd").bits | link >> 5 | 8,
            choose(rng, n, mb.TWO) | at.OFFSET << 21 | read(rng, n) << 16,
            n=n,
        )
    )


_FORMS: tuple[tuple[Mapping[bool, Sequence[Encoding]], bool, tuple[int, ...], float], ...] = (
    (mb.IF, True, (2,), 2.0),
    (mb.IF_IMMEDIATE, True, (0, 1), 4.0),
    (mb.RELATIVE, True, (2,), 0.4),
    (mb.ABSOLUTE, False, (2,), 0.4),
    (mb.RELATIVE_IMMEDIATE, True, (0, 1), 0.4),
    (mb.ABSOLUTE_IMMEDIATE, False, (1,), 0.6),
)
#: Kinds of item with how often they are to come, in percent of all items.
KINDS: list[tuple[Kind, float]] = [
    *(
        (partial(_branch, rows, slot, reach, relative, before), share * often / len(befores))
        for rows, relative, befores, often in _FORMS
        for before in befores
        for slot in (False, True)
        for reach, share in ((Reach.forward, 1.0), (Reach.back, 0.2))
    ),
    (_return, 1.0),
    (_call, 0.5),
]
