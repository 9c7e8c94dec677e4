"""What random programs are made of: items of a few words, drawn by the thousand.

An item is entered at its first word only. A function here draws ``n`` items of one kind as words of shape (n, length);
a branch's target is filled in when all are laid out. What is not drawn, and why, is in docs/peers.md.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import encodings as mb
from . import layout as at
from .encodings import Encoding, named, word

Words = NDArray[np.int64]

_CORNERS = np.array([0, 1, 2, 4, 31, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF])
_WRITABLE = np.array(at.WRITABLE)


class Reach(enum.Enum):
    """Where a target is: the first word of an item further on, of one before or the same, or the branch's own word."""

    forward = enum.auto()
    back = enum.auto()
    itself = enum.auto()


class Jump(NamedTuple):
    """Where the value that leads to the target goes: the low half into column ``low``, the rest into ``high``."""

    branch: int  # column
    low: int
    high: int | None
    relative: bool
    reach: Reach
    bias: Words | int = 0  # what the branch itself adds to the value


class Items(NamedTuple):
    words: Words
    jump: Jump | None = None


Kind = Callable[[np.random.Generator, int], Items]


def columns(*values: Words | int, n: int) -> Words:
    return np.stack([np.broadcast_to(np.asarray(column, np.int64), (n,)) for column in values], axis=1)


def choose(rng: np.random.Generator, n: int, rows: Sequence[Encoding]) -> Words:
    return np.array([row.bits for row in rows], np.int64)[rng.integers(0, len(rows), n)]


def written(rng: np.random.Generator, n: int) -> Words:
    return _WRITABLE[rng.integers(0, len(_WRITABLE), n)] << 21


def read(rng: np.random.Generator, n: int) -> Words:
    return rng.integers(0, 32, n)


def immediates(rng: np.random.Generator, n: int) -> Words:
    """16 bits, often awkward ones; shape (n,)."""
    values = rng.integers(0, 1 << 16, n)
    return np.where(rng.random(n) < 0.3, rng.choice(_CORNERS, n), values)


# ---- one word


def three(rng: np.random.Generator, n: int) -> Words:
    return choose(rng, n, mb.THREE) | written(rng, n) | read(rng, n) << 16 | read(rng, n) << 11


def immediate(rng: np.random.Generator, n: int) -> Words:
    return choose(rng, n, mb.IMMEDIATE) | written(rng, n) | read(rng, n) << 16 | immediates(rng, n)


def two(rng: np.random.Generator, n: int) -> Words:
    target = written(rng, n)
    # QEMU 7.2 loses the carry of a shift into r0.
    rows = np.where(target == 0, choose(rng, n, mb.TWO), choose(rng, n, [*mb.TWO, *mb.SHIFT]))
    return rows | target | read(rng, n) << 16


def barrel(rng: np.random.Generator, n: int) -> Words:
    return choose(rng, n, mb.BARREL) | written(rng, n) | read(rng, n) << 16 | rng.integers(0, 32, n)


def field(rng: np.random.Generator, n: int) -> Words:
    # Widths that reach beyond bit 31, and of 0, are undefined.
    low, high = np.sort(rng.integers(0, 32, (2, n)), axis=0)
    extract = rng.random(n) < 0.5
    width = np.where(extract, np.minimum(high - low + 1, 31), high)
    bits = np.where(extract, named("bsefi").bits, named("bsifi").bits)
    return bits | written(rng, n) | read(rng, n) << 16 | width << 6 | low


