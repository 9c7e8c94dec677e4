"""The blocks of a design, from the MODULE elements of its hand-off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from ...errors import BadArgumentError
from .design import AddressRange, Block, Interface, Register, RegisterField
from .netlist import Netlist
from .numbers import number

#: What Vivado calls the side of a bus that starts transfers or sends. MONITOR, a probe, is neither.
_MASTERS = ("MASTER", "INITIATOR")
_SLAVES = ("SLAVE", "TARGET")
#: The bus of an interface that is connected to nothing.
_UNCONNECTED = "__NOC__"


def block_names(modules: list[Element], title: str) -> dict[str, str]:
    """From the instance names, by which elements refer to each other, to paths in the block diagram."""
    names: dict[str, str] = {}
    for module in modules:
        name = required(module, "FULLNAME", title).lstrip("/")
        instance = required(module, "INSTANCE", title)
        if instance in names or name in names.values():
            raise BadArgumentError(f"{title} has two blocks called {name}: export it again")
        names[instance] = name
    return names


def required(element: Element, attribute: str, title: str) -> str:
    """An attribute that a hand-off always has. BadArgumentError when it is missing."""
    value = element.get(attribute)
    if value is None:
        raise BadArgumentError(f"{title}: a {element.tag} has no {attribute}: this is no hand-off as Vivado writes it")
    return value


def parameters(element: Element, path: str) -> dict[str, str]:
    """Names and values; a parameter without a value is left out, as PYNQ does."""
    pairs = ((item.get("NAME"), item.get("VALUE")) for item in element.iterfind(path))
    return {name: value for name, value in pairs if name is not None and value is not None}


def memory_map(
    module: Element, names: Mapping[str, str], containers: frozenset[str], title: str
) -> Iterator[AddressRange]:
    """What a block sees as a master: each range once, without those of blocks that the hand-off does not have.

    ``containers`` are the instances that stand for a part of the design with a hand-off of its own.
    """
    seen = set()
    for item in module.iterfind("MEMORYMAP/MEMRANGE"):
        instance = required(item, "INSTANCE", title)
        if instance not in names or instance in containers:
            continue
        what = f"{title}: of {names[instance]} the"
        base = number(item.get("BASEVALUE"), f"{what} BASEVALUE")
        high = number(item.get("HIGHVALUE"), f"{what} HIGHVALUE")
        if high < base:
            raise BadArgumentError(f"{what} addresses end at {high:#x}, before their first, {base:#x}: export it again")
        found = AddressRange(
            names[instance],
            item.get("SLAVEBUSINTERFACE", ""),
            item.get("MASTERBUSINTERFACE", ""),
            item.get("ADDRESSBLOCK", ""),
            base,
            high - base + 1,
            "memory" if item.get("MEMTYPE") == "MEMORY" else "register",
        )
        if found not in seen:  # data and instruction sides may be listed one by one
            seen.add(found)
            yield found


def make_block(
    module: Element, name: str, ranges: tuple[AddressRange, ...], sees: tuple[AddressRange, ...], netlist: Netlist
) -> Block:
    """A block, its address ranges and what it sees being known."""
    vlnv = module.get("VLNV", "")
    return Block(
        name,
        vlnv,
        module.get("MODTYPE", ""),
        module.get("HWVERSION") or vlnv.rpartition(":")[2],
        parameters(module, "PARAMETERS/PARAMETER"),
        ranges,
        sees,
        {item.name: item for item in _interfaces(module, name)},
        netlist.clocks(name),
        tuple(_registers(module, name)),
    )


def _interfaces(module: Element, block: str) -> Iterator[Interface]:
    for item in module.iterfind("BUSINTERFACES/BUSINTERFACE"):
        if (side := item.get("TYPE")) not in (*_MASTERS, *_SLAVES):
            continue
        name = item.get("NAME", "")
        bus = item.get("BUSNAME", _UNCONNECTED)
        width = item.get("DATAWIDTH")
        vlnv = item.get("VLNV", "").split(":")
        yield Interface(
            name,
            vlnv[2] if len(vlnv) > 2 else "",
            side in _MASTERS,
            "" if bus == _UNCONNECTED else bus,
            None if width is None else number(width, f"DATAWIDTH of {block}.{name}"),
            parameters(item, "PARAMETER"),
        )


def _registers(module: Element, block: str) -> Iterator[Register]:
    for space in module.iterfind("ADDRESSBLOCKS/ADDRESSBLOCK"):
        for item in space.iterfind("REGISTERS/REGISTER"):
            name, has = item.get("NAME", ""), parameters(item, "PROPERTY")
            what = f"of register {name} of {block}"
            yield Register(
                name,
                space.get("INTERFACE", ""),
                number(has.get("ADDRESS_OFFSET"), f"ADDRESS_OFFSET {what}"),
                number(has.get("SIZE"), f"SIZE {what}"),
                has.get("ACCESS", ""),
                has.get("DESCRIPTION", ""),
                tuple(_fields(item, what)),
            )


def _fields(register: Element, what: str) -> Iterator[RegisterField]:
    for item in register.iterfind("FIELDS/FIELD"):
        has = parameters(item, "PROPERTY")
        yield RegisterField(
            item.get("NAME", ""),
            number(has.get("BIT_OFFSET"), f"BIT_OFFSET {what}"),
            number(has.get("BIT_WIDTH"), f"BIT_WIDTH {what}"),
            has.get("ACCESS", ""),
            has.get("DESCRIPTION", ""),
        )
