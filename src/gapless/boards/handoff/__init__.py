"""Vivado's hardware hand-off (.hwh): what a design has in it, as data."""

from .axi_dma import DmaChannel, DmaParameters
from .design import (
    AddressRange,
    Block,
    Design,
    GpioPin,
    Interface,
    Interrupt,
    InterruptController,
    Memory,
    PlClock,
    Register,
    RegisterField,
    Stream,
    StreamEnd,
)

__all__ = [
    "AddressRange",
    "Block",
    "Design",
    "DmaChannel",
    "DmaParameters",
    "GpioPin",
    "Interface",
    "Interrupt",
    "InterruptController",
    "Memory",
    "PlClock",
    "Register",
    "RegisterField",
    "Stream",
    "StreamEnd",
]
