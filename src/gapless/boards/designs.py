"""What can be loaded where: the device on each board, and the designs that the virtual boards know by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import BadArgumentError, UnknownNameError
from .bitstream import Bitstream
from .fpga_manager import FpgaManager, Loaded
from .spec import BoardSpec

#: The device on each board, from its user guide (UG1271 ZCU111, UG1182 ZCU102, UG1267 ZCU104, UG1244 ZCU106,
#: UG1410 ZCU208, UG1390 ZCU216; the RFSoC-PYNQ pages for RFSoC2x2 and RFSoC4x2).
DEVICES: Mapping[str, str] = {
    "zcu111": "xczu28dr",
    "zcu102": "xczu9eg",
    "zcu104": "xczu7ev",
    "zcu106": "xczu7ev",
    "zcu208": "xczu48dr",
    "zcu216": "xczu49dr",
    "rfsoc2x2": "xczu28dr",
    "rfsoc4x2": "xczu48dr",
    "pynq-z2": "xc7z020",
}

#: The designs of the virtual boards, called as on the real ones. A board is opened with the first one.
DESIGNS: Mapping[str, tuple[str, ...]] = {
    "zcu111": ("awg", "digitizer"),
    "pynq-z2": ("pynq_tutorial", "dma_loopback"),
}


def load_bitstream(
    spec: BoardSpec, path: str | Path, root: Path | None = Path("/"), *, partial: bool = False
) -> Loaded:
    """Load a bitstream into the PL of a board.

    Args:
        spec: the board.
        path: a .bit or .bin file. On a virtual board it may be missing: its name alone selects a design.
        root: where /sys and /lib/firmware are; None for a virtual board, which has neither.
        partial: the file reconfigures a part of the PL only. A .bit file says so itself.

    Raises:
        BadArgumentError: it is no bitstream, cut short, encrypted, or for another device.
        UnknownNameError: a virtual board has no design of that name; the message lists those it has.
        UnsupportedError, AccessDeniedError, FpgaLoadError, WaitTimeoutError: see :meth:`FpgaManager.load`.
    """
    if root is None:
        return Loaded(_select(spec, Path(path)), "operating", 0.0)
    bitstream = _checked(spec, Path(path))
    return FpgaManager(root).load(bitstream, partial=partial)


def _checked(spec: BoardSpec, path: Path) -> Bitstream:
    bitstream = Bitstream.load(path)
    if device := DEVICES.get(spec.name):
        bitstream.check_device(spec.title, device)
    if bitstream.encrypted:
        raise BadArgumentError(f"{path} is encrypted: gapless has no keys to load it with; load it at boot")
    return bitstream


def _select(spec: BoardSpec, path: Path) -> str:
    known = DESIGNS.get(spec.name, ())
    exists = path.exists()
    names = [path.stem] if not exists else [_checked(spec, path).design, path.stem]
    for name in names:
        if name in known:
            return name
    what = ("" if exists else f"file {path} and no ") + f"design of the virtual {spec.name} called"
    raise UnknownNameError(what, names[0], known)
