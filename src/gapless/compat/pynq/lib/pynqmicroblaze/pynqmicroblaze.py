"""PynqMicroblaze: a program in an IOP, and the memory they share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .....board import Board
from .....boards import IopSpec
from .....errors import BadArgumentError, UnknownNameError
from .....units import format_address, format_size
from ...board_in_use import board_in_use
from ...gpio import GPIO
from ...hierarchy import DefaultHierarchy
from ...in_pl import dictionaries_of
from ...interrupt import Interrupt
from ...mmio import MMIO

if TYPE_CHECKING:
    from .....iop import Iop

#: What the pins of an IOP lead to, by a part of its name.
_TYPES = {"arduino": "Arduino", "rpi": "Rpi"}


def iop_of(mb_info: Mapping[str, Any], board: Board | None = None) -> IopSpec:
    """The IOP that ``mb_info`` names, on a board or the one in use; UnknownNameError when it has none of that name."""
    where = board_in_use() if board is None else board
    memories = dictionaries_of(where).mem_dict
    iops = {iop.base: iop for iop in where.spec.iops}
    known = {name: iops[entry["base_address"]] for name, entry in memories.items() if entry["base_address"] in iops}
    name = mb_info.get("ip_name") if isinstance(mb_info, Mapping) else None
    if name is None:
        raise BadArgumentError(f"mb_info {mb_info!r}: a dict with 'ip_name' is asked for, such as overlay.iop1.mb_info")
    if name not in known:
        raise UnknownNameError("IP", name, known)
    return known[name]


class MBInterruptEvent:
    """The interrupt of an IOP, in the form of an asyncio event: ``await wait()``, and ``clear()`` before the next.

    Args:
        intr_pin: name of the pin, as for :class:`Interrupt`.
        intr_ack_gpio: the pin of the PS's GPIO that clears it, counted from the first that leads to the PL.
    """

    def __init__(self, intr_pin: str, intr_ack_gpio: int) -> None:
        self.interrupt = Interrupt(intr_pin)
        self.gpio = GPIO(GPIO.get_gpio_pin(intr_ack_gpio), "out")

    async def wait(self, timeout: float | None = None) -> None:
        """Wait until the program raises it; as :meth:`Interrupt.wait`."""
        await self.interrupt.wait(timeout)

    def clear(self) -> None:
        """Let it be raised again. Before a command that is answered by it, not after."""
        self.gpio.write(1)
        self.gpio.write(0)


class PynqMicroblaze:
    """Loads a program into an IOP and starts it.

    Source of names: PYNQ 3, ``pynq/lib/pynqmicroblaze``. Unlike there, another program that runs in the IOP already
    is replaced, with ``force`` or without.

    Args:
        mb_info: which IOP, as ``overlay.iop1.mb_info``.
        mb_program: path of the program's .bin or .elf file.
        force: PYNQ's; changes nothing.

    Attributes:
        state: "IDLE", "RUNNING" or "STOPPED".
        ip_name, rst_name, mb_program: as given.
        mmio: its memory.
        interrupt: an :class:`MBInterruptEvent`; None where ``mb_info`` names no pins for it.
        iop: the IOP as gapless has it.

    Raises:
        BadArgumentError: there is no such file, or it is no program for this IOP; or no such pin in the design.
        UnknownNameError: the design has no such IOP.
    """

    def __init__(self, mb_info: Mapping[str, Any], mb_program: str, force: bool = False) -> None:
        spec, board = iop_of(mb_info), board_in_use()
        found = dictionaries_of(board)
        if not os.path.isfile(mb_program):
            raise BadArgumentError(f"{mb_program} does not exist.")
        for key, known in (
            ("rst_name", found.gpio_dict),
            ("intr_ack_name", found.gpio_dict),
            ("intr_pin_name", found.interrupt_pins),
        ):
            if mb_info.get(key) is not None and mb_info[key] not in known:
                raise UnknownNameError(f"pin of the design for {key}", mb_info[key], known)
        self.ip_name, self.rst_name = mb_info["ip_name"], mb_info.get("rst_name")
        self.mb_program, self.state = mb_program, "IDLE"
        self.iop, self.mmio = board.iop(spec.index), MMIO(spec.base, spec.size)
        self._entry = found.mem_dict[self.ip_name]
        self.interrupt: MBInterruptEvent | None = None
        pin, acknowledge = mb_info.get("intr_pin_name"), mb_info.get("intr_ack_name")
        if pin is not None and acknowledge is not None:
            self.interrupt = MBInterruptEvent(pin, found.gpio_dict[acknowledge]["index"])
        self.program()

    def program(self) -> None:
        """Load ``mb_program`` and start it."""
        self.iop.load(self.mb_program)
        self._entry["state"] = self.mb_program
        if self.interrupt is not None:
            self.interrupt.clear()
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
            words = [data] if isinstance(data, int) else data
            self._check(offset, len(words))
            for number, word in enumerate(words):
                self.mmio.write(offset + 4 * number, int(word) & 0xFFFF_FFFF)
        else:
            raise BadArgumentError("Type of write data has to be int or lists.")

    def read(self, offset: int, length: int = 1) -> int | list[int]:
        """``length`` 32-bit words of the shared memory from ``offset`` (bytes) on: a number, or a list of several."""
        if length < 1:
            raise BadArgumentError("Length of read data has to be 1 or more.")
        self._check(offset, length)
        words = [self.mmio.read(offset + 4 * number) for number in range(length)]
        return words[0] if length == 1 else words

    def _check(self, offset: int, words: int) -> None:
        if offset % 4 or not 0 <= offset <= self.mmio.length - 4 * words:
            raise BadArgumentError(
                f"{words} words at offset {offset:#x}: a multiple of 4, and all within the {self.mmio.length:#x} bytes "
                f"of {self.ip_name}"
            )


class MicroblazeHierarchy(DefaultHierarchy):
    """An IOP of the design, for the wrapper of a MicroBlaze program: it takes ``mb_info``.

    Source of names: PYNQ 3, ``pynq/lib/pynqmicroblaze``.

    Attributes:
        mb_info: the IOP and its wires by name: ip_name, rst_name, intr_pin_name, intr_ack_name; its name, and
            mb_type or mbtype, by the age of the wrapper.
    """

    about = "IOP (MicroBlaze)"

    def __init__(self, description: dict[str, Any], mbtype: str = "") -> None:
        path = description["fullpath"]
        outer, slash, name = path.rpartition("/")
        kind = mbtype or next((kind for part, kind in _TYPES.items() if part in name), "Pmod")
        self.mb_info: dict[str, str] = {
            "ip_name": f"{path}/mb_bram_ctrl",
            "rst_name": f"{outer}{slash}mb_{name}_reset",
            "intr_pin_name": f"{path}/dff_en_reset_vector_0/q",
            "intr_ack_name": f"{outer}{slash}mb_{name}_intr_ack",
            "name": path,
            "mb_type": kind,
            "mbtype": kind,
        }
        super().__init__(description)

    @staticmethod
    def checkhierarchy(description: Mapping[str, Any]) -> bool:
        """Whether it has the memory that a MicroBlaze shares with the host."""
        return "mb_bram_ctrl" in description["memories"]

    @property
    def mbtype(self) -> str:
        """What its pins lead to, ``mb_info["mbtype"]``; an overlay may say so."""
        return self.mb_info["mbtype"]

    @mbtype.setter
    def mbtype(self, value: str) -> None:
        self.mb_info["mbtype"] = self.mb_info["mb_type"] = value

    @property
    def spec(self) -> IopSpec:
        """The description of the IOP; UnknownNameError when the board has no such IOP."""
        return iop_of(self.mb_info, self.device.board)

    @property
    def iop(self) -> Iop:
        """The IOP as gapless has it: load(), start(), mailbox, wait_idle()."""
        return self.device.board.iop(self.spec.index)

    def _text(self) -> str:
        try:
            spec = self.spec
        except UnknownNameError as error:
            return f"{self.mb_info['name']}: a MicroBlaze that this board does not know: {error}"
        return (
            f"{self.mb_info['name']}: a MicroBlaze at {spec.clock / 1e6:g} MHz with {format_size(spec.size)} of memory "
            f"that the host sees at {format_address(spec.base)}.\n\n"
            f"It sees {format_size(spec.window.size)} of the board's memory, from physical address "
            f"{format_address(spec.window.physical)} on, at {format_address(spec.window.base)}.\n"
            "Give mb_info to the wrapper of a program, or use iop."
        )
