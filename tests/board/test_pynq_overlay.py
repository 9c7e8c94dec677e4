"""Overlay: what a design has, as attributes and as documentation."""

from __future__ import annotations

import pydoc
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pynq_board import Handoff

import gapless
from bitstreams import bit, words
from gapless.compat import pynq
from gapless.compat.pynq import PL, Overlay, binding
from gapless.compat.pynq.lib import DMA, AxiGPIO
from gapless.errors import BadArgumentError, PynqError, UnknownNameError, UnsupportedError


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with gapless.open("virtual:pynq-z2") as opened:
        pynq.use(opened)
        yield opened
        pynq.close()


@pytest.fixture
def overlay(board: gapless.Board) -> Overlay:
    return Overlay("./bitstream/pynq_tutorial.bit")


def test_the_file_may_be_missing_but_not_the_design(board: gapless.Board) -> None:
    with pytest.raises(
        UnknownNameError, match=r"no file base.bit and no design of PYNQ-Z2 .* called 'base': .*pynq_tutorial"
    ):
        Overlay("base.bit")
    with pytest.raises(PynqError, match="dtbo"):
        Overlay("pynq_tutorial.bit", dtbo="x.dtbo")


def test_a_file_that_is_there_has_to_be_a_bitstream(board: gapless.Board, tmp_path: Path) -> None:
    (tmp_path / "pynq_tutorial.bit").write_bytes(b"nonsense")
    with pytest.raises(BadArgumentError):
        Overlay(str(tmp_path / "pynq_tutorial.bit"))


def _tiny(*bases: int) -> Handoff:
    design = Handoff(parameters={"PCW_DDR_RAM_HIGHADDR": "0x1FFFFFFF"})
    for number, base in enumerate(bases):
        design.block(f"timer_{number}", "axi_timer", "2.0").address(f"timer_{number}", base, 0x1_0000)
    return design


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("d.hwh", {"d.hwh": _tiny(0x4280_0000).text()[:-40]}, "is cut short"),
        ("d.hwh", {"d.hwh": "PK"}, "is no XML"),
        ("d.bit", {"d.bit": b"x"}, r"d\.hwh"),
        ("d.hwh", {"d.hwh": _tiny(0x4280_0000, 0x4280_8000).text()}, "are both at"),
        ("d.xsa", {"d.xsa": "no zip"}, r"is no \.xsa"),
        ("d.hwh", {"d.hwh": Handoff("zynq_ultra_ps_e").text()}, "is for xczu28dr"),
        ("d.bit", {"d.hwh": _tiny(0x4280_0000).text(), "d.bit": bit(words())}, "is for xczu28dr"),
    ],
)
def test_wrong_files(
    board: gapless.Board, tmp_path: Path, name: str, files: dict[str, str | bytes], message: str
) -> None:
    """Each is one error, and what is in the PL stays."""
    before = Overlay("pynq_tutorial.bit")
    for file, content in files.items():
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadArgumentError, match=message):
        Overlay(str(tmp_path / name))
    assert before.is_loaded()
    assert before.btns_gpio.read(4) == 0xF


