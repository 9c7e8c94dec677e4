"""PYNQ from PyPI in an environment of its own, build/pynq-venv, with the versions of pynq-requirements.txt."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .measure import UnavailableError

_FOLDER = Path(__file__).resolve().parents[1] / "build" / "pynq-venv"
_REQUIREMENTS = Path(__file__).with_name("pynq-requirements.txt")
#: These have no wheel for this machine, and need no compiler.
_FROM_SOURCE = "pynq,pynqmetadata,pynqutils"


def pynq_python() -> Path:
    """Its interpreter; the environment is made at the first call, and again when the versions change."""
    python, stamp = _FOLDER / "bin" / "python", _FOLDER / "installed.txt"
    wanted = f"# Python {sys.version}\n{_REQUIREMENTS.read_text(encoding='utf-8')}"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    # The native module of gapless loads in the Python it was built for only.
    if sys.version_info >= (3, 13):
        raise UnavailableError(
            f"PYNQ 4.0.0 pins packages that have no wheel for Python {sys.version_info[0]}.{sys.version_info[1]}: "
            "make bench PYTHON=python3.12"
        )
    print("(making build/pynq-venv: PYNQ 4.0.0 from PyPI, half a minute)", file=sys.stderr, flush=True)
    if _FOLDER.exists():
        shutil.rmtree(_FOLDER)
    _run([sys.executable, "-m", "venv", _FOLDER])
    tools = [line for line in wanted.splitlines() if line.startswith("setuptools==")]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--retries", "1", "--no-deps"]
    _run([*pip, "--only-binary", ":all:", *tools])
    # No isolation: what builds them is pinned too.
    build = ["--no-build-isolation", "--use-pep517", "--only-binary", ":all:", "--no-binary", _FROM_SOURCE]
    _run([*pip, *build, "-r", _REQUIREMENTS])
    _run([python, "-m", "pip", "--disable-pip-version-check", "check"])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _run(command: list[str | Path]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        print(result.stdout + result.stderr, file=sys.stderr)
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = errors[0].removeprefix("ERROR: ") if errors else "see above"
        raise UnavailableError(f"PYNQ 4.0.0 could not be installed from PyPI ({reason}): is it reachable?")
