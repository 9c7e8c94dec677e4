"""Register and RegisterMap: registers by their bits, and by the names that a design gives them."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import BadArgumentError, PynqError, UnknownNameError
from .mmio import MMIO, RegisterArray


class Register:
    """A register whose bits are items: ``register[3]``, ``register[31:16]``; both ends of a slice belong to it.

    ``register[first:last]`` with the lower bit first gives, and takes, the bits in reverse. Every access reads the
    register, and to write some of its bits is to read it and write all of them.

    Source of names and behaviour: PYNQ 3, ``pynq/registers.py``.

    Args:
        address: physical; or, with ``buffer``, what messages call it.
        width: 32 or 64 bits.
        debug: PYNQ's; changes nothing.
        buffer: where it is, if not at that address: what supports the buffer protocol, or an ``MMIO.array``.
    """

    _fields: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, address: int, width: int = 32, debug: bool = False, buffer: Any = None) -> None:
        if width not in (32, 64):
            raise BadArgumentError(f"width {width}: Supported register width is 32 or 64.")
        self.address, self.width = address, width
        self._words = _words(MMIO(address, width // 8).array if buffer is None else buffer)[: width // 32]
        if len(self._words) < width // 32:
            raise BadArgumentError(f"register at {address:#x}: {width} bits are more than is there")

    def __getitem__(self, index: int | slice) -> int:
        lowest, count, reverse = _bits(index, self.width)
        value = self._value() >> lowest & (1 << count) - 1
        return _reversed(value, count) if reverse else value

    def __setitem__(self, index: int | slice, value: int) -> None:
        lowest, count, reverse = _bits(index, self.width)
        bits = operator.index(value)
        if not 0 <= bits < 1 << count:
            raise BadArgumentError(f"{bits:#x} does not fit {count} bits of the register at {self.address:#x}")
        bits = _reversed(bits, count) if reverse else bits
        mask = (1 << count) - 1 << lowest
        kept = 0 if count == self.width else self._value() & ~mask
        for number in range(len(self._words)):
            self._words[number] = (kept | bits << lowest) >> 32 * number & 0xFFFF_FFFF

    @classmethod
    def create_subclass(cls, name: str, fields: Mapping[str, Mapping[str, Any]], doc: str | None = None) -> type:
        """A class whose registers have ``fields`` as attributes.

        Args:
            name: of the register.
            fields: name to ``access``, ``bit_offset``, ``bit_width`` and ``description``.
            doc: what the register is.
        """
        members: dict[str, Any] = {"_fields": {_attribute(field): found for field, found in fields.items()}}
        if doc:
            members["__doc__"] = doc
        for field, found in members["_fields"].items():
            members[field] = _field(field, found)
        return type(f"Register{_attribute(name)}", (cls,), members)

    @classmethod
    def count(cls, index: int | slice, width: int = 32) -> int:
        """How many bits an index or slice is."""
        return _bits(index, width)[1]

    def __int__(self) -> int:
        return self._value()

    __index__ = __int__

    def __str__(self) -> str:
        return hex(self._value())

    def __repr__(self) -> str:
        fields = [
            f"{field}={'write-only' if found['access'] == 'write-only' else getattr(self, field)}"
            for field, found in self._fields.items()
        ] or [f"value={self._value()}"]
        return f"Register({', '.join(fields)})"

    def _value(self) -> int:
        return sum(int(self._words[number]) << 32 * number for number in range(len(self._words)))


class RegisterMap:
    """Registers as attributes: ``map.GPIO_DATA[0]``, ``map.MM2S_DMASR.Idle``, ``map.GPIO_DATA = 5``.

    Assigning to a name that is no register raises, where PYNQ's takes it in silence. :meth:`create_subclass` makes
    the class, and an ``MMIO.array`` or what supports the buffer protocol an instance of it.
    """

    _registers: Mapping[str, Mapping[str, Any]]
    _kinds: Mapping[str, type]

    def __init__(self, buffer: Any) -> None:
        if not hasattr(self, "_kinds"):
            raise PynqError("Only subclasses of RegisterMap from create_subclass can be instantiated")
        words = _words(buffer)
        found = {}
        for name, register in self._registers.items():
            offset, width = register["address_offset"], 32 if register["size"] <= 32 else 64
            found[name] = self._kinds[name](offset, width, buffer=words[offset // 4 : offset // 4 + width // 32])
        self.__dict__["_instances"] = found

    @classmethod
    def create_subclass(cls, name: str, registers: Mapping[str, Mapping[str, Any]]) -> type:
        """A class with ``registers`` as attributes.

        Args:
            name: of the IP.
            registers: name to ``address_offset`` (bytes), ``size`` (bits, to 64), ``access``, ``description`` and
                ``fields``, which are as for :meth:`Register.create_subclass`.
        """
        known = {_attribute(register): found for register, found in registers.items()}
        for register, found in known.items():
            if found["size"] > 64 or found["address_offset"] % 4:
                raise BadArgumentError(
                    f"register {register} of {found['size']} bits at {found['address_offset']:#x}: at most 64 bits, at "
                    "a multiple of 4"
                )
        members: dict[str, Any] = {
            "_registers": known,
            "_kinds": {
                register: Register.create_subclass(register, found.get("fields", {}), found.get("description"))
                for register, found in known.items()
            },
        }
        return type(f"RegisterMap{_attribute(name)}", (cls,), members)

    def __getattr__(self, name: str) -> Register:
        found: dict[str, Register] = self.__dict__.get("_instances", {})
        if name not in found:
            raise AttributeError(f"no register {name!r}: there is {', '.join(found)}")
        return found[name]

    def __setattr__(self, name: str, value: int) -> None:
        if name not in self._registers:
            raise UnknownNameError("register", name, self._registers)
        if self._registers[name]["access"] == "read-only":
            raise AttributeError(f"register {name} is read-only")
        self._instances[name][:] = value  # type: ignore[index]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._registers]

    def __repr__(self) -> str:
        instances: dict[str, Register] = self.__dict__["_instances"]
        rows = sorted(instances.items(), key=lambda item: item[1].address)
        return "RegisterMap {\n" + ",\n".join(f"  {name} = {register!r}" for name, register in rows) + "\n}"


def _field(name: str, found: Mapping[str, Any]) -> property:
    first, count = found["bit_offset"], found["bit_width"]
    bits = slice(first + count - 1, first)

    def read(register: Register) -> int:
        return register[bits]

    def write(register: Register, value: int) -> None:
        register[bits] = value

    return property(read, None if found["access"] == "read-only" else write, doc=found.get("description", name))


def _words(buffer: Any) -> Any:
    """Whatever has the register, as 32-bit words."""
    if isinstance(buffer, RegisterArray):
        return buffer
    return buffer.view(np.uint32) if isinstance(buffer, np.ndarray) else np.frombuffer(buffer, np.uint32)


def _bits(index: int | slice, width: int) -> tuple[int, int, bool]:
    """The lowest bit, how many, and whether the lower end was given first."""
    if not isinstance(index, slice):
        first = last = operator.index(index)
    elif index.step in (None, -1):
        first = width - 1 if index.start is None else index.start
        last = 0 if index.stop is None else index.stop
    elif index.step == 1:
        first = 0 if index.start is None else index.start
        last = width - 1 if index.stop is None else index.stop
    else:
        raise BadArgumentError(f"step {index.step}: Slicing step is not valid, it is 1 or -1.")
    for end in (first, last):
        if not 0 <= end < width:
            raise BadArgumentError(f"Slicing endpoint {end} not in range 0 - {width - 1}")
    return min(first, last), abs(first - last) + 1, first < last


def _reversed(value: int, count: int) -> int:
    return int(f"{value:0{count}b}"[::-1], 2)


def _attribute(name: str) -> str:
    """A name that Python takes."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", f"r{name}" if name[:1].isdigit() else name)
