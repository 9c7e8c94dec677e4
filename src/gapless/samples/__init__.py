"""What is played and what was captured: arrays, generators, and the counter pattern that shows every loss."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .array_source import ArraySource
from .convert import to_int16
from .source import Source

if TYPE_CHECKING:
    from .aligned import copy_from_aligned, copy_to_aligned
    from .counter import Finding, check_counter
    from .generators import (
        GENERATORS,
        CounterSource,
        NoiseSource,
        ToneSource,
        is_generator,
        parse_generator,
    )
    from .interleaving import deinterleave, interleave
    from .multitone import MultiToneSource, Tone
    from .packing import align14, pack12, unalign14, unpack12
    from .quantising import quantise

__getattr__ = lazy_names(
    __name__,
    {
        "aligned": ("copy_from_aligned", "copy_to_aligned"),
        "counter": ("Finding", "check_counter"),
        "generators": (
            "GENERATORS",
            "CounterSource",
            "NoiseSource",
            "ToneSource",
            "is_generator",
            "parse_generator",
        ),
        "interleaving": ("deinterleave", "interleave"),
        "multitone": ("MultiToneSource", "Tone"),
        "packing": ("align14", "pack12", "unalign14", "unpack12"),
        "quantising": ("quantise",),
    },
)

__all__ = [
    "GENERATORS",
    "ArraySource",
    "CounterSource",
    "Finding",
    "MultiToneSource",
    "NoiseSource",
    "Source",
    "Tone",
    "ToneSource",
    "align14",
    "check_counter",
    "copy_from_aligned",
    "copy_to_aligned",
    "deinterleave",
    "interleave",
    "is_generator",
    "pack12",
    "parse_generator",
    "quantise",
    "to_int16",
    "unalign14",
    "unpack12",
]
