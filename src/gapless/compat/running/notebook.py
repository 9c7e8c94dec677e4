"""Executes a notebook on the board in use, and writes it back with its outputs."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadArgumentError, UnsupportedError

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
    """What became of a notebook: code cells that were executed, and how it failed, if it did."""

    cells: int
    failure: CellFailure | None


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


def execute_notebook(
    notebook: Any, folder: Path, *, environment: Mapping[str, str], timeout: float | None = None
) -> NotebookRun:
    """Execute the code cells of ``notebook``, which gets their outputs, in a new kernel.

    ``pynq`` and ``iop`` are gapless's in there. It ends at the first cell that raises.

    Args:
        notebook: as :func:`read_notebook` gives it; changed in place.
        folder: where the kernel works, as Jupyter does: the notebook's.
        environment: of the kernel's process, with the board to open in GAPLESS_BOARD.
        timeout: seconds that one cell may take; None: as long as it likes.

    Raises UnsupportedError without ``pip install 'gapless[notebook]'``.
    """
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ModuleNotFoundError as error:
        raise _not_installed(error) from None
    # nbclient counts cells from the first one, text included.
    code = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]

    async def execute(client: NotebookClient, count: int, number: int) -> CellFailure | None:
        try:
            await client.async_execute_cell(notebook.cells[number], number, execution_count=count)
        except CellExecutionError as error:
            return CellFailure(count, error.ename, _plain(error.evalue), _traceback(notebook.cells[number]))
        except CellTimeoutError:
            return CellFailure(count, "TimeoutError", f"it took longer than {timeout:g} s", "")
        except DeadKernelError:
            return CellFailure(count, "DeadKernelError", "the process that it ran in has ended", "")
        return None

    async def run(client: NotebookClient, env: Mapping[str, str]) -> NotebookRun:
        failure, count = None, 0
        async with client.async_setup_kernel(env=env, cleanup_kc=True):
            for count, number in enumerate(code, start=1):
                failure = await execute(client, count, number)
                if failure is not None:
                    break
            return NotebookRun(count, failure)

    # Everything that a kernel leaves behind (sockets, connection file, history) stays in here.
    with tempfile.TemporaryDirectory(prefix="gapless-") as scratch:
        client = NotebookClient(
            notebook,
            km=_kernel(Path(scratch)),
            timeout=timeout,
            startup_timeout=_START_TIMEOUT,
            record_timing=False,  # the same notebook executed twice is the same file
            resources={"metadata": {"path": str(folder)}},
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