def test_a_board_that_knows_no_design(board: gapless.Board, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(board.spec, handoff=None, design="none chosen (local?design=x)")
    monkeypatch.setattr(board, "spec", spec)
    with pytest.raises(
        UnsupportedError, match=r"knows nothing that is in the PL: design none chosen \(local\?design=x"
    ):
        pynq.Interrupt("leds_gpio/ip2intc_irpt")
    with pytest.raises(UnknownNameError, match="there is none"):
        Overlay("pynq_tutorial.bit")


def test_what_it_has(overlay: Overlay, board: gapless.Board) -> None:
    assert isinstance(overlay, Overlay)
    assert overlay.iop1.mb_info == {
        "ip_name": "iop1/mb_bram_ctrl",
        "rst_name": "mb_iop1_reset",
        "intr_pin_name": "iop1/dff_en_reset_vector_0/q",
        "intr_ack_name": "mb_iop1_intr_ack",
        "name": "iop1",
        "mb_type": "Pmod",
        "mbtype": "Pmod",
    }
    assert overlay.iop2.mb_info["ip_name"] == "iop2/mb_bram_ctrl"
    assert overlay.iop1.mbtype == "Pmod"
    assert isinstance(overlay.axi_dma_from_ps_to_pl, DMA)
    assert overlay.axi_dma_from_pl_to_ps.engine is board.dma("axi_dma_from_pl_to_ps")
    assert isinstance(overlay.leds_gpio, AxiGPIO)
    assert overlay.leds_gpio is overlay.leds_gpio
    assert set(overlay.ip_dict) == {
        *("axi_dma_from_ps_to_pl", "axi_dma_from_pl_to_ps", "iop1/mb_bram_ctrl", "iop2/mb_bram_ctrl"),
        *("btns_gpio", "leds_gpio", "switches_gpio", "ps"),
    }
    for name, ip in overlay.ip_dict.items():
        assert name == "ps" or {"phys_addr", "addr_range", "type", "state"} <= set(ip)
    assert (overlay.ip_dict["iop2/mb_bram_ctrl"]["phys_addr"], board.spec.iops[1].size) == (0x4200_0000, 65536)
    assert overlay.gpio_dict[overlay.iop2.mb_info["rst_name"]]["index"] == board.spec.iops[1].reset_pin
    pins = overlay.interrupt_pins
    assert pins[overlay.iop1.mb_info["intr_pin_name"]]["raw_irq"] == board.spec.iops[0].interrupt
    assert "axi_dma_from_ps_to_pl/s2mm_introut" not in pins
    with pytest.raises(AttributeError, match="Could not find IP or hierarchy iop3 in the overlay: it has iop1, iop2"):
        overlay.iop3  # noqa: B018
    assert {"iop1", "leds_gpio", "download"} <= set(dir(overlay))


def test_gpio_registers(overlay: Overlay) -> None:
    overlay.leds_gpio.write(4, 0b0101)  # GPIO_TRI (PG144): which pins are inputs
    assert overlay.leds_gpio.read(4) == 0b0101
    assert overlay.btns_gpio.read(4) == 0b1111
    for offset in (2, -4, 0x1_0000):
        with pytest.raises(BadArgumentError, match="multiple of 4"):
            overlay.leds_gpio.read(offset)


def test_help_reads_like_documentation(overlay: Overlay) -> None:
    text = pydoc.render_doc(overlay, renderer=pydoc.plaintext)
    for line in (
        "Overlay pynq_tutorial on PYNQ-Z2 (Zynq-7020), board virtual:pynq-z2.",
        "iop1                   IOP (MicroBlaze)  0x4000_0000, 64 KiB",
        "axi_dma_from_pl_to_ps  axi_dma           0x4041_0000, 64 KiB  gapless.compat.pynq.lib.dma.DMA",
        "leds_gpio              axi_gpio          0x4121_0000, 64 KiB  gapless.compat.pynq.lib.axigpio.AxiGPIO",
        "mb_iop1_reset     EMIO 0",
        "Pynq_Tutorial(overlay.iop1.mb_info)",
        "download(self",
        "is_loaded(self",
    ):
        assert line in text
    text = pydoc.render_doc(overlay.iop2, renderer=pydoc.plaintext)
    for line in (
        "class iop2(MicroblazeHierarchy)",
        "iop2: a MicroBlaze at 100 MHz with 64 KiB",
        "host sees at 0x4200_0000",
        "mb_info",
    ):
        assert line in text
    # What one object has is not said of another.
    assert "iop2" not in pydoc.render_doc(overlay.iop1, renderer=pydoc.plaintext)
    assert "0x4121_0000" in pydoc.render_doc(overlay.leds_gpio)


def test_attributes_are_there_while_it_is_loaded(board: gapless.Board) -> None:
    first, second = Overlay("pynq_tutorial.bit"), Overlay("pynq_tutorial.bit")
    assert (first.is_loaded(), second.is_loaded()) == (False, True)
    with pytest.raises(RuntimeError, match=r"^Overlay not currently loaded"):
        first.iop1  # noqa: B018
    leds = second.leds_gpio
    first.download()
    assert (first.is_loaded(), second.is_loaded()) == (True, False)
    second.download()
    assert second.leds_gpio is not leds


def test_any_file_of_a_design(board: gapless.Board, tmp_path: Path) -> None:
    handoff = _tiny(0x4280_0000)
    handoff.save(tmp_path / "d.hwh")
    with zipfile.ZipFile(tmp_path / "d.xsa", "w") as archive:
        archive.writestr("top/d.hwh", handoff.text())
    for name in ("d.bit", "d.hwh", "d.xsa", "d.bin"):
        overlay = Overlay(str(tmp_path / name))
        overlay.timer_0.write(4, 1234)  # TLR0 (PG079): the reset value again after each download
        assert overlay.timer_0.read(4) == 1234
        assert board.spec.handoff is not None
        assert Overlay(str(tmp_path / name)).timer_0.read(4) == 0
    assert PL.bitfile_name == str(tmp_path / "d.bin")


def test_what_a_real_board_loads(board: gapless.Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bitstream, whichever of a design's files was given."""
    loaded: list[bytes] = []
    monkeypatch.setattr(board, "probe", None)
    monkeypatch.setattr(board, "load", lambda path, partial=False: loaded.append(Path(path).read_bytes()))
    handoff = Handoff().block("timer", "axi_timer", "2.0").address("timer", 0x4280_0000, 0x1_0000)
    handoff.save(tmp_path / "d.hwh")
    for given in ("d.hwh", "d.bit"):
        with pytest.raises(BadArgumentError, match=f"{given}: there is no bitstream d.bit"):
            Overlay(str(tmp_path / given))
    (tmp_path / "d.bin").write_bytes(b"bin")
    Overlay(str(tmp_path / "d.bin"))
    (tmp_path / "d.bit").write_bytes(b"bit")
    for given in ("d.bit", "d.hwh"):
        assert Overlay(str(tmp_path / given)).timer.mmio.base_addr == 0x4280_0000
    with zipfile.ZipFile(tmp_path / "e.xsa", "w") as archive:
        archive.writestr("d.hwh", handoff.text())
        archive.writestr("a/../../d.bit", b"packed")
    Overlay(str(tmp_path / "e.xsa"))
    assert loaded == [b"bin", b"bit", b"bit", b"packed"]
    with zipfile.ZipFile(tmp_path / "f.xsa", "w") as archive:
        archive.writestr("d.hwh", handoff.text())
    with pytest.raises(BadArgumentError, match=r"f\.xsa has no bitstream"):
        Overlay(str(tmp_path / "f.xsa"))


def test_without_a_download_it_is_what_is_there_already(board: gapless.Board, tmp_path: Path) -> None:
    """As a second notebook opens the overlay of the first."""
    attached = Overlay("pynq_tutorial.bit", download=False)
    assert attached.is_loaded()
    assert attached.btns_gpio.read(4) == 0b1111
    assert PL.bitfile_name is None
    copy = tmp_path / "mine.hwh"
    shutil.copy(board.spec.handoff or "", copy)
    assert Overlay(str(copy), download=False).is_loaded()
    other = Handoff().block("timer", "axi_timer", "2.0").address("timer", 0x4280_0000, 0x1_0000)
    other.save(tmp_path / "other.hwh")
    overlay = Overlay(str(tmp_path / "other.bit"), download=False)
    assert set(overlay.ip_dict) == {"ps", "timer"}
    assert not overlay.is_loaded()
    with pytest.raises(PynqError, match="not currently loaded"):
        overlay.timer  # noqa: B018


def test_what_is_loaded_without_these_names_counts(board: gapless.Board) -> None:
    overlay = Overlay("pynq_tutorial.bit")
    board.load("dma_loopback")
    assert not overlay.is_loaded()
    assert (PL.bitfile_name, PL.ip_dict) == (None, {})
    assert Overlay("dma_loopback.bit", download=False).is_loaded()
    assert "axi_dma_sg" in pynq.Device.active_device.ip_dict
    board.load("pynq_tutorial")
    assert not overlay.is_loaded()  # it was, and was replaced: its drivers are of no use
    overlay.download()
    assert overlay.btns_gpio.read(4) == 0xF


def test_the_pl_is_that_of_the_last_overlay(board: gapless.Board) -> None:
    assert (PL.bitfile_name, PL.timestamp, PL.ip_dict, PL.gpio_dict, PL.interrupt_pins) == (None, None, {}, {}, {})
    overlay = Overlay("a/pynq_tutorial.bit")
    assert PL.bitfile_name == "a/pynq_tutorial.bit"
    assert PL.timestamp == overlay.timestamp
    assert PL.gpio_dict == overlay.gpio_dict
    assert PL.interrupt_pins == overlay.interrupt_pins
    assert PL.clock_dict == overlay.clock_dict
    assert set(PL.hierarchy_dict) == {"iop1", "iop2"}
    overlay.ip_dict["leds_gpio"]["state"] = "mine"
    assert PL.ip_dict["leds_gpio"]["state"] is None
    del overlay
    assert PL.mem_dict["iop1/mb_bram_ctrl"]["base_address"] == 0x4000_0000
    overlay = Overlay("pynq_tutorial.bit")
    PL.reset()
    assert PL.bitfile_name is None
    assert not overlay.is_loaded()


def test_the_clocks_of_a_zynq_7000(overlay: Overlay) -> None:
    """PYNQ's pynqmetadata: TypeError, since these hand-offs have the frequency under another name."""
    assert overlay.clock_dict[0] == {"enable": 1, "divisor0": 5, "divisor1": 2, "frequency": 100.0}
    assert [clock["enable"] for clock in overlay.clock_dict.values()] == [1, 0, 0, 0]


def test_a_class_of_ones_own(board: gapless.Board) -> None:
    class Mine(Overlay):
        def __init__(self) -> None:
            super().__init__("pynq_tutorial.bit")
            self.answer = 42

    mine = Mine()
    assert isinstance(mine, Mine)
    assert mine.answer == 42
    assert mine.iop1.spec is board.spec.iops[0]


def test_what_the_page_shows(board: gapless.Board, capsys: pytest.CaptureFixture[str]) -> None:
    ips, hierarchies = dict(binding.ip_drivers), list(binding.hierarchy_drivers)
    page = (Path(__file__).parents[2] / "docs" / "pynq.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    try:
        exec("\n".join(blocks), {"__name__": "page"})
        assert "example.com:user:counter:1.0" in binding.ip_drivers
    finally:
        binding.ip_drivers.clear()
        binding.ip_drivers.update(ips)
        binding.hierarchy_drivers[:] = hierarchies
    assert (len(blocks), capsys.readouterr().out) == (3, "4000\n")


def test_the_board_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPLESS_BOARD", "virtual:pynq-z2?cma=32MiB")
    opened = pynq.board_in_use()
    assert opened.uri == "virtual:pynq-z2?cma=32MiB"
    assert pynq.board_in_use() is opened
    with gapless.open("virtual:zcu111") as given:
        assert pynq.use(given) is given
        assert pynq.board_in_use() is given
        pynq.close()
        assert pynq.board_in_use() is not given
        given.bus.read32(given.spec.dmas[0].base)  # who opened it closes it
    monkeypatch.delenv("GAPLESS_BOARD")
    assert pynq.use("virtual:pynq-z2").uri == pynq.DEFAULT_BOARD
    pynq.close()
    pynq.close()


def test_a_cyclic_transfer_that_nobody_stopped_goes_with_its_design(board: gapless.Board) -> None:
    pool, before = board.memory["ps-cma"], board.memory["ps-cma"].stats()
    wave = pynq.allocate(1000)
    Overlay("dma_loopback.bit").axi_dma_sg.sendchannel.transfer(wave, cyclic=True)
    assert wave.in_flight
    assert pool.stats().buffers.count > 1  # its descriptors
    Overlay("pynq_tutorial.bit")
    wave.freebuffer()
    assert pool.stats() == before
