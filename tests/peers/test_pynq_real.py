"""PYNQ's own package on the virtual board: the same programs print the same with it as with our names."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

from gapless.iop import firmware

from .pynq_venvs import VERSIONS, Venv, ours, venv

SCRIPTS = Path(__file__).with_name("pynq_scripts")
ARGUMENTS = {"microblaze": (str(Path(firmware.__file__).with_name("tutorial.bin")),)}
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))

_printed_by_ours: dict[str, str] = {}


@pytest.fixture(scope="module", params=VERSIONS)
def pynq(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    return venv(request.param, tmp_path_factory.mktemp("site"))


def printed_by_ours(name: str, cwd: Path) -> str:
    if name not in _printed_by_ours:
        result = ours().script(SCRIPTS / f"{name}.py", *ARGUMENTS.get(name, ()), cwd=cwd)
        assert (result.returncode, result.stderr) == (0, "")
        _printed_by_ours[name] = result.stdout
    return _printed_by_ours[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_script_prints_what_it_prints_with_our_names(name: str, pynq: Venv, tmp_path: Path) -> None:
    expected = printed_by_ours(name, tmp_path)
    result = pynq.script(SCRIPTS / f"{name}.py", *ARGUMENTS.get(name, ()), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == expected
    assert "gapless:" not in result.stderr  # no findings
    assert len(expected.splitlines()) > 4


LOOP_BACK = Path(__file__).parents[2] / "examples" / "pynq_dma_loopback.py"
LOOPED_BACK = ("dma_loopback.bit", str(1 << 20))


@pytest.fixture(scope="module")
def looped_back_by_ours(tmp_path_factory: pytest.TempPathFactory) -> str:
    result = ours().script(LOOP_BACK, *LOOPED_BACK, cwd=tmp_path_factory.mktemp("ours"))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count(": equal, ") == result.stdout.count("\n") == 14
    return result.stdout


def test_data_loops_back_through_both_kinds_of_engine(pynq: Venv, looped_back_by_ours: str, tmp_path: Path) -> None:
    """test_pynq_remote.py does it up to 64 MiB with the newest version."""
    result = pynq.script(LOOP_BACK, *LOOPED_BACK, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == looped_back_by_ours
    assert "gapless:" not in result.stderr


ODDS = """
import gc, os, sys, platform
import pynq
from pynq import Clocks, Device, Overlay, PL, Register, allocate
from pynq.buffer import PynqBuffer
from gapless.compat.pynq import board_in_use

pool = board_in_use().memory["ps-cma"]
free = pool.stats().free
print(pynq.__version__, type(Device.active_device).__name__, len(Device.devices), platform.machine() == os.uname()[4])
print(PL.bitfile_name, PL.ip_dict, PL.mem_dict)
early = allocate(100)  # before there is an overlay
print(isinstance(early, PynqBuffer), type(early) is PynqBuffer, early.any())
early[:] = 1
part = early[10:20]
early.freebuffer()
early.freebuffer()
print(part.tolist() == [1] * 10, part.physical_address % 4096, early.shape)
lost = allocate((5, 5), "c8")
lost[:] = 1
del lost, part
gc.collect()
print(pool.stats().free == free, allocate((5, 5), "c8").any())
overlay = Overlay("/home/xilinx/jupyter_notebooks/pynq_tutorial.bit")
print(overlay.bitfile_name, PL.bitfile_name, PL.ip_dict.keys() == overlay.ip_dict.keys(), overlay.is_loaded())
print(allocate(4, target=overlay.PSDDR).nbytes, overlay.PSDDR.size)
print(Clocks.fclk0_mhz, Clocks.cpu_mhz)
Clocks.fclk0_mhz = 50
print(Clocks.fclk0_mhz)
pins = Register(overlay.leds_gpio.mmio.base_addr + 4)
pins[3:0] = 5
print(pins[:], int(pins), overlay.leds_gpio.read(4))
both = Register(overlay.leds_gpio.mmio.base_addr, width=64)
print(both[35:32])
both[:] = 0xA << 32 | 0x2
print(overlay.leds_gpio.read(0) & 5, overlay.leds_gpio.read(4))
second = Overlay("pynq_tutorial.bit")
print(overlay.is_loaded(), second.is_loaded())
try:
    Overlay("nothing.bit")
except IOError as error:
    print(error)
overlay.free()
# In the middle of a transfer that nobody receives: wrong, and found.
late = allocate(1 << 20, "u1")
second.axi_dma_from_ps_to_pl.sendchannel.transfer(late)
late.freebuffer()
print(sys.argv)
sys.exit(3)
"""


def left_by_devices(pynq: Venv) -> dict[str, float]:
    """PYNQ's own devices keep what they parsed in its folder, for other processes."""
    folder = Path(pynq.python).parents[1] / "lib"
    found = [path for end in ("json", "pkl") for path in folder.glob(f"*/site-packages/pynq/pl_server/*.{end}")]
    return {path.name: path.stat().st_mtime for path in found}


