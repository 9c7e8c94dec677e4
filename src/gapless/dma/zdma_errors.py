"""ISR of a ZDMA channel, turned into exceptions that say what it means (UG1087, "ZDMA_CH_ISR")."""

from __future__ import annotations

from .. import errors
from ..units import format_address
from .zdma_registers import Event

_MEANING: dict[Event, tuple[type[errors.DmaError], str]] = {
    Event.SRC_DESCRIPTOR_ERROR: (errors.SgSlaveError, "reading a source descriptor failed"),
    Event.DST_DESCRIPTOR_ERROR: (errors.SgSlaveError, "reading a destination descriptor failed"),
    Event.READ_ERROR: (errors.DmaSlaveError, "the memory that was read answered SLVERR or DECERR"),
    Event.WRITE_ERROR: (errors.DmaSlaveError, "the memory that was written answered SLVERR or DECERR"),
    Event.INVALID_ACCESS: (errors.DmaStateError, "a register was accessed that the channel does not have"),
}
#: Which side an error is on: the address of the source is the first, that of the destination the second.
_OF_SOURCE = Event.SRC_DESCRIPTOR_ERROR | Event.READ_ERROR


def error_for_events(channel: str, events: int, source: int | None, destination: int) -> errors.DmaError | None:
    """The exception for the first error bit in ISR's ``events``, or None when there is none.

    ``source`` and ``destination`` are where the transfer began: the channel does not tell where it failed.
    """
    for bit, (kind, meaning) in _MEANING.items():
        if events & bit:
            address = source if bit & _OF_SOURCE else destination
            where = "" if address is None else f", in the transfer that began at {format_address(address)}"
            return kind(f"{channel}: {meaning}{where} (ISR 0x{events:03X})", address=address, status=events)
    return None
