"""PynqMicroblaze: a program in an IOP, and the memory they share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ....boards import IopSpec
from ....errors import BadArgumentError, UnknownNameError
from ..board_in_use import board_in_use
from ..design import mb_info as names_of


def iop_of(mb_info: Mapping[str, Any]) -> IopSpec:
    """The IOP that ``mb_info`` names; UnknownNameError when the board in use has none of that name."""
    iops = {names_of(iop)["ip_name"]: iop for iop in board_in_use().spec.iops}
    name = mb_info.get("ip_name") if isinstance(mb_info, Mapping) else None
    if name is None:
        raise BadArgumentError(f"mb_info {mb_info!r}: a dict with 'ip_name' is asked for, such as overlay.iop1.mb_info")
    if name not in iops:
        raise UnknownNameError("IP", name, iops)
    return iops[name]


class PynqMicroblaze:
    """Loads a program into an IOP and starts it.

    Source of names: PYNQ 2.6, ``pynq/lib/pynqmicroblaze``. Unlike there, another program that runs in the IOP already
    is replaced.

    Args:
        mb_info: which IOP, as ``overlay.iop1.mb_info``.
        mb_program: path of the program's .bin or .elf file.

    Attributes:
        state: "IDLE", "RUNNING" or "STOPPED".
        mb_program: as given.
        iop: the IOP as gapless has it.

    Raises:
        BadArgumentError: there is no such file, or it is no program for this IOP.
        UnknownNameError: the design has no such IOP.
    """

    def __init__(self, mb_info: Mapping[str, Any], mb_program: str) -> None:
        spec = iop_of(mb_info)
        if not os.path.isfile(mb_program):
            raise BadArgumentError(f"{mb_program} does not exist.")
        board = board_in_use()
        self.ip_name, self.rst_name = mb_info["ip_name"], names_of(spec)["rst_name"]
        self.mb_program, self.state = mb_program, "IDLE"
        self.iop, self._bus, self._spec = board.iop(spec.index), board.bus, spec
        self.program()

    def program(self) -> None:
        """Load ``mb_program`` and start it."""
        self.iop.load(self.mb_program)
        self.run()

    def run(self) -> None:
        """Let go of the reset."""
        self.iop.start()
        self.state = "RUNNING"

    def reset(self) -> None:
        """Hold it in reset."""
        self.iop.stop()
        self.state = "STOPPED"

    def write(self, offset: int, data: int | list[int]) -> None:
        """Write 32-bit words to the shared memory, from ``offset`` (bytes) on."""
        if isinstance(data, (int, list)):
            for number, word in enumerate([data] if isinstance(data, int) else data):
                self._bus.write32(self._address(offset + 4 * number), int(word) & 0xFFFF_FFFF)
        else:
            raise BadArgumentError("Type of write data has to be int or lists.")

    def read(self, offset: int, length: int = 1) -> int | list[int]:
        """``length`` 32-bit words of the shared memory from ``offset`` (bytes) on: a number, or a list of several."""
        if length < 1:
            raise BadArgumentError("Length of read data has to be 1 or more.")
        words = [self._bus.read32(self._address(offset + 4 * number)) for number in range(length)]
        return words[0] if length == 1 else words

    def _address(self, offset: int) -> int:
        if not 0 <= offset < self._spec.size or offset % 4:
            raise BadArgumentError(
                f"offset {offset:#x}: a multiple of 4 below {self._spec.size:#x}, the size of {self.ip_name}"
            )
        return self._spec.base + offset
