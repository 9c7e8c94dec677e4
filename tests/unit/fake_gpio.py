"""GPIO chips as drivers/gpio/gpiolib-cdev.c makes them, with what gpio-zynq.c does: ioctl() on files of a test."""

import errno
import os
import struct
from pathlib import Path

#: Requests by the number in them (include/uapi/linux/gpio.h), and how large what they carry is.
CHIP, LINE_INFO, LINE, SET_VALUES = 0x01, 0x05, 0x07, 0x0F
SIZES = {CHIP: 68, LINE_INFO: 256, LINE: 592, SET_VALUES: 16}


class FakeGpio:
    """/dev/gpiochipN of ``root``; levels of lines by number stay when a line is closed, as gpio-zynq leaves them.

    ``driven`` are all (line, level) in order; ``owners`` who has a line besides this program's descriptors.
    """

    chips: tuple["FakeGpio", ...] = ()

    def __init__(self, root: Path, number: int, label: str, lines: int, monkeypatch, *, old: bool = False) -> None:
        self.node = root / f"dev/gpiochip{number}"
        self.node.touch()
        self.label, self.lines, self.old = label, lines, old
        self.driven: list[tuple[int, bool]] = []
        self.owners: dict[int, str] = {}
        self._taken: dict[int, tuple[int, int, str]] = {}  # by descriptor: inode, line, consumer
        monkeypatch.setattr(FakeGpio, "chips", (*FakeGpio.chips, self))
        monkeypatch.setattr("gapless.local.gpio.ioctl", FakeGpio._ioctl)

    def consumer(self, line: int) -> str:
        """Who has a line."""
        for descriptor, (inode, number, name) in self._taken.items():
            if number == line and _inode(descriptor) == inode:
                return name
        return self.owners.get(line, "")

    def level(self, line: int) -> bool | None:
        """What was driven last; None when nothing was."""
        return dict(self.driven).get(line)

    @staticmethod
    def _ioctl(descriptor: int, request: int, argument: bytearray) -> int:
        number = request & 0xFF
        assert request >> 16 & 0x3FFF == SIZES[number] == len(argument)
        assert request >> 8 & 0xFF == 0xB4
        assert request >> 30 == (2 if number == CHIP else 3)
        inode = _inode(descriptor)
        for chip in FakeGpio.chips:
            if inode in (chip.node.stat().st_ino, chip._taken.get(descriptor, (None,))[0]):
                return chip._answer(number, descriptor, argument)
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    def _answer(self, number: int, descriptor: int, argument: bytearray) -> int:
        if number == CHIP:
            struct.pack_into("=32s32sI", argument, 0, self.node.name.encode(), self.label.encode(), self.lines)
        elif self.old:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        elif number == LINE_INFO:
            (line,) = struct.unpack_from("=I", argument, 64)
            struct.pack_into("=32s", argument, 32, self.consumer(line).encode())
        elif number == LINE:
            self._request(argument)
        else:
            bits, mask = struct.unpack("=QQ", argument)
            assert mask == 1
            self.driven.append((self._taken[descriptor][1], bool(bits & 1)))
        return 0

    def _request(self, argument: bytearray) -> None:
        (line,), (lines,) = struct.unpack_from("=I", argument, 0), struct.unpack_from("=I", argument, 560)
        flags, attributes = struct.unpack_from("=QI", argument, 288)
        assert (lines, flags, attributes) == (1, 1 << 3, 1)
        assert not any(argument[4:256] + argument[300:320] + argument[564:588])  # the kernel refuses all else
        kind, values, mask = struct.unpack_from("=I4xQQ", argument, 320)
        assert (kind, mask) == (2, 1)
        if line >= self.lines:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if self.consumer(line):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        taken = os.memfd_create("line", os.MFD_CLOEXEC)
        self._taken[taken] = (_inode(taken), line, argument[256:288].split(b"\0")[0].decode())
        self.driven.append((line, bool(values & 1)))
        struct.pack_into("=i", argument, 588, taken)


def _inode(descriptor: int) -> int:
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return -1
