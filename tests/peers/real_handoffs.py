"""Real hand-offs: those in the source packages of PYNQ on PyPI, and PYNQ's own parser of them.

Downloaded once, by pip, into the cache of this user; of the packages (63 MB) only these files are kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import ModuleType
from unittest import mock

import pytest

_PYNQ, _METADATA = "pynq-3.1.2", "pynqmetadata-0.2.0"
_BOARDS, _TESTS = f"{_PYNQ}/boards", f"{_METADATA}/pynqmetadata/tests/hwhs"
#: Ours to what is in the packages, with the beginning of its SHA-256.
FILES: Mapping[str, tuple[str, str]] = {
    "pynq-z1-base.hwh": (f"{_BOARDS}/Pynq-Z1/base/base.hwh", "02e41078aebcd87f"),
    "pynq-z1-logictools.hwh": (f"{_BOARDS}/Pynq-Z1/logictools/logictools.hwh", "465dc5a9e99dc00a"),
    "pynq-z2-base.hwh": (f"{_BOARDS}/Pynq-Z2/base/base.hwh", "09daa9177432dab3"),
    "pynq-z2-logictools.hwh": (f"{_BOARDS}/Pynq-Z2/logictools/logictools.hwh", "527992e004bc45d9"),
    "zcu104-base.hwh": (f"{_BOARDS}/ZCU104/base/base.hwh", "f92eb4d38ed7dd03"),
    "resizer.hwh": (f"{_TESTS}/resizer.hwh", "ee7c5de478f7a8e8"),
    "rfsoc-sam.hwh": (f"{_TESTS}/rfsoc_sam.hwh", "b6734c2e6827d8c9"),
    "hwh_parser.py": (f"{_PYNQ}/pynq/pl_server/hwh_parser.py", "bbb9ffebc4d01a52"),
}
HANDOFFS = tuple(name for name in FILES if name.endswith(".hwh"))
_SECONDS = 300.0


class DownloadError(Exception):
    """A package cannot be had, or is not what it was."""


def folder() -> Path:
    """Where the files are. Skips the test where they cannot be had; with GAPLESS_REQUIRE_HANDOFFS=1 it fails."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    into = Path(os.environ.get("GAPLESS_CACHE") or Path(base) / "gapless") / _PYNQ
    try:
        if not all((into / name).is_file() for name in FILES):
            _fetch(into)
    except (OSError, DownloadError) as error:
        if os.environ.get("GAPLESS_REQUIRE_HANDOFFS") == "1":
            pytest.fail(f"GAPLESS_REQUIRE_HANDOFFS=1: {error}")
        pytest.skip(f"no real hand-offs: {error}")
    return into


def _fetch(into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as name:
        for package in (_PYNQ, _METADATA):
            _download(package.replace("-", "=="), Path(name))
            with tarfile.open(Path(name) / f"{package}.tar.gz") as archive:
                for ours, (member, digest) in FILES.items():
                    if PurePosixPath(member).parts[0] == package:
                        _extract(archive, member, digest, into / ours, Path(name) / ours)


def _download(requirement: str, into: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--retries", "1"]
    command += ["--no-cache-dir", "--no-deps", "--no-binary", ":all:", "-d", str(into), requirement]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise DownloadError(f"pip download {requirement} took longer than {_SECONDS:.0f} s") from None
    if result.returncode:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
        raise DownloadError(f"pip download {requirement}: {errors[0] if errors else result.stderr[-300:]}")


def _extract(archive: tarfile.TarFile, member: str, digest: str, path: Path, part: Path) -> None:
    found = archive.extractfile(member)
    data = b"" if found is None else found.read()
    if not hashlib.sha256(data).hexdigest().startswith(digest):
        raise DownloadError(f"{member} is not the file whose contents the tests know")
    part.write_bytes(data)
    part.replace(path)  # whole, or not at all, and whatever another run does at the same time


@contextmanager
def pynqs_parser(path: Path) -> Iterator[ModuleType]:
    """PYNQ's module, which wants nothing of the rest of PYNQ but to know what processor it is on."""
    machine = ModuleType("pynq.ps")
    machine.__dict__.update(CPU_ARCH="", CPU_ARCH_IS_SUPPORTED=False, ZU_ARCH="aarch64", ZYNQ_ARCH="armv7l")
    with mock.patch.dict(sys.modules, {"pynq": ModuleType("pynq"), "pynq.ps": machine}):
        spec = importlib.util.spec_from_file_location("pynq_hwh_parser", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
