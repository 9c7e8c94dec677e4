"""gapless iop: programs of soft processors."""

from __future__ import annotations

import typer

from .iop_disasm import EXAMPLES as DISASM_EXAMPLES
from .iop_disasm import disasm
from .iop_run import EXAMPLES as RUN_EXAMPLES
from .iop_run import run

iop = typer.Typer(help="Execute and disassemble programs of soft processors (MicroBlaze).", no_args_is_help=True)
iop.command("run", epilog=RUN_EXAMPLES)(run)
iop.command("disasm", epilog=DISASM_EXAMPLES)(disasm)
