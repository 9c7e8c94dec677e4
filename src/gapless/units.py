"""Sizes, rates and times: read from what people type, printed the way the field writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .errors import BadArgumentError

if TYPE_CHECKING:
    from fractions import Fraction  # loaded when something is read: nobody types sizes at start-up

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

_SIZES = {"": 1, "b": 1, "kib": KIB, "mib": MIB, "gib": GIB, "tib": TIB}
_NANOSECONDS = {"": 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "µs": 1000, "μs": 1000, "ns": 1}
# The exponent is short: a Fraction of 1e999999999 would be computed digit by digit.
_QUANTITY = re.compile(
    r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?\s*([a-z\u00b5\u03bc]*)\s*\Z", re.IGNORECASE | re.ASCII
)


def _parse(text: str, units: Mapping[str, int], what: str, example: str) -> Fraction:
    match = _QUANTITY.match(text)
    unit = match.group(3).lower() if match else ""
    if match is None or unit not in units or len(text) > 60:
        raise BadArgumentError(f"{what} {text!r} is not understood: write it like {example}")
    from fractions import Fraction

    return Fraction(match.group(1) + (match.group(2) or "")) * units[unit]


def parse_size(text: str, what: str = "size") -> int:
    """Bytes from ``65536``, ``64KiB`` or ``32GiB`` (binary units only; a decimal unit is refused)."""
    value = _parse(text, _SIZES, what, "65536, 64KiB or 32GiB")
    if value.denominator != 1:
        raise BadArgumentError(f"{what} {text!r} is not a whole number of bytes")
    return int(value)


def parse_time(text: str, what: str = "time") -> float:
    """Seconds from ``1ms``, ``250us``, ``10ns`` or ``0.5`` (seconds when no unit is given)."""
    return float(_parse(text, _NANOSECONDS, what, "1ms, 250us or 0.5s") / 10**9)


def format_size(nbytes: int) -> str:
    """``128 MiB``, ``4 GiB``, ``1.5 KiB``: binary units, at most two decimals."""
    for name, unit in (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if abs(nbytes) >= unit:
            return f"{nbytes / unit:.2f}".rstrip("0").rstrip(".") + f" {name}"
    return f"{nbytes} B"


def format_bandwidth(bytes_per_second: float) -> str:
    """``4.80 GB/s``: decimal, as data sheets give bandwidths."""
    for name, unit in (("GB/s", 1e9), ("MB/s", 1e6), ("kB/s", 1e3)):
        if bytes_per_second >= unit:
            return f"{bytes_per_second / unit:.2f} {name}"
    return f"{bytes_per_second:.0f} B/s"


def format_rate(samples_per_second: float) -> str:
    """``2.048 GSa/s``."""
    for name, unit in (("GSa/s", 1e9), ("MSa/s", 1e6), ("kSa/s", 1e3)):
        if samples_per_second >= unit:
            return f"{samples_per_second / unit:.6g} {name}"
    return f"{samples_per_second:.6g} Sa/s"


def format_time(seconds: float) -> str:
    """``256 us``, ``1.5 ms``, ``7 s``."""
    for name, unit in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= unit:
            return f"{seconds / unit:.4g} {name}"
    return f"{seconds * 1e9:.4g} ns"


def format_address(address: int) -> str:
    """``0x8_E000_0000``: hexadecimal with a separator every four digits."""
    return f"0x{address:_X}"
