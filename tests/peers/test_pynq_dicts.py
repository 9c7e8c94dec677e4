"""The dictionaries of an overlay, on designs that Vivado made, against those of PYNQ's own parser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gapless.boards.handoff import Design
from gapless.boards.pynq_z2 import HANDOFF
from gapless.compat.pynq import RegisterMap
from gapless.compat.pynq.dictionaries import PS_DDR, Dictionaries

from .real_handoffs import HANDOFFS, folder, pynqs_parser

#: Keys that PYNQ's devices add to a memory, where its parser does not.
_MEMORY_KEYS = {"base_address", "size", "tag", "idx", "streaming"}


@pytest.fixture(scope="module", params=[*HANDOFFS, HANDOFF])
def both(request: pytest.FixtureRequest) -> tuple[Dictionaries, Any]:
    design = Design.load(HANDOFF if request.param is HANDOFF else folder() / request.param)
    with pynqs_parser(folder() / "hwh_parser.py") as module:
        family = module._HWHZynq if design.device.startswith("xc7z") else module._HWHUltrascale
        return Dictionaries.of(design), family(str(design.path))


def of_ip(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without what one of the two has alone: see the comments."""
    plain = {key: value for key, value in entry.items() if key not in _MEMORY_KEYS | {"bdtype"}}  # SBD or RBD: unused
    plain["registers"] = {
        name: register
        | {
            "fields": {
                # PYNQ gives each the description of its register.
                field: {key: value for key, value in bits.items() if key != "description"}
                for field, bits in register["fields"].items()
            }
        }
        for name, register in entry.get("registers", {}).items()
    }
    # PYNQ lists the inputs of concatenations, too, which are other ends of the same nets.
    plain["interrupts"] = {pin: at for pin, at in entry["interrupts"].items() if not pin.startswith("In")}
    return plain


def test_ip_dict(both: tuple[Dictionaries, Any]) -> None:
    ours, pynqs = both
    assert set(ours.ip_dict) == set(pynqs.ip_dict)
    for name, entry in pynqs.ip_dict.items():
        mine, theirs = of_ip(ours.ip_dict[name]), of_ip(entry)
        if not theirs["registers"]:  # then we may know them from the product guide
            del mine["registers"], theirs["registers"]
        assert mine == theirs, name


def test_mem_dict(both: tuple[Dictionaries, Any]) -> None:
    ours, pynqs = both
    assert set(ours.mem_dict) - {PS_DDR} == set(pynqs.mem_dict)
    for name, entry in pynqs.mem_dict.items():
        mine = ours.mem_dict[name]
        assert mine is ours.ip_dict[name]
        assert (mine["base_address"], mine["size"], mine["used"]) == (entry["phys_addr"], entry["addr_range"], 1)
    assert ours.mem_dict[PS_DDR]["base_address"] == 0


def test_interrupts(both: tuple[Dictionaries, Any]) -> None:
    ours, pynqs = both
    assert ours.interrupt_controllers == pynqs.interrupt_controllers
    assert ours.interrupt_pins == {name: pin for name, pin in pynqs.interrupt_pins.items() if "/In" not in name}


def test_gpio_and_clocks(both: tuple[Dictionaries, Any]) -> None:
    ours, pynqs = both
    assert ours.gpio_dict == pynqs.gpio_dict
    assert {
        index: {key: value for key, value in clock.items() if key != "frequency"}
        for index, clock in ours.clock_dict.items()
    } == pynqs.clock_dict


def test_hierarchies(both: tuple[Dictionaries, Any]) -> None:
    ours, pynqs = both
    assert set(ours.hierarchy_dict) == set(pynqs.hierarchy_dict)
    for name, theirs in pynqs.hierarchy_dict.items():
        mine = ours.hierarchy_dict[name]
        assert set(mine) == set(theirs)
        for kind in ("ip", "hierarchies", "memories", "gpio"):
            assert set(mine[kind]) == set(theirs[kind]), (name, kind)
        for last, entry in mine["ip"].items():
            assert entry is ours.ip_dict[f"{name}/{last}"]
        for last, entry in mine["hierarchies"].items():
            assert entry is ours.hierarchy_dict[f"{name}/{last}"]


def test_register_maps(both: tuple[Dictionaries, Any]) -> None:
    """Of every IP that has registers; PYNQ's names of them are attributes."""
    ours, pynqs = both
    for name, entry in pynqs.ip_dict.items():
        if entry.get("registers"):
            words = np.zeros(entry["addr_range"] // 4, np.uint32)
            found = RegisterMap.create_subclass(name, ours.ip_dict[name]["registers"])(words)
            assert {register for register in entry["registers"] if register.isidentifier()} <= set(dir(found))
            assert repr(found).startswith("RegisterMap {")
