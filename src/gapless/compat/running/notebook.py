"""Executes notebooks on the board in use, and writes them back with their outputs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadArgumentError, UnsupportedError
from .between import begin

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

_KERNEL = "gapless-pynq"
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_START_TIMEOUT = 60.0  # seconds; a board with a slow card needs some ten


@dataclass(frozen=True)
class CellFailure:
    """The cell that ended a notebook.

    ``cell`` counts code cells from 1; ``name`` and ``message`` are those of the error, ``traceback`` is what Python
    prints. A cell that took too long has the name "TimeoutError".
    """

    cell: int
    name: str
    message: str
    traceback: str


@dataclass(frozen=True)
class NotebookRun:
    """What became of a notebook: code cells that were executed, and how it failed, if it did.

    ``before`` and ``after``: what memory was used, by pool, as ``PoolStats.as_dict()``; empty where it was alone.
    """

    cells: int
    failure: CellFailure | None
    before: dict[str, Any]
    after: dict[str, Any]


def read_notebook(path: Path) -> Any:
    """The notebook in a file.

    Raises:
        BadArgumentError: there is none, or it is no notebook.
        UnsupportedError: this needs ``pip install 'gapless[notebook]'``.
    """
    try:
        import nbformat
    except ModuleNotFoundError as error:
        raise _not_installed(error) from None
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise BadArgumentError(f"{path}: no such file") from None
    except OSError as error:
        raise BadArgumentError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # of many kinds, where JSON is no notebook
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise BadArgumentError(f"{path}: not a Jupyter notebook: {reason}") from error
    return notebook


def write_notebook(notebook: Any, path: Path) -> None:
    """Write it whole or not at all; BadArgumentError when the file cannot be written."""
    import nbformat

    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            nbformat.write(notebook, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise BadArgumentError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def execute_notebooks(
    notebooks: Sequence[tuple[Any, Path]], *, environment: Mapping[str, str], timeout: float | None = None
) -> list[NotebookRun]:
    """Execute the code cells of notebooks, which get their outputs, one after the other in one new kernel.

    ``pynq`` and ``iop`` are gapless's in there. All run on one board, and each begins with no variables, as in a
    kernel of its own. It ends at the first cell that raises: the last result is then that notebook's.

    Args:
        notebooks: each as :func:`read_notebook` gives it, changed in place, and the folder where it works: as in
            Jupyter, its own.
        environment: of the kernel's process, with the board to open in GAPLESS_BOARD.
        timeout: seconds that one cell may take; None: as long as it likes.

    Raises UnsupportedError without ``pip install 'gapless[notebook]'``.
    """
    try:
        import nbformat.v4
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ModuleNotFoundError as error:
        raise _not_installed(error) from None

    async def execute(client: NotebookClient, count: int, number: int) -> CellFailure | None:
        cell = client.nb.cells[number]
        try:
            await client.async_execute_cell(cell, number, execution_count=count)
        except CellExecutionError as error:
            return CellFailure(count, error.ename, _plain(error.evalue), _traceback(cell))
        except CellTimeoutError:
            return CellFailure(count, "TimeoutError", f"it took longer than {timeout:g} s", "")
        except DeadKernelError:
            return CellFailure(count, "DeadKernelError", "the process that it ran in has ended", "")
        return None

    async def between(client: NotebookClient, folder: Path) -> dict[str, Any]:
        if len(notebooks) == 1:
            return {}
        source = f"__import__({begin.__module__!r}, fromlist=['begin']).begin({str(folder)!r})"
        client.nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        cell = await client.async_execute_cell(client.nb.cells[0], 0, store_history=False)
        memory: dict[str, Any] = json.loads(cell.outputs[0].text)
        return memory

    async def run(client: NotebookClient, env: Mapping[str, str]) -> list[NotebookRun]:
        runs: list[NotebookRun] = []
        async with client.async_setup_kernel(env=env, cleanup_kc=True):
            before = await between(client, notebooks[0][1])
            for place, (notebook, folder) in enumerate(notebooks):
                client.nb, count = notebook, 0
                # nbclient counts cells from the first one, text included.
                cells = enumerate(notebook.cells)
                code = [number for number, cell in cells if cell.cell_type == "code" and cell.source.strip()]
                for count, number in enumerate(code, start=1):
                    failure = await execute(client, count, number)
                    if failure is not None:
                        return [*runs, NotebookRun(count, failure, before, {})]
                following = notebooks[place + 1][1] if place + 1 < len(notebooks) else folder
                after = await between(client, following)
                runs.append(NotebookRun(count, None, before, after))
                before = after
        return runs

    # Everything that a kernel leaves behind (sockets, connection file, history) stays in here.
    with tempfile.TemporaryDirectory(prefix="gapless-") as scratch:
        client = NotebookClient(
            notebooks[0][0],
            km=_kernel(Path(scratch)),
            timeout=timeout,
            startup_timeout=_START_TIMEOUT,
            record_timing=False,  # the same notebook executed twice is the same file
            resources={"metadata": {"path": str(notebooks[0][1])}},
        )
        client.reset_execution_trackers()
        # The debugger, which nobody attaches, would warn of frozen modules.
        env = {**environment, "IPYTHONDIR": scratch, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        return asyncio.run(run(client, env))


def _kernel(scratch: Path) -> AsyncKernelManager:
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OneKernel(KernelSpecManager):
        """Knows our kernel, which is not registered with the user's Jupyter."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            kernel = str(Path(__file__).with_name("kernel.py"))
            # What it would log as it is stopped is reported from here.
            argv = [sys.executable, kernel, "--log-level=CRITICAL", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name=kernel_name, language="python")

    # Unix sockets: nothing listens on a network.
    return AsyncKernelManager(
        kernel_name=_KERNEL,
        kernel_spec_manager=OneKernel(),
        transport="ipc",
        connection_file=str(scratch / "kernel.json"),
    )


def _traceback(cell: Any) -> str:
    for output in cell.outputs:
        if output.output_type == "error":
            return _plain("\n".join(output.traceback))
    return ""


def _plain(text: str) -> str:
    return _COLOURS.sub("", text)


def _not_installed(error: ModuleNotFoundError) -> UnsupportedError:
    return UnsupportedError(f"notebooks need {error.name}: pip install 'gapless[notebook]'")
