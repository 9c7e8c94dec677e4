"""Pynq_Tutorial: the tutorial's program, which fills a buffer from inside the PL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import BadArgumentError
from ...memory import DmaBuffer
from ...units import format_address, format_size
from ..pynq.board_in_use import board_in_use
from ..pynq.described import describe
from ..pynq.lib.pynqmicroblaze.pynqmicroblaze import iop_of

#: Words of the mailbox that the program reads.
_BUFFER, _INITIAL, _LENGTH = 0, 1, 2
_WORD_BYTES = 4


class Pynq_Tutorial:  # noqa: N801 - the name that notebooks have
    """Fills buffers with a MicroBlaze program, which this loads into an IOP and starts.

    Args:
        mb_info: which IOP, as ``overlay.iop1.mb_info``.

    Attributes:
        iop: the IOP as gapless has it: stop(), mailbox, wait_idle().
    """

    def __init__(self, mb_info: Mapping[str, Any]) -> None:
        spec = iop_of(mb_info)
        self.iop = board_in_use().iop(spec.index)
        self.iop.load("tutorial")
        self.iop.start()
        describe(
            self,
            f"{type(self).__name__}_on_{spec.name}",
            f"The tutorial's program in {spec.name}: it fills a buffer with numbers that count up.\n\n"
            f"{spec.name} is a MicroBlaze at {spec.clock / 1e6:g} MHz. The host sees its {format_size(spec.size)} of "
            f"memory at {format_address(spec.base)}; the last 4 KiB\nof it are the mailbox. The program sees physical "
            f"address {format_address(spec.window.physical)} at {format_address(spec.window.base)}, and waits for "
            "three words\nof the mailbox: 0 the address of a buffer, 1 the first number, 2 how many. It clears word 0 "
            "when all are written.\n\n"
            "    iop.write_to_buffer(buffer.physical_address, 10, 1)\n"
            "    buffer[:10]  # 1 ... 10",
        )

    def write_to_buffer(self, buffer: int | DmaBuffer, length: int, data: int, timeout: float = 1.0) -> None:
        """Have the program write ``data``, ``data + 1``, ... to a buffer, and wait until it has.

        Args:
            buffer: physical address of 32-bit words, or the buffer itself.
            length: how many numbers.
            data: the first of them; 32 bits, signed or not.
            timeout: seconds.

        Raises:
            BadArgumentError: ``length`` or ``data`` cannot be.
            AddressError: the words are not all in one allocated buffer, or the program cannot see them.
            WaitTimeoutError: the program did not answer.
            IopFaultError: it ran into something that it cannot do.
        """
        if not length >= 1:
            raise BadArgumentError(f"length={length}: at least one number")
        if not -(1 << 31) <= data < 1 << 32:
            raise BadArgumentError(f"data={data}: a number of 32 bits")
        place = buffer if isinstance(buffer, DmaBuffer) else int(buffer)
        address = self.iop.device_address(place, _WORD_BYTES * int(length))
        self.iop.mailbox.write(_INITIAL, np.array([data & 0xFFFF_FFFF, length], np.uint32))
        self.iop.mailbox[_BUFFER] = address
        self.iop.wait_idle(timeout, word=_BUFFER)
