"""Options that several commands have, with their help."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_BOARD = "virtual:zcu111"

Board = Annotated[
    str,
    typer.Option(
        "--board", metavar="URI", help="Board to open; options follow a question mark: 'virtual:zcu111?ps=32GiB'."
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", metavar="NAME", show_default="pl-ddr", help="Pool to allocate in; 'gapless memory' lists them."
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(
        "--rate",
        metavar="SA/S",
        show_default="the file's own, else 1.024e9",
        help="Samples per second, such as 2.048e9.",
    ),
]
FifoDepth = Annotated[
    str | None,
    typer.Option(
        "--fifo-depth",
        metavar="BYTES",
        show_default="1MiB",
        help="Depth of the FIFO before the converter: 65536 or 64KiB.",
    ),
]
SoftwareDelay = Annotated[
    str,
    typer.Option(
        "--software-delay",
        metavar="TIME",
        help="Make the software this late each time it re-arms the engine, such as 1ms: provokes gaps.",
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Start even what 'gapless budget' says cannot be sustained: the ledger has the gaps."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HEX",
        show_default="the lowest that is free",
        help="Physical address to put the signal at, such as 0x8_E000_0000.",
    ),
]
Clock = Annotated[
    str | None,
    typer.Option(
        "--clock",
        metavar="NAME",
        show_default="virtual",
        help="Of a virtual board: virtual (software takes no time but for its register accesses), or measured "
        "(its own CPU time counts, too).",
    ),
]
Slowdown = Annotated[
    str | None,
    typer.Option(
        "--slowdown",
        metavar="N",
        show_default="1",
        help="With --clock measured: how many times slower the software's processor is than this one; an Arm "
        "Cortex-A53 beside a server is about 15.",
    ),
]
Block = Annotated[
    str | None,
    typer.Option("--block", metavar="N", show_default="1048576", help="Samples in a block of the stream."),
]
Blocks = Annotated[str | None, typer.Option("--blocks", metavar="N", show_default="8", help="Blocks in its ring.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and no progress bar.")]
