"""What can be loaded where: the device on each board, and the designs that the virtual boards know by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import BadArgumentError, UnknownNameError, UnsupportedError
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


class FoundDesign(NamedTuple):
    """A design by its name, and a board with it."""

    name: str
    spec: BoardSpec


def load_bitstream(spec: BoardSpec, path: str | Path, root: Path = Path("/"), *, partial: bool = False) -> Loaded:
    """Load a bitstream into the PL of a real board.

    Args:
        spec: the board.
        path: a .bit or .bin file.
        root: where /sys and /lib/firmware are.
        partial: the file reconfigures a part of the PL only. A .bit file says so itself.

    Raises:
        BadArgumentError: it is no bitstream, cut short, encrypted, or for another device.
        UnsupportedError, AccessDeniedError, FpgaLoadError, WaitTimeoutError: see :meth:`FpgaManager.load`.
    """
    bitstream = _checked(spec, Path(path))
    if bitstream.empty:
        raise BadArgumentError(f"{path} has no configuration in it: it was made for virtual boards")
    return FpgaManager(root).load(bitstream, partial=partial)


def find_design(spec: BoardSpec, path: str | Path) -> FoundDesign:
    """The design that a virtual board is to have in its PL.

    Args:
        spec: the board, with the design that it has now.
        path: a .hwh, an .xsa, or a .bit with the .hwh beside it. Without one, the name in a .bit file or that of
            ``path``, whose file may be missing, is that of a built-in design.

    Raises:
        BadArgumentError: what the file has in it cannot be read, or is for another device.
        UnknownNameError: there is no such file, nor a built-in design of this name for this board.
        UnsupportedError: a partial bitstream.
    """
    from .handoff.checked import SUFFIXES, built_in

    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".bit" and path.is_file() and Bitstream.load(path).partial:
        raise UnsupportedError(f"{path} is partial: a virtual board loads whole designs")
    if suffix in SUFFIXES and (path.with_suffix(".hwh") if suffix == ".bit" else path).exists():
        return _described(spec, path)
    exists = path.exists()
    names = [path.stem] if not exists else [_checked(spec, path).design, path.stem]
    own = DESIGNS.get(spec.name, ())
    for name in names:
        if name in own:
            return FoundDesign(name, _own(spec, name))
        if name in built_in():
            return _described(spec, built_in()[name])
    what = ("" if exists else f"file {path} and no ") + f"design of the virtual {spec.name} called"
    raise UnknownNameError(what, names[0], dict.fromkeys((*own, *built_in())))


def _checked(spec: BoardSpec, path: Path) -> Bitstream:
    bitstream = Bitstream.load(path)
    if device := _device(spec):
        bitstream.check_device(spec.title, device)
    if bitstream.encrypted:
        raise BadArgumentError(f"{path} is encrypted: gapless has no keys to load it with; load it at boot")
    return bitstream


def _described(spec: BoardSpec, path: Path) -> FoundDesign:
    from .handoff.board_spec import board_spec
    from .handoff.checked import load_checked

    design = load_checked(path, device=_device(spec), board=spec.title)
    return FoundDesign(design.name, board_spec(design))


def _device(spec: BoardSpec) -> str | None:
    if spec.name in DEVICES:
        return DEVICES[spec.name]
    if spec.handoff is None:
        return None
    from .handoff import Design

    return Design.load(spec.handoff).device


def _own(spec: BoardSpec, name: str) -> BoardSpec:
    from .detection import KNOWN
    from .handoff.checked import built_in

    if name == DESIGNS[spec.name][0] if spec.handoff is None else spec.handoff == built_in().get(name):
        return spec  # as the board was opened: with FIFOs of its depth
    return next(known.designs[name]() for known in KNOWN if known.name == spec.name)
