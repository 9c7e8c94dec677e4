"""Our model of a ZDMA channel and QEMU's, given the same register writes and descriptors: the same end state.

What is left out on purpose, because the two differ and the documents side with ours or with neither, is listed in
docs/peers.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from gapless import _native

from . import zcu102
from .qtest import Qtest, SharedRam

ISR, IMR, IEN, IDS, CTRL0, STATUS, CTRL2 = 0x100, 0x104, 0x108, 0x10C, 0x110, 0x11C, 0x200
SRC_WORD0, DST_WORD0, WR_ONLY, SRC_START, DST_START = 0x128, 0x138, 0x148, 0x158, 0x160
TOTAL_BYTE, SRC_ACCT, DST_ACCT = 0x188, 0x190, 0x194
SIMPLE, LISTS, WRITE_ONLY, READ_ONLY, CONTINUE, FROM_START = 0x80, 0xC0, 0x90, 0xA0, 0x2, 0x4
DONE, PAUSED = 1 << 10, 1 << 11
LINKED, TELL, PAUSE, STOP = 1 << 1, 1 << 2, 1 << 3, 2 << 3

LISTS_AT, FROM, TO, AREA = 0x1000_0000, 0x9_0000_0000, 0xF_F000_0000, 1 << 19
CHANNELS = {"gdma2": (0xFD52_0000, 126, 16), "adma5": (0xFFAD_0000, 82, 8)}  # base, line of the GIC, bytes


class Peer:
    """QEMU's channel."""

    def __init__(self, machine: Qtest, ram: SharedRam) -> None:
        self.bus, self.at = machine, ram.at

    def settle(self) -> None:
        """Every transfer is over when the write that starts it is."""


class Ours:
    """Our model's."""

    def __init__(self) -> None:
        self._machine = _native.Machine(200e-9, 100e-9)
        port = self._machine.add_port(9.6e9)
        self._memories = {base: _native.HostMemory(AREA) for base in (LISTS_AT, FROM, TO)}
        for base, memory in self._memories.items():
            self._machine.add_memory(base, AREA, memory, 0, 1, False)
        for name, (base, line, width) in CHANNELS.items():
            self._machine.add_zdma(base, name, width, line, [port] * 4)
        self.bus = self._machine.bus()

    def at(self, address: int, nbytes: int) -> np.ndarray:
        base = next(base for base in self._memories if base <= address < base + AREA)
        return self._memories[base].view(address - base, nbytes, self)

    def settle(self) -> None:
        self.bus.sleep(1.0)


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Peer, Ours]]:
    with zcu102.zcu102() as (machine, ram):
        yield Peer(machine, ram), Ours()


@dataclass
class Program:
    """Descriptors, and accesses of one channel in order: (offset, value), a read where value is None."""

    channel: str
    descriptors: np.ndarray
    accesses: list[tuple[int, int | None]] = field(default_factory=list)

    def write(self, offset: int, value: int) -> None:
        self.accesses.append((offset, value & 0xFFFF_FFFF))

    def wide(self, offset: int, value: int) -> None:
        self.write(offset, value)
        self.write(offset + 4, value >> 32)


def program(seed: int) -> Program:
    rng = np.random.default_rng(seed)
    made = Program(list(CHANNELS)[seed % 2], np.zeros(AREA, np.uint8))
    for offset, value in ((IDS, 0xFFF), (ISR, 0xFFF), (IEN, int(rng.integers(0, 1 << 12))), (TOTAL_BYTE, 0xFFFF_FFFF)):
        made.write(offset, value)
    made.accesses += [(SRC_ACCT, None), (DST_ACCT, None)]
    for _ in range(int(rng.integers(1, 4))):
        made.write(ISR, DONE)  # QEMU clears it at a pause, though only software should
        if rng.random() < 0.5:
            _by_registers(made, rng)
        else:
            _by_lists(made, rng)
        if rng.random() < 0.5:
            made.write(ISR, int(rng.integers(0, 1 << 12)))
        if rng.random() < 0.3:
            made.accesses.append((int(rng.choice([SRC_ACCT, DST_ACCT, 0x020, 0x1A0, IEN])), None))
        if rng.random() < 0.3:
            made.write(int(rng.choice([IDS, IEN, TOTAL_BYTE, 0x0FC])), int(rng.integers(0, 1 << 12)))
    return made


