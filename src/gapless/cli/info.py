"""gapless info."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from .. import __version__
from .. import board as boards
from ..board import Board
from ..boards import ConverterSpec, IopSpec, PeripheralSpec
from ..units import format_address, format_bandwidth, format_rate, format_size
from . import options
from .output import print_fields, print_json, print_table

EXAMPLES = """\b
Examples:
  gapless info
  gapless info --board 'virtual:zcu111?ps=32GiB' --json
"""


def info(board: options.Board = options.DEFAULT_BOARD, json: options.Json = False) -> int:
    """Say what is installed, and what a board has."""
    with boards.open(board) as opened:
        if json:
            print_json(_document(opened))
        else:
            _print(opened)
    return 0


def _document(board: Board) -> dict[str, Any]:
    spec = board.spec
    return {
        "version": __version__,
        "board": board.uri,
        "title": spec.title,
        "design": spec.design,
        "converters": [
            {
                "name": converter.name,
                "direction": converter.direction,
                "max_rate_sa_per_s": converter.max_rate,
                "samples_per_beat": converter.samples_per_beat,
                "fifo_depth_bytes": converter.fifo_bytes,
                "dmas": list(converter.dmas),
            }
            for converter in spec.converters
        ],
        "pairs": [
            {"name": pair.name, "converters": list(pair.converters), "dmas": list(pair.dmas)} for pair in spec.pairs
        ],
        "dmas": [
            {
                "name": dma.name,
                "mode": _mode(dma.sg),
                "base": dma.base,
                "length_width": dma.length_width,
                "address_width": dma.address_width,
                "data_width_bytes": dma.data_width,
                "max_transfer_bytes": dma.max_length,
                "ports": {kind.value: name for kind, name in dma.ports.items()},
                "interrupts": {"mm2s": dma.mm2s_interrupt, "s2mm": dma.s2mm_interrupt},
            }
            for dma in spec.dmas
        ],
        "iops": [
            {
                "name": iop.name,
                "base": iop.base,
                "bytes": iop.size,
                "clock_hz": iop.clock,
                "interrupt": iop.interrupt,
                "units": sorted(iop.units),
                "window": {"base": iop.window.base, "bytes": iop.window.size, "physical": iop.window.physical},
                "peripherals": [_peripheral(part) for part in iop.peripherals],
            }
            for iop in spec.iops
        ],
        "peripherals": [_peripheral(part) for part in spec.peripherals],
        "interrupt_inputs": [
            {"controller": name, "input": index, "line": line} for (name, index), line in spec.interrupt_inputs.items()
        ],
        "ips": [{"name": ip.name, "vlnv": ip.vlnv, "base": ip.base, "bytes": ip.size} for ip in spec.ips],
        "ports": [{"name": port.name, "bandwidth_bytes_per_s": port.bandwidth} for port in spec.ports],
        "interrupts": dict(board.interrupts),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _peripheral(part: PeripheralSpec) -> dict[str, Any]:
    return {"name": part.name, "kind": part.kind, "base": part.base, "interrupt": part.interrupt}


def _mode(sg: bool) -> str:
    return "sg" if sg else "direct"


def _print(board: Board) -> None:
    spec = board.spec
    print_fields(
        [
            ("gapless", f"{__version__}, Python {platform.python_version()}, numpy {np.__version__}"),
            ("board", f"{board.uri}: {spec.title}"),
            ("design", spec.design),
        ]
    )
    tables = (
        (
            ("converter", "up to", "FIFO", "beat", "DMA"),
            [_converter(converter) for converter in spec.converters],
            ("up to", "FIFO", "beat"),
        ),
        (
            ("in step", "converters", "DMA"),
            [(pair.name, " and ".join(pair.converters), ", ".join(pair.dmas)) for pair in spec.pairs],
            (),
        ),
        (
            ("DMA", "mode", "length", "address", "data", "ports"),
            [
                (
                    dma.name,
                    _mode(dma.sg),
                    f"{dma.length_width} bit",
                    f"{dma.address_width} bit",
                    f"{8 * dma.data_width} bit",
                    ", ".join(dma.ports.values()),
                )
                for dma in spec.dmas
            ],
            ("length", "address", "data"),
        ),
        (("IOP", "local memory", "sees", "at"), [_iop(iop) for iop in spec.iops], ()),
        (
            ("peripheral", "kind", "registers"),
            [(part.name, part.kind, format_address(part.base)) for part in spec.peripherals],
            (),
        ),
        (
            ("IP without a model", "kind", "registers"),
            [(ip.name, ip.kind, format_address(ip.base) if ip.size else "none") for ip in spec.ips],
            (),
        ),
        (
            ("memory port", "bandwidth"),
            [(port.name, format_bandwidth(port.bandwidth)) for port in spec.ports],
            ("bandwidth",),
        ),
        (("interrupt", "how it is told of"), list(board.interrupts.items()), ()),
    )
    for columns, rows, numbers in tables:
        if rows:
            print()
            print_table(columns, rows, numbers=numbers)


def _iop(spec: IopSpec) -> tuple[str, ...]:
    window = spec.window
    memory = f"{format_address(spec.base)}, {format_size(spec.size)}"
    if not window.size:
        return spec.name, memory, "none", "-"
    seen = f"{format_address(window.physical)} to {format_address(window.physical + window.size - 1)}"
    return spec.name, memory, seen, format_address(window.base)


def _converter(spec: ConverterSpec) -> tuple[str, ...]:
    return (
        spec.name,
        format_rate(spec.max_rate),
        format_size(spec.fifo_bytes),
        f"{spec.samples_per_beat} samples",
        ", ".join(spec.dmas),
    )
