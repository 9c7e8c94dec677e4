"""What an overlay or a hierarchy has, as attributes."""

from __future__ import annotations

import warnings
from typing import Any

from ...units import format_address, format_size
from .described import describe
from .device import Device
from .gpio import GPIO
from .interrupt import Interrupt
from .ip import DefaultIP, UnsupportedConfiguration


class IPMap:
    """Attributes by the names of a description; each comes to be when it is first asked for.

    A driver may write to its IP then. Source of names and of their order: PYNQ 3, ``pynq/overlay.py``.

    Args:
        description: of what is directly in an overlay or hierarchy: ``ip``, ``hierarchies``, ``interrupts``, ``gpio``
            and ``memories`` by name, with the ``device`` that they are on.
    """

    def __init__(self, description: dict[str, Any]) -> None:
        self._description = description

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_description" not in self.__dict__:
            raise AttributeError(name)
        if "/" in name:
            outer, _, inner = name.partition("/")
            return getattr(getattr(self, outer), inner)
        made = self._make(name)
        self.__dict__[name] = made
        return made

    def _make(self, name: str) -> Any:
        has = self._description
        if name in has["hierarchies"]:
            return has["hierarchies"][name]["driver"](has["hierarchies"][name])
        plain = has["ip"].get(name, {}).get("driver") in (None, DefaultIP)
        if name in has["memories"] and plain:
            device: Device = has["device"]
            return device.get_memory(has["memories"][name])
        if name in has["ip"]:
            return _driver(has["ip"][name])
        if name in has["interrupts"]:
            return Interrupt.of(has["device"].board, has["interrupts"][name])
        if name in has["gpio"]:
            return GPIO(GPIO.get_gpio_pin(has["gpio"][name]["index"]), "out")
        title = has.get("fullpath", "the overlay")
        raise AttributeError(f"Could not find IP or hierarchy {name} in {title}: it has {', '.join(self._keys())}")

    def _keys(self) -> list[str]:
        """Every name there is."""
        kinds = ("hierarchies", "ip", "interrupts", "gpio", "memories")
        return list(dict.fromkeys(name for kind in kinds for name in self._description[kind]))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._keys()})


def _driver(ip: dict[str, Any]) -> DefaultIP:
    try:
        made: DefaultIP = ip["driver"](ip)
    except UnsupportedConfiguration as error:
        warnings.warn(f"Configuration of IP {ip['fullpath']} not supported: {error}", stacklevel=4)
        made = DefaultIP(ip)
    what = f"{ip['fullpath']}, {ip['type']}: registers at {format_address(ip['phys_addr'])}"
    describe(
        made,
        ip["fullpath"].rpartition("/")[2],
        f"{what}, {format_size(ip['addr_range'])}.\n\n{type(made).__doc__ or ''}",
    )
    return made
