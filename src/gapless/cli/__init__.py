"""The command line, ``gapless``: its commands are those of :data:`gapless.cli.app.COMMANDS`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

#: What the extra brings. Everything else of gapless works without.
_EXTRA = ("typer", "rich")


def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0: done, nothing missing. 1: it failed while running. 2: wrong use. 3: samples are missing.
    130: Ctrl-C.
    """
    for name in _EXTRA:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            print(f"gapless: the command line needs {error.name}: pip install 'gapless[cli]'", file=sys.stderr)
            return 2
    from .app import run

    return run(sys.argv[1:] if args is None else args)
