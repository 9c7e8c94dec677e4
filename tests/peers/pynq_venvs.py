"""The environments of PYNQ 3.0.1 to 4.0.0, with the gapless that is tested in each, and programs in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import gapless
from gapless.cli.pynq import DEFAULT_BOARD
from gapless.compat.running import package

VERSIONS = ("3.0.1", "3.1.2", "4.0.0")
_MAKE = Path(__file__).parents[2] / "scripts" / "pynq_venv.py"
_SCRIPT = Path(package.__file__).with_name("script.py")
_SECONDS = 60.0


@dataclass(frozen=True)
class Venv:
    """An interpreter with ``pynq`` of a version, or without ("") the one of the tests."""

    version: str
    python: str
    environment: Mapping[str, str]

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """The interpreter with arguments."""
        return subprocess.run(
            [self.python, *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=self.environment,
            timeout=_SECONDS,
            check=False,
        )

    def cli(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """``gapless`` with arguments."""
        return self.run("-m", "gapless.cli", *arguments, cwd=cwd)

    def script(self, path: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """A script as ``gapless pynq run`` has it, which saves the second process; with --real where PYNQ is there."""
        return self.run(str(_SCRIPT), str(path), *arguments, cwd=cwd)


def ours() -> Venv:
    """Without PYNQ."""
    return Venv("", sys.executable, {**os.environ, "GAPLESS_BOARD": DEFAULT_BOARD})


def venv(version: str, folder: Path) -> Venv:
    """With PYNQ; ``folder`` is an empty one. Skips where it cannot be had; with GAPLESS_REQUIRE_PYNQ=1 it fails.

    For Python 3.13 there is no such PYNQ.
    """
    python = _python(version)
    if not python.startswith("/"):
        if os.environ.get("GAPLESS_REQUIRE_PYNQ") == "1" and sys.version_info < (3, 13):
            pytest.fail(f"GAPLESS_REQUIRE_PYNQ=1: {python}")
        pytest.skip(python)
    # gapless alone, not all that is installed beside it: PYNQ has its own numpy.
    (folder / "gapless").symlink_to(Path(gapless.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": str(folder), "GAPLESS_BOARD": DEFAULT_BOARD, package.VARIABLE: "1"}
    return Venv(version, python, environment)


@cache
def _python(version: str) -> str:
    made = subprocess.run([sys.executable, str(_MAKE), version], capture_output=True, text=True, check=False)
    return made.stdout.strip() if made.returncode == 0 else made.stderr.strip().splitlines()[-1]
