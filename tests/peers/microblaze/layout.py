"""Where things are in the memory of a random program, and what its registers are for.

The body is executed once per round. Before it, the registers and the carry are loaded from the round's 32 words of
input; after it they are stored as the round's 32 words of result (word 0: MSR, word n: register n). Everything that
outlives a round is in memory, so that a copy of the memory between two rounds is all it takes to go on from there.
"""

from __future__ import annotations

LOCAL_BYTES = 1 << 16
NEXT_INPUT, NEXT_RESULT, ROUNDS, FINISHED, KEPT = 0x100, 0x104, 0x108, 0x10C, 0x110  # words
#: Where exceptions go (UG984), and where these programs handle them: they add what the processor says to sums.
VECTOR, HANDLER = 0x20, 0x200
HANDLER_KEPT, SUMS = 0x120, 0x140
#: 32 harmless instructions, which programs write into their own code.
SPARE = 0x800
#: Read only: values with many of the awkward ones.
POOL, POOL_BYTES = 0x1000, 0x1000
#: Read and written.
LOCAL_DATA = 0x2000
CODE = 0x4000

WINDOW = 0x2000_0000
WINDOW_BYTES = 16 << 20
WINDOW_DATA, WINDOW_DATA_BYTES = WINDOW, 1 << 16
INPUTS, RESULTS = WINDOW + 0x10_0000, WINDOW + 0x80_0000
ROUND_BYTES = 128

#: Fixed: in the middle of the data, so that offsets of either sign stay in it.
LOCAL_BASE, WINDOW_BASE = 26, 25
LOCAL_MIDDLE, WINDOW_MIDDLE = LOCAL_DATA + 0x1000, WINDOW_DATA + 0x8000
#: Scratch of one item: an offset into the data, and anything else.
OFFSET, SCRATCH = 27, 28
#: How many more branches may go back in this round.
BUDGET = 29
WRITABLE = (*range(25), 30, 31)

#: MSR bits that programs write: IE, C, BIP, DZO.
MSR_BITS = 0x2 | 0x4 | 0x8 | 0x40
#: EE: on all the time, but for the handler.
EXCEPTIONS = 0x100
