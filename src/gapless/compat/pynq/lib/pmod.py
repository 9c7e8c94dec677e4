"""Pmod: an IOP whose program talks through the mailbox."""

from __future__ import annotations

from ....errors import WaitTimeoutError
from .pynqmicroblaze import PynqMicroblaze

#: Where the mailbox is in the shared memory, and the command word in it (PYNQ, ``pynq/lib/pmod/constants.py``).
MAILBOX_OFFSET = 0xF000
MAILBOX_PY2IOP_CMD_OFFSET = 0xFFC
_TIMEOUT = 10.0  # seconds
#: Between two looks at the command word, at first and at most (seconds).
_SHORTEST, _LONGEST = 20e-6, 1e-3


class Pmod(PynqMicroblaze):
    """A program in an IOP that is told what to do through its mailbox; offsets are in bytes, 0, 4, 8, ..."""

    def write_mailbox(self, data_offset: int, data: int | list[int]) -> None:
        """Write words to the mailbox."""
        self.write(MAILBOX_OFFSET + data_offset, data)

    def read_mailbox(self, data_offset: int, num_words: int = 1) -> int | list[int]:
        """A word of the mailbox, or a list of several."""
        return self.read(MAILBOX_OFFSET + data_offset, num_words)

    def write_blocking_command(self, command: int, timeout: float = _TIMEOUT) -> None:
        """Write the command word and wait until the program clears it.

        Args:
            command: the word.
            timeout: seconds of the board's time.

        Raises WaitTimeoutError when it does not.
        """
        self.write_non_blocking_command(command)
        bus = self.mmio.device.board.bus
        end, pause = bus.time() + timeout, _SHORTEST
        while self.read(MAILBOX_OFFSET + MAILBOX_PY2IOP_CMD_OFFSET) != 0:
            if bus.time() > end:
                raise WaitTimeoutError(
                    f"{self.ip_name}: {self.mb_program} did not clear command {command:#x} within {timeout:g} s"
                )
            bus.sleep(pause)
            pause = min(2 * pause, _LONGEST)

    def write_non_blocking_command(self, command: int) -> None:
        """Write the command word."""
        self.write(MAILBOX_OFFSET + MAILBOX_PY2IOP_CMD_OFFSET, command)
