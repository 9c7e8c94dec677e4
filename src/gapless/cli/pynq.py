"""gapless pynq run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import board as boards
from ..compat import running
from ..compat.running import package
from ..compat.running.notebook import NotebookRun, execute_notebooks, read_notebook, write_notebook
from ..compat.running.trace import VARIABLE as TRACE
from ..compat.running.trace import read_stores
from ..errors import BadArgumentError, UnsupportedError, WaitTimeoutError
from ..units import format_size
from . import options
from .iop_report import print_trace
from .output import count, print_json
from .pynq_files import EXAMPLES as FILES_EXAMPLES
from .pynq_files import files

EXAMPLES = """\b
Examples:
  gapless pynq run tutorial.ipynb
  gapless pynq run tutorial.ipynb --output executed.ipynb --trace
  gapless pynq run old.ipynb new.ipynb   (one after the other, on one board)
  gapless pynq run measure.py 1000 -- --fast
  gapless pynq run --real measure.py     (the pynq package that is installed, on the same board)
"""

#: sleep() in a notebook is meant to give the board time.
DEFAULT_BOARD = "virtual:pynq-z2?clock=wall"

pynq = typer.Typer()


@pynq.callback()
def _pynq() -> None:
    """Run unmodified code written for PYNQ, on any board of gapless."""


pynq.command("files", epilog=FILES_EXAMPLES)(files)


@pynq.command("run", epilog=EXAMPLES)
def run(
    file: Annotated[
        str, typer.Argument(metavar="FILE", show_default=False, help="A script (.py) or a notebook (.ipynb).")
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARGUMENT]...",
            show_default=False,
            help="For the script; after -- those that begin with a dash. Or more notebooks, for the same board.",
        ),
    ] = None,
    board: Annotated[
        str, typer.Option("--board", metavar="URI", help="Board that the code runs on; opened when it needs one.")
    ] = DEFAULT_BOARD,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", metavar="FILE", show_default="FILE itself", help="Where the executed notebook is written."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", show_default="none", help="How long one cell, or the script, may take."
        ),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print at the end what MicroBlaze programs stored; virtual boards only.")
    ] = False,
    real: Annotated[
        bool, typer.Option("--real", help="Have 'import pynq' be the pynq package that is installed, on this board.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Execute a script or notebook, unmodified: 'import pynq' is gapless there, and only there.

    A script runs as 'python FILE ARGUMENTS' would, and its exit status is the command's. A notebook is executed in its
    folder and written back with its outputs; the first cell that fails ends it, with status 1. Several run one after
    the other on one board, each without the variables of the one before, and it is said what memory each left behind.
    """
    path = Path(file)
    if timeout is not None and not 0 < timeout < 1e9:
        raise BadArgumentError(f"--timeout {timeout:g}: seconds, above 0")
    if path.suffix not in (".py", ".ipynb"):
        raise BadArgumentError(
            f"{path}: suffix {path.suffix!r} is not known; there is .py (a script), .ipynb (a notebook)"
        )
    version = package.installed_version() if real else None
    with boards.open(board) as opened:  # what cannot be is said now, in one line
        if trace and opened.probe is None:
            raise UnsupportedError(f"{board} is a real board: what a program does can be seen on a virtual one only")
    with tempfile.NamedTemporaryFile(prefix="gapless-") if trace else nullcontext() as log:
        environment = {
            **os.environ,
            "GAPLESS_BOARD": board,
            **({} if log is None else {TRACE: log.name}),
            **({package.VARIABLE: "1"} if real else {}),
        }
        begun = time.monotonic()
        if path.suffix == ".ipynb":
            document = _run_notebooks([path, *map(Path, arguments or [])], output, timeout, environment)
        else:
            document = _run_script(path, arguments or [], output, timeout, environment, capture=json)
        stores = {} if log is None else read_stores(Path(log.name))
    if json:
        seconds = time.monotonic() - begun
        heading = {"file": file, "board": board, **({"pynq": version} if real else {})}
        print_json({**heading, **document, "seconds": seconds, **({"trace": stores} if trace else {})})
    else:
        for name, log_of_iop in stores.items():
            _print_stores(name, log_of_iop)
    return int(document["status"])