def constant(rng: np.random.Generator, n: int) -> Words:
    """From the pool: keeps the registers from becoming all 0 or -1."""
    return named("lwi").bits | written(rng, n) | at.POOL + 4 * rng.integers(0, at.POOL_BYTES // 4, n)


def _alignment(rng: np.random.Generator, size: Words) -> Words:
    """Of an access of so many bytes: one in sixteen is at any address, which is an exception."""
    return np.where(rng.random(size.size) < 1 / 16, 1, size)


def access(rng: np.random.Generator, n: int) -> Words:
    """A load or a store at a constant offset from one of the three bases."""
    size = rng.integers(0, 3, n)
    store = rng.random(n) < 0.5
    rows = [[table[1 << k][0].bits for k in range(3)] for table in (mb.LOADS_IMMEDIATE, mb.STORES_IMMEDIATE)]
    place = rng.integers(0, 3, n)
    base = np.array([at.LOCAL_BASE, at.WINDOW_BASE, 0])[place]
    reach = np.array([0x1000, 0x8000, 0x1000])[place]
    offset = (rng.integers(-reach, reach) & -_alignment(rng, 1 << size)) + np.where(place == 2, at.LOCAL_MIDDLE, 0)
    register = np.where(store, read(rng, n) << 21, written(rng, n))
    return np.array(rows)[store.astype(int), size] | register | base << 16 | offset & 0xFFFF


_SIMPLE = ((three, 40), (immediate, 22), (two, 14), (barrel, 6), (field, 4), (constant, 6), (access, 12))


def simple(rng: np.random.Generator, n: int, *, exceptions: bool = True) -> Words:
    """One word that may be anywhere, a delay slot too; shape (n,)."""
    kinds = _SIMPLE if exceptions else _SIMPLE[:-1]
    weights = np.array([weight for _, weight in kinds])
    choice = rng.choice(len(kinds), n, p=weights / weights.sum())
    words = np.zeros(n, np.int64)
    for number, (draw, _) in enumerate(kinds):
        chosen = np.nonzero(choice == number)[0]
        words[chosen] = draw(rng, chosen.size)
    return words


# ---- items


def one(rng: np.random.Generator, n: int) -> Items:
    return Items(simple(rng, n)[:, None])


def prefixed(rng: np.random.Generator, n: int) -> Items:
    return Items(columns(mb.PREFIX[0].bits | immediates(rng, n), immediate(rng, n), n=n))


def prefixed_access(rng: np.random.Generator, n: int) -> Items:
    store = rng.random(n) < 0.5
    register = np.where(store, read(rng, n) << 21, written(rng, n))
    bits = np.where(store, named("swi").bits, named("lwi").bits)
    offset = 4 * rng.integers(0, 0x4000, n)
    return Items(columns(mb.PREFIX[0].bits | at.WINDOW_DATA >> 16, bits | register | offset, n=n))


def divide(rng: np.random.Generator, n: int) -> Items:
    """By anything but -1: QEMU dies of INT_MIN / -1."""
    divisor = rng.integers(0, at.SCRATCH, n)
    return Items(
        columns(
            word(named("xori"), d=at.SCRATCH, i=-1) | divisor << 16,
            word(named("beqi"), a=at.SCRATCH, i=8),
            choose(rng, n, mb.DIVIDE) | written(rng, n) | divisor << 16 | read(rng, n) << 11,
            n=n,
        )
    )


def msr(rng: np.random.Generator, n: int) -> Items:
    """Reads and writes of MSR, in pairs; barriers and the caches' instructions, which do nothing here."""
    mask = rng.integers(0, 1 << 7, n) & at.MSR_BITS
    change = choose(rng, n, mb.MSR[:2]) | written(rng, n) | mask
    seen = choose(rng, n, [named("mfs"), mb.MFS_MSR, mb.MFS_MSR]) | written(rng, n)
    nothing = np.where(
        rng.random(n) < 0.7,
        choose(rng, n, [*mb.CACHE, mb.MTS_SLR, mb.MTS_SHR]) | read(rng, n) << 16,
        mb.BARRIER[0].bits | rng.integers(0, 8, n) << 21,
    )
    which = rng.permuted(np.tile(np.arange(3), (n, 1)), axis=1)[:, :2]
    return Items(np.take_along_axis(columns(change, seen, nothing, n=n), which, axis=1))


def set_msr(rng: np.random.Generator, n: int) -> Items:
    return Items(
        columns(
            word(named("andi"), d=at.SCRATCH, i=at.MSR_BITS) | read(rng, n) << 16,
            word(named("ori"), d=at.SCRATCH, a=at.SCRATCH, i=at.EXCEPTIONS),
            word(named("mts"), a=at.SCRATCH),
            n=n,
        )
    )


def _offset(rng: np.random.Generator, n: int, size: Words | int) -> Words:
    """A register's value made an offset into the data, a multiple of ``size``."""
    return word(named("andi"), d=at.OFFSET) | read(rng, n) << 16 | 0xFFF & -np.asarray(size)


#: By load or store, size, and form: from two registers, reversed, from one and an immediate.
_ACCESSES = np.array(
    [
        [[*(row.bits for row in two[nbytes]), one[nbytes][0].bits] for nbytes in (1, 2, 4)]
        for two, one in ((mb.LOADS, mb.LOADS_IMMEDIATE), (mb.STORES, mb.STORES_IMMEDIATE))
    ]
)


def indexed(rng: np.random.Generator, n: int) -> Items:
    """Loads and stores at an address from two registers, in either order, or from one and an immediate."""
    store, size, form = rng.integers(0, 2, n), rng.integers(0, 3, n), rng.integers(0, 3, n)
    base = np.array([at.LOCAL_BASE, at.WINDOW_BASE])[rng.integers(0, 2, n)]
    two_registers = np.where(rng.random(n) < 0.5, base << 16 | at.OFFSET << 11, at.OFFSET << 16 | base << 11)
    address = np.where(form == 2, at.OFFSET << 16 | at.LOCAL_DATA, two_registers)
    register = np.where(store == 1, read(rng, n) << 21, written(rng, n))
    # Of a reversed access, QEMU reports the address of the lane.
    aligned = np.where(form == 1, 1 << size, _alignment(rng, 1 << size))
    return Items(columns(_offset(rng, n, aligned), _ACCESSES[store, size, form] | register | address, n=n))


def exclusive(rng: np.random.Generator, n: int) -> Items:
    """A reservation, something, the store that uses it, and one that must fail."""
    base = np.array([at.LOCAL_BASE, at.WINDOW_BASE])[rng.integers(0, 2, n)]
    address = at.OFFSET << 16 | base << 11
    stores = [mb.SWX.bits | rng.integers(1, 32, n) << 21 | address for _ in range(2)]
    between = np.where(rng.random(n) < 0.5, three(rng, n), immediate(rng, n))
    return Items(columns(_offset(rng, n, 4), mb.LWX.bits | written(rng, n) | address, between, *stores, n=n))


#: Opcodes of no instruction: bits 31 to 26.
_NO_OPCODES = np.array([0x14, 0x15, 0x1C, 0x1D, 0x1E, 0x1F, 0x33, 0x37, 0x3B, 0x3F])


def illegal(rng: np.random.Generator, n: int) -> Items:
    return Items((rng.choice(_NO_OPCODES, n) << 26 | rng.integers(0, 1 << 26, n))[:, None])


def rewritten(rng: np.random.Generator, n: int) -> Items:
    """One of the spare instructions is written into the code, and then executed."""
    to_itself = Jump(branch=5, low=3, high=2, relative=False, reach=Reach.itself)
    return Items(
        columns(
            word(named("andi"), d=at.OFFSET, i=0x7C) | read(rng, n) << 16,
            word(named("lwi"), d=at.SCRATCH, a=at.OFFSET, i=at.SPARE),
            mb.PREFIX[0].bits,
            word(named("swi"), d=at.SCRATCH),
            word(mb.BARRIER[0], d=1),
            word(named("or")),
            n=n,
        ),
        to_itself,
    )