def _by_registers(made: Program, rng: np.random.Generator) -> None:
    nbytes = int(rng.integers(1, 40_000))
    for register, area in ((SRC_WORD0, FROM), (DST_WORD0, TO)):
        made.wide(register, area + int(rng.integers(0, AREA - 40_000)))
        made.write(register + 8, nbytes)
    made.write(SRC_WORD0 + 12, int(rng.choice([0, TELL])))
    made.write(DST_WORD0 + 12, 0)
    for word in range(4):
        made.write(WR_ONLY + 4 * word, int(rng.integers(0, 1 << 32)))
    made.write(CTRL0, int(rng.choice([SIMPLE, WRITE_ONLY, READ_ONLY])))
    made.write(CTRL2, 1)


def _list(made: Program, rng: np.random.Generator, at: int, area: int, lengths: list[int], pauses: bool) -> int:
    """Descriptors of both kinds from offset ``at`` on; how many of them pause.

    A linked one takes 32 bytes and leads anywhere, a linear one takes 16 and leads to what follows: they come in
    pairs, so that what follows is aligned for either kind.
    """
    count = 0
    slots = at + 32 * rng.permutation(0x8000 // 32 - 1)  # the first is where the list begins
    place, free = at, [int(slot) for slot in slots if slot != at]
    left = list(lengths)

    def control() -> int:
        nonlocal count
        word = int(rng.choice([0, TELL]))
        if not left:
            return word | STOP
        if pauses and rng.random() < 0.3:
            count += 1
            return word | PAUSE
        return word

    while left:
        pair = len(left) > 1 and place + 32 in free and rng.random() < 0.4
        for half in range(1 + pair):
            nbytes = left.pop(0)
            words = made.descriptors[place + 16 * half : place + 16 * half + 16].view("<u8")
            words[0] = area + int(rng.integers(0, AREA - 40_000))
            words[1] = (control() | (0 if pair else LINKED)) << 32 | nbytes
        following = place + 32 if pair else free[0]
        if not pair:
            made.descriptors[place + 16 : place + 24].view("<u8")[0] = LISTS_AT + following
        free.remove(following)
        place = following
    return count


def _by_lists(made: Program, rng: np.random.Generator) -> None:
    total = int(rng.integers(10, 40_000))

    def lengths(most: int) -> list[int]:
        cuts = sorted(rng.integers(0, total, int(rng.integers(0, most))).tolist())
        return [int(n) for n in np.diff([0, *cuts, total])]

    source, destination = (int(n) * 0x8000 for n in rng.choice(16, 2, replace=False))
    pauses = _list(made, rng, source, FROM, lengths(30), True)
    # A destination of no bytes is counted by QEMU in some places of a list and not in others.
    _list(made, rng, destination, TO, [n for n in lengths(30) if n], False)
    made.wide(SRC_START, LISTS_AT + source)
    made.wide(DST_START, LISTS_AT + destination)
    made.write(CTRL0, LISTS)
    made.write(CTRL2, 1)
    resumed = int(rng.integers(0, pauses + 1)) if rng.random() < 0.3 else pauses
    for _ in range(resumed):
        made.write(CTRL0, LISTS | CONTINUE)
    if resumed < pauses:  # given up: told to go on, and not enabled
        made.write(CTRL2, 0)
        made.write(CTRL0, LISTS | CONTINUE)


def run(peer: Peer | Ours, made: Program, noise: np.ndarray) -> tuple[list[int], np.ndarray]:
    """What its reads gave and its registers hold at the end, and the memory that it wrote to."""
    base, _, _ = CHANNELS[made.channel]
    peer.at(LISTS_AT, AREA)[:] = made.descriptors
    peer.at(FROM, AREA)[:] = noise
    peer.at(TO, AREA)[:] = 0
    seen = []
    for offset, value in made.accesses:
        if value is None:
            seen.append(peer.bus.read32(base + offset))
        else:
            peer.bus.write32(base + offset, value)
            if offset in (CTRL0, CTRL2):
                peer.settle()
    registers = (ISR, IMR, IEN, IDS, CTRL0, 0x114, 0x118, STATUS, 0x120, 0x124, TOTAL_BYTE, SRC_ACCT, DST_ACCT, CTRL2)
    words = range(SRC_WORD0, 0x168, 4)
    values = {offset: peer.bus.read32(base + offset) for offset in (*registers, *words)}
    values[CTRL0] &= ~CONTINUE  # QEMU keeps it where a paused channel was given up
    seen += values.values()
    seen.append(int(peer.bus.wait_interrupt(CHANNELS[made.channel][1], 0.0)))
    return seen, peer.at(TO, AREA).copy()


@pytest.mark.parametrize("seed", range(80))
def test_the_same_end(both, seed):
    made = program(seed)
    noise = np.random.default_rng(seed).integers(0, 256, AREA, dtype=np.uint8)
    (theirs, their_memory), (ours, our_memory) = (run(peer, made, noise) for peer in both)
    np.testing.assert_array_equal(our_memory, their_memory)
    assert [f"{value:x}" for value in ours] == [f"{value:x}" for value in theirs]
    assert our_memory.any() or all(value != LISTS and value != SIMPLE for _, value in made.accesses)


def test_where_a_pause_shows(both):
    """STATUS says 1 as documented, where QEMU says 2."""
    descriptors = np.zeros(AREA, np.uint8)
    descriptors[:64].view("<u8")[:] = [FROM, (LINKED | PAUSE) << 32 | 16, 0, 0, TO, (LINKED | STOP) << 32 | 32, 0, 0]
    made = Program("gdma2", descriptors)
    made.write(ISR, 0xFFF)
    made.wide(SRC_START, LISTS_AT)
    made.wide(DST_START, LISTS_AT + 32)
    made.write(CTRL0, LISTS)
    made.write(CTRL2, 1)
    made.accesses += [(STATUS, None), (ISR, None), (CTRL2, None)]
    seen = [run(peer, made, np.ones(AREA, np.uint8))[0][:3] for peer in both]
    assert seen == [[2, PAUSED, 1], [1, PAUSED, 1]]
    for peer in both:  # leave it as the others expect it
        peer.bus.write32(0xFD52_0000 + CTRL2, 0)
        peer.bus.write32(0xFD52_0000 + CTRL0, LISTS | CONTINUE)


@pytest.mark.parametrize(("channel", "offset", "event"), [("gdma2", SRC_START, 1 << 6), ("adma5", DST_START, 1 << 7)])
def test_a_misaligned_descriptor_is_refused_by_both(both, channel, offset, event):
    """The error bit and STATUS are the same; ours also ends, as documented: DMA_DONE, and CTRL2.EN cleared.

    The last test, and one for each channel: QEMU's stays enabled after an error.
    """
    descriptors = np.zeros(AREA, np.uint8)
    descriptors[:16].view("<u8")[:] = [FROM, STOP << 32 | 16]
    made = Program(channel, descriptors)
    made.write(ISR, 0xFFF)
    made.wide(SRC_START, LISTS_AT)
    made.wide(DST_START, LISTS_AT)
    made.wide(offset, LISTS_AT + 8)
    made.write(CTRL0, LISTS)
    made.write(CTRL2, 1)
    made.accesses += [(STATUS, None), (ISR, None), (CTRL2, None)]
    seen = [run(peer, made, np.ones(AREA, np.uint8))[0][:3] for peer in both]
    assert seen == [[3, event, 1], [3, event | DONE, 0]]
