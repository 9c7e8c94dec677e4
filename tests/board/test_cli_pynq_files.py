"""``gapless pynq files``: what it writes is taken by virtual boards, and by no real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gapless
from gapless.boards.bitstream import Bitstream
from gapless.boards.designs import load_bitstream
from gapless.boards.handoff.checked import built_in, load_checked
from gapless.cli import main
from gapless.errors import BadArgumentError


@pytest.mark.parametrize("name", built_in())
def test_a_board_is_made_of_them(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pynq", "files", name, "--output", str(tmp_path / "new"), "--json"]) == 0
    written = [Path(path) for path in json.loads(capsys.readouterr().out)["files"]]
    assert [path.name for path in written] == [f"{name}.hwh", f"{name}.bit"]
    assert written[0].read_bytes() == built_in()[name].read_bytes()
    bitstream = Bitstream.load(written[1])
    assert (bitstream.design, bitstream.empty, bitstream.encrypted) == (name, True, False)
    assert load_checked(written[1]).name == name
    with gapless.open(f"virtual:{written[1]}") as board:
        assert board.spec.handoff == written[1]
        with pytest.raises(BadArgumentError, match="was made for virtual boards"):
            load_bitstream(board.spec, written[1], tmp_path)


def test_it_is_for_its_own_device(tmp_path: Path) -> None:
    assert main(["pynq", "files", "awg", "--output", str(tmp_path)]) == 0
    with gapless.open("virtual:pynq-z2") as board, pytest.raises(BadArgumentError, match="xczu28dr"):
        board.load(tmp_path / "awg.bit")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "dma_loopback"),
        (["awg", "--output", "there"], "awg.hwh is there already"),
        (["awg", "--output", "file"], "file cannot be written"),
    ],
)
def test_wrong_use(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "awg.hwh").write_text("mine")
    (tmp_path / "file").touch()
    assert main(["pynq", "files", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert words in captured.err
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["awg.hwh"]
    assert (tmp_path / "there" / "awg.hwh").read_text() == "mine"
