"""gapless pynq files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..boards.empty_bitstream import empty_bitstream
from ..boards.handoff import Design
from ..boards.handoff.checked import built_in
from ..errors import BadArgumentError, UnknownNameError
from . import options
from .output import print_json

EXAMPLES = """\b
Example:
  gapless pynq files dma_loopback --output bitstream
"""


def files(
    name: Annotated[str, typer.Argument(metavar="DESIGN", help="A built-in design: pynq_tutorial, dma_loopback, ...")],
    output: Annotated[
        str, typer.Option("--output", metavar="FOLDER", help="Where they are written; files there are kept.")
    ] = ".",
    json: options.Json = False,
) -> None:
    """Write the files of a built-in design, for programs that want some: the .hwh, and an empty .bit.

    PYNQ's own package looks for them where it runs, which for PYNQ.remote is not the board. The .bit says what it is
    for and configures nothing: virtual boards take it, and real ones refuse it.
    """
    if name not in built_in():
        raise UnknownNameError("built-in design", name, built_in())
    source, folder = built_in()[name], Path(output)
    contents = {
        folder / f"{name}.hwh": source.read_bytes(),
        folder / f"{name}.bit": empty_bitstream(name, Design.load(source).part),
    }
    for path in contents:
        if path.exists():
            raise BadArgumentError(f"{path} is there already: move it away, or give another --output")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in contents.items():
            path.write_bytes(data)
    except OSError as error:
        raise BadArgumentError(f"{folder} cannot be written: {error.strerror or error}") from None
    if json:
        print_json({"design": name, "files": [str(path) for path in contents]})
    else:
        print("\n".join(map(str, contents)))
