"""What people type, read and checked before anything runs."""

from __future__ import annotations

import math
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ..errors import BadArgumentError, UnsupportedError
from ..plot.figures import PICTURE_SUFFIXES
from ..units import parse_size

DEFAULT_RATE = 1.024e9
_MOST = 10**18  # bytes in so many samples still fit 64 bits


def whole(text: str, option: str) -> int:
    """A whole number of at least 1 from ``1000``, ``100e6`` or ``1_000``."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if number.is_finite() and number.adjusted() > 17:  # looked at first: 1e999999999 must not be computed
        raise BadArgumentError(f"{option} {text}: more than can be counted, which is below {_MOST:.0e}")
    if not number.is_finite() or number < 1 or number != number.to_integral_value():
        raise BadArgumentError(f"{option} {text}: it must be a whole number of at least 1, such as 1000 or 100e6")
    return int(number)


def positive(text: str, option: str, example: str) -> float:
    """A finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise BadArgumentError(f"{option} {text}: it must be a number above 0, such as {example}")
    return number


def ring(block: str | None, blocks: str | None) -> dict[str, int]:
    """What ``--block`` and ``--blocks`` ask for, as a stream takes it."""
    asked = (("block_samples", block, "--block"), ("blocks", blocks, "--blocks"))
    return {name: whole(text, option) for name, text, option in asked if text is not None}


def rate(text: str | None) -> float | None:
    """Samples per second, or None where nothing was asked."""
    return None if text is None else positive(text, "--rate", "2.048e9")


def sample_count(samples: str | None, seconds: str | None, rate: float) -> int | None:
    """How many samples ``--samples`` or ``--seconds`` ask for; None for all there are."""
    if samples is not None and seconds is not None:
        raise BadArgumentError("--samples and --seconds both say how much to play: give one of them")
    if samples is not None:
        return whole(samples, "--samples")
    if seconds is None:
        return None
    count = positive(seconds, "--seconds", "0.1") * rate
    if not 0.5 < count <= _MOST:
        raise BadArgumentError(f"--seconds {seconds}: that is {count:.3g} samples at {rate:g} Sa/s")
    return round(count)


def address(text: str | None) -> int | None:
    """A physical address in hexadecimal, ``_`` between the digits as one likes."""
    if text is None:
        return None
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 64:
        raise BadArgumentError(f"--address {text}: it must be a physical address in hexadecimal, such as 0x8_E000_0000")
    return number


def board_uri(
    board: str, fifo_depth: str | None = None, *, clock: str | None = None, slowdown: str | None = None
) -> str:
    """The URI of ``--board`` with what the other options say of the board in it."""
    depth = None if fifo_depth is None else str(parse_size(fifo_depth, "--fifo-depth"))
    if clock == "measured" and slowdown is None and "slowdown=" not in board:
        slowdown = "1"
    given = (("--fifo-depth", "fifo", fifo_depth, depth), ("--clock", "clock", clock, clock))
    for option, key, text, value in (*given, ("--slowdown", "slowdown", slowdown, slowdown)):
        name, question, settings = board.partition("?")
        if value is None or ":" not in name:
            continue  # a name that takes no options: opening it says what there is
        if any(setting.startswith(f"{key}=") for setting in settings.split("&")):
            raise BadArgumentError(f"{option} {text}: --board {board} says {key}= already: give one of them")
        board = f"{board}{'&' if settings else '' if question else '?'}{key}={value}"
    return board


def picture(path: str) -> Path:
    """Where a picture goes: checked now, since it is drawn after everything else."""
    picture = Path(path)
    if picture.suffix.lower() not in PICTURE_SUFFIXES:
        raise BadArgumentError(
            f"--plot {path}: suffix {picture.suffix!r} is not known; there is {', '.join(PICTURE_SUFFIXES)}"
        )
    if not picture.parent.is_dir():
        raise BadArgumentError(f"--plot {path}: cannot be written: there is no folder {picture.parent}")
    if picture.is_dir() or not os.access(picture if picture.exists() else picture.parent, os.W_OK):
        reason = "is a directory" if picture.is_dir() else "permission denied"
        raise BadArgumentError(f"--plot {path}: cannot be written: {reason}")
    if not can_plot():
        raise UnsupportedError(f"--plot {path}: plots need matplotlib: pip install 'gapless[plot]'")
    return picture


def can_plot() -> bool:
    """True when matplotlib is installed (which is not to say loaded: that takes a while)."""
    from importlib.util import find_spec

    try:
        return find_spec("matplotlib") is not None
    except ValueError:  # imported without a spec, or made unavailable
        return False
