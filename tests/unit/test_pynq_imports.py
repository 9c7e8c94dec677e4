"""``import pynq`` and ``import iop`` are ours where code written for PYNQ runs, and nowhere else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from gapless.compat import running

RUNNER = str(Path(running.__file__).with_name("script.py"))


def run(tmp_path: Path, text: str, *args: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "program.py").write_text(text)
    command = [sys.executable, RUNNER, str(tmp_path / "program.py"), *args]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60, check=False)


def passes(tmp_path: Path, text: str) -> None:
    result = run(tmp_path, text)
    assert result.returncode == 0, result.stderr


def test_not_here() -> None:
    import gapless.compat.iop.pynq_tutorial
    import gapless.compat.pynq  # noqa: F401

    assert "pynq" not in sys.modules
    assert importlib.util.find_spec("pynq") is None
    assert importlib.util.find_spec("iop") is None


def test_the_modules_are_the_same_objects(tmp_path: Path) -> None:
    passes(
        tmp_path,
        """
import warnings; warnings.simplefilter("error")
import pynq, pynq.lib.pmod, iop.pynq_tutorial
from pynq.lib import Pmod
import gapless.compat.iop.pynq_tutorial, gapless.compat.pynq.lib.pmod
import gapless.compat
assert pynq is gapless.compat.pynq and pynq.__spec__.name == "gapless.compat.pynq"
assert pynq.lib.pmod is gapless.compat.pynq.lib.pmod and pynq.lib.pmod.Pmod is Pmod
assert iop.pynq_tutorial is gapless.compat.iop.pynq_tutorial
import importlib; assert importlib.import_module("pynq.xlnk").Xlnk is pynq.Xlnk
try:
    import pynq.lib.video
except ModuleNotFoundError as error:
    assert error.name == "pynq.lib.video" and "gapless stands in for pynq" in str(error)
else:
    raise AssertionError
""",
    )


#: What programs import from where, of all ages of PYNQ.
IMPORTS = """
from pynq import allocate, Bitstream, Clocks, DefaultHierarchy, DefaultIP, Device, GPIO, Interrupt, MMIO, Overlay, PL
from pynq import PynqBuffer, Register, RegisterMap, UnsupportedConfiguration, Xlnk
from pynq.bitstream import Bitstream
from pynq.buffer import allocate, PynqBuffer
from pynq.drivers import DMA, Xlnk
from pynq.gpio import GPIO
from pynq.interrupt import Interrupt
from pynq.lib import AxiGPIO, DMA, MicroblazeLibrary, MicroblazeRPC, Pmod, PynqMicroblaze
from pynq.lib.arduino import Arduino, MAILBOX_OFFSET
from pynq.lib.axigpio import AxiGPIO
from pynq.lib.dma import DMA
from pynq.lib.pmod import MAILBOX_OFFSET, MAILBOX_PY2IOP_CMD_OFFSET, Pmod
from pynq.lib.rgbled import RGBLED
from pynq.lib.pynqmicroblaze import MicroblazeLibrary, MicroblazeProgram, MicroblazeRPC, PynqMicroblaze
from pynq.lib.pynqmicroblaze.pynqmicroblaze import MBInterruptEvent, MicroblazeHierarchy, PynqMicroblaze
from pynq.lib.pynqmicroblaze.rpc import MicroblazeLibrary, MicroblazeRPC
from pynq.mmio import MMIO
from pynq.overlay import DefaultHierarchy, DefaultIP, Overlay, UnsupportedConfiguration
from pynq.overlays.base import BaseOverlay
from pynq.pl import PL
from pynq.pl_server import Device
from pynq.pl_server.device import Device
from pynq.ps import Clocks, CPU_ARCH, CPU_ARCH_IS_SUPPORTED, ON_TARGET, ZU_ARCH, ZYNQ_ARCH
from pynq.registers import Register, RegisterMap
from pynq.xlnk import ContiguousArray, Xlnk
"""


def test_names_are_where_programs_look_for_them(tmp_path: Path) -> None:
    """And a name is the same thing wherever it is imported from."""
    seen = "        known.setdefault(name, {}).setdefault(id(globals()[name]), name)"
    lines = [line for line in IMPORTS.splitlines() if line]
    text = "known = {}\n"
    for line in lines:
        names = [name.strip() for name in line.partition(" import ")[2].split(",")]
        text += f"{line}\nfor name in {names}:\n    if name[:1].isupper():\n{seen}\n"
    passes(tmp_path, text + "assert all(len(things) == 1 for things in known.values()), known\n")


def test_pynq_is_ours_even_where_another_lies_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "pynq.py").write_text("raise AssertionError")
    (tmp_path / "beside.py").write_text("answer = 42")
    passes(tmp_path, "import pynq, beside; assert pynq.Xlnk and beside.answer == 42")


@pytest.mark.parametrize("package", [True, False])
def test_the_programs_own_iop_comes_first(tmp_path: Path, package: bool) -> None:
    (tmp_path / "iop").mkdir()
    (tmp_path / "iop" / "pynq_tutorial.py").write_text("mine = True")
    if package:
        (tmp_path / "iop" / "__init__.py").touch()
    passes(tmp_path, "import iop.pynq_tutorial; assert iop.pynq_tutorial.mine")


def test_a_folder_iop_without_the_wrapper_has_ours(tmp_path: Path) -> None:
    (tmp_path / "iop").mkdir()
    (tmp_path / "iop" / "other.py").write_text("mine = True")
    passes(tmp_path, "import iop.other, iop.pynq_tutorial; assert iop.other.mine and iop.pynq_tutorial.Pynq_Tutorial")


def test_a_script_runs_as_python_would_run_it(tmp_path: Path) -> None:
    text = """
import sys, os, pickle
class Thing: pass
assert __name__ == "__main__" and sys.modules["__main__"].Thing is Thing
pickle.loads(pickle.dumps(Thing()))
print(sys.argv, __file__, sys.path[0], os.getcwd())
"""
    result = run(tmp_path, text, "a", "-b")
    path = str(tmp_path / "program.py")
    plain = subprocess.run([sys.executable, path, "a", "-b"], capture_output=True, text=True, cwd="/", check=False)
    assert result.stderr == ""
    assert result.stdout == plain.stdout


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    1 / 0\nf()\n",
        "import sys\nsys.exit(7)\n",
        "raise SystemExit('enough')\n",
        "x = = 1\n",
        "import nothing_of_that_name\n",
        "import os\nos._exit(9)\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('x') from error\n",
    ],
)
def test_it_ends_as_python_would_end_it(tmp_path: Path, text: str) -> None:
    result = run(tmp_path, text)
    plain = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], capture_output=True, text=True, cwd="/", check=False
    )
    assert result.returncode == plain.returncode
    assert result.stderr == plain.stderr
