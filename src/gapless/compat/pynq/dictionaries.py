"""What a design has, as the dictionaries that PYNQ's metadata is."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ...boards.handoff import Design
from ...boards.handoff.design import AddressRange, Block, Register
from .register_tables import registers_of

#: One entry: of an IP, a memory, a pin, a clock or a hierarchy.
Entry = dict[str, Any]

#: The memory of the PS, under the name that PYNQ has for it.
PS_DDR = "PSDDR"


@dataclass
class Dictionaries:
    """PYNQ's dictionaries of one design, each from names to entries.

    Source of keys: PYNQ 3.1.2, ``pynq/pl_server/hwh_parser.py``; of memories ``base_address``, ``size``, ``tag``,
    ``idx`` and ``streaming`` besides, as its devices add them. Entries are shared: what is in ``ip_dict`` is the same
    object in ``mem_dict`` and in its hierarchy.
    """

    ip_dict: dict[str, Entry] = field(default_factory=dict)
    mem_dict: dict[str, Entry] = field(default_factory=dict)
    gpio_dict: dict[str, Entry] = field(default_factory=dict)
    interrupt_pins: dict[str, Entry] = field(default_factory=dict)
    interrupt_controllers: dict[str, Entry] = field(default_factory=dict)
    clock_dict: dict[int, Entry] = field(default_factory=dict)
    hierarchy_dict: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, design: Design) -> Dictionaries:
        """Those of a design; nobody else's."""
        made = cls(
            ip_dict=dict(_ips(design)),
            gpio_dict=dict(_gpio(design)),
            interrupt_pins=dict(_interrupt_pins(design)),
            interrupt_controllers=dict(_interrupt_controllers(design)),
            clock_dict=dict(_clocks(design)),
        )
        made.mem_dict.update(_memories(design, made.ip_dict))
        made.hierarchy_dict.update(_hierarchies(made))
        made._attach_pins()
        return made

    def copy(self) -> Dictionaries:
        """The same again, with entries of its own."""
        return deepcopy(self)

    def _attach_pins(self) -> None:
        """Interrupt outputs and pins of the PS's GPIO, where they end: at an IP or at a hierarchy."""
        for name, entry in self.interrupt_pins.items():
            block, _, pin = name.rpartition("/")
            for owners in (self.ip_dict, self.hierarchy_dict):
                if block in owners:
                    owners[block]["interrupts"][pin] = entry
        for entry in self.gpio_dict.values():
            for name in entry["pins"]:
                block, _, pin = name.rpartition("/")
                owner = self.ip_dict.get(block) or self.hierarchy_dict.get(block)
                if owner is not None:
                    owner["gpio"][pin] = entry


def _ips(design: Design) -> Iterator[tuple[str, Entry]]:
    for name, block, where in design.addressed():
        yield name, _ip(name, block, where)
    ps = design.block(design.ps)
    yield design.ps, {"type": ps.vlnv, "parameters": dict(ps.parameters), "gpio": {}, "interrupts": {}}


def _ip(name: str, block: Block, where: AddressRange) -> Entry:
    return {
        "fullpath": name,
        "type": block.vlnv,
        "bdtype": None,
        "state": None,
        "addr_range": where.size,
        "phys_addr": where.base,
        "mem_id": where.interface,
        "memtype": where.memory_type.upper(),
        "gpio": {},
        "interrupts": {},
        "parameters": dict(block.parameters),
        # Our own hand-offs describe no registers, and of some IP Vivado's do not either.
        "registers": {item.name: _register(item) for item in block.registers} or registers_of(block.vlnv),
    }


def _register(register: Register) -> Entry:
    return {
        "address_offset": register.offset,
        "size": register.size,
        "access": register.access,
        "description": register.description,
        "fields": {
            item.name: {
                "bit_offset": item.offset,
                "bit_width": item.width,
                "access": item.access,
                "description": item.description,
            }
            for item in register.fields
        },
    }


def _memories(design: Design, ips: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    for memory in design.memories.values():
        if memory.kind == "ps-ddr" and memory.base == 0:
            entry = {"fullpath": PS_DDR, "type": PS_DDR, "state": None}
            yield PS_DDR, entry | _memory(PS_DDR, 0, memory.base, memory.size)
    inside = [(name, ip) for name, ip in ips.items() if ip.get("memtype") == "MEMORY"]
    for number, (name, ip) in enumerate(inside, 1):
        ip.update(_memory(name, number, ip["phys_addr"], ip["addr_range"]))
        yield name, ip


def _memory(name: str, number: int, base: int, size: int) -> Entry:
    return {"base_address": base, "size": size, "tag": name, "idx": number, "streaming": False, "used": 1}


def _gpio(design: Design) -> Iterator[tuple[str, Entry]]:
    for name, pin in design.gpio.items():
        yield name, {"index": pin.index + pin.width - 1, "state": None, "pins": set(pin.pins)}


def _interrupt_pins(design: Design) -> Iterator[tuple[str, Entry]]:
    for name, pin in design.interrupts.items():
        path = name if pin.bit else pin.pin
        entry = {"controller": pin.controller, "index": pin.index, "fullpath": path}
        yield path, entry if pin.controller else entry | {"raw_irq": pin.line}


def _interrupt_controllers(design: Design) -> Iterator[tuple[str, Entry]]:
    for name, found in design.interrupt_controllers.items():
        entry = {"parent": found.parent, "index": found.index}
        yield name, entry if found.parent else entry | {"raw_irq": found.line}


def _clocks(design: Design) -> Iterator[tuple[int, Entry]]:
    for clock in design.clocks:
        first, second = clock.divisors
        yield (
            clock.index,
            {
                "enable": int(clock.enabled),
                "divisor0": first,
                "divisor1": second,
                "frequency": clock.frequency / 1e6 or None,
            },
        )


def _hierarchies(found: Dictionaries) -> dict[str, Entry]:
    """Every hierarchy with something that has an address, however deep in it."""
    made: dict[str, Entry] = {}

    def hierarchy(path: str) -> Entry:
        if path not in made:
            kinds = ("ip", "hierarchies", "interrupts", "gpio", "memories")
            made[path] = {kind: {} for kind in kinds} | {"fullpath": path}
            outer, _, name = path.rpartition("/")
            if outer:
                hierarchy(outer)["hierarchies"][name] = made[path]
        return made[path]

    for kind, entries in (("ip", found.ip_dict), ("memories", found.mem_dict)):
        for name, entry in entries.items():
            path, _, last = name.rpartition("/")
            if path:
                hierarchy(path)[kind][last] = entry
    return made
