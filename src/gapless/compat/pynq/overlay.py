"""Overlay: a design in the PL, and what it has, as attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...boards.handoff import Design
from ...errors import PynqError, UnsupportedError
from ...units import format_address, format_size
from . import in_pl
from .binding import assign_drivers
from .bitstream import Bitstream
from .buffer import settle_all
from .clocks import set_clocks
from .described import describe, table
from .dictionaries import Dictionaries
from .hierarchy import DefaultHierarchy
from .ip import DefaultIP, UnsupportedConfiguration
from .ip_data import load_ip_data
from .ip_map import IPMap
from .lib import DMA, AxiGPIO, MicroblazeHierarchy  # noqa: F401 - their import binds them
from .to_load import file_to_load

#: Programs import all of these from here.
__all__ = ["DefaultHierarchy", "DefaultIP", "Overlay", "UnsupportedConfiguration"]

_USE_OF_IOP = """A wrapper loads the program of an IOP, which mb_info names:

    from iop.pynq_tutorial import Pynq_Tutorial
    iop = Pynq_Tutorial(overlay.{}.mb_info)"""


class Overlay(Bitstream):
    """A design in the PL of the board in use; its IP, hierarchies, memories and engines are attributes.

    Source of names: PYNQ 3, ``pynq/overlay.py``. The design is what the .hwh beside the .bit says, or that in an .xsa;
    where there is no such file, a built-in one, found by the name without folder and suffix. ``help(overlay)`` lists
    what the design has.

    Args:
        bitfile_name: path of a .bit, .hwh or .xsa file; the .bit itself may be missing on a virtual board.
        dtbo: not supported; None.
        download: load it at once. Else its attributes are there if it is in the PL already, and raise PynqError until
            :meth:`download` if not; the dictionaries are always there.
        ignore_version: take drivers for IP of other versions than those that they are bound to.
        device: by default, the board in use.
        gen_cache: PYNQ's; changes nothing.

    Attributes:
        ip_dict, mem_dict, gpio_dict, interrupt_pins, interrupt_controllers, clock_dict, hierarchy_dict: what the design
            has, with PYNQ's keys.
        design: the design as gapless has it.

    Raises:
        UnknownNameError: there is neither such a file nor a built-in design; the message lists those there are.
        BadArgumentError: the hand-off is wrong; see :meth:`gapless.boards.handoff.Design.load`.
        BadArgumentError, UnsupportedError, FpgaLoadError and others: it cannot be loaded, see ``Board.load``.
    """

    _ip_map: IPMap

    def __init__(
        self,
        bitfile_name: str,
        dtbo: str | None = None,
        download: bool = True,
        ignore_version: bool = False,
        device: Any = None,
        gen_cache: bool = False,
    ) -> None:
        super().__init__(bitfile_name, dtbo, device=device)
        self.design: Design = in_pl.find_design(self._board, self.bitfile_name)
        self.ignore_version, self.pr_dict = ignore_version, dict[str, Any]()
        self._take(Dictionaries.of(self.design))
        # Reading an attribute asks each time whether the design is still there.
        describe(self, _identifier(Path(bitfile_name).stem), self._text())
        if download:
            self.download()

    def download(self, dtbo: Any = None) -> None:
        """Load the design into the PL, with its clocks; whatever was loaded before is gone, and drivers are new.

        On a real board the clocks stay as they were unless this program reaches the PS's registers.
        """
        if dtbo is not None:
            raise PynqError(f"dtbo={dtbo!r}: device-tree overlays are not loaded here; the engines need none")
        with file_to_load(self._board, self.design, self.bitfile_name) as path:
            self._board.load(path)
        settle_all()  # what was under way has ended with the design before
        self._note(self.design)
        set_clocks(self.device, self.clock_dict)
        for entry in (*self.ip_dict.values(), *self.mem_dict.values()):
            entry["state"] = None
        self._ip_map = IPMap(self._ip_map._description)

    def is_loaded(self) -> bool:
        """Whether this is what is in the PL: what was downloaded last; before any download here, the same design."""
        last = in_pl.loaded(self._board)
        if self.timestamp:
            return last is not None and last.timestamp == self.timestamp
        try:
            return in_pl.same(self.design, in_pl.design_of(self._board))
        except UnsupportedError:
            return False

    def reset(self) -> None:
        """Take the dictionaries from the design again: no program counts as loaded any more."""
        self._take(Dictionaries.of(self.design))
        if self.is_loaded():
            self._note(self.design)

    def free(self) -> None:
        """Nothing: there is no device-tree overlay to take away."""

    def load_ip_data(self, ip_name: str, data: str, zero: bool = False) -> None:
        """Write a binary file to an IP, from its first address on, and note it as the ``state`` of the IP.

        Args and errors: see :func:`gapless.compat.pynq.ip_data.load_ip_data`; PynqError when the design is not loaded.
        """
        self._check_loaded()
        load_ip_data(self._board, self._found, ip_name, data, zero)
        for name, ip in in_pl.dictionaries_of(self._board).ip_dict.items():
            if name == ip_name:
                ip["state"] = data

    def pr_download(self, partial_region: str, partial_bit: str, dtbo: str | None = None, program: bool = True) -> None:
        """Not here: UnsupportedError, see :meth:`DefaultHierarchy.download`."""
        getattr(self, partial_region).download(partial_bit, dtbo, program)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_ip_map" not in self.__dict__:
            raise AttributeError(name)
        self._check_loaded()
        return getattr(self._ip_map, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._ip_map._keys()})

    def _check_loaded(self) -> None:
        if not self.is_loaded():
            raise PynqError(f"Overlay not currently loaded: download() loads {self.bitfile_name}")

    def _take(self, found: Dictionaries) -> None:
        """Have these dictionaries, and drivers that are yet to be made."""
        self._found = found
        self.ip_dict, self.mem_dict, self.gpio_dict = found.ip_dict, found.mem_dict, found.gpio_dict
        self.interrupt_pins, self.interrupt_controllers = found.interrupt_pins, found.interrupt_controllers
        self.clock_dict, self.hierarchy_dict = found.clock_dict, found.hierarchy_dict
        top: dict[str, Any] = {
            kind: {name: entry for name, entry in entries.items() if "/" not in name}
            for kind, entries in (("ip", _addressed(found)), ("hierarchies", found.hierarchy_dict))
        }
        memories = {name: entry for name, entry in found.mem_dict.items() if "/" not in name}
        top |= {"memories": memories, "interrupts": {}, "gpio": {}, "device": self.device}
        assign_drivers(
            top, self.device, self, ignore_version=self.ignore_version, default=(DefaultIP, DefaultHierarchy)
        )
        self._ip_map = IPMap(top)

    def _text(self) -> str:
        """What it has, for help()."""
        has = self._ip_map._description
        rows: list[tuple[str, ...]] = [("attribute", "is", "registers", "driver")]
        for name, entry in has["hierarchies"].items():
            kind = entry["driver"]
            rows.append(
                (name, getattr(kind, "about", "hierarchy"), _where(entry), f"{kind.__module__}.{kind.__name__}")
            )
        for name, entry in has["ip"].items():
            kind = entry["driver"]
            rows.append((name, entry["type"].split(":")[-2], _where(entry), f"{kind.__module__}.{kind.__name__}"))
        pins: list[tuple[str, ...]] = [("pin", "PS GPIO")]
        pins += [(name, f"EMIO {pin['index']}") for name, pin in self.gpio_dict.items()]
        lines: list[tuple[str, ...]] = [("interrupt", "line")]
        for name, pin in self.interrupt_pins.items():
            lines.append((name, str(pin["raw_irq"]) if "raw_irq" in pin else f"{pin['controller']} {pin['index']}"))
        memories: list[tuple[str, ...]] = [("memory", "from", "")]
        for name, entry in self.mem_dict.items():
            memories.append((name, format_address(entry["base_address"]), format_size(entry["size"])))
        iops = [name for name, entry in has["hierarchies"].items() if issubclass(entry["driver"], MicroblazeHierarchy)]
        return "\n\n".join(
            (
                f"Overlay {Path(self.bitfile_name).stem} on {self._board.spec.title}, board {self._board.uri}.",
                *(table(listed) for listed in (rows, memories, pins, lines) if len(listed) > 1),
                "Each attribute has a help() of its own. Buffers for DMA engines and IOPs come from pynq.allocate().",
                *(_USE_OF_IOP.format(name) for name in iops[:1]),
            )
        )


def _addressed(found: Dictionaries) -> dict[str, Any]:
    """The IP with registers: not the PS itself."""
    return {name: ip for name, ip in found.ip_dict.items() if "phys_addr" in ip}


def _where(entry: dict[str, Any]) -> str:
    """At which addresses something is; of a hierarchy, its one memory."""
    if "hierarchies" in entry:
        memories = list(entry["memories"].values())
        return _where(memories[0]) if len(memories) == 1 else ""
    return f"{format_address(entry['phys_addr'])}, {format_size(entry['addr_range'])}"


def _identifier(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
