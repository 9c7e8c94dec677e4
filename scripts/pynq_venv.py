"""``python scripts/pynq_venv.py VERSION``: an environment with PYNQ from PyPI, for tests and benchmarks.

Prints the path of its interpreter. It is made when it is not there yet, whole or not at all, in the cache of this user
(``$GAPLESS_CACHE``, else ``~/.cache/gapless``); what all versions require is installed once, by requirements/pynq.txt.
gapless is not in it: who uses it says where that is, by PYTHONPATH. Where PYNQ cannot be had, one line on stderr says
why, and the exit status is 1.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements" / "pynq.txt"
VERSIONS = ("3.0.1", "3.1.2", "4.0.0")
#: These have no wheel for this machine, and need no compiler.
_FROM_SOURCE = "pynqmetadata,pynqutils"
_PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_SECONDS = 600.0


class UnavailableError(Exception):
    """PYNQ cannot be had here; the message says why."""


def pynq_python(version: str) -> Path:
    """The interpreter of the environment with that version of PYNQ."""
    if version not in VERSIONS:
        raise UnavailableError(f"PYNQ {version}: there is {', '.join(VERSIONS)}")
    # The native module of gapless loads in the Python it was built for only.
    if sys.version_info >= (3, 13):
        raise UnavailableError(f"PYNQ pins packages that have no wheel for {_PYTHON}: use python3.12")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(os.environ.get("GAPLESS_CACHE") or Path(base) / "gapless") / "pynq-venvs"
    recipe = Path(__file__).read_bytes() + REQUIREMENTS.read_bytes() + sys.version.encode()
    pins = hashlib.sha256(recipe).hexdigest()[:8]
    packages = cache / f"{_PYTHON}-{pins}"
    _make(packages, _install_packages)
    folder = cache / f"{_PYTHON}-{pins}-pynq-{version}"
    _make(folder, lambda part: _install_pynq(part, version, packages))
    return folder / "bin" / "python"


def _make(folder: Path, install: Callable[[Path], None]) -> None:
    if folder.exists():
        return
    print(f"(making {folder})", file=sys.stderr, flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        install(part)
        try:
            part.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was faster, and made the same
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _install_packages(into: Path) -> None:
    _run([sys.executable, "-m", "venv", into])
    pins = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    _pip(into, "--only-binary", ":all:", *(line for line in pins if line.startswith("setuptools==")))
    # No isolation: what builds them is pinned, too.
    source = ["--no-build-isolation", "--use-pep517", "--only-binary", ":all:", "--no-binary", _FROM_SOURCE]
    _pip(into, *source, "-r", str(REQUIREMENTS))
    _run([into / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "check"])


def _install_pynq(into: Path, version: str, packages: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", into])
    site = Path("lib") / _PYTHON / "site-packages"
    # A path alone would leave out the .pth files that are there, of setuptools among others.
    (into / site / "packages.pth").write_text(f"import site; site.addsitedir({str(packages / site)!r})\n")
    _pip(packages, "--no-build-isolation", "--use-pep517", "--target", str(into / site), f"pynq=={version}")


def _pip(environment: Path, *arguments: str) -> None:
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    _run([*pip, "--no-deps", "--retries", "1", *arguments])


def _run(command: list[str | Path]) -> None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"PYNQ could not be installed from PyPI within {_SECONDS:.0f} s") from None
    if result.returncode:
        print(result.stdout + result.stderr, file=sys.stderr)
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = errors[0].removeprefix("ERROR: ") if errors else "see above"
        raise UnavailableError(f"PYNQ could not be installed from PyPI ({reason}): is it reachable?")


def main() -> int:
    """Print the interpreter's path."""
    try:
        print(pynq_python(*sys.argv[1:]))
    except (OSError, UnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
