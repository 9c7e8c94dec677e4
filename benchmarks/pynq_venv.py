"""PYNQ 4.0.0 from PyPI in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .measure import UnavailableError

_SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "pynq_venv.py"


def pynq_python() -> Path:
    """Its interpreter; the environment is made at the first call."""
    made = subprocess.run([sys.executable, _SCRIPT, "4.0.0"], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise UnavailableError("PYNQ 4.0.0 cannot be had here (see above)")
    return Path(made.stdout.strip())
