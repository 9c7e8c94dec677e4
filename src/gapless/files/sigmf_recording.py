"""SigMF recordings (.sigmf-meta beside .sigmf-data), through the sigmf library.

Keys and datatypes: SigMF specification 1.2, https://sigmf.org.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SignalError, UnsupportedError
from ..stream.ledger import Ledger
from .binary import BinarySource

#: Keys of the extension namespace "gapless" (SigMF 1.2, "Extension Namespaces").
_LEDGER, _GAP = "gapless:ledger", "gapless:gap"

_DATATYPES = {
    "ri16_le": "<i2",
    "ri16_be": ">i2",
    "rf32_le": "<f4",
    "rf32_be": ">f4",
    "rf64_le": "<f8",
    "rf64_be": ">f8",
}


def _new_metadata(path: Path, metadata: dict[str, Any] | None = None) -> Any:
    try:
        import sigmf
    except ImportError as error:
        raise UnsupportedError(f"{path}: SigMF needs sigmf: pip install 'gapless[files]'") from error
    return sigmf.SigMFFile(metadata=metadata, skip_checksum=True)


def check_sigmf_available(path: Path) -> None:
    """Raise UnsupportedError when the sigmf library is not installed."""
    _new_metadata(path)


def open_sigmf(path: Path) -> BinarySource:
    """The recording a .sigmf-meta describes: one channel of real samples."""
    metadata = _load(path)
    info = metadata["global"]
    datatype = str(info["core:datatype"])
    if datatype.startswith("c"):
        raise SignalError(
            f"{path}: complex where real samples are needed: core:datatype is {datatype}; "
            f"accepted are {', '.join(_DATATYPES)}"
        )
    if datatype not in _DATATYPES:
        raise SignalError(f"{path}: core:datatype is {datatype}; accepted are {', '.join(_DATATYPES)}")
    if info.get("core:num_channels", 1) != 1:
        raise SignalError(f"{path}: {info['core:num_channels']} channels; one can be played")
    headers = [capture.get("core:header_bytes", 0) for capture in metadata["captures"]]
    if any(headers[1:]):
        raise SignalError(f"{path}: core:header_bytes inside the data; only before the first sample can be played")
    data, dtype = _data_path(path, info), np.dtype(_DATATYPES[datatype])
    if not data.is_file():
        raise SignalError(f"{path}: its data file {data.name} is not beside it")
    offset = headers[0] if headers else 0
    size = data.stat().st_size - offset - info.get("core:trailing_bytes", 0)
    if size <= 0:
        raise SignalError(f"{data}: no samples in it; at least one is needed")
    if size % dtype.itemsize:
        raise SignalError(f"{data}: {size} bytes; {datatype} samples take {dtype.itemsize} bytes each: it is cut")
    return BinarySource(data, dtype, size // dtype.itemsize, offset=offset, rate=info.get("core:sample_rate"))


def _load(path: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # not JSON, not even text, or nested without end
        raise SignalError(f"{path}: not SigMF metadata: {error}") from None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("global"), dict):
        raise SignalError(f"{path}: not SigMF metadata: no global object in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of extensions, which are no concern here
            _new_metadata(path, metadata).validate()
    except UnsupportedError:
        raise
    except Exception as error:  # jsonschema's and sigmf's own, which have no root in common
        reason = str(error).partition("\n")[0]
        raise SignalError(f"{path}: not valid SigMF metadata: {reason}") from None
    return metadata


def _data_path(path: Path, info: dict[str, Any]) -> Path:
    if info.get("core:metadata_only"):
        raise SignalError(f"{path}: core:metadata_only is set: there are no samples to it")
    return path.with_name(Path(info["core:dataset"]).name) if "core:dataset" in info else data_path(path)


def data_path(path: Path) -> Path:
    """Where the samples of a .sigmf-meta are."""
    return path.with_suffix(".sigmf-data")


def write_metadata(path: Path, *, rate: float, ledger: Ledger | None, description: str) -> None:
    """Write the .sigmf-meta of one recording of int16 samples; every logged gap becomes an annotation."""
    path.write_text(metadata_text(path, rate=rate, ledger=ledger, description=description), encoding="utf-8")


def metadata_text(path: Path, *, rate: float, ledger: Ledger | None, description: str) -> str:
    """What :func:`write_metadata` writes; ``path`` is named where sigmf is not installed."""
    info: dict[str, Any] = {
        "core:datatype": "ri16_le",
        "core:sample_rate": int(rate) if rate == int(rate) else float(rate),
        "core:recorder": "gapless",
    }
    if ledger is not None:
        if ledger.gap_count > len(ledger.gaps):
            log = (
                f"{ledger.gap_count} gaps, {ledger.missing_samples} samples missing; "
                f"the first {len(ledger.gaps)} listed"
            )
            description = f"{description}; {log}" if description else log
        info["core:extensions"] = [{"name": "gapless", "version": "1.0.0", "optional": True}]
        # The gaps are the annotations, and the blocks lie between them.
        totals = ledger.document()
        info[_LEDGER] = {key: value for key, value in totals.items() if key not in ("gaps", "blocks")}
    if description:
        info["core:description"] = description
    missing = 0
    annotations = []
    for gap in ledger.gaps if ledger is not None else ():
        # The ledger counts the missing samples too, the file has only those that are there.
        annotations.append(
            {
                "core:sample_start": gap.index - missing,
                "core:sample_count": 0,  # nothing in the file belongs to it
                "core:label": "gap",
                "core:comment": f"{gap.length} samples missing before this one: {gap.cause}",
                _GAP: asdict(gap),
            }
        )
        missing += gap.length
    metadata = _new_metadata(path)
    metadata.set_global_info(info)
    metadata.add_capture(0, metadata={})
    # Annotations all at once: sigmf would sort them each time it is given one.
    metadata = _new_metadata(path, {**metadata.ordered_metadata(), "annotations": annotations})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of extensions
        metadata.validate()
        return str(metadata.dumps()) + "\n"


def read_sigmf_ledger(path: Path) -> Ledger | None:
    """The ledger in a .sigmf-meta; None when it is not one of ours. SignalError when it is nonsense."""
    try:
        metadata = _load(path)
    except OSError as error:
        raise SignalError(f"{path}: cannot be read: {error.strerror or error}") from error
    totals = metadata["global"].get(_LEDGER)
    if totals is None:
        return None
    try:
        gaps = [annotation[_GAP] for annotation in metadata.get("annotations", ()) if _GAP in annotation]
        return Ledger.from_document(totals, gaps)
    except SignalError as error:
        raise SignalError(f"{path}: its ledger cannot be: {error}") from None
