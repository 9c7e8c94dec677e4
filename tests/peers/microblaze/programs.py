"""Random programs for a MicroBlaze with every unit that our model has; layout.py says what they look like."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import branches, items
from . import encodings as mb
from . import layout as at
from .encodings import named, word
from .items import Items, Kind, Reach

_KINDS: list[tuple[Kind, float]] = [
    (items.one, 60.0),
    (items.prefixed, 8.0),
    (items.prefixed_access, 2.0),
    (items.divide, 2.0),
    (items.msr, 2.0),
    (items.set_msr, 1.0),
    (items.indexed, 8.0),
    (items.exclusive, 1.0),
    (items.rewritten, 0.1),
    (items.illegal, 0.2),
    *branches.KINDS,
]
_CONTROL = {at.NEXT_INPUT: at.INPUTS, at.NEXT_RESULT: at.RESULTS, at.FINISHED: 0}
_AWKWARD = np.array([0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])


class Program(NamedTuple):
    """All memory at the start of a round; arrays are not to be written."""

    seed: int
    local: NDArray[np.uint32]  # (16384,), at 0
    data: NDArray[np.uint32]  # (16384,), at WINDOW_DATA
    inputs: NDArray[np.uint32]  # (rounds, 32), at INPUTS
    body: slice  # of `local`: what is between loading and storing the registers
    halt: int  # the address of the last instruction

    @property
    def rounds(self) -> int:
        """How many are still to come."""
        return len(self.inputs)

    def first(self, rounds: int) -> Program:
        """The same, ended after so many rounds."""
        local = self.local.copy()
        local[at.ROUNDS // 4] = rounds
        return self._replace(local=local, inputs=self.inputs[:rounds])

    def cut(self, words: int) -> Program:
        """The same with only so many words of the body; the others count in r31 how many of them are executed."""
        local = self.local.copy()
        local[self.body.start + words : self.body.stop] = word(named("addik"), d=31, a=31, i=1)
        return self._replace(local=local)

    def resumed(self, rounds: int, after: Outcome) -> Program:
        """What it is to do after so many rounds, from the memory there is then."""
        local = after.local.copy()
        for address, value in _CONTROL.items():
            local[address // 4] = value
        return self._replace(local=local, data=after.data, inputs=self.inputs[rounds:])


class Outcome(NamedTuple):
    """All memory after the last round."""

    local: NDArray[np.uint32]
    data: NDArray[np.uint32]
    results: NDArray[np.uint32]  # (rounds, 32)


def values(rng: np.random.Generator, shape: int | tuple[int, ...]) -> NDArray[np.uint32]:
    """32 bits, often awkward ones."""
    kind = rng.random(shape)
    random = rng.integers(0, 1 << 32, shape)
    small = rng.integers(-8, 8, shape) & 0xFFFF_FFFF
    return np.where(kind < 0.5, random, np.where(kind < 0.8, rng.choice(_AWKWARD, shape), small)).astype(np.uint32)


def _head() -> list[int]:
    load = named("lwi")
    return [
        word(load, d=at.SCRATCH, i=at.NEXT_INPUT),
        word(load, d=1, a=at.SCRATCH),
        word(named("mts"), a=1),
        *(word(load, d=n, a=at.SCRATCH, i=4 * n) for n in range(1, 32) if n != at.SCRATCH),
        word(load, d=at.SCRATCH, a=at.SCRATCH, i=4 * at.SCRATCH),
    ]


def _tail(address: int, head: int) -> list[int]:
    load, store, add = named("lwi"), named("swi"), named("addik")
    words = [
        word(store, d=at.SCRATCH, i=at.KEPT),
        word(load, d=at.SCRATCH, i=at.NEXT_RESULT),
        *(word(store, d=n, a=at.SCRATCH, i=4 * n) for n in range(1, 32) if n != at.SCRATCH),
        word(load, d=1, i=at.KEPT),
        word(store, d=1, a=at.SCRATCH, i=4 * at.SCRATCH),
        word(mb.MFS_MSR, d=1),
        word(store, d=1, a=at.SCRATCH),
        word(add, d=at.SCRATCH, a=at.SCRATCH, i=at.ROUND_BYTES),
        word(store, d=at.SCRATCH, i=at.NEXT_RESULT),
        word(load, d=1, i=at.NEXT_INPUT),
        word(add, d=1, a=1, i=at.ROUND_BYTES),
        word(store, d=1, i=at.NEXT_INPUT),
        word(load, d=1, i=at.ROUNDS),
        word(add, d=1, a=1, i=-1),
        word(store, d=1, i=at.ROUNDS),
        word(mb.PREFIX[0], i=-1),
    ]
    words.append(word(named("bnei"), a=1, i=head - (address + 4 * len(words))))
    return [
        *words,
        word(add, d=1, i=1),
        word(store, d=1, i=at.FINISHED),
        word(named("bri")),
    ]


def _handler() -> list[int]:
    """Adds what the processor says of an exception to sums; goes on behind the instruction or where its branch goes."""
    load, store = named("lwi"), named("swi")

    def add(number: int, *source: int) -> list[int]:
        return [
            *source,  # to r1
            word(load, d=2, i=at.SUMS + 4 * number),
            word(named("muli"), d=2, a=2, i=31),
            word(named("addk"), d=2, a=2, b=1),
            word(store, d=2, i=at.SUMS + 4 * number),
        ]

    return [
        word(store, d=1, i=at.HANDLER_KEPT),
        word(store, d=2, i=at.HANDLER_KEPT + 4),
        *add(0, word(mb.MFS_MSR, d=1), word(named("andni"), d=1, a=1, i=at.EXCEPTIONS)),  # QEMU leaves EE on
        *add(1, word(mb.MFS_EAR, d=1)),
        *add(2, word(mb.MFS_ESR, d=1)),
        word(named("andi"), d=1, a=1, i=0x1000),  # DS; then r17 is undefined
        word(named("beqi"), a=1, i=8),
        word(mb.MFS_BTR, d=17),
        *add(3, word(named("or"), d=1, a=17)),
        word(load, d=1, i=at.HANDLER_KEPT),
        word(load, d=2, i=at.HANDLER_KEPT + 4),
        word(named("rted"), a=17),
        word(named("or")),
    ]


def place(
    rng: np.random.Generator, body: NDArray[np.int64], drawn: Items, chosen: NDArray[np.int64], start: NDArray[np.int64]
) -> None:
    """Put items of one kind into ``body`` where they belong, with their targets.

    ``chosen``: their numbers among all items. ``start``: the column where each item of the program begins, and where
    the last one ends.
    """
    words, jump = drawn
    if jump is not None:
        branch = start[chosen] + jump.branch
        steps = rng.integers(1, 6, chosen.size)
        target = {
            Reach.itself: branch,
            Reach.forward: start[np.minimum(chosen + steps, start.size - 1)],
            Reach.back: start[np.maximum(chosen + 1 - steps, 0)],
        }[jump.reach]
        value = 4 * (target - branch) if jump.relative else at.CODE + 4 * target
        value = value - jump.bias
        words[:, jump.low] |= value & 0xFFFF
        if jump.high is not None:
            # An `addik` with a prefix takes its 16 bits as they are, so the upper half needs no correction.
            words[:, jump.high] |= value >> 16 & 0xFFFF
    columns = start[chosen][:, None] + np.arange(words.shape[1])
    body[columns] = words


#: Words of the body of a program that fills the memory.
LONGEST = (at.LOCAL_BYTES - at.CODE) // 4 - 128


def random(seed: int, rounds: int, longest: int = LONGEST) -> Program:
    """The same program for the same numbers; ``longest``: its body, in words."""
    rng = np.random.default_rng(seed)
    weights = np.array([weight for _, weight in _KINDS])
    lengths = np.array([draw(rng, 0).words.shape[1] for draw, _ in _KINDS])
    head = _head()
    kinds = rng.choice(len(_KINDS), longest, p=weights / weights.sum())
    start = np.concatenate(([0], np.cumsum(lengths[kinds])))
    start = len(head) + start[start <= longest]
    kinds = kinds[: start.size - 1]
    body = np.zeros(int(start[-1]), np.int64)
    body[: len(head)] = head
    for number, (draw, _) in enumerate(_KINDS):
        chosen = np.nonzero(kinds == number)[0]
        place(rng, body, draw(rng, chosen.size), chosen, start)
    end = at.CODE + 4 * body.size
    code = np.concatenate([body, _tail(end, at.CODE)])

    inputs = values(rng, (rounds, 32))
    inputs[:, 0] = inputs[:, 0] & at.MSR_BITS | at.EXCEPTIONS
    for register, value in ((at.LOCAL_BASE, at.LOCAL_MIDDLE), (at.WINDOW_BASE, at.WINDOW_MIDDLE)):
        inputs[:, register] = value
    inputs[:, at.BUDGET] = rng.integers(100, 400, rounds)

    local = np.zeros(at.LOCAL_BYTES // 4, np.uint32)
    local[0], local[at.VECTOR // 4] = word(named("brai"), i=at.CODE), word(named("brai"), i=at.HANDLER)
    handler = _handler()
    local[at.HANDLER // 4 :][: len(handler)] = handler
    for address, value in {**_CONTROL, at.ROUNDS: rounds}.items():
        local[address // 4] = value
    local[at.SPARE // 4 :][:32] = items.three(rng, 32)
    local[at.POOL // 4 : at.CODE // 4] = values(rng, (at.CODE - at.POOL) // 4)
    local[at.CODE // 4 :][: code.size] = code & 0xFFFF_FFFF
    data = values(rng, at.WINDOW_DATA_BYTES // 4)
    inside = slice(at.CODE // 4 + len(head), end // 4)
    return Program(seed, local, data, inputs, inside, at.CODE + 4 * (code.size - 1))
