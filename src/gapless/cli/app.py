"""The commands put together, and every way they can end turned into one line and an exit status."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, TextIO, cast

import typer
import typer.main

from .. import __version__
from ..errors import (
    AccessDeniedError,
    AddressError,
    AllocationError,
    BadArgumentError,
    GaplessError,
    UnsupportedError,
)

#: In the order in which --help lists them. Each is a function, or a group of them, of that name in a module of that
#: name.
COMMANDS = ("play", "record", "verify", "budget", "info", "memory", "copy", "load", "iop", "pynq", "serve", "demo")

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

#: Nothing was started: what was asked cannot be. The rest of GaplessError happens at run time.
_WRONG_USE = (BadArgumentError, AllocationError, AddressError, AccessDeniedError, UnsupportedError)

#: typer has its own copy of click in some versions and imports click in others; this is UsageError in both.
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__bases__[0])


def _version(asked: bool) -> None:
    if asked:
        print(f"gapless {__version__}")
        raise typer.Exit


def _gapless(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Play and record signals of any size through DMA without one missing sample.

    With no board at hand a virtual ZCU111 takes its place. Exit status: 0 nothing is missing, 1 failed
    while running, 2 wrong use, 3 samples are missing.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(WRONG_USE)


def make_app(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """The command line with ``commands``. Each one loads its module, which takes a while."""
    # Plain help: it is the same in a pipe, and rich is not loaded to print it.
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for name in commands:
        module = import_module(f".{name}", __package__)
        command = getattr(module, name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, epilog=module.EXAMPLES)(command)
    app.callback(
        invoke_without_command=True,
        epilog="\b\nStart with:\n  gapless demo\n  gapless play tone:10e6 --seconds 0.1\n  gapless COMMAND --help",
    )(_gapless)
    return app


def run(args: Sequence[str]) -> int:
    """Run the command that ``args`` ask for, and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show must not end the program
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = _invoke(args)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FAILED
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("GAPLESS_DEBUG"):
            raise
        status, text = _explain(error)
        # plain print: nothing wraps the line, and brackets in a name are no markup
        print(f"gapless: {' '.join(text.splitlines())}", file=sys.stderr)
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line: where in the command's source it came up is of no use to who typed it."""
    print(f"gapless: warning: {message}", file=sys.stderr)


def _invoke(args: Sequence[str]) -> int:
    # Where a command comes first, nobody will ask about the others.
    command: Any = typer.main.get_command(make_app(args[:1] if args and args[0] in COMMANDS else COMMANDS))
    try:
        with command.make_context("gapless", list(args)) as context:
            status = command.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    return status if isinstance(status, int) else 0


def _explain(error: Any) -> tuple[int, str]:
    """Exit status and message for what ended a command."""
    if isinstance(error, _USAGE_ERROR):
        return WRONG_USE, _usage(error)
    for kinds, status in ((_WRONG_USE, WRONG_USE), ((GaplessError, OSError), FAILED)):
        if isinstance(error, kinds):
            return status, str(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, str(error) or "interrupted"
    if isinstance(error, MemoryError):
        return FAILED, f"this machine has no memory left: {error}"
    return FAILED, f"this is a bug in gapless: {type(error).__name__}: {error} (GAPLESS_DEBUG=1 shows where)"


def _usage(error: Any) -> str:
    where = error.ctx.command_path if error.ctx is not None else "gapless"
    return f"{error.format_message().rstrip('.')} (see {where} --help)"
