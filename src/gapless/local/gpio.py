"""Pins of the PS's GPIO, by the character device of their driver.

Sources: Linux, include/uapi/linux/gpio.h and Documentation/userspace-api/gpio (version 2 of the interface, since Linux
5.10); drivers/gpio/gpio-zynq.c (labels of the chips, numbers of their lines).
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

from ..boards import PeripheralSpec
from ..boards.ps_gpio import PS_GPIO
from ..errors import AccessDeniedError, BadArgumentError, BusAccessError, IopError, UnsupportedError

#: What a board's administrator may add, so that no root is needed.
UDEV_RULE = 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gapless", MODE="0660"'
#: Who has a line, as the kernel tells others.
CONSUMER = "gapless"

_GET_CHIP, _GET_LINE_INFO, _GET_LINE, _SET_VALUES = 0x8044_B401, 0xC100_B405, 0xC250_B407, 0xC010_B40F
_OUTPUT, _OUTPUT_VALUES = 1 << 3, 2
#: struct gpiochip_info: name, label, lines.
_CHIP = struct.Struct("=32s32sI")
#: struct gpio_v2_line_info: consumer, offset.
_LINE_INFO = struct.Struct("=32x32sI188x")
#: struct gpio_v2_line_request for one line with one attribute: offset, consumer, flags, attributes; of the attribute
#: its id, value and mask of lines; lines, descriptor.
_REQUEST = struct.Struct("=I252x32sQI20xI4xQQ216xI24xi")
#: struct gpio_v2_line_values: bits, mask.
_VALUES = struct.Struct("=QQ")


class LinePin:
    """A line of a GPIO chip as an output. Nothing happens to it before :meth:`set`.

    Args:
        path: the chip's device.
        line: its number there.
    """

    def __init__(self, path: Path, line: int) -> None:
        self._path, self._line, self._descriptor = path, line, -1

    def __str__(self) -> str:
        return f"line {self._line} of {self._path.name}"

    def set(self, level: bool) -> None:
        """Drive it. The first call takes the line for this program: with that level, never with another before.

        Raises IopError when another program or a driver has the line, AccessDeniedError without the rights.
        """
        if self._descriptor < 0:
            self._descriptor = self._request(level)
        else:
            ioctl(self._descriptor, _SET_VALUES, bytearray(_VALUES.pack(level, 1)))

    def close(self) -> None:
        """Let others have the line. The driver of the PS's GPIO leaves its level as it is; set() takes it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def consumer(self) -> str:
        """Who has it; empty when nobody, or nobody who says so.

        UnsupportedError when the kernel has no version 2 of the interface, BadArgumentError when there is no such line.
        """
        info = bytearray(_LINE_INFO.pack(b"", self._line))
        with _opened(self._path) as chip:
            if self._line >= _described(chip)[1]:
                raise BadArgumentError(f"there is no {self}")
            try:
                ioctl(chip, _GET_LINE_INFO, info)
            except OSError as error:
                raise UnsupportedError(f"{self}: {error.strerror}: Linux has this interface since 5.10") from None
        return _text(_LINE_INFO.unpack(info)[0])

    def _request(self, level: bool) -> int:
        consumer = CONSUMER.encode()
        request = bytearray(_REQUEST.pack(self._line, consumer, _OUTPUT, 1, _OUTPUT_VALUES, level, 1, 1, 0))
        try:
            with _opened(self._path) as chip:
                ioctl(chip, _GET_LINE, request)
        except AccessDeniedError:
            raise
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise IopError(
                    f"{self} is taken: {self.consumer() or 'a driver'} has it (gpioinfo lists them all); end that "
                    "program, or unbind that driver"
                ) from None
            raise BusAccessError(f"{self} cannot be driven: {error.strerror}") from None
        descriptor: int = _REQUEST.unpack(request)[-1]
        return descriptor


def find_pin(root: Path, gpio: PeripheralSpec, pin: int) -> LinePin | None:
    """The line of a pin that is counted from the first that leads to the PL; None when no chip is the PS's GPIO.

    Raises:
        AccessDeniedError: a chip is not this user's to open; the message says what would do.
        BadArgumentError, UnsupportedError: as :meth:`LinePin.consumer`.
    """
    layout = PS_GPIO[gpio.kind]
    label, first = layout.label, layout.first_pin  # the driver's lines are numbered as the pins
    denied: AccessDeniedError | None = None
    for path in sorted((root / "dev").glob("gpiochip[0-9]*")):
        try:
            with _opened(path) as chip:
                found = _described(chip)[0]
        except AccessDeniedError as error:
            denied = error
            continue
        if found == label:
            line = LinePin(path, first + pin)
            line.consumer()
            return line
    if denied is not None:
        raise denied
    return None


def _described(chip: int) -> tuple[str, int]:
    """The label of a chip, and how many lines it has."""
    info = bytearray(_CHIP.size)
    try:
        ioctl(chip, _GET_CHIP, info)
    except OSError:
        return "", 0
    _, label, lines = _CHIP.unpack(info)
    return _text(label), lines


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        raise AccessDeniedError(
            f"this user may not open {path}; be root, or let a group have it by a udev rule: {UDEV_RULE}"
        ) from None
    except OSError as error:
        raise BusAccessError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(name: bytes) -> str:
    return name.split(b"\0")[0].decode(errors="replace")