def test_what_it_is_like_and_what_it_leaves(pynq: Venv, tmp_path: Path) -> None:
    (tmp_path / "odds.py").write_text(ODDS)
    before = left_by_devices(pynq)
    result = pynq.cli("pynq", "run", "--real", "--json", "odds.py", "1", "--", "--two", cwd=tmp_path)
    document = json.loads(result.stdout)
    assert (result.returncode, document["status"], document["pynq"]) == (3, 3, pynq.version), document["stderr"]
    tutorial = "/home/xilinx/jupyter_notebooks/pynq_tutorial.bit"
    assert document["stdout"].splitlines() == [
        f"{pynq.version} GaplessDevice 1 True",
        " {} {}",
        "True True False",
        "True 40 (0,)",
        "True False",
        f"{tutorial} {tutorial} True True",
        f"16 {512 << 20}",
        "100.0 650.0",
        "50.0",
        "5 5 5",
        "5",
        "0 10",
        "False True",
        "Bitstream file nothing.bit does not exist.",
        "['odds.py', '1', '--two']",
    ]
    found = [line for line in document["stderr"].splitlines() if line.startswith("gapless: ")]
    assert len(found) >= 1
    assert "freed" in found[0]
    assert left_by_devices(pynq) == before
    assert [path.name for path in tmp_path.iterdir()] == ["odds.py"]


def test_without_pynq_one_line_says_what_to_install(tmp_path: Path) -> None:
    try:
        importlib.metadata.version("pynq")
    except importlib.metadata.PackageNotFoundError:
        pass
    else:
        pytest.skip("pynq is installed here")
    (tmp_path / "s.py").write_text("import pynq\n")
    result = ours().cli("pynq", "run", "--real", "s.py", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"gapless: pynq is not installed for {sys.executable}: pip install pynq ")
    assert result.stderr.count("\n") == 1


OWN = """
import gapless, gapless.errors
from gapless.compat.pynq_device import install

board = gapless.open("virtual:pynq-z2")
install(board)
from pynq import GPIO, Device, allocate

pin = GPIO(GPIO.get_gpio_pin(7), "out")
for level in (1, 0):
    pin.write(level)
    print(board.probe.peripheral("ps_gpio").output(54 + 7))
free = board.memory["ps-cma"].stats().free
with allocate(1024):
    print(free - board.memory["ps-cma"].stats().free)
print(Device.active_device.board is board)
try:
    install(board)
except gapless.errors.UnsupportedError as error:
    print(error)
"""


def test_a_program_that_opens_its_board_itself(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "own.py").write_text(OWN)
    result = venv(VERSIONS[-1], tmp_path / "site").run("own.py", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "True",
        "False",
        "4096",
        "True",
        "pynq is imported already: it has looked at the processor that it is on",
    ]


CELLS = (
    "import numpy as np, pynq\nfrom pynq import Overlay, allocate\noverlay = Overlay('pynq_tutorial.bit')\n"
    "send = overlay.axi_dma_from_ps_to_pl.sendchannel\nreceive = overlay.axi_dma_from_pl_to_ps.recvchannel\n"
    "source, sink = allocate(1000, 'u4'), allocate(1000, 'u4')\nsource[:] = np.arange(1000)\npynq.__version__",
    "receive.transfer(sink)\nsend.transfer(source)\nawait send.wait_async()\nawait receive.wait_async()\n"
    "receive.transferred, bool((source == sink).all())",
    "overlay.no_such_ip",
)


def test_a_notebook_waits_in_the_event_loop_of_its_kernel(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    pynq = venv(VERSIONS[-1], tmp_path / "site")
    blank = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [{**blank, "id": str(number), "source": cell} for number, cell in enumerate(CELLS)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "n.ipynb").write_text(json.dumps(notebook))
    result = pynq.cli("pynq", "run", "--real", "n.ipynb", cwd=tmp_path)
    assert result.returncode == 1
    assert "code cell 3 failed: AttributeError: Could not find IP or hierarchy no_such_ip in overlay" in result.stderr
    done = json.loads((tmp_path / "n.ipynb").read_text())["cells"]
    results = [output for cell in done[:2] for output in cell["outputs"] if output["output_type"] == "execute_result"]
    assert ["".join(one["data"]["text/plain"]) for one in results] == [f"'{pynq.version}'", "(4000, True)"]
