"""Signals in files: .raw, .npy, .wav and SigMF; and the ledger of a capture beside it."""

from .capture import FileCapture, record
from .cross_check import check_gaps, check_length
from .ledger_file import finish, ledger_path, read_ledger, reserve
from .opening import SUFFIXES, open_source
from .saving import check_destination, save_samples

__all__ = [
    "SUFFIXES",
    "FileCapture",
    "check_destination",
    "check_gaps",
    "check_length",
    "finish",
    "ledger_path",
    "open_source",
    "read_ledger",
    "record",
    "reserve",
    "save_samples",
]
