"""Signals in files: .raw, .npy, .wav and SigMF."""

from .opening import SUFFIXES, open_source
from .saving import check_destination, save_samples

__all__ = ["SUFFIXES", "check_destination", "open_source", "save_samples"]
