"""Pmod: an IOP whose program talks through the mailbox."""

from __future__ import annotations

from ....errors import WaitTimeoutError
from .pynqmicroblaze import PynqMicroblaze

#: Where the mailbox is in the shared memory, and the command word in it (PYNQ, ``pynq/lib/pmod/constants.py``).
MAILBOX_OFFSET = 0xF000
MAILBOX_PY2IOP_CMD_OFFSET = 0xFFC
_TIMEOUT, _POLL = 10.0, 20e-6  # seconds


class Pmod(PynqMicroblaze):
    """A program in an IOP that is told what to do through its mailbox; offsets are in bytes, 0, 4, 8, ..."""

    def write_mailbox(self, data_offset: int, data: int | list[int]) -> None:
        """Write words to the mailbox."""
        self.write(MAILBOX_OFFSET + data_offset, data)

    def read_mailbox(self, data_offset: int, num_words: int = 1) -> int | list[int]:
        """A word of the mailbox, or a list of several."""
        return self.read(MAILBOX_OFFSET + data_offset, num_words)

    def write_blocking_command(self, command: int) -> None:
        """Write the command word and wait until the program clears it; WaitTimeoutError after 10 s."""
        self.write_non_blocking_command(command)
        bus = self.mmio.device.board.bus
        end = bus.time() + _TIMEOUT
        while self.read(MAILBOX_OFFSET + MAILBOX_PY2IOP_CMD_OFFSET) != 0:
            if bus.time() > end:
                raise WaitTimeoutError(
                    f"{self.ip_name}: {self.mb_program} did not clear command {command:#x} within {_TIMEOUT:g} s"
                )
            bus.sleep(_POLL)

    def write_non_blocking_command(self, command: int) -> None:
        """Write the command word."""
        self.write(MAILBOX_OFFSET + MAILBOX_PY2IOP_CMD_OFFSET, command)
