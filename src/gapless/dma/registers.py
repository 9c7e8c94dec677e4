"""Registers, descriptors and status bits of the AXI DMA (PG021, "Register Space" and "Scatter Gather Descriptor")."""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np


class Offset(IntEnum):
    """Register offsets within a channel, in bytes; the S2MM channel starts at :data:`S2MM_BASE`."""

    DMACR = 0x00
    DMASR = 0x04
    CURDESC = 0x08
    TAILDESC = 0x10
    ADDRESS = 0x18
    LENGTH = 0x28


S2MM_BASE = 0x30


class Control(IntFlag):
    """DMACR."""

    RUN = 1 << 0
    RESET = 1 << 2
    KEYHOLE = 1 << 3
    CYCLIC = 1 << 4
    IOC_ENABLE = 1 << 12
    DELAY_ENABLE = 1 << 13
    ERROR_ENABLE = 1 << 14


THRESHOLD_SHIFT = 16


class Status(IntFlag):
    """DMASR."""

    HALTED = 1 << 0
    IDLE = 1 << 1
    SG_INCLUDED = 1 << 3
    INTERNAL_ERROR = 1 << 4
    SLAVE_ERROR = 1 << 5
    DECODE_ERROR = 1 << 6
    SG_INTERNAL_ERROR = 1 << 8
    SG_SLAVE_ERROR = 1 << 9
    SG_DECODE_ERROR = 1 << 10
    IOC = 1 << 12
    DELAY = 1 << 13
    ERROR = 1 << 14


ERRORS = (
    Status.INTERNAL_ERROR
    | Status.SLAVE_ERROR
    | Status.DECODE_ERROR
    | Status.SG_INTERNAL_ERROR
    | Status.SG_SLAVE_ERROR
    | Status.SG_DECODE_ERROR
)
INTERRUPTS = Status.IOC | Status.DELAY | Status.ERROR

#: One 64-byte descriptor.
DESCRIPTOR = np.dtype(
    [
        ("next", "<u8"),
        ("buffer", "<u8"),
        ("reserved", "<u8"),
        ("control", "<u4"),
        ("status", "<u4"),
        ("app", "<u4", (5,)),
        ("pad", "<u4", (3,)),
    ]
)
DESCRIPTOR_BYTES = 64
LENGTH_MASK = (1 << 26) - 1


class Frame(IntFlag):
    """Flags of a descriptor's control word (TXSOF, TXEOF) and status word (RXSOF, RXEOF)."""

    END = 1 << 26
    START = 1 << 27


class DescriptorStatus(IntFlag):
    """Error and completion bits of a descriptor's status word."""

    INTERNAL_ERROR = 1 << 28
    SLAVE_ERROR = 1 << 29
    DECODE_ERROR = 1 << 30
    COMPLETE = 1 << 31
