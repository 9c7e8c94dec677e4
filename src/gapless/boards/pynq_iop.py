"""The soft processor subsystem of PYNQ's designs, the "IOP".

Source: PYNQ's base designs (the block diagrams of ``pynq/boards``): a MicroBlaze with 64 KiB of local memory, without
optional units, with these peripherals at these addresses.
"""

from __future__ import annotations

from .iop_spec import IopSpec, PeripheralSpec, WindowSpec

_CLOCK = 100e6

#: Where programs find what, as in PYNQ's Pmod IOP, whose interrupt controller has IIC, SPI and timer on inputs 0 to 2;
#: the inputs of GPIO and UART are ours to choose. The names are those in the block diagram.
PERIPHERALS = (
    PeripheralSpec("gpio", "axi-gpio", 0x4000_0000, interrupt=3, parameters={"width": 8}),
    PeripheralSpec("intr", "host-interrupt", 0x4001_0000),
    PeripheralSpec("uart", "uart-lite", 0x4060_0000, interrupt=4, parameters={"clock": _CLOCK, "baud": 115200}),
    PeripheralSpec("iic", "axi-iic", 0x4080_0000, interrupt=0, parameters={"clock": _CLOCK}),
    PeripheralSpec("intc", "axi-intc", 0x4120_0000, parameters={"inputs": 5, "edges": 1 << 4}),  # the UART's is a pulse
    PeripheralSpec("timer", "axi-timer", 0x41C0_0000, interrupt=2, parameters={"clock": _CLOCK}),
    PeripheralSpec("io_switch_v1", "pin-switch", 0x44A0_0000),  # where PYNQ's designs had it before version 2
    PeripheralSpec("spi", "quad-spi", 0x44A1_0000, interrupt=1, parameters={"clock": _CLOCK}),
    PeripheralSpec("io_switch", "pin-switch", 0x44A2_0000),
)


def pynq_iop(
    number: int, base: int, window: WindowSpec, *, reset_pin: int, acknowledge_pin: int, interrupt: int
) -> IopSpec:
    """IOP ``number`` of a design, as PYNQ builds it."""
    return IopSpec(
        f"iop{number}",
        number,
        base,
        window,
        reset_pin,
        acknowledge_pin,
        interrupt,
        peripherals=PERIPHERALS,
    )
