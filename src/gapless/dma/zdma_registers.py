"""Registers, descriptors and status bits of a ZDMA channel (UG1087, "ZDMA Module"; UG1085, "DMA Controller")."""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np


class Offset(IntEnum):
    """Register offsets within a channel, in bytes."""

    ERR_CTRL = 0x000
    ISR = 0x100
    IMR = 0x104
    IEN = 0x108
    IDS = 0x10C
    CTRL0 = 0x110
    CTRL1 = 0x114
    STATUS = 0x11C
    DATA_ATTR = 0x120
    DSCR_ATTR = 0x124
    SRC_WORD0 = 0x128
    DST_WORD0 = 0x138
    WR_ONLY_WORD0 = 0x148
    SRC_START = 0x158
    DST_START = 0x160
    SRC_CUR_DSCR = 0x178
    DST_CUR_DSCR = 0x180
    TOTAL_BYTE = 0x188
    IRQ_SRC_ACCT = 0x190
    IRQ_DST_ACCT = 0x194
    CTRL2 = 0x200


class Control(IntFlag):
    """CTRL0."""

    CONTINUE = 1 << 1
    WRITE_ONLY = 1 << 4
    SCATTER_GATHER = 1 << 6
    OVERFETCH = 1 << 7


ENABLE = 1  # CTRL2.EN


class Event(IntFlag):
    """ISR, IMR, IEN and IDS. ISR is cleared by writing ones; in IMR a one masks."""

    INVALID_ACCESS = 1 << 0
    SRC_DESCRIPTOR_DONE = 1 << 1
    DST_DESCRIPTOR_DONE = 1 << 2
    BYTE_COUNT_OVERFLOW = 1 << 3
    SRC_COUNT_OVERFLOW = 1 << 4
    DST_COUNT_OVERFLOW = 1 << 5
    SRC_DESCRIPTOR_ERROR = 1 << 6
    DST_DESCRIPTOR_ERROR = 1 << 7
    READ_ERROR = 1 << 8
    WRITE_ERROR = 1 << 9
    DONE = 1 << 10
    PAUSED = 1 << 11


EVERY_EVENT = Event((1 << 12) - 1)
#: What ends a transfer badly. The three overflows are of counters, and end nothing.
ERRORS = (
    Event.INVALID_ACCESS
    | Event.SRC_DESCRIPTOR_ERROR
    | Event.DST_DESCRIPTOR_ERROR
    | Event.READ_ERROR
    | Event.WRITE_ERROR
)


class State(IntEnum):
    """STATUS."""

    IDLE = 0
    PAUSED = 1
    BUSY = 2
    FAILED = 3


#: Values after a reset, written at every start: somebody else may have used the channel. DATA_ATTR has
#: incrementing bursts of 16, modifiable and not bufferable, as Linux's driver leaves it where DMA is not coherent.
CTRL1_AT_RESET = 0x3FF
DATA_ATTR_AT_RESET = 0x0483_D20F
DSCR_ATTR_AT_RESET = 0

#: Sizes are 30 bits wide, addresses 49.
MAX_LENGTH = (1 << 30) - 1
ADDRESS_WIDTH = 49

#: One descriptor of a linked list (UG1085, "Linked List Descriptor"): aligned to its 32 bytes.
DESCRIPTOR = np.dtype([("address", "<u8"), ("size", "<u4"), ("control", "<u4"), ("next", "<u8"), ("reserved", "<u8")])
DESCRIPTOR_BYTES = 32


class Command(IntFlag):
    """A descriptor's control word."""

    LINKED = 1 << 1
    STOP = 2 << 3
