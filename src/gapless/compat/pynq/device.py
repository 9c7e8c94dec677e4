"""Device: the board in use, as PYNQ's programs name it."""

from __future__ import annotations

from typing import Any

from ...board import Board
from ...errors import BadArgumentError, UnknownNameError
from .board_in_use import board_in_use, use
from .dictionaries import PS_DDR, Dictionaries
from .in_pl import dictionaries_of, forget, loaded

#: The processor of each PS, as ``platform.machine()`` calls it on the board.
_ARCHITECTURES = {"ps-gpio-7000": "armv7l", "ps-gpio-mp": "aarch64"}


class _Devices(type):
    """``Device.devices`` and ``Device.active_device`` are of the class."""

    @property
    def devices(cls) -> list[Device]:
        """The one device there is: the board in use."""
        return [Device(board_in_use())]

    @property
    def active_device(cls) -> Device:
        """The device that is meant where none is given."""
        return Device(board_in_use())

    @active_device.setter
    def active_device(cls, value: Device | Board) -> None:
        board = getattr(value, "board", value)
        if not isinstance(board, Board):
            raise BadArgumentError(f"active_device = {value!r}: a Device or a board of gapless is asked for")
        use(board)


class Device(metaclass=_Devices):
    """A board, with the names that PYNQ's devices have. Two of one board are equal.

    Source of names: PYNQ 3 and 4, ``pynq/pl_server/device.py`` and ``embedded_device.py``.

    Attributes:
        board: the board as gapless has it.
    """

    def __init__(self, board: Board) -> None:
        self.board = board

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.board is self.board

    def __hash__(self) -> int:
        return id(self.board)

    def __repr__(self) -> str:
        return f"<Device {self.tag}: {self.name}>"

    @property
    def name(self) -> str:
        """What kind of board it is."""
        return self.board.spec.title

    @property
    def tag(self) -> str:
        """What it was opened as."""
        return self.board.uri

    @property
    def arch(self) -> str:
        """ "armv7l" or "aarch64": of the board's processor, not of this machine."""
        gpio = self.board.spec.ps_gpio
        return _ARCHITECTURES.get("" if gpio is None else gpio.kind, "aarch64")

    @property
    def capabilities(self) -> dict[str, bool]:
        """What PYNQ asks a device for."""
        return {"MEMORY_MAPPED": True, "REGISTER_RW": False, "CALLABLE": False}

    def has_capability(self, cap: str) -> bool:
        """Whether it has one of these."""
        return self.capabilities.get(cap, False)

    # ---- memory

    def allocate(self, shape: Any, dtype: Any = "u4", **kwargs: Any) -> Any:
        """As ``pynq.allocate``, on this board."""
        from .buffer import allocate

        return allocate(shape, dtype, target=self.board.memory["ps-cma"], **kwargs)

    @property
    def default_memory(self) -> Any:
        """What ``allocate`` allocates from."""
        return self.get_memory(self.mem_dict[PS_DDR])

    def get_memory(self, desc: dict[str, Any]) -> Any:
        """A memory by its entry in ``mem_dict``."""
        from .memory import Memory

        return Memory(self, desc)

    def get_memory_by_name(self, name: str) -> Any:
        """A memory by its name; UnknownNameError when the design has none of that name."""
        if name not in self.mem_dict:
            raise UnknownNameError("memory", name, self.mem_dict)
        return self.get_memory(self.mem_dict[name])

    # ---- what is in the PL

    @property
    def bitfile_name(self) -> str | None:
        """Of the last download."""
        last = loaded(self.board)
        return None if last is None else last.bitfile_name

    @property
    def timestamp(self) -> str | None:
        """When the last download was."""
        last = loaded(self.board)
        return None if last is None else last.timestamp

    @property
    def ip_dict(self) -> dict[str, Any]:
        """As ``Overlay.ip_dict``, of the design that is in the PL."""
        return self._found.ip_dict

    @property
    def mem_dict(self) -> dict[str, Any]:
        """As ``Overlay.mem_dict``."""
        return self._found.mem_dict

    @property
    def gpio_dict(self) -> dict[str, Any]:
        """As ``Overlay.gpio_dict``."""
        return self._found.gpio_dict

    @property
    def interrupt_pins(self) -> dict[str, Any]:
        """As ``Overlay.interrupt_pins``."""
        return self._found.interrupt_pins

    @property
    def interrupt_controllers(self) -> dict[str, Any]:
        """As ``Overlay.interrupt_controllers``."""
        return self._found.interrupt_controllers

    @property
    def hierarchy_dict(self) -> dict[str, Any]:
        """As ``Overlay.hierarchy_dict``."""
        return self._found.hierarchy_dict

    def load_ip_data(self, ip_name: str, data: str, zero: bool = False) -> None:
        """See ``Overlay.load_ip_data``."""
        from .ip_data import load_ip_data

        load_ip_data(self.board, self._found, ip_name, data, zero)

    def reset(self, parser: Any = None, timestamp: Any = None, bitfile_name: Any = None) -> None:
        """Forget what was downloaded."""
        forget(self.board)

    def close(self) -> None:
        """Nothing: who opened a board closes it."""

    @property
    def _found(self) -> Dictionaries:
        return dictionaries_of(self.board)
