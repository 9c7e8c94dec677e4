"""``gapless pynq run`` with notebooks. A kernel takes seconds to start, so all of them run at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("nbclient")
import nbformat

#: Cells and options of each notebook.
NOTEBOOKS = {
    "good": (
        (
            "from pynq import Xlnk, board_in_use\nxlnk = Xlnk()\nprint(xlnk.cma_stats()['Buffer Count'])",
            "import os, beside\nprint(beside.answer, os.path.basename(os.getcwd()), board_in_use().uri)",
            "",
            "from pynq import Overlay\nhelp(Overlay('./bitstream/pynq_tutorial.bit'))",
        ),
        ("--board", "virtual:pynq-z2?cma=32MiB"),
    ),
    "failing": (
        ("print('before')", "def f():\n    return {}['missing']\nf()", "print('never')"),
        ("--output", "out.ipynb", "--json"),
    ),
    "slow": (("print('before', flush=True)", "import time\ntime.sleep(60)"), ("--timeout", "1")),
    "dying": (("import os\nos._exit(3)",), ()),
    "leaking": (
        (
            "import sys\nfrom pynq import allocate, board_in_use",
            "sys.kept, one = allocate(5000, 'u1'), allocate(1)\none",
        ),
        ("other/second.ipynb", "--json"),
    ),
}


class Run(NamedTuple):
    folder: Path
    status: int
    stdout: str
    stderr: str


def notebook(cells: tuple[str, ...]) -> Any:
    parts = [nbformat.v4.new_markdown_cell("# Text"), *(nbformat.v4.new_code_cell(cell) for cell in cells)]
    return nbformat.v4.new_notebook(cells=parts)


def run(folder: Path, cells: tuple[str, ...], options: tuple[str, ...]) -> Run:
    lesson, home = folder / "lesson", folder / "home"
    lesson.mkdir(parents=True)
    home.mkdir()
    (lesson / "beside.py").write_text("answer = 42")
    other = folder / "other"
    other.mkdir()
    second = (
        "import os, sys\nprint(os.path.basename(os.getcwd()), 'one' in globals(), Out == {})",
        "sys.kept.freebuffer()\ndel sys.kept",
    )
    nbformat.write(notebook(second), other / "second.ipynb")
    (lesson / "zmq.py").write_text("raise AssertionError('the kernel needs the real one')")
    nbformat.write(notebook(cells), lesson / "n.ipynb")
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
    environment.pop("GAPLESS_BOARD", None)
    command = [sys.executable, "-m", "gapless.cli", "pynq", "run", "lesson/n.ipynb", *options]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120, check=False
    )
    return Run(folder, ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    with ThreadPoolExecutor() as threads:
        started = {
            name: threads.submit(run, tmp_path_factory.mktemp("notebooks") / name, *what)
            for name, what in NOTEBOOKS.items()
        }
        return {name: future.result() for name, future in started.items()}


def outputs(path: Path) -> list[str]:
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


def test_a_notebook_is_written_back_with_outputs(runs: dict[str, Run]) -> None:
    good = runs["good"]
    assert (good.status, good.stdout) == (0, "")
    assert good.stderr == "lesson/n.ipynb: 3 cells executed\n"
    count, beside, _, text = outputs(good.folder / "lesson/n.ipynb")
    assert count == "0\n"
    assert beside == "42 lesson virtual:pynq-z2?cma=32MiB\n"
    assert "Overlay pynq_tutorial on PYNQ-Z2" in text
    cells = nbformat.read(good.folder / "lesson/n.ipynb", 4).cells
    assert [cell.execution_count for cell in cells[1:]] == [1, 2, None, 3]


def test_nothing_else_is_left(runs: dict[str, Run]) -> None:
    for name, ended in runs.items():
        assert list((ended.folder / "home").iterdir()) == [], name
        left = {path.name for path in (ended.folder / "lesson").iterdir()} - {"__pycache__"}
        assert left == {"beside.py", "n.ipynb", "zmq.py"}


def test_a_cell_that_fails_ends_it_and_keeps_the_outputs_so_far(runs: dict[str, Run]) -> None:
    failing = runs["failing"]
    assert failing.status == 1
    document = json.loads(failing.stdout)
    assert document["failed"] == {"cell": 2, "name": "KeyError", "message": "'missing'"}
    assert (document["cells"], document["file"], document["output"]) == (2, "lesson/n.ipynb", "out.ipynb")
    assert outputs(failing.folder / "out.ipynb") == ["before\n", "", ""]
    failed = nbformat.read(failing.folder / "out.ipynb", 4).cells[2].outputs[0]
    assert (failed.output_type, failed.ename) == ("error", "KeyError")
    assert outputs(failing.folder / "lesson/n.ipynb") == ["", "", ""], "with --output the notebook stays as it was"


def test_a_cell_that_takes_too_long_is_stopped(runs: dict[str, Run]) -> None:
    slow = runs["slow"]
    assert slow.status == 1
    assert slow.stderr == (
        "gapless: lesson/n.ipynb: code cell 2 failed: TimeoutError: it took longer than 1 s; "
        "lesson/n.ipynb has the outputs so far\n"
    )
    assert outputs(slow.folder / "lesson/n.ipynb")[0] == "before\n"


def test_a_kernel_that_dies(runs: dict[str, Run]) -> None:
    dying = runs["dying"]
    assert dying.status == 1
    assert "code cell 1 failed: DeadKernelError: the process" in dying.stderr
    assert dying.stderr.count("\n") == 1


def test_several_run_on_one_board_and_say_what_they_left_behind(runs: dict[str, Run]) -> None:
    leaking = runs["leaking"]
    assert leaking.status == 0
    first, second = json.loads(leaking.stdout)["notebooks"]
    assert (first["file"], second["file"]) == ("lesson/n.ipynb", "other/second.ipynb")
    counts = [
        notebook["memory"][when]["ps-cma"]["buffers"] for notebook in (first, second) for when in ("before", "after")
    ]
    empty, kept = {"bytes": 0, "count": 0}, {"bytes": 8192, "count": 1}
    assert counts == [empty, kept, kept, empty], "the second array was only a variable and an output of the first one"
    assert leaking.stderr == (
        "lesson/n.ipynb: 2 cells executed; memory in use: 8 KiB more in ps-cma\n"
        "other/second.ipynb: 2 cells executed; memory in use: 8 KiB less in ps-cma\n"
    )
    assert outputs(leaking.folder / "other/second.ipynb") == ["other False True\n", ""]
    cells = nbformat.read(leaking.folder / "other/second.ipynb", 4).cells
    assert [cell.execution_count for cell in cells[1:]] == [1, 2]
