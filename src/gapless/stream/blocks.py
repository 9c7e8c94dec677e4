"""The blocks of a stream: a ring of them in DMA memory, lent to the user one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._native import BlockQueue, Bus
from ..dma import RING_DESCRIPTORS, AxiDma, piece_bytes
from ..errors import BadArgumentError, BlockError
from ..memory import Buffer, Loan, Pool
from .converter import allocate, buffer_alignment
from .layout import whole_number
from .path import SAMPLE_BYTES, Path

if TYPE_CHECKING:
    from .report import Queue

#: Frames of a block where nothing else is asked: 2 MiB of one channel, half a millisecond at 2 GSa/s.
BLOCK_SAMPLES = 1 << 20
BLOCKS = 8
#: Blocks' durations to wait between two looks whether Ctrl-C was pressed.
_PATIENCE = 4


@dataclass(frozen=True)
class BlockShape:
    """``count`` blocks of ``samples`` samples per converter each."""

    samples: int
    count: int

    @classmethod
    def of(cls, samples: float, count: float, path: Path, dma: AxiDma, beat: int) -> BlockShape:
        """What was asked, if ``dma`` can do it; BadArgumentError says what it can.

        ``beat`` is the converter's word, in samples.
        """
        shape = cls(whole_number(samples, "block_samples"), whole_number(count, "blocks"))
        most = piece_bytes(dma.spec) // path.frame_bytes // beat * beat
        if shape.samples % beat or shape.samples > most:
            raise BadArgumentError(
                f"block_samples={shape.samples}: a block is one transfer of {dma.spec.name} in whole words of "
                f"{path.converters[0]}: a multiple of {beat} samples, at most {most}"
            )
        if not 2 <= shape.count <= RING_DESCRIPTORS:
            raise BadArgumentError(
                f"blocks={shape.count}: a stream has 2 (one is with the engine while the other is yours) "
                f"to {RING_DESCRIPTORS}"
            )
        return shape

    def as_queue(self, refused: str = "") -> Queue:
        """For a report."""
        from .report import Queue

        return Queue(self.samples, self.count, refused)


class Blocks:
    """A ring of blocks in DMA memory. The user has all of them at first.

    Args:
        what: whose they are, for messages: "dac0's stream".
        limit: the engine is given so many in all (0: no end).
    """

    def __init__(
        self,
        what: str,
        bus: Bus,
        pool: Pool,
        path: Path,
        dma: AxiDma,
        shape: BlockShape,
        *,
        address: int | None = None,
        limit: int = 0,
    ) -> None:
        self.what, self.path, self.shape = what, path, shape
        align = buffer_alignment(dma)
        self.block_bytes = shape.samples * path.frame_bytes
        self.stride = -(-self.block_bytes // align) * align
        self.buffer: Buffer = allocate(pool, shape.count * self.stride // SAMPLE_BYTES, dma, address, contiguous=True)
        self._bus = bus
        self.queue = BlockQueue(bus, self.buffer.physical_address, self.stride, shape.count, limit)
        self._lent: dict[int, tuple[Loan, int, str]] = {}  # by the array's id: it lives as long as the loan

    def take(self, timeout: float, block_seconds: float) -> tuple[str, int, int, int]:
        """As ``queue.take(timeout)``, in steps of some blocks' durations: Ctrl-C is looked at in between."""
        deadline = self._bus.time() + timeout
        while True:
            left = max(0.0, deadline - self._bus.time())
            patience = min(left, _PATIENCE * block_seconds)
            taken = self.queue.take(patience)
            # What is less than the clock's step would never pass: the last step is the one that waits for all there is.
            if taken[0] != "nothing" or left == patience:
                return taken

    def lend(self, block: int, samples: int, number: int) -> Buffer:
        """The first ``samples`` frames of a block: int16, shape (samples,), or (samples, channels) with several."""
        first = block * self.stride // SAMPLE_BYTES
        channels = self.path.channels
        view: Buffer = self.buffer[first : first + samples * channels]
        if channels > 1:
            view = view.reshape(samples, channels)
        name = f"block {number} of {self.what}"
        loan = Loan(view, name)
        self._lent[id(loan.array)] = loan, block, name
        lent: Buffer = loan.array
        return lent

    def take_back(self, array: object, done: str, instead: str) -> int:
        """The block that was lent as ``array``, which is of no use to the user from now on.

        ``done`` and ``instead`` say in messages what was done with it and what to do now. BlockError when it
        is not lent.
        """
        loan, block, name = self._lent.get(id(array), (None, 0, ""))
        if loan is None:
            if isinstance(array, Buffer):
                _ = array.physical_address  # one that was taken back before says so itself
            raise BlockError(f"this {type(array).__name__} is not a block as {self.what} handed it out; {instead}")
        # What the CPU wrote goes to memory now: not too late for the engine to read, nor onto what it writes.
        loan.array.sync_to_device()
        del self._lent[id(array)]
        loan.end(f"{name} was {done}: it belongs to the DMA engine now; {instead}")
        return block

    @property
    def lent(self) -> int:
        """Blocks that the user has."""
        return len(self._lent)

    def close(self, why: str) -> None:
        """Take all back, and free the memory; the engine has stopped."""
        for loan, _, _ in self._lent.values():
            loan.end(f"{self.what} {why}: its blocks are gone")
        self._lent.clear()
        self.queue.retire()
        self.buffer.free()


def check_patience(timeout: float) -> None:
    """BadArgumentError unless ``timeout`` is a number of seconds to wait for a block, 0 to infinity."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float, np.number)) or not timeout >= 0:
        raise BadArgumentError(f"timeout={timeout!r}: it is in seconds, from 0 on; by default there is none")
