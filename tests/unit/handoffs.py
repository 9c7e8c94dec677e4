"""Hand-offs of our own making: the elements that Vivado writes, with as little in them as a test needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

#: The vendor and library of an IP, unless a test says otherwise.
_IP = "xilinx.com:ip"
PS7, MPSOC = "processing_system7", "zynq_ultra_ps_e"


class Handoff:
    """A block diagram with a PS called "ps". Blocks are named by their path; the net of a pin by any text."""

    def __init__(self, kind: str = PS7, parameters: Mapping[str, object] = {}, **about: str) -> None:
        self.root = ElementTree.Element("EDKSYSTEM", EDWVERSION="1.2", VIVADOVERSION="2024.1")
        device = {PS7: ("7z020", "clg400", "-1"), MPSOC: ("xczu28dr", "ffvg1517", "-2")}.get(kind, ("", "", ""))
        info = dict(zip(("DEVICE", "PACKAGE", "SPEEDGRADE"), device, strict=True)) | {"NAME": "tiny"} | about
        ElementTree.SubElement(self.root, "SYSTEMINFO", info)
        self._outside = ElementTree.SubElement(self.root, "EXTERNALPORTS")
        self._buses_outside = ElementTree.SubElement(self.root, "EXTERNALINTERFACES")
        self._modules = ElementTree.SubElement(self.root, "MODULES")
        self.block("ps", kind, "5.5", parameters)

    def block(
        self, name: str, kind: str, version: str = "1.0", parameters: Mapping[str, object] = {}, **attributes: str
    ) -> Handoff:
        """An instance of an IP."""
        module = ElementTree.SubElement(
            self._modules,
            "MODULE",
            {
                "FULLNAME": f"/{name}",
                "INSTANCE": name.replace("/", "_"),
                "MODTYPE": kind,
                "HWVERSION": version,
                "VLNV": f"{_IP}:{kind}:{version}",
            }
            | attributes,
        )
        for part in ("ADDRESSBLOCKS", "PARAMETERS", "PORTS", "BUSINTERFACES", "MEMORYMAP"):
            ElementTree.SubElement(module, part)
        for key, value in parameters.items():
            self._part(name, "PARAMETERS", "PARAMETER", NAME=key, VALUE=str(value))
        return self

    def pin(self, name: str, direction: str, net: str = "", width: int = 1, **attributes: str) -> Handoff:
        """A pin "block/port", or "port" of the design itself; without a net it is not connected."""
        block, _, port = name.rpartition("/")
        given = {"NAME": port, "DIR": direction} | attributes
        if width > 1:
            given |= {"LEFT": str(width - 1), "RIGHT": "0"}
        if net:
            given["SIGNAME"] = net
        if block:
            self._part(block, "PORTS", "PORT", **given)
        else:
            ElementTree.SubElement(self._outside, "PORT", given)
        return self

    def bus(self, name: str, side: str, bus: str, protocol: str = "axis", **attributes: str) -> Handoff:
        """An interface "block/interface", or one of the design itself; ``side`` as Vivado calls it."""
        block, _, interface = name.rpartition("/")
        given = {"NAME": interface, "TYPE": side, "BUSNAME": bus} | attributes
        if block:
            self._part(block, "BUSINTERFACES", "BUSINTERFACE", VLNV=f"xilinx.com:interface:{protocol}:1.0", **given)
        else:
            ElementTree.SubElement(self._buses_outside, "BUSINTERFACE", given)
        return self

    def passing(self, name: str, kind: str, buses: Iterable[str], out: Iterable[str]) -> Handoff:
        """A block that takes streams from ``buses`` and gives them to ``out``."""
        self.block(name, kind)
        for index, bus in enumerate(buses):
            self.bus(f"{name}/S{index:02}_AXIS", "SLAVE", bus)
        for index, bus in enumerate(out):
            self.bus(f"{name}/M{index:02}_AXIS", "MASTER", bus)
        return self

    def address(
        self,
        block: str,
        base: int,
        size: int,
        *,
        interface: str = "S_AXI",
        by: str = "ps",
        master: str = "M_AXI_GP0",
        segment: str = "Reg",
        memory: bool = False,
    ) -> Handoff:
        """A range at which ``by`` reaches ``block``."""
        self._part(
            by,
            "MEMORYMAP",
            "MEMRANGE",
            ADDRESSBLOCK=segment,
            BASEVALUE=f"0x{base:08X}",
            HIGHVALUE=f"0x{base + size - 1:08X}",
            INSTANCE=block.replace("/", "_"),
            MASTERBUSINTERFACE=master,
            MEMTYPE="MEMORY" if memory else "REGISTER",
            SLAVEBUSINTERFACE=interface,
        )
        return self

    def concat(self, name: str, nets: Iterable[tuple[str, int]], out: str) -> Handoff:
        """An xlconcat of nets with their widths; the net "" is not connected."""
        nets = list(nets)
        self.block(name, "xlconcat", "2.1", {"NUM_PORTS": len(nets)})
        for index, (net, width) in enumerate(nets):
            self.pin(f"{name}/In{index}", "I", net, width)
        return self.pin(f"{name}/dout", "O", out, sum(width for _, width in nets))

    def slice(self, name: str, net: str, high: int, low: int, out: str, kind: str = "xlslice") -> Handoff:
        """Bits ``high`` to ``low`` of a net."""
        self.block(name, kind, "1.0", {"DIN_FROM": high, "DIN_TO": low})
        self.pin(f"{name}/Din", "I", net, 32)
        return self.pin(f"{name}/Dout", "O", out, high - low + 1)

    def register(self, block: str, name: str, offset: int, fields: Mapping[str, tuple[int, int]] = {}) -> Handoff:
        """A register of 32 bits; ``fields``: from names to (offset, width)."""
        space = self._part(block, "ADDRESSBLOCKS", "ADDRESSBLOCK", INTERFACE="S_AXI")
        register = ElementTree.SubElement(ElementTree.SubElement(space, "REGISTERS"), "REGISTER", NAME=name)
        properties(register, ADDRESS_OFFSET=f"0x{offset:02X}", SIZE=32, ACCESS="read-write", DESCRIPTION=f"The {name}")
        inside = ElementTree.SubElement(register, "FIELDS")
        for field, (first, width) in fields.items():
            element = ElementTree.SubElement(inside, "FIELD", NAME=field)
            properties(element, BIT_OFFSET=first, BIT_WIDTH=width, ACCESS="read-only", DESCRIPTION=f"Its {field}")
        return self

    def text(self) -> str:
        """The file, with the mark of UTF-8 before it that Vivado writes."""
        ElementTree.indent(self.root)
        xml = ElementTree.tostring(self.root, encoding="unicode")
        return f'\ufeff<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n{xml}\n'

    def save(self, path: Path) -> Path:
        """Write it, and return where."""
        path.write_text(self.text(), encoding="utf-8")
        return path

    def _part(self, block: str, part: str, tag: str, **attributes: str) -> ElementTree.Element:
        module = self._modules.find(f"MODULE[@FULLNAME='/{block}']/{part}")
        assert module is not None, block
        return ElementTree.SubElement(module, tag, attributes)


def properties(element: ElementTree.Element, **values: object) -> None:
    for name, value in values.items():
        ElementTree.SubElement(element, "PROPERTY", NAME=name, VALUE=str(value))
