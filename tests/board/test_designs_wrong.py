"""Designs that cannot be opened: one clear line, exit status 2, and nothing that is left open."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import gapless
from bitstreams import bit, words
from gapless.boards.handoff.checked import built_in
from gapless.boards.pynq_z2 import HANDOFF, pynq_z2
from gapless.cli import main
from gapless.compat import pynq
from gapless.errors import BadArgumentError

TEXT = HANDOFF.read_text()
LEDS = 'BASEVALUE="0x41210000" HIGHVALUE="0x4121FFFF"'
BUTTONS = 'BASEVALUE="0x41200000" HIGHVALUE="0x4120FFFF"'


def missing(folder: Path) -> Path:
    return folder / "none.hwh"


def text_of(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return make


def bit_of_another_part(folder: Path) -> Path:
    (folder / "a.hwh").write_text(TEXT)
    (folder / "a.bit").write_bytes(bit(words(), part="xczu28dr-ffvg1517-2-e"))
    return folder / "a.bit"


def bit_alone(folder: Path) -> Path:
    (folder / "a.bit").write_bytes(bit(words(), part="7z020clg400"))
    return folder / "a.bit"


def bit_cut_short(folder: Path) -> Path:
    (folder / "a.hwh").write_text(TEXT)
    (folder / "a.bit").write_bytes(bit(words(), part="7z020clg400")[:-200])
    return folder / "a.bit"


def xsa(**members: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "a.xsa", "w") as archive:
            for name, text in members.items():
                archive.writestr(name.replace("_", "."), text)
        return folder / "a.xsa"

    return make


WRONG = [
    (missing, "none.hwh: there is no such file"),
    (text_of("a.hwh", TEXT[: len(TEXT) // 2]), "a.hwh is cut short"),
    (text_of("a.hwh", ""), "a.hwh is empty"),
    (text_of("a.hwh", "PK\3\4"), "a.hwh is no XML"),
    (text_of("a.hwh", "<html></html>"), "XML, but no hardware hand-off"),
    (text_of("a.hwh", TEXT.replace(LEDS, BUTTONS)), "btns_gpio and leds_gpio are both at 0x4120_0000"),
    (
        text_of("a.hwh", TEXT.replace('"c_sg_length_width" VALUE="23"', '"c_sg_length_width" VALUE="40"')),
        "length_width=40",
    ),
    (text_of("a.hwh", TEXT.replace('"c_addr_width" VALUE="32"', '"c_addr_width" VALUE="wide"')), "which is no number"),
    (bit_of_another_part, "a.bit is for xczu28dr-ffvg1517-2-e, but a.hwh beside it for xc7z020clg400-1"),
    (bit_alone, "a.bit has no a.hwh beside it"),
    (bit_cut_short, "a.bit is cut short"),
    (text_of("a.xsa", "no zip at all"), "a.xsa is no .xsa, which is a zip archive"),
    (xsa(readme_txt="hello"), "a.xsa has no .hwh in it"),
    (xsa(a_hwh=TEXT[:5000]), "a.hwh is cut short"),
]


@pytest.mark.parametrize(("make", "says"), WRONG, ids=[says for _, says in WRONG])
def test_one_line_and_status_2(
    make: Callable[[Path], Path], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    assert main(["info", "--board", f"virtual:{path}"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("gapless: ")
    assert shown.err.count("\n") == 1
    assert says in shown.err
    with pytest.raises(BadArgumentError):
        gapless.open(f"virtual:{path}")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("cma=300MiB", "a CMA area of 300 MiB: it is whole MiB, and of the 512 MiB of pynq_tutorial at most 256 MiB"),
        ("cma=4097", "whole MiB"),
        ("ps=2GiB", "the PS of pynq_tutorial has from 128 MiB to 1 GiB of memory"),
        ("ps=100MiB", "in steps of 128 MiB"),
        ("fifo=1", "multiple of 64 bytes"),
        ("rate=1", "there is ps, cma, fifo, read, write, clock, slowdown"),
        ("cma=64MiB&cma=64MiB", "cma is given twice"),
        ("read=0", "register access"),
    ],
)
def test_options_that_cannot_be(options: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--board", f"virtual:pynq_tutorial?{options}"]) == 2
    assert says in capsys.readouterr().err


def test_a_name_that_is_no_design(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--board", "virtual:tutorial"]) == 2
    shown = capsys.readouterr().err
    assert "virtual:pynq_tutorial" in shown
    assert "virtual:FILE.hwh" in shown


def handoff_of_another_device(folder: Path) -> Path:
    return text_of("a.hwh", built_in()["digitizer"].read_text())(folder)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (bit_of_another_part, "a.bit is for xczu28dr-ffvg1517-2-e, but a.hwh beside it for xc7z020clg400-1"),
        (handoff_of_another_device, "a.hwh is for xczu28dr-ffvg1517-2; PYNQ-Z2"),
        (text_of("a.hwh", TEXT[: len(TEXT) // 2]), "a.hwh is cut short"),
        (text_of("a.xsa", "no zip at all"), "a.xsa is no .xsa, which is a zip archive"),
    ],
)
@pytest.mark.parametrize("how", ["load", "Overlay"])
def test_nothing_wrong_is_loaded_into_a_board(
    make: Callable[[Path], Path], says: str, how: str, tmp_path: Path
) -> None:
    with gapless.open("virtual:pynq-z2") as board:
        pynq.use(board)
        try:
            with pytest.raises(BadArgumentError, match=re.escape(says)):
                board.load(make(tmp_path)) if how == "load" else pynq.Overlay(str(make(tmp_path)))
        finally:
            pynq.close()
        # It still has what it had.
        assert board.spec.dmas == pynq_z2().dmas
        assert board.bus.read32(pynq_z2().dmas[0].base + 4) == 1


@pytest.mark.filterwarnings("default::gapless.errors.UnmodelledIpWarning")
def test_gapless_load_of_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = handoff_of_another_device(tmp_path)
    assert main(["load", str(path), "--board", "virtual:pynq-z2"]) == 2
    shown = capsys.readouterr().err
    assert "a.hwh is for xczu28dr" in shown
    assert shown.count("\n") == 1
