"""DefaultIP: an IP of the design, and what drivers of IP inherit from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import BadArgumentError
from .binding import bind_ip, unbind_ip
from .gpio import GPIO
from .interrupt import Interrupt
from .mmio import MMIO
from .registers import RegisterMap


class UnsupportedConfiguration(Exception):  # noqa: N818 - PYNQ's name
    """What a driver's ``__init__`` raises for an IP that was built as it cannot use it: a DefaultIP takes its place."""


class DefaultIP:
    """An IP: its registers, and what those who inherit from it know to do with them.

    A class that inherits from it and has ``bindto``, a list of types (``"xilinx.com:ip:axi_gpio:2.0"``), is what
    overlays that are made from then on have for such IP. The interrupt outputs of the IP, and its inputs that pins of
    the PS's GPIO drive, are attributes by their names: an :class:`Interrupt` and a :class:`GPIO` each.

    Source of names: PYNQ 3, ``pynq/overlay.py``.

    Args:
        description: of the IP, as in ``Overlay.ip_dict``: its ``phys_addr`` and ``addr_range`` (bytes); ``fullpath``,
            ``registers``, ``interrupts``, ``gpio`` and ``device`` where they are known.

    Attributes:
        description: as given.
        device: that it is on.
        mmio: its registers.
    """

    bindto: Sequence[str] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Bind the class to the types that it names itself."""
        super().__init_subclass__(**kwargs)
        bind_ip(cls, cls.__dict__.get("bindto", ()))

    def __init__(self, description: Mapping[str, Any]) -> None:
        if not isinstance(description, Mapping) or not {"phys_addr", "addr_range"} <= set(description):
            raise BadArgumentError(
                f"description {description!r}: a dict with 'phys_addr' and 'addr_range' is asked for, such as "
                "overlay.ip_dict['leds_gpio']"
            )
        self.description = description
        self.mmio = MMIO(description["phys_addr"], description["addr_range"], description.get("device"))
        self.device = self.mmio.device
        self._interrupts: Mapping[str, Any] = description.get("interrupts", {})
        self._gpio: Mapping[str, Any] = description.get("gpio", {})
        self._registers = description.get("registers")
        self._fullpath: str = description.get("fullpath", "IP")
        self._register_name = self._fullpath.rpartition("/")[2]
        self._register_map: Any = None

    @classmethod
    def unregister(cls) -> None:
        """Bind the class to nothing any more."""
        unbind_ip(cls)

    def __getattr__(self, name: str) -> Any:
        # When they are asked for: a pin has an owner from then on, and an interrupt may be out of reach.
        made: Interrupt | GPIO
        if name in self.__dict__.get("_interrupts", ()):
            made = Interrupt.of(self.device.board, self._interrupts[name])
        elif name in self.__dict__.get("_gpio", ()):
            made = GPIO(GPIO.get_gpio_pin(self._gpio[name]["index"]), "out")
        else:
            return object.__getattribute__(self, name)  # for its message; a property may have one of its own
        self.__dict__[name] = made
        return made

    def read(self, offset: int = 0) -> int:
        """The 32-bit register at ``offset`` (bytes, a multiple of 4)."""
        return self.mmio.read(offset)

    def write(self, offset: int, value: int | bytes) -> None:
        """Write the 32-bit register at ``offset`` (bytes, a multiple of 4)."""
        self.mmio.write(offset, value)

    @property
    def register_map(self) -> Any:
        """Its registers by name, a :class:`RegisterMap`; AttributeError where nothing says what they are."""
        if not self._registers:
            raise AttributeError(
                f"{self._fullpath} has no register_map: nothing here describes its registers; use read and write"
            )
        if self._register_map is None:
            self._register_map = RegisterMap.create_subclass(self._register_name, self._registers)(self.mmio.array)
        return self._register_map
