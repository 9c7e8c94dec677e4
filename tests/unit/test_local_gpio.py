"""Pins by the GPIO's driver: which chip and line, levels, who else has one, and rights."""

import errno
import os
import shutil
import subprocess

import pytest
from fake_gpio import FakeGpio
from local_tree import make_tree

from gapless.boards import PeripheralSpec
from gapless.errors import AccessDeniedError, BadArgumentError, BusAccessError, IopError, UnsupportedError
from gapless.local import gpio as local_gpio
from gapless.local.gpio import LinePin, find_pin

MP = PeripheralSpec("ps_gpio", "ps-gpio-mp", 0xFF0A_0000)
OLD = PeripheralSpec("ps_gpio", "ps-gpio-7000", 0xE000_A000)


def test_requests_are_those_of_the_kernels_header(tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not os.path.exists("/usr/include/linux/gpio.h"):
        pytest.skip("needs a C compiler and the kernel's headers")
    names = ("GPIO_GET_CHIPINFO", "GPIO_V2_GET_LINEINFO", "GPIO_V2_GET_LINE", "GPIO_V2_LINE_SET_VALUES")
    printed = "".join(f'printf("%u\\n", (unsigned)({name}_IOCTL));' for name in names)
    source = f"#include <linux/gpio.h>\n#include <stdio.h>\nint main(void) {{ {printed} return 0; }}\n"
    program = tmp_path / "requests"
    subprocess.run([compiler, "-x", "c", "-", "-o", program], input=source, text=True, check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    ours = (local_gpio._GET_CHIP, local_gpio._GET_LINE_INFO, local_gpio._GET_LINE, local_gpio._SET_VALUES)
    assert tuple(map(int, printed.split())) == ours


@pytest.mark.parametrize(
    ("gpio", "label", "lines", "line"), [(MP, "zynqmp_gpio", 174, 83), (OLD, "zynq_gpio", 118, 59)]
)
def test_a_pin_is_a_line_of_the_ps_gpio(tmp_path, monkeypatch, gpio, label, lines, line):
    root = make_tree(tmp_path)
    other = FakeGpio(root, 0, "a0010000.gpio", 200, monkeypatch)
    chip = FakeGpio(root, 1, label, lines, monkeypatch)
    pin = find_pin(root, gpio, 5)
    assert str(pin) == f"line {line} of gpiochip1"
    assert chip.driven == []  # finding it does nothing to it
    for level in (True, False, True):
        pin.set(level)
    assert chip.driven == [(line, True), (line, False), (line, True)]
    assert chip.consumer(line) == "gapless"
    pin.close()
    pin.close()
    assert chip.consumer(line) == ""
    assert chip.level(line) is True
    pin.set(False)  # takes it again
    assert chip.consumer(line) == "gapless"
    pin.close()
    assert other.driven == []
    with pytest.raises(BadArgumentError, match=f"there is no line {lines} of gpiochip1"):
        find_pin(root, gpio, lines - line + 5)


def test_the_first_level_may_be_low(tmp_path, monkeypatch):
    chip = FakeGpio(make_tree(tmp_path), 0, "zynqmp_gpio", 174, monkeypatch)
    pin = find_pin(tmp_path, MP, 0)
    pin.set(False)
    assert chip.driven == [(78, False)]
    pin.close()


def test_a_line_that_is_taken_says_by_whom(tmp_path, monkeypatch):
    chip = FakeGpio(make_tree(tmp_path), 0, "zynqmp_gpio", 174, monkeypatch)
    chip.owners[78] = "heartbeat"
    with pytest.raises(IopError, match="line 78 of gpiochip0 is taken: heartbeat has it"):
        find_pin(tmp_path, MP, 0).set(True)
    assert chip.driven == []
    mine, second = LinePin(chip.node, 80), LinePin(chip.node, 80)
    mine.set(True)
    with pytest.raises(IopError, match="line 80 of gpiochip0 is taken: gapless has it"):
        second.set(False)
    mine.close()
    second.set(False)
    second.close()


def test_without_the_right_the_error_has_a_udev_rule(tmp_path, monkeypatch):
    FakeGpio(make_tree(tmp_path), 0, "zynqmp_gpio", 174, monkeypatch)
    pin, real = find_pin(tmp_path, MP, 0), os.open

    def refuse(path, *more):
        if "gpiochip" in str(path):
            raise PermissionError(errno.EACCES, "no")
        return real(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    for call in (lambda: find_pin(tmp_path, MP, 0), lambda: pin.set(True)):
        with pytest.raises(AccessDeniedError, match=r"may not open .*gpiochip0.*udev rule: SUBSYSTEM==.gpio.*GROUP"):
            call()


def test_chips_of_others_are_no_chip(tmp_path, monkeypatch):
    assert find_pin(make_tree(tmp_path), MP, 0) is None
    FakeGpio(tmp_path, 0, "zynqmp_modepin", 4, monkeypatch)
    (tmp_path / "dev/gpiochip1").touch()  # a file that no driver answers for
    assert find_pin(tmp_path, MP, 0) is None


def test_a_kernel_without_version_2_says_so(tmp_path, monkeypatch):
    FakeGpio(make_tree(tmp_path), 0, "zynqmp_gpio", 174, monkeypatch, old=True)
    with pytest.raises(UnsupportedError, match=r"line 78 of gpiochip0: Invalid argument: .* since 5\.10"):
        find_pin(tmp_path, MP, 0)


def test_what_else_goes_wrong_is_said(tmp_path, monkeypatch):
    chip = FakeGpio(make_tree(tmp_path), 0, "zynqmp_gpio", 174, monkeypatch)
    with pytest.raises(BusAccessError, match="line 200 of gpiochip0 cannot be driven: Invalid argument"):
        LinePin(chip.node, 200).set(True)
    chip.node.unlink()
    with pytest.raises(BusAccessError, match="gpiochip0 cannot be opened: No such file"):
        LinePin(chip.node, 78).set(True)
