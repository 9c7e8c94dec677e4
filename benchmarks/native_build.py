"""The native side of the benchmarks, built with CMake from this checkout, optimised as the package is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .measure import UnavailableError

ROOT = Path(__file__).resolve().parents[1]


def gapless_bench() -> Path:
    """Path of the executable, up to date. What is built already costs a fraction of a second."""
    folder = ROOT / "build" / "bench"
    tools = Path(sys.executable).parent  # CMake and ninja come with the lock
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    configure = ["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DGAPLESS_BENCH=ON"]
    configure += [f"-DPython_EXECUTABLE={sys.executable}"]
    for command in (configure, ["cmake", "--build", folder, "--target", "gapless_bench"]):
        try:
            result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        except OSError as error:
            raise UnavailableError(f"the native benchmark cannot be built: {error}") from None
        if result.returncode:
            print(result.stdout + result.stderr, file=sys.stderr)
            raise UnavailableError("the native benchmark cannot be built (see above)")
    return folder / "gapless_bench"
