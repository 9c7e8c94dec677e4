"""``gapless pynq run``: unmodified scripts, and wrong use. Notebooks are in test_pynq_notebooks.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nbclient")
import nbformat

GAPLESS = [sys.executable, "-m", "gapless.cli", "pynq", "run"]


def run(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "GAPLESS_BOARD"}
    command = [*GAPLESS, *args]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120, check=False
    )


def test_a_script_has_its_arguments_board_and_exit_status(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(
        "import sys\nfrom pynq import Xlnk, board_in_use\n"
        "print(sys.argv, board_in_use().uri, Xlnk().cma_mem_size())\nsys.exit(5)\n"
    )
    result = run(tmp_path, "s.py", "--board", "virtual:pynq-z2?cma=16MiB", "1", "--", "--fast")
    assert result.returncode == 5
    assert result.stdout == "['s.py', '1', '--fast'] virtual:pynq-z2?cma=16MiB 16777216\n"
    document = json.loads(run(tmp_path, "s.py", "--json").stdout)
    assert (document["status"], document["file"], document["stderr"]) == (5, "s.py", "")
    assert document["stdout"].startswith("['s.py'] virtual:pynq-z2")


def test_a_script_that_takes_too_long_or_is_killed(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("import time\ntime.sleep(60)\n")
    result = run(tmp_path, "s.py", "--timeout", "1")
    assert (result.returncode, result.stderr) == (1, "gapless: s.py did not end within 1 s and was stopped\n")
    (tmp_path / "s.py").write_text("import os\nos.kill(os.getpid(), 15)\n")
    assert run(tmp_path, "s.py").returncode == 128 + 15


def test_trace_has_the_stores_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(
        "from pynq import Xlnk, Overlay\nfrom iop.pynq_tutorial import Pynq_Tutorial\n"
        "buffer = Xlnk().cma_array(10, 'i4')\niop = Pynq_Tutorial(Overlay('pynq_tutorial.bit').iop2.mb_info)\n"
        "iop.write_to_buffer(buffer.physical_address, 3, 7)\nprint(hex(buffer.physical_address), buffer[:4])\n"
    )
    result = run(tmp_path, "s.py", "--trace", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    address = 0x2000_0000 | int(document["stdout"].split()[0], 16)
    stores = [(row["address"], row["value"]) for row in document["trace"]["iop2"]["records"]]
    assert stores[-4:] == [(address, 7), (address + 4, 8), (address + 8, 9), (0xF000, 0)]
    assert document["trace"]["iop1"]["records"] == []
    assert "swi" in document["trace"]["iop2"]["records"][-1]["text"]
    assert "stores of iop2" in run(tmp_path, "s.py", "--trace").stdout


def notebook(path: Path) -> Path:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), path)
    return path


WRONG = [
    ("missing.py", "missing.py: no such file"),
    ("missing.ipynb", "missing.ipynb: no such file"),
    ("folder.py", "is a directory"),
    ("notes.txt", "there is .py (a script), .ipynb (a notebook)"),
    ("text.ipynb", "not a Jupyter notebook"),
    ("json.ipynb", "not a Jupyter notebook"),
    ("good.ipynb --output nowhere/out.ipynb", "there is no folder nowhere"),
    ("good.ipynb --output folder.py", "is a directory"),
    ("good.ipynb argument", "a notebook takes no arguments"),
    ("good.py --output x.ipynb", "--output is for notebooks"),
    ("good.py --timeout 0", "--timeout 0: seconds, above 0"),
    ("good.py --board virtual:pynq-z9", "virtual:pynq-z2"),
    ("", "FILE"),
]


@pytest.mark.parametrize(("command", "words"), WRONG)
def test_wrong_use_is_one_line(
    tmp_path: Path, command: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gapless.cli import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "text.ipynb").write_text("nonsense")
    (tmp_path / "json.ipynb").write_text('{"cells": 5}')
    (tmp_path / "good.py").write_text("")
    notebook(tmp_path / "good.ipynb")
    assert main(["pynq", "run", *command.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("gapless: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gapless.cli import main

    path = notebook(tmp_path / "n.ipynb")
    monkeypatch.setitem(sys.modules, "nbformat", None)
    assert main(["pynq", "run", str(path)]) == 2
    assert capsys.readouterr().err == "gapless: notebooks need nbformat: pip install 'gapless[notebook]'\n"
