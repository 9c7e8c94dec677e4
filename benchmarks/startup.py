"""How long it takes until gapless is there: importing it, and ``gapless info``, against ``import numpy``.

Whole processes of the same interpreter, from start to exit, in turn; what they print goes nowhere. Files are in
the page cache and compiled (the first runs are not counted), as for anybody who starts a program twice.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .measure import Comparison, UnavailableError, compare, timed

RUNS = 21
_NUMPY = 'python -c "import numpy"'


def run() -> Iterator[Comparison]:
    command = Path(sys.executable).with_name("gapless")
    if not command.exists():
        raise UnavailableError(f"there is no command {command}: install the package")
    numpy = process(sys.executable, "-c", "import numpy")
    gapless = process(sys.executable, "-c", "import gapless")
    yield compare('python -c "import gapless"', gapless, numpy, theirs_name=_NUMPY, limit=1.5, runs=RUNS)
    yield compare("gapless info", process(str(command), "info"), numpy, theirs_name=_NUMPY, limit=3.0, runs=RUNS)


def process(*command: str) -> Callable[[], float]:
    return lambda: timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
