"""Programs for an IOP: what is in ``NAME.bin`` is its memory from address 0.

They are built from the C in ``firmware/`` at the top of the source tree; ``docs/firmware.md`` has their mailbox words.
"""

from __future__ import annotations

#: What each program does, by its name.
NAMES = {
    "tutorial": "fills a buffer with first, first + 1, ... (word 0: address, 1: first, 2: number of words)",
    "memory_test": "writes patterns over a buffer and reads them back",
    "pattern": "generates 16-bit samples into a ring of blocks, or into one block",
    "echo": "answers a word with its successor and an interrupt",
    "ticks": "counts the interrupts of a timer",
}