def _run_notebooks(
    paths: list[Path], output: str | None, timeout: float | None, environment: dict[str, str]
) -> dict[str, Any]:
    for path in paths:
        if path.suffix != ".ipynb":
            raise BadArgumentError(f"{paths[0]}: a notebook takes no arguments, and {str(path)!r} is no other notebook")
    if output is not None and len(paths) > 1:
        raise BadArgumentError(f"--output {output}: of {len(paths)} notebooks each is written back to its own file")
    notebooks = [read_notebook(path) for path in paths]
    targets = [Path(output)] if output is not None else paths
    for target in targets:
        if target.is_dir() or not target.parent.is_dir():
            reason = "is a directory" if target.is_dir() else f"there is no folder {target.parent}"
            raise BadArgumentError(f"{target}: cannot be written: {reason}")
    folders = [path.resolve().parent for path in paths]
    results = execute_notebooks(list(zip(notebooks, folders, strict=True)), environment=environment, timeout=timeout)
    documents = []
    for path, target, notebook, result in zip(paths, targets, notebooks, results, strict=False):
        write_notebook(notebook, target)
        _print_notebook(path, target, result)
        failure = result.failure
        documents.append(
            {
                "status": 1 if failure else 0,
                "output": str(target),
                "cells": result.cells,
                "failed": {"cell": failure.cell, "name": failure.name, "message": failure.message} if failure else None,
                **({"memory": {"before": result.before, "after": result.after}} if len(paths) > 1 else {}),
            }
        )
    if len(paths) == 1:
        return documents[0]
    named = [{"file": str(path), **document} for path, document in zip(paths, documents, strict=False)]
    return {"status": documents[-1]["status"], "notebooks": named}


def _print_notebook(path: Path, target: Path, result: NotebookRun) -> None:
    failure = result.failure
    if failure is None:
        memory = f"; {_left_behind(result)}" if result.before else ""
        print(f"{target}: {count(result.cells, 'cell')} executed{memory}", file=sys.stderr)
        return
    if failure.traceback:
        print(failure.traceback, file=sys.stderr)
    print(
        f"gapless: {path}: code cell {failure.cell} failed: {failure.name}: {failure.message}; "
        f"{target} has the outputs so far",
        file=sys.stderr,
    )


def _left_behind(result: NotebookRun) -> str:
    more = {
        pool: stats["used"] - result.before.get(pool, stats)["used"]
        for pool, stats in result.after.items()
        if stats != result.before.get(pool, stats)
    }
    if not more:
        return "memory is as it was before"
    changes = (f"{format_size(abs(n))} {'more' if n >= 0 else 'less'} in {pool}" for pool, n in more.items())
    return "memory in use: " + ", ".join(changes)


def _run_script(
    path: Path,
    arguments: list[str],
    output: str | None,
    timeout: float | None,
    environment: dict[str, str],
    *,
    capture: bool,
) -> dict[str, Any]:
    if output is not None:
        raise BadArgumentError(f"--output {output}: a script writes its files itself; --output is for notebooks")
    if not path.is_file():
        raise BadArgumentError(f"{path}: " + ("is a directory" if path.is_dir() else "no such file"))
    command = [sys.executable, str(Path(running.__file__).with_name("script.py")), str(path), *arguments]
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=capture, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise WaitTimeoutError(f"{path} did not end within {timeout:g} s and was stopped") from None
    # Signals are counted as a shell does.
    status = 128 - ended.returncode if ended.returncode < 0 else ended.returncode
    return {"status": status, **({"stdout": ended.stdout, "stderr": ended.stderr} if capture else {})}


def _print_stores(name: str, log: dict[str, Any]) -> None:
    if not log["records"]:
        return
    print(f"\nstores of {name}")
    print_trace(log)
