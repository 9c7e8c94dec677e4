"""Signals in files: .raw, .npy, .wav and SigMF."""

from .opening import SUFFIXES, open_source
from .saving import save_samples

__all__ = ["SUFFIXES", "open_source", "save_samples"]
