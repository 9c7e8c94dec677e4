"""SigMF recordings (.sigmf-meta beside .sigmf-data), through the sigmf library.

Keys and datatypes: SigMF specification 1.2, https://sigmf.org.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SignalError, UnsupportedError
from ..stream.ledger import Ledger
from .binary import BinarySource

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
    except ValueError as error:  # not JSON, or not even text
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
    metadata = _new_metadata(path)
    info = {
        "core:datatype": "ri16_le",
        "core:sample_rate": int(rate) if rate == int(rate) else float(rate),
        "core:recorder": "gapless",
    }
    missing = 0
    if ledger is not None and ledger.gap_count > len(ledger.gaps):
        log = f"{ledger.gap_count} gaps, {ledger.missing_samples} samples missing; the first {len(ledger.gaps)} listed"
        description = f"{description}; {log}" if description else log
    if description:
        info["core:description"] = description
    metadata.set_global_info(info)
    metadata.add_capture(0, metadata={})
    for gap in ledger.gaps if ledger is not None else ():
        annotation = {
            "core:sample_count": 0,  # nothing in the file belongs to it (and sigmf 1.2 refuses length=0)
            "core:label": "gap",
            "core:comment": f"{gap.length} samples missing before this one: {gap.cause}",
        }
        # the ledger counts the missing samples too, the file has only those that are there
        metadata.add_annotation(gap.index - missing, metadata=annotation)
        missing += gap.length
    metadata.validate()
    with path.open("w", encoding="utf-8") as file:
        metadata.dump(file)
        file.write("\n")
