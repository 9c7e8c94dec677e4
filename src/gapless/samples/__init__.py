"""What is played and what was captured: arrays, generators, and the counter pattern that shows every loss."""

from .array_source import ArraySource
from .convert import to_int16
from .counter import Finding, check_counter
from .generators import (
    GENERATORS,
    CounterSource,
    NoiseSource,
    ToneSource,
    is_generator,
    parse_generator,
)
from .source import Source

__all__ = [
    "GENERATORS",
    "ArraySource",
    "CounterSource",
    "Finding",
    "NoiseSource",
    "Source",
    "ToneSource",
    "check_counter",
    "is_generator",
    "parse_generator",
    "to_int16",
]
