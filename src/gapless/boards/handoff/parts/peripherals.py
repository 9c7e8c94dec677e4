"""Peripherals with a model: which IP they are, and what the model wants to know of how one was built.

Sources of the parameters' names: PG144 (AXI GPIO), PG079 (AXI timer), PG099 (AXI INTC), PG142 (UART Lite), PG090 (AXI
IIC), PG153 (AXI Quad SPI), "User Parameters" of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...iop_spec import PeripheralSpec
from ..design import Block
from ..numbers import number


class _Model(NamedTuple):
    """``parameters``: from ours to the IP's; ``clock``: the input whose frequency counts, by preference."""

    kind: str
    parameters: Mapping[str, str] = {}
    clocks: tuple[str, ...] = ()


_CHANNEL = {
    "width": "C_GPIO{}_WIDTH",
    "data": "C_DOUT_DEFAULT{}",
    "tristate": "C_TRI_DEFAULT{}",
    "all_inputs": "C_ALL_INPUTS{}",
    "all_outputs": "C_ALL_OUTPUTS{}",
}
_FIRST = {ours: name.format("") for ours, name in _CHANNEL.items()}
_SECOND = {f"{ours}2": name.format("2" if ours == "width" else "_2") for ours, name in _CHANNEL.items()}

_MODELS: Mapping[str, _Model] = {
    "axi_gpio": _Model("axi-gpio", _FIRST),
    "axi_timer": _Model("axi-timer", clocks=("s_axi_aclk",)),
    "axi_intc": _Model("axi-intc", {"inputs": "C_NUM_INTR_INPUTS"}),
    "axi_uartlite": _Model("uart-lite", {"baud": "C_BAUDRATE"}, ("s_axi_aclk",)),
    "axi_iic": _Model("axi-iic", {"scl": "C_IIC_FREQ"}, ("s_axi_aclk",)),
    "axi_quad_spi": _Model(
        "quad-spi",
        {"ratio": "C_SCK_RATIO", "fifo_depth": "C_FIFO_DEPTH", "slaves": "C_NUM_SS_BITS"},
        ("ext_spi_clk", "s_axi_aclk"),
    ),
    "io_switch": _Model("pin-switch"),
    "xadc_wiz": _Model("xadc"),
}


def peripheral(name: str, block: Block, base: int, interrupt: int | None) -> PeripheralSpec | None:
    """The peripheral that a block is; None when there is no model of it, or of how it was built."""
    model = _MODELS.get(block.kind)
    if model is None or not _supported(block):
        return None
    wanted = dict(model.parameters)
    if block.kind == "axi_gpio" and _value(block, "C_IS_DUAL", 0):
        wanted |= _SECOND
    values = {ours: _value(block, name) for ours, name in wanted.items() if name in block.parameters}
    if block.kind == "axi_intc":
        values["edges"] = _edges(block)
    clock = next((block.clocks[pin] for pin in model.clocks if pin in block.clocks), None)
    clocks = {} if clock is None else {"clock": clock}
    return PeripheralSpec(name, model.kind, base, interrupt, clocks | values)


def _supported(block: Block) -> bool:
    """The model of the SPI is of standard mode (C_SPI_MODE 0), with FIFOs."""
    if block.kind != "axi_quad_spi":
        return True
    return _value(block, "C_SPI_MODE", 0) == 0 and _value(block, "C_FIFO_DEPTH", 16) != 0


def _edges(block: Block) -> int:
    """Bit by input: whether it looks for an edge. C_KIND_OF_INTR has ones above the last input, too."""
    inputs = min(_value(block, "C_NUM_INTR_INPUTS", 32), 32)
    return _value(block, "C_KIND_OF_INTR", 0) & ((1 << inputs) - 1)


def _value(block: Block, name: str, default: int | None = None) -> int:
    text = block.parameters.get(name)
    if text is None and default is not None:
        return default
    return number(text, f"{name} of {block.name}")
