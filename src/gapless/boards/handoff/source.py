"""From a path to the text of a hand-off: a .hwh, the one beside a .bit, or the top design's in an .xsa."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import AccessDeniedError, BadArgumentError
from ...units import MIB, format_size
from .document import parse

#: The largest real ones have a few MiB; a file from elsewhere shall not fill the memory.
_MOST = 64 * MIB


@dataclass(frozen=True)
class Source:
    """What was read: ``title`` for messages, ``data`` and the name of the bitstream that belongs to it, or empty."""

    title: str
    data: bytes
    bitstream: str


def read_source(path: Path) -> Source:
    """Find and read the hand-off that ``path`` stands for. BadArgumentError when there is none."""
    readers = {".hwh": _from_hwh, ".bit": _from_bit, ".xsa": _from_xsa}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadArgumentError(f"{path}: a design is opened from its .hwh, from the .bit beside it or from an .xsa")
    try:
        return reader(path)
    except FileNotFoundError:
        raise BadArgumentError(f"{path}: there is no such file") from None
    except PermissionError as error:
        raise AccessDeniedError(f"{path} may not be read by this user: {error.strerror}") from None
    except OSError as error:
        raise BadArgumentError(f"{path} cannot be read: {error.strerror or error}") from None


def _from_hwh(path: Path) -> Source:
    size = path.stat().st_size
    if size > _MOST:
        raise BadArgumentError(f"{path} has {format_size(size)}: no hand-off is larger than {format_size(_MOST)}")
    bitstream = path.with_suffix(".bit")
    return Source(str(path), path.read_bytes(), str(bitstream) if bitstream.is_file() else "")


def _from_bit(path: Path) -> Source:
    # As in PYNQ, the .bit itself may be missing: what the design is, the .hwh alone says.
    beside = path.with_suffix(".hwh")
    if not beside.is_file():
        raise BadArgumentError(
            f"{path} has no {beside.name} beside it, which says what is in the design: "
            "copy the .hwh there that Vivado wrote with it, under this name"
        )
    source = _from_hwh(beside)
    return Source(source.title, source.data, str(path) if path.is_file() else "")


def _from_xsa(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            return _from_archive(path, archive)
    # RuntimeError: encrypted; NotImplementedError: a compression that Python does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise BadArgumentError(f"{path} is no .xsa, which is a zip archive, or not the whole of one: {error}") from None


def _from_archive(path: Path, archive: zipfile.ZipFile) -> Source:
    names = archive.namelist()
    handoffs = [name for name in names if name.endswith(".hwh")]
    if not handoffs:
        raise BadArgumentError(f"{path} has no .hwh in it: export the hardware of a block diagram (write_hw_platform)")
    top, bitstream = _listed(path, archive)
    if top is None and len(handoffs) == 1:
        top = handoffs[0]
    if top is None:
        raise BadArgumentError(
            f"{path}: its sysdef.xml does not say which of {', '.join(sorted(handoffs))} is of the top design: "
            "unpack it and open the .hwh itself"
        )
    if bitstream is None:
        bits = [name for name in names if name.endswith(".bit")]
        bitstream = bits[0] if len(bits) == 1 else ""
    return Source(f"{path}, {PurePosixPath(top).name}", _member(path, archive, top), bitstream)


def _listed(path: Path, archive: zipfile.ZipFile) -> tuple[str | None, str | None]:
    """The names of the top design's .hwh and of its .bit, as far as the archive's list of files says.

    Vivado calls the list sysdef.xml, or hwdef.xml where no bitstream is included.
    """
    for name in ("sysdef.xml", "hwdef.xml"):
        if name in archive.namelist():
            root = parse(_member(path, archive, name), f"{path}, {name}")
            files = [item for item in root.iter("File") if item.get("Name") in archive.namelist()]
            tops = [item.get("Name", "") for item in files if item.get("BD_TYPE") == "DEFAULT_BD"]
            tops = [top for top in tops if top.endswith(".hwh")]
            bits = [item.get("Name") for item in files if item.get("Type") in ("BIT", "FULL_BIT")]
            return (tops[0] if len(tops) == 1 else None), (bits[0] if bits else None)
    return None, None


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    size = info.file_size
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadArgumentError(f"{path}, {name} is compressed in a way that Vivado does not use: pack it again")
    if size > _MOST:
        raise BadArgumentError(f"{path}, {name} has {format_size(size)}: none is larger than {format_size(_MOST)}")
    return archive.read(name)
