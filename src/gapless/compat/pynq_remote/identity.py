"""The files by which a client finds out what board it talks to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...board import Board

_VERSION, _BOARD, _COMPATIBLE = "/proc/version", "/proc/device-tree/chosen/pynq_board", "/proc/device-tree/compatible"
FPGA_MANAGER = "/sys/class/fpga_manager/fpga0/"
#: What PYNQ's images call the boards; others go by the name that gapless has for them.
_PYNQ_NAMES = {
    "pynq-z1": "Pynq-Z1",
    "pynq-z2": "Pynq-Z2",
    "rfsoc2x2": "RFSoC2x2",
    "rfsoc4x2": "RFSoC4x2",
}


def identity(board: Board, root: Path = Path("/")) -> Mapping[str, bytes]:
    """Path and contents of each; those of the machine itself where the board is real."""
    if board.probe is None:
        paths = (_VERSION, _BOARD, _COMPATIBLE, FPGA_MANAGER + "state", FPGA_MANAGER + "flags")
        files = {path: root / path.lstrip("/") for path in paths}
        return {path: file.read_bytes() for path, file in files.items() if file.is_file()}
    spec = board.spec
    gpio = spec.ps_gpio
    ultrascale = bool(spec.zdmas) or (gpio is not None and gpio.kind == "ps-gpio-mp")
    arch, family = ("aarch64", "zynqmp") if ultrascale else ("armv7l", "zynq-7000")
    name = _PYNQ_NAMES.get(spec.name, spec.name.upper())
    return {
        _VERSION: f"Linux version: virtual board {spec.name} of gapless ({arch})\n".encode(),
        _BOARD: name.encode() + b"\0",
        _COMPATIBLE: f"xlnx,{family}".encode() + b"\0",
        FPGA_MANAGER + "state": b"operating\n",
        FPGA_MANAGER + "flags": b"0\n",
    }
