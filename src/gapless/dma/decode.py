"""DMASR and descriptor errors, turned into exceptions that say what they mean."""

from __future__ import annotations

from .. import errors
from ..units import format_address
from .registers import ERRORS, DescriptorStatus, Status

_MEANING: dict[Status, tuple[type[errors.DmaError], str]] = {
    Status.INTERNAL_ERROR: (
        errors.DmaInternalError,
        "DMAIntErr: a descriptor of length 0, or a packet longer than the space offered; on a virtual board also a "
        "model of IP that has stopped, which its findings name",
    ),
    Status.SLAVE_ERROR: (errors.DmaSlaveError, "DMASlvErr: the memory at the buffer address answered SLVERR"),
    Status.DECODE_ERROR: (errors.DmaDecodeError, "DMADecErr: the buffer address decodes to no memory"),
    Status.SG_INTERNAL_ERROR: (
        errors.SgInternalError,
        "SGIntErr: the descriptor fetched was already complete (stale)",
    ),
    Status.SG_SLAVE_ERROR: (
        errors.SgSlaveError,
        "SGSlvErr: the memory that holds the descriptor answered SLVERR",
    ),
    Status.SG_DECODE_ERROR: (errors.SgDecodeError, "SGDecErr: the descriptor address decodes to no memory"),
}

_IN_DESCRIPTOR = {
    DescriptorStatus.INTERNAL_ERROR: Status.INTERNAL_ERROR,
    DescriptorStatus.SLAVE_ERROR: Status.SLAVE_ERROR,
    DescriptorStatus.DECODE_ERROR: Status.DECODE_ERROR,
}


def error_for_status(
    channel: str, dmasr: int, address: int | None, *, descriptor: int | None = None
) -> errors.DmaError | None:
    """The exception for the first error bit in ``dmasr``, or None when there is none.

    ``address`` is that of the buffer, or for SG errors the descriptor, the channel was at, when known;
    ``descriptor`` that of the descriptor that names the buffer.
    """
    for bit, (kind, meaning) in _MEANING.items():
        if dmasr & bit:
            where = "" if address is None else f" at {format_address(address)}"
            if descriptor is not None:
                where += f" (descriptor at {format_address(descriptor)})"
            return kind(
                f"{channel}{where}: {meaning} (DMASR 0x{dmasr:08X}); the channel is halted until a reset: "
                "call recover() on its DMA",
                address=address,
                status=dmasr,
            )
    return None


def error_for_descriptor(channel: str, status: int, descriptor: int, address: int) -> errors.DmaError | None:
    """The exception for the error bits of a descriptor's status word, or None when there is none.

    ``descriptor`` is the descriptor's own address, ``address`` that of its buffer.
    """
    for bit, register_bit in _IN_DESCRIPTOR.items():
        if status & bit:
            kind, meaning = _MEANING[register_bit]
            return kind(
                f"{channel} at {format_address(address)}: {meaning} (descriptor at {format_address(descriptor)}, "
                f"status 0x{status:08X}); the channel is halted until a reset: call recover() on its DMA",
                address=address,
                status=status,
            )
    return None


def has_error(dmasr: int) -> bool:
    """True when any error bit of ``dmasr`` is set."""
    return bool(dmasr & ERRORS)
