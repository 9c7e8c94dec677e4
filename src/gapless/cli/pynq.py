"""gapless pynq run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import board as boards
from ..compat import running
from ..compat.running.notebook import NotebookRun, execute_notebook, read_notebook, write_notebook
from ..compat.running.trace import VARIABLE as TRACE_VARIABLE
from ..errors import BadArgumentError, WaitTimeoutError
from . import options
from .output import print_json

EXAMPLES = """\b
Examples:
  gapless pynq run tutorial.ipynb
  gapless pynq run tutorial.ipynb --output executed.ipynb --trace
  gapless pynq run measure.py 1000 -- --fast
"""

#: sleep() in a notebook is meant to give the board time.
DEFAULT_BOARD = "virtual:pynq-z2?clock=wall"

pynq = typer.Typer()


@pynq.callback()
def _pynq() -> None:
    """Run unmodified code written for PYNQ, on any board of gapless."""


@pynq.command("run", epilog=EXAMPLES)
def run(
    file: Annotated[
        str, typer.Argument(metavar="FILE", show_default=False, help="A script (.py) or a notebook (.ipynb).")
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARGUMENT]...", show_default=False, help="For the script; after -- those that begin with a dash."
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
    json: options.Json = False,
) -> int:
    """Execute a script or notebook, unmodified: 'import pynq' is gapless there, and only there.

    A script runs as 'python FILE ARGUMENTS' would, and its exit status is the command's. A notebook is executed in its
    folder and written back with its outputs; the first cell that fails ends it, with status 1.
    """
    path = Path(file)
    if timeout is not None and not 0 < timeout < 1e9:
        raise BadArgumentError(f"--timeout {timeout:g}: seconds, above 0")
    boards.open(board).close()  # what cannot be is said now, in one line
    if path.suffix == ".ipynb":
        if arguments:
            raise BadArgumentError(f"{path}: a notebook takes no arguments; {arguments[0]!r} was given")
        return _run_notebook(path, board, Path(output or path), timeout, trace, json)
    if path.suffix != ".py":
        raise BadArgumentError(
            f"{path}: suffix {path.suffix!r} is not known; there is .py (a script), .ipynb (a notebook)"
        )
    if output is not None:
        raise BadArgumentError(f"--output {output}: a script writes its files itself; --output is for notebooks")
    return _run_script(path, arguments or [], board, timeout, trace, json)


def _run_notebook(path: Path, board: str, output: Path, timeout: float | None, trace: bool, json: bool) -> int:
    notebook = read_notebook(path)
    if output.is_dir() or not output.parent.is_dir():
        reason = "is a directory" if output.is_dir() else f"there is no folder {output.parent}"
        raise BadArgumentError(f"{output}: cannot be written: {reason}")
    begun = time.monotonic()
    result = execute_notebook(notebook, path.resolve().parent, board=board, timeout=timeout, trace=trace)
    write_notebook(notebook, output)
    if json:
        print_json(_document(path, board, output, result, time.monotonic() - begun))
    else:
        _print(path, output, result)
    return 1 if result.failure else 0


def _document(path: Path, board: str, output: Path, result: NotebookRun, seconds: float) -> dict[str, Any]:
    failure = result.failure
    return {
        "file": str(path),
        "board": board,
        "output": str(output),
        "cells": result.cells,
        "seconds": seconds,
        "failed": {"cell": failure.cell, "name": failure.name, "message": failure.message} if failure else None,
        "trace": result.trace,
    }


def _print(path: Path, output: Path, result: NotebookRun) -> None:
    for line in result.trace:
        print(line)
    if failure := result.failure:
        if failure.traceback:
            print(failure.traceback, file=sys.stderr)
        print(
            f"gapless: {path}: code cell {failure.cell} failed: {failure.name}: {failure.message}; "
            f"{output} has the outputs so far",
            file=sys.stderr,
        )
    else:
        print(f"{output}: {result.cells} cells executed")


def _run_script(path: Path, arguments: list[str], board: str, timeout: float | None, trace: bool, json: bool) -> int:
    if not path.is_file():
        raise BadArgumentError(f"{path}: " + ("is a directory" if path.is_dir() else "no such file"))
    runner = Path(running.__file__).with_name("script.py")
    environment = {**os.environ, "GAPLESS_BOARD": board, **({TRACE_VARIABLE: "1"} if trace else {})}
    begun = time.monotonic()
    try:
        ended = subprocess.run(
            [sys.executable, str(runner), str(path), *arguments],
            env=environment,
            capture_output=json,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WaitTimeoutError(f"{path} did not end within {timeout:g} s and was stopped") from None
    status = 128 - ended.returncode if ended.returncode < 0 else ended.returncode  # as a shell counts signals
    if json:
        print_json(
            {
                "file": str(path),
                "board": board,
                "status": status,
                "seconds": time.monotonic() - begun,
                "stdout": ended.stdout,
                "stderr": ended.stderr,
            }
        )
    return status
