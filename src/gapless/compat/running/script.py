"""``python script.py SCRIPT [ARGUMENT ...]``: runs SCRIPT as ``python SCRIPT ...`` would, with PYNQ's names.

A file to run, not a module to import: then the folder of the script, not ours, is where imports look first.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, TracebackType


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next  # nobody asked about our frames
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def main() -> None:
    """Run the script that sys.argv names; what it raises leaves the process as from ``python SCRIPT``."""
    del sys.argv[0]
    path = sys.argv[0]
    sys.path[0] = str(Path(path).resolve().parent)
    from gapless.compat.running.package import provide
    from gapless.compat.running.trace import log_stores

    provide()
    log_stores()
    sys.excepthook = _excepthook
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)


if __name__ == "__main__":
    main()
