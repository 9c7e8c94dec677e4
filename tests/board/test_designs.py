"""Virtual boards that a design describes: opened from its file, or by its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import gapless
from bitstreams import bit, words
from gapless.boards.pynq_z2 import HANDOFF, pynq_z2
from gapless.cli import main
from gapless.errors import BusAccessError, UnmodelledIpWarning

MIB = 1 << 20
TEXT = HANDOFF.read_text()
GPIO = 'MODTYPE="axi_gpio" HWVERSION="2.0" VLNV="xilinx.com:ip:axi_gpio:2.0"'


def switches_as(module: str, text: str = TEXT) -> str:
    """The design with another IP in place of the switches' GPIO."""
    return text.replace(f'INSTANCE="switches_gpio" {GPIO}', f'INSTANCE="switches_gpio" {module}')


#: An IP nobody knows.
ODD = switches_as('MODTYPE="odd" HWVERSION="1.0" VLNV="example.com:user:odd:1.0"')


@pytest.fixture(params=["design.hwh", "design.bit", "alone.bit", "design.xsa", "by its name"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / request.param
    if path.suffix == ".xsa":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pynq_tutorial.hwh", TEXT)
        return f"virtual:{path}"
    if not path.suffix:
        return "virtual:pynq_tutorial"
    path.with_suffix(".hwh").write_text(TEXT)
    if path.name == "design.bit":  # the .hwh alone says what the design is
        path.write_bytes(bit(words(), part="7z020clg400"))
    return f"virtual:{path}"


def loop_back(board: gapless.Board) -> None:
    """Through the FIFO between two engines of the tutorial, and through a soft processor."""
    memory = board.memory["ps-cma"]
    with memory.allocate(1000, np.uint32) as sent, memory.allocate(1000, np.uint32) as received:
        sent[:] = np.arange(1000)
        received.fill(0)
        board.dma("axi_dma_from_ps_to_pl").mm2s.transfer(sent)
        board.dma("axi_dma_from_pl_to_ps").s2mm.transfer(received)
        assert np.array_equal(sent, received)
        iop = board.iop(2)
        iop.load("tutorial")
        iop.start()
        iop.mailbox[1], iop.mailbox[2] = 5, 10
        iop.mailbox[0] = iop.device_address(received, 40)
        iop.wait_idle()
        assert received[:11].tolist() == [*range(5, 15), 10]


def test_a_design_opens_as_the_board_that_it_describes(uri: str) -> None:
    with gapless.open(uri) as board:
        assert board.uri == uri
        assert board.spec.dmas == pynq_z2().dmas
        assert board.spec.iops == pynq_z2().iops
        loop_back(board)
        assert board.findings == ()


def test_options_of_a_design(tmp_path: Path) -> None:
    path = tmp_path / "x.hwh"
    path.write_text(TEXT)
    with gapless.open(f"virtual:{path}?cma=16MiB&fifo=8KiB&ps=1GiB&read=1us") as board:
        cma = board.memory["ps-cma"]
        assert (cma.base, cma.size) == ((768 - 16) * MIB, 16 * MIB)  # the kernel's low memory ends there
        assert [(region.name, region.size) for region in board.address_map] == [("ps-ddr", 1 << 30)]
        assert board.spec.fifos[0].depth == 8192
        before = board.bus.time()
        board.bus.read32(0x4120_0000)
        assert board.bus.time() - before == pytest.approx(1e-6)


def test_what_has_no_model_is_one_warning_where_the_board_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "odd.hwh"
    path.write_text(ODD)
    with pytest.warns(UnmodelledIpWarning) as caught, gapless.open(f"virtual:{path}") as board:
        loop_back(board)
    (warning,) = caught
    assert str(warning.message) == "odd.hwh: no model of switches_gpio: registers only keep what is written"
    assert warning.filename == __file__


@pytest.mark.filterwarnings("default::gapless.errors.UnmodelledIpWarning")
def test_commands_take_designs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.hwh"
    path.write_text(ODD)
    assert main(["info", "--board", f"virtual:{path}"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "gapless: warning: odd.hwh: no model of switches_gpio: registers only keep what is written\n"
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["switches_gpio", "odd", "0x4122_0000"] in lines
    assert ["leds_gpio", "axi-gpio", "0x4121_0000"] in lines
    assert main(["memory", "--board", "virtual:pynq_tutorial?cma=64MiB"]) == 0
    assert "64 MiB" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["awg", "digitizer"])
def test_adcs_of_a_built_in_design_record(name: str) -> None:
    with gapless.open(f"virtual:{name}") as board:
        for number in (0, 1):
            board.probe.connect(number, "counter")
        capture = board.adc(1).record(100_000, rate=1e9)
        assert capture.complete
        assert np.all(np.diff(capture.samples.view(np.uint16)) == 1)
        in_step = board.adc(0).record(50_000, rate=1e9, channels=2)
        assert in_step.complete
        assert np.array_equal(in_step.samples[:, 0], in_step.samples[:, 1])


def test_a_dac_of_awg_plays() -> None:
    with gapless.open("virtual:awg?ps=32GiB") as board:
        assert board.memory["ps-carveout"].size == 28 << 30
        assert board.dac(0).play(np.arange(1 << 16, dtype=np.uint16).view(np.int16), rate=1e9).complete


#: A BRAM of 8 KiB at 0x4600_0000, in place of a peripheral.
BRAM = switches_as(
    'MODTYPE="axi_bram_ctrl" HWVERSION="4.1" VLNV="xilinx.com:ip:axi_bram_ctrl:4.1"',
    TEXT.replace(
        'ADDRESSBLOCK="Reg" BASEVALUE="0x41220000" HIGHVALUE="0x4122FFFF" INSTANCE="switches_gpio" '
        'MASTERBUSINTERFACE="M_AXI_GP0" MEMTYPE="REGISTER"',
        'ADDRESSBLOCK="Mem0" BASEVALUE="0x46000000" HIGHVALUE="0x46001FFF" INSTANCE="switches_gpio" '
        'MASTERBUSINTERFACE="M_AXI_GP0" MEMTYPE="MEMORY"',
    ),
)


def test_a_bram_is_memory_and_on_the_bus(tmp_path: Path) -> None:
    path = tmp_path / "bram.hwh"
    path.write_text(BRAM)
    with gapless.open(f"virtual:{path}") as board:
        with board.memory["switches_gpio"].allocate(2048, np.uint32) as words:
            assert words.physical_address == 0x4600_0000
            board.bus.write32(0x4600_0000, 0x1234_5678)
            words[-1] = 7
            assert words[0] == 0x1234_5678
            assert board.bus.read32(0x4600_1FFC) == 7
        with pytest.raises(BusAccessError):
            board.bus.read32(0x4600_2000)
        assert board.findings == ()
        board.load("dma_loopback")
        with pytest.raises(BusAccessError):
            board.bus.read32(0x4600_0000)
