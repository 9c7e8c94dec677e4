"""Descriptors in DMA memory, linked into a ring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..boards import DmaSpec
from ..errors import BadArgumentError
from ..memory import Buffer, Pool, array_on
from .decode import error_for_descriptor
from .registers import DESCRIPTOR, DESCRIPTOR_BYTES, DescriptorStatus, Frame


class DescriptorRing:
    """``count`` scatter-gather descriptors, each pointing to the next and the last to the first.

    The memory comes from ``pool`` and is given back by :meth:`free` (or the ``with`` statement).
    PG021, "Scatter Gather Descriptor": 64 bytes each, 64-byte aligned.
    """

    def __init__(self, pool: Pool, spec: DmaSpec, count: int) -> None:
        if count < 1:
            raise BadArgumentError(f"a descriptor ring has at least 1 descriptor, asked {count}")
        self.count = count
        self.buffer: Buffer = pool.allocate(
            count * DESCRIPTOR_BYTES, np.uint8, align=DESCRIPTOR_BYTES, below=1 << spec.address_width, contiguous=True
        )
        self.physical_address: int = self.buffer.physical_address
        self.buffer.fill(0)
        # Aligned accesses of one field only: it may be Device memory.
        self.bytes: NDArray[np.uint8] = array_on(self.buffer)

    @property
    def descriptors(self) -> NDArray[np.void]:
        """The descriptors as a structured array, shape (count,), dtype :data:`~.registers.DESCRIPTOR`."""
        return self.bytes.view(DESCRIPTOR)

    def address_of(self, index: int) -> int:
        """Physical address of descriptor ``index`` (taken modulo the ring's length)."""
        return self.physical_address + index % self.count * DESCRIPTOR_BYTES

    def index_of(self, address: int) -> int:
        """The number of the descriptor at physical ``address``."""
        return (address - self.physical_address) // DESCRIPTOR_BYTES

    def link(self, pieces: NDArray[np.uint64]) -> None:
        """Describe ``pieces`` (uint64, shape (count, 2), rows (address, length)), one packet each, in a ring."""
        if pieces.shape != (self.count, 2):
            raise BadArgumentError(f"{len(pieces)} pieces for a ring of {self.count} descriptors")
        ring = np.zeros(self.count, DESCRIPTOR)
        ring["next"] = np.roll(self.physical_address + DESCRIPTOR_BYTES * np.arange(self.count, dtype=np.uint64), -1)
        ring["buffer"] = pieces[:, 0]
        ring["control"] = pieces[:, 1].astype(np.uint32) | np.uint32(Frame.START | Frame.END)
        self.buffer.write(ring.view(np.uint8))
        self.buffer.sync_to_device()

    def lead_to(self, other: DescriptorRing) -> None:
        """Let the last descriptor point to the first of ``other``, while an engine may be reading it."""
        # One aligned 64-bit store: both halves of the pointer change at once.
        self.bytes.view(np.uint64)[(self.count - 1) * DESCRIPTOR_BYTES // 8] = other.physical_address
        self.buffer.sync_to_device()

    def forget(self, index: int) -> None:
        """Clear what the engine reported of descriptor ``index``: it will again."""
        self.descriptors["status"][index] = 0
        self.buffer.sync_to_device()

    def buffer_of(self, address: int) -> int:
        """Where the data of the descriptor at physical ``address`` is."""
        return int(self.descriptors["buffer"][self.index_of(address)])

    def status_of(self, index: int) -> int:
        """The status word of descriptor ``index``, as the engine wrote it last."""
        self.buffer[index * DESCRIPTOR_BYTES : (index + 1) * DESCRIPTOR_BYTES].sync_from_device()
        return int(self.descriptors["status"][index])

    def complete(self, address: int) -> bool:
        """Whether the descriptor at physical ``address`` is done; True for one outside the ring."""
        index = self.index_of(address)
        return not 0 <= index < self.count or bool(self.status_of(index) & DescriptorStatus.COMPLETE)

    def check(self, channel: str) -> None:
        """Raise the DmaError that a descriptor's status word reports, if one does."""
        for index in range(self.count):
            status = self.status_of(index)
            error = error_for_descriptor(
                channel, status, self.address_of(index), self.buffer_of(self.address_of(index))
            )
            if error is not None:
                raise error

    def free(self) -> None:
        """Give the memory back; a second call does nothing."""
        self.buffer.free()
        self.bytes = np.empty(0, dtype=np.uint8)  # it keeps the memory, too

    def __enter__(self) -> DescriptorRing:
        return self

    def __exit__(self, *exc: object) -> None:
        self.free()
